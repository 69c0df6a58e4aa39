"""Weights as plain data: shape them and check that they mean something here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import ValidationError

from bcma_decide.errors import Problem, WeightsError, closest, quote
from bcma_decide.patient.stated_weights import CriterionWeight, Weights
from bcma_decide.pooled.criteria import Criterion
from bcma_decide.preference_shapes import MOST_POINTS, OF_100

CANNOT: Final = "the weights cannot be used"
START: Final = "start from: bcma-decide template --weights"
_MESSAGES: Final = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "greater_than_equal": "is too small",
    "too_short": "needs at least one criterion",
    "too_long": "holds too many: at most 12 changes can be set against each other",
    "string_type": "is not the name of a criterion",
    "float_type": "is not a number",
    "tuple_type": "is not a list",
    "int_type": "is not a whole number",
    "int_from_float": "is not a whole number",
}
_POINTS_FIX: Final = f"a number from 0 to {MOST_POINTS}, or a range as [40, 60]"
_LEAST_CHANGE: Final = 0.005
"""Ends nearer to each other than this are printed as the same; a value grows from one to the other."""


def weights_from(values: object, criteria: Mapping[str, Criterion]) -> Weights:
    """Check plain data; raises WeightsError with every problem."""
    if not isinstance(values, Mapping):
        raise WeightsError(CANNOT, [Problem("", "is not a mapping with 'criteria:'", START)])
    try:
        weights = Weights.model_validate(values)
    except ValidationError as error:
        raise WeightsError(CANNOT, list(_shape_problems(error))) from None
    check_weights(weights, criteria)
    return weights


def check_weights(weights: Weights, criteria: Mapping[str, Criterion]) -> None:
    """Refuse weights that mean nothing here; raises WeightsError with every problem."""
    problems = [
        *(problem for place, each in enumerate(weights.criteria) for problem in _criterion(place, each, criteria)),
        *_together(weights),
    ]
    if problems:
        raise WeightsError(CANNOT, problems)


def _criterion(place: int, weight: CriterionWeight, criteria: Mapping[str, Criterion]) -> Iterator[Problem]:
    at = f"criteria.{place}"
    low, high = weight.bounds
    if low > high:
        yield Problem(f"{at}.points", "the fewer points come first", f"[{high:g}, {low:g}]")
    if weight.points is not None and weight.rank is not None:
        yield Problem(f"{at}.rank", "stands beside points", "give points or ranks")
    criterion = criteria.get(weight.criterion)
    if criterion is None:
        fix = closest(weight.criterion, list(criteria)) or f"one of {', '.join(criteria)}"
        yield Problem(f"{at}.criterion", f"{quote(weight.criterion)} cannot be given a weight", fix)
        return
    if (weight.least is None) != (weight.most is None):
        yield Problem(
            f"{at}.{'from' if weight.least is None else 'to'}", "is missing beside the other end", "give both"
        )
    elif weight.least is None or weight.most is None:
        if criterion.scale is None:
            yield Problem(at, "a burden has no ends of its own", f"give from and to, in {criterion.unit}")
    else:
        yield from _ends(at, weight.least, weight.most, criterion)


def _ends(at: str, least: float, most: float, criterion: Criterion) -> Iterator[Problem]:
    if abs(least - most) < _LEAST_CHANGE:
        yield Problem(f"{at}.to", "is the same as from: no change to weigh", "give two different ends")
    elif (least < most) != (criterion.direction == "benefit"):
        word = "fewer" if criterion.direction == "benefit" else "more"
        yield Problem(f"{at}.from", f"is the less attractive end, with {word} {criterion.unit}", "exchange from and to")
    for name, value in (("from", least), ("to", most)):
        if value < 0 or (criterion.unit == OF_100 and value > 100):
            allowed = "0 to 100 of 100" if criterion.unit == OF_100 else f"0 {criterion.unit} or more"
            yield Problem(f"{at}.{name}", f"{value:g} cannot be", allowed)


def _together(weights: Weights) -> Iterator[Problem]:
    names = [each.criterion for each in weights.criteria]
    for place, name in enumerate(names):
        if name in names[:place]:
            yield Problem(f"criteria.{place}.criterion", f"{quote(name)} stands there twice", "keep one of them")
    pointed = [each.points is not None for each in weights.criteria]
    ranked = [each.rank for each in weights.criteria if each.rank is not None]
    if any(pointed) and any(each.rank is not None and each.points is None for each in weights.criteria):
        yield Problem("criteria", "some have points and others ranks", "give points to every criterion, or a rank")
    elif any(pointed):
        for place, has in enumerate(pointed):
            if not has:
                yield Problem(f"criteria.{place}.points", "is missing", "give points to every criterion, or to none")
        if all(each.bounds[1] == 0 for each in weights.criteria):
            yield Problem("criteria", "every criterion has 0 points", "give 100 to the change that matters most")
        elif all(each.bounds[0] == 0 for each in weights.criteria):
            yield Problem("criteria", "every criterion may have 0 points", "give one of them points above 0")
    elif ranked and sorted(ranked) != list(range(1, len(names) + 1)):
        yield Problem("criteria", "the ranks are not 1, 2, 3 and so on, each once", "rank every criterion, or none")


def _shape_problems(error: ValidationError) -> Iterator[Problem]:
    seen = set()
    found = error.errors(include_url=False, include_input=False)
    for one in found:
        if one["type"] == "too_short" and len(found) > 1:  # counted without the entries that are wrong
            continue
        parts = [part for part in one["loc"] if isinstance(part, int) or "[" not in str(part)]
        points = next((place for place, part in enumerate(parts) if part == "points"), None)
        if points is not None:  # a number or a range: one problem, whichever of the two it is not
            parts = parts[: points + 1]
            message, fix = "cannot be used", _POINTS_FIX
        else:
            message = _MESSAGES.get(one["type"], one["msg"].removeprefix("Value error, "))
            fix = START if one["type"] in ("missing", "extra_forbidden") else ""
        where = ".".join(str(part) for part in parts if part != "float")
        if where not in seen:
            seen.add(where)
            yield Problem(where, message, fix)
