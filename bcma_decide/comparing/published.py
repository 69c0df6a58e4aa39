"""Published figures in place of numbers (limits), and published options beside the computed ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from msgspec import Struct
from msgspec.structs import asdict

from bcma_decide.comparing.withheld_places import places_of_class, places_of_limit
from bcma_decide.comparison import PublishedFigure, PublishedOption
from bcma_decide.facts.leaf_table import CODE, LeafTable, code_of_one
from bcma_decide.model.beside import kept_beside
from bcma_decide.model.numbers import PatientNumbers
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.pooled.in_force import in_force
from bcma_decide.pooled.published_book import BesideOption, Figure, Limit
from bcma_decide.pooled.rule_book import NOT_IN_FORCE
from bcma_decide.vocabulary import CLASSES, FAMILY_OF, ClassId


class Withheld(Struct, frozen=True):
    """Why an option has no number for a family, what was published instead, and where that was seen."""

    reason: str
    published: tuple[PublishedFigure, ...]
    sources: tuple[str, ...]


def withheld_numbers(numbers: PatientNumbers) -> Mapping[tuple[str, str], Withheld]:
    """By outcome and option: the numbers that a limit takes away from this patient.

    A limit acts where its condition holds; one that cannot be judged changes nothing. An age beyond those studied in a
    class leaves none of its numbers.
    """
    pooled, facts = numbers.pooled, numbers.traits.facts
    table, places = _conditions(pooled)
    codes = [CODE[each.value] for each in table.judged(facts)]
    holds = [code_of_one(program, codes) > 0 for program in table.programs]
    acting = tuple(place is None or holds[place] for place in places)
    beyond = tuple(
        class_id
        for class_id, outside in zip(CLASSES, numbers.outside, strict=True)
        if any(each.trait == "age" for each in outside)
    )
    age = numbers.traits["age"].value if beyond else None
    return _withheld(pooled, acting, beyond, age)


@kept_beside(4)
def _conditions(pooled: PooledEvidence) -> tuple[LeafTable, tuple[int | None, ...]]:
    """The conditions of the limits, and by limit the place of its own; None where it holds for everybody."""
    limits = pooled.published.limits
    count = iter(range(len(limits)))
    places = tuple(None if limit.when is None else next(count) for limit in limits)
    return LeafTable((limit.when for limit in limits if limit.when is not None), pooled.definitions), places


@kept_beside(256)
def _withheld(
    pooled: PooledEvidence, acting: tuple[bool, ...], beyond: tuple[ClassId, ...], age: float | None
) -> Mapping[tuple[str, str], Withheld]:
    """The same of all to whom the same limits apply.

    ``acting`` is by limit; ``beyond`` are the classes in which nobody of this ``age`` was studied.
    """
    result = _beyond_the_ages(pooled, beyond, age)
    for limit, acts in zip(pooled.published.limits, acting, strict=True):
        if not acts:
            continue
        for place in places_of_limit(limit, pooled):
            where = place.outcome, place.option
            result[where] = _joined(result.get(where), _of_family(limit, place.family))
    return result


def _beyond_the_ages(
    pooled: PooledEvidence, classes: tuple[ClassId, ...], age: float | None
) -> dict[tuple[str, str], Withheld]:
    result: dict[tuple[str, str], Withheld] = {}
    for class_id in classes:
        low, high = pooled.age_range[CLASSES.index(class_id)].tolist()
        reason = f"Age {age:g}: the patients studied in this class were {low:g} to {high:g} years old."
        for place in places_of_class(class_id, pooled):
            result[place.outcome, place.option] = Withheld(reason, (), ())
    return result


def _of_family(limit: Limit, family: str) -> Withheld:
    """What a limit says of one family; figures outside the model, such as times to an event, stand with the first."""
    figures = [
        figure
        for figure in limit.figures
        if family == (FAMILY_OF[figure.outcome].id if figure.outcome in FAMILY_OF else limit.families[0])
    ]
    sources = (*(key for figure in figures for key in figure.sources), *limit.sources)
    return Withheld(limit.reason, tuple(_figure(figure) for figure in figures), tuple(dict.fromkeys(sources)))


def _joined(first: Withheld | None, second: Withheld) -> Withheld:
    if first is None:
        return second
    return Withheld(
        reason=f"{first.reason} {second.reason}",
        published=first.published + second.published,
        sources=tuple(dict.fromkeys(first.sources + second.sources)),
    )


@kept_beside(16)
def published_options(pooled: PooledEvidence, region: str, on: date) -> tuple[PublishedOption, ...]:
    """Regimens without a model that a label of the region lists on that day, with their published figures."""
    return tuple(
        PublishedOption(
            id=option.id,
            label=option.label,
            long_label=option.long_label,
            class_id=option.class_id,
            study=option.study,
            figures=tuple(_figure(figure) for figure in option.figures),
            note=option.note,
            sources=option.sources,
        )
        for option in pooled.published.options
        if _labelled(pooled, option, region, on)
    )


def _labelled(pooled: PooledEvidence, option: BesideOption, region: str, on: date) -> bool:
    """Whether a label of this regimen holds; one of which no beginning is known does not count."""
    labels = next(product.indications for product in pooled.rules.products if product.id == option.product)
    return any(
        label.region == region
        and label.regimen == option.regimen
        and label.approval not in NOT_IN_FORCE
        and label.since is not None
        and in_force(label.since, label.until, on) is True
        for label in labels
    )


def _figure(figure: Figure) -> PublishedFigure:
    return PublishedFigure(**asdict(figure))
