"""Whether the evidence agrees with itself: every rule is one generator of problems.

The schema is checked first, over all files at once; the rules here run only when every file has its shape.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

from bcma_decide.errors import Problem, closest
from bcma_decide.pooled.location import STUDIES, evidence_directory
from bcma_decide.vocabulary import FAMILIES, MODEL_TRAIT_IDS, MODEL_TRAITS, OUTCOMES
from bcma_decide.workshop.evidence.catalogue import Catalogue, read_catalogue
from bcma_decide.workshop.evidence.check_judgements import judgement_problems
from bcma_decide.workshop.evidence.check_reviews import review_problems
from bcma_decide.workshop.evidence.check_times import TIME_RULES
from bcma_decide.workshop.evidence.check_words import Found, unknown_words
from bcma_decide.workshop.evidence.counts import SLACK, agrees
from bcma_decide.workshop.evidence.figures import counted_rows, figures
from bcma_decide.workshop.evidence.outcome_definitions import FILE as OUTCOME_DEFINITIONS
from bcma_decide.workshop.evidence.outcome_definitions import OutcomeDefinitionsFile
from bcma_decide.workshop.evidence.protocol_cohorts import cohort_problems
from bcma_decide.workshop.evidence.schema import Interval, Split, Study, TimeToEvent

BACKGROUND_SOURCES: Final = ("S0", "SR")
"""Source keys of background knowledge: what was not seen."""
NUMERIC_TRAITS: Final = frozenset(trait.id for trait in MODEL_TRAITS if trait.kind != "binary")


def check(directory: Path | None = None) -> tuple[Problem, ...]:
    """Every problem of the evidence under ``directory``; nothing when it is sound."""
    root = evidence_directory(directory)
    catalogue, problems = read_catalogue(root)
    return problems if catalogue is None else (*check_catalogue(catalogue), *judgement_problems(root, catalogue))


def check_catalogue(catalogue: Catalogue) -> tuple[Problem, ...]:
    """Every problem of a catalogue that has been read."""
    problems = list(_vocabulary_problems(catalogue))
    studies = {study.id: study for study in catalogue.studies}
    for study in catalogue.studies:
        file = f"{STUDIES}/{study.id}.yaml"
        found = [problem for rule in STUDY_RULES for problem in rule(study)]
        found += [*unknown_words(study, catalogue.vocabulary), *overlaps_mutual(study, studies)]
        found += definitions_known(study, catalogue.outcome_definitions)
        problems += [Problem(field=field, message=message, fix=fix, file=file) for field, message, fix in found]
    problems += cohort_problems(catalogue.protocol_cohorts, studies)
    problems += [*outcome_definition_problems(catalogue), *review_problems(catalogue)]
    return tuple(problems)


def _vocabulary_problems(catalogue: Catalogue) -> Iterator[Problem]:
    ids = catalogue.vocabulary.ids
    for kind, needed, known in (
        ("outcomes", OUTCOMES, ids.outcomes),
        ("traits", MODEL_TRAIT_IDS, ids.traits),
    ):
        for word in needed:
            if word not in known:
                yield Problem(
                    field=f"{kind}.{word}",
                    message="is used by the program but missing",
                    file="vocabulary.yaml",
                )
    if not any(product.option for product in ids.products.values()):
        yield Problem(field="products", message="no product is an option", file="vocabulary.yaml")


def sources_resolve(study: Study) -> Found:
    """Look for every source in the same file; figures that were seen name one that was seen."""
    for field, figure in figures(study):
        if figure.source is None:
            if figure.basis != "recalled":
                yield f"{field}.source", f"a {figure.basis} figure needs a source", "name where it was seen"
        elif figure.source not in study.sources:
            known = ", ".join(study.sources) or "none"
            yield f"{field}.source", f"{figure.source} is not among the sources", f"the file has {known}"
        elif figure.source in BACKGROUND_SOURCES and figure.basis != "recalled":
            yield f"{field}.basis", f"{figure.source} is background knowledge, so the basis is recalled", ""


def sources_traceable(study: Study) -> Found:
    """Require that a source can be looked up, or says that it cannot."""
    for key, source in study.sources.items():
        if source.traceable and not (source.url or source.doi or source.pmid):
            yield f"sources.{key}", "has no url, doi or pmid", "add one, or traceable: false"


def events_within_total(study: Study) -> Found:
    """No more events than patients."""
    for field, row in counted_rows(study):
        if row.events is not None and row.n is not None and row.events > row.n:
            yield f"{field}.events", f"{row.events} events among {row.n} patients", ""
    for key, figure in study.population.items():
        if figure.n is not None and figure.of is not None and figure.n > figure.of:
            yield f"population.{key}.n", f"{figure.n} among {figure.of} patients", ""


def percentage_agrees(study: Study) -> Found:
    """Compare the printed percentage with the count, within the printed precision.

    A count that was itself computed from the percentage may be off by half a patient. Sources that contradict
    themselves are marked ``inconsistent`` with the reason, and only those.
    """
    for field, row in counted_rows(study):
        if row.events is None or row.n is None or row.pct is None or row.events > row.n:
            continue
        derived = row.events_derived or row.events_basis == "derived"
        near = derived and abs(row.events - row.n * row.pct / 100.0) <= 0.5 + SLACK
        if agrees(row.events, row.n, row.pct) or near:
            if row.inconsistent:
                yield f"{field}.inconsistent", "the figures do agree", "remove it"
        elif not row.inconsistent:
            exact = 100.0 * row.events / row.n
            yield (
                f"{field}.pct",
                f"{row.pct:g} printed, but {row.events}/{row.n} is {exact:.2f} percent",
                "mend the figure, or say why with inconsistent: ...",
            )
    for key, figure in study.population.items():
        if figure.n is None or figure.of is None or figure.pct is None or figure.n > figure.of:
            continue
        if not agrees(figure.n, figure.of, figure.pct):
            yield f"population.{key}.pct", f"{figure.pct:g} printed, but {figure.n}/{figure.of} differs", ""


def intervals_contain(study: Study) -> Found:
    """Require intervals that are ordered and hold their estimate."""
    for field, row in counted_rows(study):
        yield from _outside(f"{field}.ci95", row.ci95, row.pct)
    for index, effect in enumerate(study.effects):
        value = effect.value if isinstance(effect.value, float | int) else None
        yield from _outside(f"effects[{index}].ci95", effect.ci95, value)
    for index, curve in enumerate(study.time_to_event):
        yield from _outside(f"time_to_event[{index}].ci95", curve.ci95, curve.median_months)
        for month, landmark in enumerate(curve.landmarks):
            yield from _outside(f"time_to_event[{index}].landmarks[{month}].ci95", landmark.ci95, landmark.pct)
    for index, comparison in enumerate(study.indirect_comparisons):
        yield from _outside(f"indirect_comparisons[{index}].ci95", comparison.ci95, comparison.value)
    for index, pooled in enumerate(study.pooled_estimates):
        value = pooled.value if isinstance(pooled.value, float | int) else None
        yield from _outside(f"pooled_estimates[{index}].ci95", pooled.ci95, value)
    for key, figure in study.population.items():
        value = figure.value if isinstance(figure.value, float | int) else None
        yield from _outside(f"population.{key}.range", figure.range, value)
        yield from _outside(f"population.{key}.iqr", figure.iqr, value)
    for index, kinetic in enumerate(study.kinetics):
        yield from _outside(f"kinetics[{index}].range", kinetic.range, kinetic.median)
        yield from _outside(f"kinetics[{index}].iqr", kinetic.iqr, kinetic.median)


def _outside(field: str, interval: Interval | None, value: float | None) -> Found:
    if interval is None:
        return
    low, high = interval
    if low is not None and high is not None and low > high:
        yield field, f"runs from {low:g} down to {high:g}", ""
    elif value is not None and ((low is not None and value < low) or (high is not None and value > high)):
        yield field, f"does not contain {value:g}", ""


def bases_of_what_is_there(study: Study) -> Found:
    """``events_basis`` and ``n_basis`` speak of figures that are given."""
    for field, row in counted_rows(study):
        if row.events is None and row.events_basis is not None:
            yield f"{field}.events_basis", "there are no events", ""
        if row.n is None and row.n_basis is not None:
            yield f"{field}.n_basis", "there is no n", ""
        if row.events is None and row.events_derived:
            yield f"{field}.events_derived", "there are no events", ""


def one_primary_row(study: Study) -> Found:
    """One primary row per arm and outcome."""
    rows = [(row.arm, row.outcome) for row in study.outcomes if row.primary]
    for (arm, outcome), count in Counter(rows).items():
        if count > 1:
            where = f" of arm {arm}" if arm else ""
            yield "outcomes", f"{count} primary rows of {outcome}{where}", "keep one primary"


def one_primary_split(study: Study) -> Found:
    """One primary split per arm, outcome, trait and level."""
    levels = [(s.arm, s.outcome, s.trait, s.level) for s in study.splits if s.primary]
    for (_, outcome, trait, level), count in Counter(levels).items():
        if count > 1:
            yield "splits", f"{count} primary splits of {outcome} by {trait}, {level}", "keep one primary"


def groups_clear(study: Study) -> Found:
    """Require groups by a trait of the model to say which side they are on, in the way of that trait."""
    rows: list[tuple[str, Split | TimeToEvent]] = [(f"splits[{i}]", split) for i, split in enumerate(study.splits)]
    rows += [(f"time_to_event[{i}]", row) for i, row in enumerate(study.time_to_event)]
    for field, row in rows:
        bounded = row.at_least is not None or row.below is not None
        if row.trait in NUMERIC_TRAITS:
            if row.group is not None:
                yield f"{field}.group", f"{row.trait} is numeric", "give at_least or below instead"
            if not bounded:
                yield f"{field}.level", f"{row.trait} needs bounds", "add at_least and/or below"
        elif row.trait in MODEL_TRAIT_IDS:
            if row.group is None:
                yield f"{field}.group", f"{row.level!r} is neither present nor absent", "add group"
            if bounded:
                yield f"{field}.at_least", f"{row.trait} is not numeric", "give group instead"
        if row.at_least is not None and row.below is not None and row.at_least >= row.below:
            yield f"{field}.below", f"{row.below:g} is not above {row.at_least:g}", ""


def nested_thresholds(study: Study) -> Found:
    """Require no more events of a stricter threshold than of a looser one of the same patients."""
    rows = {(row.arm, row.outcome): (index, row) for index, row in enumerate(study.outcomes) if row.primary}
    for family in FAMILIES:
        ids = [threshold.id for threshold in family.thresholds]
        for arm in sorted({arm for arm, _ in rows}, key=str):
            known = [rows[arm, outcome] for outcome in ids if (arm, outcome) in rows]
            for (_, loose), (index, strict) in pairwise(known):
                if loose.events is None or strict.events is None or loose.n != strict.n:
                    continue
                if strict.events > loose.events:
                    yield (
                        f"outcomes[{index}].events",
                        f"{strict.events} of {strict.outcome}, but {loose.events} of {loose.outcome}",
                        "",
                    )


def references_clear(study: Study) -> Found:
    """Allow a reference level only for effects of the model's yes-or-no traits."""
    for index, effect in enumerate(study.effects):
        if effect.reference is not None and effect.trait not in set(MODEL_TRAIT_IDS) - NUMERIC_TRAITS:
            yield f"effects[{index}].reference", f"{effect.trait} is no yes-or-no trait of the model", ""


