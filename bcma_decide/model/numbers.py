"""One patient's numbers: everything computed, before it is put into words.

`PatientNumbers` is what the assembly of the `Comparison` reads; nothing here formats or judges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import product
from typing import overload

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bcma_decide.facts.traits import Modelled, Traits
from bcma_decide.model.apart import Pairs, moving_higher
from bcma_decide.model.beside import beside
from bcma_decide.model.contrast import Difference, Side, differences
from bcma_decide.model.kept import KEPT, Kept
from bcma_decide.model.kernel import Evaluated, class_differences, evaluated, fixed_differences
from bcma_decide.model.outside import OutsideTrait, outside_evidence
from bcma_decide.model.prediction import Average
from bcma_decide.model.profiles import Profiles
from bcma_decide.model.rates import Rates, rates_of
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.vocabulary import (
    FAMILY_OF,
    MODEL_TRAIT_IDS,
    MODEL_TRAITS,
    OUTCOMES,
    Design,
)

Array = NDArray[np.float64]


class Averages(Sequence[Average]):
    """One average for each cell, over centres and patients, put together when it is read."""

    def __init__(self, evaluated: Evaluated) -> None:
        self._evaluated = evaluated
        self._found: dict[int, Average] = {}

    def __len__(self) -> int:
        """How many cells there are."""
        return int(self._evaluated.table.shape[1])

    @overload
    def __getitem__(self, index: int) -> Average: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Average, ...]: ...

    def __getitem__(self, index: int | slice) -> Average | tuple[Average, ...]:
        """Return the average of one cell, or of some."""
        if isinstance(index, slice):
            return tuple(self[place] for place in range(*index.indices(len(self))))
        if index not in self._found:
            self._found[index] = self._evaluated.average(range(len(self))[index])
        return self._found[index]


class SharedNumbers(Struct, frozen=True, dict=True):
    """The numbers of all patients of whom the same is known of every trait that moves one, in one setting."""

    pooled: PooledEvidence
    setting: Design
    evaluated: Evaluated
    """What they are read from."""
    rates: tuple[Rates, ...]
    """One for each cell."""

    @cached_property
    def averages(self) -> Sequence[Average]:
        """One for each cell, over centres and patients."""
        return Averages(self.evaluated)

    @cached_property
    def class_differences(self) -> Mapping[bool, Mapping[str, Difference]]:
        """First class minus second, for every outcome at which both have a number: with the bias term, and without."""
        found = dict(_fixed_differences(self.pooled, self.setting))
        sds = self.pooled.assumptions["unanchored_sd"], 0.0
        for meeting, first, second in self.evaluated.met():
            gaps = class_differences(meeting, first, second, self.evaluated.table, sds)[0]
            found |= {o: _pair(own) for o, own in zip(meeting.names, gaps.tolist(), strict=True)}
        both = [outcome for outcome in OUTCOMES if outcome in found]
        return {biased: {o: found[o][place] for o in both} for place, biased in enumerate((True, False))}

    @cached_property
    def higher(self) -> Mapping[str, Pairs]:
        """How likely the first of two options has the higher rate, by outcome that any trait moves."""
        return moving_higher(self.pooled, self.evaluated, self.pooled.assumptions["unanchored_sd"])


class PatientNumbers(Struct, frozen=True):
    """All numbers of one patient in one setting, cell by cell as the pooled evidence has them."""

    pooled: PooledEvidence
    setting: Design
    traits: Traits
    shared: SharedNumbers
    """Those that others have too."""
    outside: tuple[tuple[OutsideTrait, ...], ...]
    """Per class: where the patient lies outside its evidence."""
    extra_variance: Mapping[tuple[str, int], float]
    """Variance of the level for that, by family and class."""

    @property
    def evaluated(self) -> Evaluated:
        """What the numbers are read from."""
        return self.shared.evaluated

    @property
    def rates(self) -> tuple[Rates, ...]:
        """One for each cell."""
        return self.shared.rates

    @property
    def averages(self) -> Sequence[Average]:
        """One for each cell, over centres and patients."""
        return self.shared.averages

    @property
    def class_differences(self) -> Mapping[bool, Mapping[str, Difference]]:
        """First class minus second, for every outcome at which both have a number: with the bias term, and without."""
        return self.shared.class_differences

    @property
    def place(self) -> Mapping[tuple[str, str], int]:
        """Where the cell of an outcome and an option stands."""
        return self.pooled.place

    def moves(self, outcome: str) -> bool:
        """Whether any trait moves an outcome; else its numbers are the same for every patient."""
        family = FAMILY_OF[outcome].id
        return family in self.pooled.family_index and bool(self.pooled.used[self.pooled.family_index[family]].any())

    def difference(self, outcome: str, options: tuple[str, str], bias_sd: float) -> Difference:
        """First option minus second at one outcome; both need a number there."""
        return self.differences(outcome, options, (bias_sd,))[0]

    def differences(self, outcome: str, options: tuple[str, str], bias_sds: Sequence[float]) -> tuple[Difference, ...]:
        """The same for each size of the bias."""
        first, second = (self.side(outcome, option) for option in options)
        return differences(first, second, self.pooled.outcome_covariance[outcome], bias_sds)

    def side(self, outcome: str, option: str) -> Side:
        """One option at one outcome, to be compared with another; it needs a number there."""
        index = self.place[outcome, option]
        return Side(self.averages[index], self.rates[index].mean, self.pooled.cells[index].class_index)


def _fixed_differences(pooled: PooledEvidence, setting: Design) -> Mapping[str, tuple[Difference, Difference]]:
    """Differences of the classes that are the same for every patient: with the bias term, and without."""

    def made() -> Mapping[str, tuple[Difference, Difference]]:
        return {outcome: _pair(gaps.tolist()) for outcome, gaps in fixed_differences(pooled, setting).items()}

    return beside(pooled, ("differences in words", setting), made)


def _pair(rows: Sequence[Sequence[float]]) -> tuple[Difference, Difference]:
    """From the rows of `bcma_decide.model.kernel.class_differences`."""
    first, second = (
        Difference((mean, low, high), higher, (log_odds, log_odds - reach, log_odds + reach))
        for mean, low, high, higher, log_odds, reach in rows
    )
    return first, second


def patient_numbers(pooled: PooledEvidence, traits: Traits, setting: Design) -> PatientNumbers:
    """Compute all numbers of one patient."""
    values = {trait.id: traits[trait.id].modelled for trait in MODEL_TRAITS}
    outside = outside_evidence(pooled, values)
    extra = extra_variance(pooled, outside)
    widened = {place: own for place, own in extra.items() if own}
    moving = beside(pooled, "traits that move a number", lambda: _moving(pooled))
    kept: Kept[object, SharedNumbers] = beside(pooled, "numbers", lambda: Kept(KEPT))
    shared = kept.get(
        (setting, tuple([values[trait] for trait in moving]), *widened.items()),
        lambda: _shared(pooled, setting, values, widened),
    )
    return PatientNumbers(
        pooled=pooled, setting=setting, traits=traits, shared=shared, outside=outside, extra_variance=extra
    )


def _moving(pooled: PooledEvidence) -> list[str]:
    """Traits that act in any family."""
    acting = acting_in(pooled, *pooled.family_index).tolist()
    return [trait for trait, acts in zip(MODEL_TRAIT_IDS, acting, strict=True) if acts]


def _shared(
    pooled: PooledEvidence, setting: Design, values: Mapping[str, Modelled], widened: Mapping[tuple[str, int], float]
) -> SharedNumbers:
    extra = {place: np.full(1, own) for place, own in widened.items()}
    found = evaluated(pooled, setting, Profiles.of([values]), extra)
    return SharedNumbers(pooled, setting, found, _rates(pooled, setting, found))


def _rates(pooled: PooledEvidence, setting: Design, found: Evaluated) -> tuple[Rates, ...]:
    own = found.kernel
    rates = list(beside(pooled, ("rates", setting), lambda: [rates_of(row) for row in own.table.tolist()]))
    for place, row in zip(own.places.tolist(), found.table[0, own.places].tolist(), strict=True):
        rates[place] = rates_of(row)
    return tuple(rates)


def extra_variance(
    pooled: PooledEvidence, outside: Sequence[Sequence[OutsideTrait]]
) -> Mapping[tuple[str, int], float]:
    """Variance of the level by family and class, for every trait that acts in the family and lies outside the class.

    A trait that acts in neither class moves no number of the family, so it widens none either; a measured value near a
    cut widens by its chance, not by a jump.
    """
    if not any(outside):
        return beside(
            pooled, "no extra variance", lambda: dict.fromkeys(product(pooled.family_index, range(len(outside))), 0.0)
        )
    own = pooled.assumptions["outside_evidence_sd"] ** 2
    return {
        (family, index): own
        * sum(each.chance for each in found if pooled.used[f, :, MODEL_TRAIT_IDS.index(each.trait)].any())
        for family, f in pooled.family_index.items()
        for index, found in enumerate(outside)
    }


def acting_in(pooled: PooledEvidence, *families: str) -> NDArray[np.bool_]:
    """Traits that act in any of the families, in either class, (traits,)."""
    used = [pooled.used[pooled.family_index[family]].any(axis=0) for family in families]
    return np.asarray(np.any(used, axis=0))
