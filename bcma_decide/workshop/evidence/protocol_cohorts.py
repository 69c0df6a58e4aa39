"""``protocol_cohorts.yaml``: cohorts of one protocol that differ by one trait, as contrasts of that trait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from pydantic import Field

from bcma_decide.errors import Problem, closest
from bcma_decide.vocabulary import MODEL_TRAITS, THRESHOLDS
from bcma_decide.workshop.evidence.schema import Identifier, Number, Strict, Study

FILE = "protocol_cohorts.yaml"
TRAITS: Final = tuple(trait.id for trait in MODEL_TRAITS if trait.kind == "binary")


class CohortPair(Strict):
    """Two cohorts of one protocol: ``high`` with the trait, ``low`` without it."""

    id: Identifier
    trait: Identifier
    high: Identifier
    low: Identifier
    outcomes: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    """Outcomes that both cohorts count alike."""
    extra_variance: Annotated[Number, Field(gt=0)]
    """Variance on the log odds beyond sampling: the cohorts were not allocated."""
    reason: Annotated[str, Field(min_length=10)]
    note: str = ""


class ProtocolCohorts(Strict):
    """The whole file."""

    contrasts: tuple[CohortPair, ...] = ()


def cohort_problems(cohorts: ProtocolCohorts, studies: Mapping[str, Study]) -> Iterator[Problem]:
    """Every reference in the file that leads nowhere, and cohorts that are not of one protocol."""
    counts = Counter(pair.id for pair in cohorts.contrasts)
    for number, pair in enumerate(cohorts.contrasts):
        for field, message, fix in _problems(pair, studies):
            yield Problem(f"contrasts[{number}].{field}", message, fix, FILE)
        if counts[pair.id] > 1:
            yield Problem(f"contrasts[{number}].id", f"{pair.id} stands there twice", "give each its own id", FILE)


def _problems(pair: CohortPair, studies: Mapping[str, Study]) -> Iterator[tuple[str, str, str]]:
    if pair.trait not in TRAITS:
        yield "trait", f"{pair.trait} is no yes-or-no trait of the model", closest(pair.trait, list(TRAITS))
    for outcome in pair.outcomes:
        if outcome not in THRESHOLDS:
            yield "outcomes", f"{outcome} is not an outcome of the model", closest(outcome, list(THRESHOLDS))
    unknown = [side for side in ("high", "low") if getattr(pair, side) not in studies]
    for side in unknown:
        yield side, f"there is no study {getattr(pair, side)}", closest(getattr(pair, side), list(studies))
    if unknown:
        return
    high, low = studies[pair.high], studies[pair.low]
    if high.trial is None or high.trial != low.trial:
        yield "high", f"{high.id} and {low.id} are not cohorts of one trial", "both files name the same trial"
    if high.class_id != low.class_id or high.products != low.products:
        yield "high", f"{high.id} and {low.id} are not given the same product", ""
    if high.id in low.overlaps_with or low.id in high.overlaps_with:
        yield "high", f"{high.id} and {low.id} share patients", ""
    for side, study, all_have_it in (("high", high, True), ("low", low, False)):
        known = study.population.get(pair.trait)
        if known is None or known.n is None or known.of is None or known.n != (known.of if all_have_it else 0):
            who = "every patient has" if all_have_it else "no patient has"
            yield side, f"{study.id} does not say that {who} {pair.trait}", "see its population"