def arms_known(study: Study) -> Found:
    """Look for every arm named by a row in the list of arms."""
    known = {arm.arm for arm in study.arms}
    times = [(f"time_to_event[{index}]", row) for index, row in enumerate(study.time_to_event)]
    for field, row in (*counted_rows(study), *times):
        if row.arm is not None and row.arm not in known:
            yield f"{field}.arm", f"{row.arm} is not among the arms", ""


def record_consistent(study: Study) -> Found:
    """Record type, design and pooling role go together."""
    for kind in ("label", "meta_analysis"):
        if (study.record_type == kind) != (study.design == kind):
            yield "design", f"record_type {study.record_type} with design {study.design}", ""
    never = study.record_type != "study" or study.combination or study.setting != "rrmm"
    if never and study.pooling.role != "context":
        yield "pooling.role", f"{study.pooling.role}, but such a record is never pooled", "use context"
    elif study.mixed_targets and study.pooling.role not in ("context", "splits_only"):
        yield "pooling.role", f"{study.pooling.role}, but its targets are mixed", "use splits_only or context"
    if study.pooling.role != "whole_group" and not study.pooling.reason:
        yield "pooling.reason", f"{study.pooling.role} needs a reason", ""
    if not study.products:
        yield "products", "is empty", ""


def overlaps_mutual(study: Study, studies: dict[str, Study]) -> Found:
    """Overlapping sets name each other."""
    for index, other in enumerate(study.overlaps_with):
        field = f"overlaps_with[{index}]"
        if other == study.id:
            yield field, "a study does not overlap with itself", ""
        elif other not in studies:
            yield field, f"there is no study {other}", ""
        elif study.id not in studies[other].overlaps_with:
            yield field, f"{other} does not name {study.id} in turn", f"add it to {STUDIES}/{other}.yaml"


