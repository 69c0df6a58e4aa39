"""What the weights that somebody gave make of the evidence: put together from an answer that is complete without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from bcma_decide.comparing.measured import Column, Grounds, column_of
from bcma_decide.model.certainty import LEVELS
from bcma_decide.model.draws import DRAWS, LARGEST_ERROR, uniforms
from bcma_decide.model.preferences import (
    Acceptability,
    Crossing,
    acceptability,
    crossings,
    first_on_average,
    ordered_weights,
    partial_values,
    simplex_weights,
    weights_of_points,
)
from bcma_decide.patient.stated_weights import CriterionWeight, Weights
from bcma_decide.patient.weights import check_weights
from bcma_decide.pooled.criteria import criteria_of
from bcma_decide.preference_shapes import (
    CriterionLine,
    NotRanked,
    OptionRanks,
    PreferenceResult,
    Ranking,
    Turn,
    Turning,
    ValueDifference,
)
from bcma_decide.value import Interval
from bcma_decide.vocabulary import FAMILY_OF, Certainty

Array = NDArray[np.float64]

_KINDS: Final[tuple[Literal["class", "product"], ...]] = ("class", "product")
_ENDS = np.array([0.025, 0.975])


@dataclass(frozen=True)
class _Weighed:
    """Criteria with their ends (criteria,), their weights by draw (draws, criteria) and on average (criteria,)."""

    weights: Weights
    columns: tuple[Column, ...]
    least: Array
    most: Array
    drawn: Array
    average: Array

    @property
    def open(self) -> bool:
        """Whether what was said leaves the weights open."""
        return self.weights.kind != "points"

    @property
    def counting(self) -> tuple[int, ...]:
        """Criteria that can have a weight above 0; the others change nothing."""
        kind = self.weights.kind
        return tuple(
            place for place, each in enumerate(self.weights.criteria) if kind in ("order", "open") or each.bounds[1] > 0
        )


def preferences(weights: Weights, grounds: Grounds) -> PreferenceResult:
    """Rank the classes, and the products, by the weights; raises WeightsError where these mean nothing here."""
    criteria = criteria_of(grounds.numbers.pooled)
    check_weights(weights, criteria)
    columns = tuple(column_of(criteria[each.criterion], grounds) for each in weights.criteria)
    ends = [
        column.criterion.scale if each.least is None or each.most is None else (each.least, each.most)
        for each, column in zip(weights.criteria, columns, strict=True)
    ]
    least, most = np.array(ends, dtype=float).T
    drawn = _weight_draws(weights)
    weighed = _Weighed(weights, columns, least, most, drawn, drawn.mean(axis=0))
    counting = [columns[place] for place in weighed.counting]
    able = [option.id for option in grounds.options if not _lacking(counting, option.id)]
    draws = np.stack([each.draws(grounds, able) for each in counting], axis=2)
    return PreferenceResult(
        kind=weights.kind,
        criteria=tuple(_line(weighed, place) for place in range(len(columns))),
        rankings=tuple(
            _ranking(
                weighed,
                [option.id for option in grounds.options if option.kind == kind],
                {option: draws[:, place] for place, option in enumerate(able)},
                kind,
            )
            for kind in _KINDS
        ),
        draws=DRAWS,
        largest_error=LARGEST_ERROR,
        assumptions=_assumptions(columns),
    )


def _weight_draws(weights: Weights) -> Array:
    names = [each.criterion for each in weights.criteria]
    if weights.kind == "points":
        points = np.array([each.bounds[0] for each in weights.criteria])
        return np.broadcast_to(points / points.sum(), (DRAWS, points.size))
    chances = np.column_stack([uniforms(f"weight:{name}") for name in names])
    if weights.kind == "ranges":
        fewest, most = np.array([each.bounds for each in weights.criteria]).T
        return weights_of_points(chances, fewest, most)
    if weights.kind == "order":
        return ordered_weights(chances, [each.rank or 0 for each in weights.criteria])
    return simplex_weights(chances)


def _line(weighed: _Weighed, place: int) -> CriterionLine:
    given: CriterionWeight = weighed.weights.criteria[place]
    column = weighed.columns[place]
    low, high = np.quantile(weighed.drawn[:, place], _ENDS).tolist()
    return CriterionLine(
        criterion=column.criterion.id,
        label=column.criterion.label,
        unit=column.criterion.unit,
        direction=column.criterion.direction,
        least=float(weighed.least[place]),
        most=float(weighed.most[place]),
        range_given=given.least is not None,
        points=given.bounds if given.points is not None else None,
        rank=given.rank,
        weight=float(weighed.average[place]),
        weight_interval=(low, high) if weighed.open else None,
        measured=dict(column.measured),
    )


def _ranking(
    weighed: _Weighed, options: Sequence[str], draws: Mapping[str, Array], kind: Literal["class", "product"]
) -> Ranking:
    """Rank options of one kind; ``draws`` (draws, criteria) of every option that has all numbers."""
    columns = [weighed.columns[place] for place in weighed.counting]
    ranked = [option for option in options if option in draws]
    not_ranked = tuple(
        NotRanked(option=option, reasons=_lacking(columns, option)) for option in options if option not in draws
    )
    if len(ranked) < 2:
        return Ranking(kind=kind, options=(), not_ranked=not_ranked)
    places = list(weighed.counting)
    least, most = weighed.least[places], weighed.most[places]
    drawn, average = weighed.drawn[:, places], weighed.average[places]
    partial = partial_values(np.stack([draws[option] for option in ranked], axis=1), least, most)
    means = np.array([[each.measured[option].mean for each in columns] for option in ranked])
    centre = partial_values(means, least, most)
    found = acceptability(partial, drawn)
    values = (100.0 * centre @ average).tolist()
    first = first_on_average(centre, average)
    return Ranking(
        kind=kind,
        options=tuple(
            _option(weighed, columns, found, place, option, values[place]) for place, option in enumerate(ranked)
        ),
        first=None if first is None else ranked[first],
        not_ranked=not_ranked,
        difference=_difference(ranked, found, values) if len(ranked) == 2 else None,
        turnings=()
        if first is None or weighed.weights.kind == "open"
        else tuple(
            _turning(column, ranked, *crossings(centre, average, first, place)) for place, column in enumerate(columns)
        ),
        certainty=_lowest(columns, ranked),
    )


def _lacking(columns: Sequence[Column], option: str) -> tuple[str, ...]:
    return tuple(f"{each.criterion.label}: {each.reasons[option]}" for each in columns if option not in each.measured)


def _option(
    weighed: _Weighed, columns: Sequence[Column], found: Acceptability, place: int, option: str, value: float
) -> OptionRanks:
    confidence = float(found.confidence[place])
    central = found.central_weights[place].tolist()
    ever_first = weighed.open and not np.isnan(confidence)
    return OptionRanks(
        option=option,
        ranks=tuple(found.ranks[place].tolist()),
        value=value,
        value_interval=_around(100.0 * found.values[:, place], value),
        central_weights={each.criterion.id: weight for each, weight in zip(columns, central, strict=True)}
        if ever_first
        else None,
        confidence=confidence if ever_first else None,
    )


def _difference(ranked: Sequence[str], found: Acceptability, values: Sequence[float]) -> ValueDifference:
    mean = values[0] - values[1]
    drawn = 100.0 * (found.values[:, 0] - found.values[:, 1])
    return ValueDifference(options=(ranked[0], ranked[1]), mean=mean, interval=_around(drawn, mean))


def _around(drawn: Array, mean: float) -> Interval:
    low, high = np.quantile(drawn, _ENDS).tolist()
    return min(low, mean), max(high, mean)


def _turning(column: Column, ranked: Sequence[str], below: Crossing | None, above: Crossing | None) -> Turning:
    def turn(crossing: Crossing | None) -> Turn | None:
        return None if crossing is None else Turn(weight=crossing.weight, option=ranked[crossing.index])

    return Turning(criterion=column.criterion.id, below=turn(below), above=turn(above))


def _lowest(columns: Sequence[Column], ranked: Sequence[str]) -> Certainty | None:
    found = [each.certainty[option] for each in columns for option in ranked if option in each.certainty]
    return min(found, key=LEVELS.index) if found else None


def _assumptions(columns: Sequence[Column]) -> tuple[str, ...]:
    kinds = {each.criterion.kind for each in columns}
    families = [
        FAMILY_OF[each.criterion.id].id if each.criterion.kind == "outcome" else each.criterion.kind
        for each in columns
        if each.criterion.kind != "burden"
    ]
    by_nature = [
        each.criterion.label for each in columns if any(one.kind == "by_nature" for one in each.measured.values())
    ]
    from_infusion = any(each.criterion.direction == "benefit" for each in columns)
    parts = (
        ("The value of a criterion grows evenly from the less to the more attractive end, and goes on beyond the ends; "
         "values of criteria add up.", True),
        ("Draws are of the averages, by what the parameters leave open: not of single patients, not of one centre. "
         "The bias of a comparison without randomisation is drawn with them.", True),
        ("Outcomes of one kind are drawn together, those of different kinds independently.", kinds != {"burden"}),
        ("CAR-T is counted from the infusion; those who never reach it count where 'apheresis done, infusion not "
         "reached' has a weight.", from_infusion),
        ("Burdens are facts of labels and studies, taken as they stand; that of a class is the average of its "
         "products.", "burden" in kinds),
        ("Two criteria are of one kind of outcome: who has the stricter or later one also has the other, and counts in "
         "both.",
         len(families) != len(set(families))),
        (f"Does not occur with one of the classes by its nature, and counts as 0 there: {', '.join(by_nature)}.",
         bool(by_nature)),
        ("Findings and labels stand before this: it does not say whether an option can be given.", True),
    )  # fmt: skip
    return tuple(text for text, holds in parts if holds)
