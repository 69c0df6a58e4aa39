"""What is known of patients, as arrays with one row each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcma_decide.logic import Chance
from bcma_decide.vocabulary import MODEL_TRAITS, scaled

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Profiles:
    """What is known of some patients, in the order of the model's traits.

    ``number`` (profiles, traits): numeric traits on the model's scale (:func:`bcma_decide.vocabulary.scaled`), NaN
    where unknown and for yes/no traits. ``yes``, ``no`` (profiles, traits): how likely a yes/no trait is present and
    how likely absent, 1 and 0 where it is known, both 0 where nothing is known and for numeric traits.
    """

    number: Array
    yes: Array
    no: Array

    def __getitem__(self, rows: slice) -> Profiles:
        """Some of the patients."""
        return Profiles(self.number[rows], self.yes[rows], self.no[rows])

    def __len__(self) -> int:
        """How many patients there are."""
        return len(self.number)

    @classmethod
    def of(cls, patients: Iterable[Mapping[str, bool | float | Chance | None]]) -> Profiles:
        """From the traits of each patient in natural units, as `TraitValue.modelled` has them."""
        given = [[patient[trait.id] for trait in MODEL_TRAITS] for patient in patients]
        number = np.full((len(given), len(MODEL_TRAITS)), np.nan)
        yes, no = np.zeros_like(number), np.zeros_like(number)
        for row, values in enumerate(given):
            for place, (trait, value) in enumerate(zip(MODEL_TRAITS, values, strict=True)):
                if value is None:
                    continue
                if trait.kind != "binary" and not isinstance(value, Chance):
                    number[row, place] = scaled(trait.id, float(value))
                else:
                    chance = value if isinstance(value, Chance) else Chance.of(bool(value))
                    yes[row, place], no[row, place] = chance
        return cls(number, yes, no)