def definitions_known(study: Study, definitions: OutcomeDefinitionsFile) -> Found:
    """Look for every named definition in its file, and there for the outcome of the row."""
    for index, row in enumerate(study.outcomes):
        if row.definition is None:
            continue
        found = definitions.get(row.definition)
        if found is None:
            hint = closest(row.definition, [one.id for one in definitions.definitions])
            yield f"outcomes[{index}].definition", f"{row.definition} is not in {OUTCOME_DEFINITIONS}", hint
        elif row.outcome not in found.rows_of:
            allowed = ", ".join(found.rows_of)
            yield f"outcomes[{index}].definition", f"{row.definition} is no definition of {row.outcome}", allowed


def outcome_definition_problems(catalogue: Catalogue) -> Iterator[Problem]:
    """Definitions of outcomes: each id once, each outcome in the vocabulary."""
    definitions, words = catalogue.outcome_definitions.definitions, catalogue.vocabulary
    counts = Counter(one.id for one in definitions)
    for number, one in enumerate(definitions):
        field = f"definitions[{number}]"
        if counts[one.id] > 1:
            yield Problem(f"{field}.id", f"{one.id} stands there twice", "give each its own id", OUTCOME_DEFINITIONS)
        for outcome in dict.fromkeys([*one.rows_of, *one.rows_of.values()]):
            if outcome not in words.known("outcomes"):
                hint = words.suggestion("outcomes", outcome)
                yield Problem(f"{field}.rows_of", f"{outcome} is not one of the outcomes", hint, OUTCOME_DEFINITIONS)


STUDY_RULES: Final[tuple[Callable[[Study], Found], ...]] = (
    record_consistent,
    sources_resolve,
    sources_traceable,
    events_within_total,
    percentage_agrees,
    intervals_contain,
    bases_of_what_is_there,
    one_primary_row,
    one_primary_split,
    groups_clear,
    nested_thresholds,
    arms_known,
    references_clear,
    *TIME_RULES,
)
