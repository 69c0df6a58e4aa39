"""What the fields of a profile say about each trait of the model, in three-valued logic.

A *claim* says that a trait is present or absent, and from which fields that follows. None is made from what
is not known: *no* needs every way to *yes* to be ruled out. Claims that disagree are left for
:mod:`bcma_decide.facts.traits`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from typing import Final

from bcma_decide.facts.drug_history import T_CELL_REDIRECTING, Claim, DrugHistory, against_bcma, redirects
from bcma_decide.facts.facts import Evidence, Facts, Ways
from bcma_decide.facts.measures import IN_SENTENCE, KnownNumber, converted_score
from bcma_decide.facts.scores import score_result, staged_number
from bcma_decide.logic import Bounds
from bcma_decide.patient.fields import FIELD_LABELS, FIELDS
from bcma_decide.patient.phrases import and_list, course_text, points_text, yes_no
from bcma_decide.patient.profile import Patient
from bcma_decide.patient.reading import ROMAN, Course
from bcma_decide.pooled.definitions import (
    AnyOf,
    CutOff,
    Definitions,
    Drug,
    DrugCount,
    FromScore,
    RuledOut,
    Stage,
    wording,
)
from bcma_decide.pooled.score_book import Conversion, Formula, ScoreBook, Staging


def gather(patient: Patient, definitions: Definitions) -> Facts:
    """Everything known of a patient: numbers, claims about every yes-or-no trait, scores; worked out when asked for."""
    return Facts(patient, definitions, _ways(definitions))


@lru_cache(maxsize=4)
def _ways(definitions: Definitions) -> Ways:
    """How traits, scores and numbers follow by these definitions."""
    book = definitions.scores
    evidence: dict[str, Callable[[Facts], Evidence]] = {}
    for any_of in definitions.any_of:
        evidence[any_of.id] = partial(_any_of, rule=any_of)
    for cut in definitions.cut_offs:
        evidence[cut.id] = partial(_cut_off, rule=cut)
    for count in definitions.drug_counts:
        evidence[count.id] = partial(_refractoriness, rule=count)
    for name in _EARLIER:
        evidence[name] = partial(_earlier_therapy, name=name)
    for term in definitions.terms:
        if term.id not in evidence and FIELDS[term.id].kind == "yes_no":
            evidence[term.id] = partial(_said, name=term.id)
    for ruled_out in definitions.ruled_out:
        evidence[ruled_out.id] = partial(_ruled_out, rule=ruled_out)
    for from_score in definitions.from_scores:
        evidence[from_score.id] = partial(_from_score, rule=from_score)
    for stage in definitions.stages:
        evidence[stage.id] = partial(_stage, rule=stage)
    scores = {score.about.id: partial(score_result, score) for score in book.every()}
    numbers = {name: partial(_number, sources=tuple(each)) for name, each in _by_number(book).items()}
    return Ways(evidence, scores, numbers)


def _by_number(book: ScoreBook) -> Mapping[str, list[Conversion | Formula | Staging]]:
    """What a number may follow from, in the order in which it is tried."""
    found: dict[str, list[Conversion | Formula | Staging]] = {}
    sources: list[Conversion | Formula | Staging] = [*book.conversions, *book.formulas, *book.stagings]
    for source in sources:
        found.setdefault(source.gives, []).append(source)
    return found


def _number(
    facts: Facts, given: KnownNumber | None, sources: tuple[Conversion | Formula | Staging, ...]
) -> KnownNumber | None:
    """A number as it was given, else as it follows; a value that was given is never replaced."""
    for source in sources:
        if isinstance(source, Staging):
            given = staged_number(source, facts, given)
        elif given is None and isinstance(source, Formula):
            given = facts.computed(source)
        elif given is None and isinstance(source, Conversion):
            given = converted_score(source, facts.number(source.takes))
    return given


def _given(patient: Patient, name: str) -> tuple[Claim, ...]:
    value = getattr(patient, name, None)
    return () if value is None else (Claim(value, "given", (name,), given=True),)


def _said(facts: Facts, name: str) -> Evidence:
    return Evidence(_given(facts.patient, name), "needs an answer", (IN_SENTENCE[name],))


def _labels(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(IN_SENTENCE[name] for name in names)


def _any_of(facts: Facts, rule: AnyOf) -> Evidence:
    patient = facts.patient
    claims = list(_given(patient, rule.id))
    values = {name: getattr(patient, name) for name in rule.fields}
    present = tuple(name for name, value in values.items() if value)
    if present:
        claims.append(Claim(True, f"{and_list(_labels(present))} present", present))
    elif all(value is False for value in values.values()):
        claims.append(Claim(False, f"{and_list(_labels(rule.fields))} absent", rule.fields))
    missing = _labels(name for name, value in values.items() if value is None)
    return Evidence(tuple(claims), f"needs {and_list(missing)}", missing)


def _cut_off(facts: Facts, rule: CutOff) -> Evidence:
    patient, label, measure = facts.patient, IN_SENTENCE[rule.field], facts.number(rule.field)
    claims = list(_given(patient, rule.id))
    value = None if measure is None else rule.bounds.judge(measure.span)
    if measure is not None and value is not None:
        cut = wording(rule).removeprefix(label).strip()
        claims.append(Claim(value, f"{label} {measure.shown}; cut-off: {cut}", measure.fields))
    enough = [Claim(True, IN_SENTENCE[name], (name,)) for name in rule.or_any_of if getattr(patient, name)]
    if enough:  # whatever the value is
        claims = [claim for claim in claims if claim.given or claim.value] + enough
    return Evidence(tuple(claims), f"needs {label}", (label,))


def _ruled_out(facts: Facts, rule: RuledOut) -> Evidence:
    claims, why = list(_given(facts.patient, rule.id)), facts.judge(rule.when)
    if why.value:
        claims.append(Claim(False, ", ".join(why.here), why.fields))
    return Evidence(tuple(claims), "needs an answer", _labels([rule.id]))


def _from_score(facts: Facts, rule: FromScore) -> Evidence:
    claims, result = list(_given(facts.patient, rule.id)), facts.score(rule.score)
    span = result.span
    if span is None:
        return Evidence(tuple(claims), f"needs {and_list(result.missing)}", result.missing)
    points = points_text(span)
    value = Bounds(at_least=rule.at_least).judge(span)
    if value is not None:
        parts = [f"{item.text} ({item.points.low:g})" for item in result.items if item.fields and item.points]
        detail = f": {', '.join(parts)}" if parts else ""
        claims.append(Claim(value, f"{points}{detail}; yes from {rule.at_least:g} points", result.fields))
    needs = f"{points}; needs {and_list(result.missing)}" if result.missing else points
    return Evidence(tuple(claims), needs, result.missing)


def _stage(facts: Facts, rule: Stage) -> Evidence:
    claims: list[Claim] = []
    patient, result = facts.patient, facts.score(rule.score)
    stage = getattr(patient, rule.field)
    label = FIELD_LABELS[rule.field]
    if stage is not None:
        claims.append(Claim(stage == rule.stage, f"{label} {ROMAN[stage]}", (rule.field,), given=True))
    for other in facts.definitions.stages:
        above = getattr(patient, other.field)
        if other.base_field == rule.field and above in other.same_as_base:
            how = f"{FIELD_LABELS[other.field]} {ROMAN[above]} means {label} {ROMAN[above]}"
            claims.append(Claim(above == rule.stage, how, (other.field,)))
    value = None if result.span is None else Bounds(at_least=rule.stage, at_most=rule.stage).judge(result.span)
    if value is not None and result.fields:
        from_what = ", ".join(item.text for item in result.items if item.fields)
        claims.append(Claim(value, f"{label} {' or '.join(result.groups)} from {from_what}", result.fields))
    missing = result.missing or (label,)
    return Evidence(tuple(claims), f"needs {label}", (label,) if stage is None and not result.fields else missing)


def _count(drugs: DrugHistory, rule: DrugCount) -> tuple[list[Claim], str]:
    failed: list[str] = []
    short: list[str] = []
    impossible: list[Claim] = []
    for need in rule.needs:
        agents = drugs.definitions.agents(need.drug_class)
        label = drugs.definitions.class_label(need.drug_class)
        sure = [drug for drug in agents if drugs.refractory[drug]]
        ruled_out = [drug for drug in agents if drugs.refractory[drug] is False]
        failed += sure
        if len(agents) - len(ruled_out) < need.at_least:
            how = f"not refractory to {and_list(ruled_out)} ({label}: {need.at_least} needed)"
            impossible.append(Claim(False, how, drugs.headings(ruled_out)))
        elif len(sure) < need.at_least:
            short.append(f"{label} ({need.at_least - len(sure)} more)")
    if impossible:
        return impossible, ""
    if not short:
        return [Claim(True, f"refractory to {and_list(failed)}", drugs.headings(failed))], ""
    return [], f"needs drugs it is refractory to: {and_list(short)}"


def _refractoriness(facts: Facts, rule: DrugCount) -> Evidence:
    """Judge refractoriness: needing more of every class implies needing less, and is ruled out with it."""
    counted, needs = _count(facts.drugs, rule)
    claims = [*_given(facts.patient, rule.id), *counted]
    for other in facts.definitions.drug_counts:
        claims += [
            Claim(claim.value, f"{IN_SENTENCE[other.id]}: {yes_no(claim.value)}", claim.fields)
            for claim in (_given(facts.patient, other.id) if other.id != rule.id else ())
            if (_implies(other, rule) if claim.value else _implies(rule, other))
        ]
    return Evidence(tuple(claims), needs or "needs an answer", _labels([rule.id]))


def _implies(stronger: DrugCount, weaker: DrugCount) -> bool:
    counts = {need.drug_class: need.at_least for need in stronger.needs}
    return all(counts.get(need.drug_class, 0) >= need.at_least for need in weaker.needs)


_BCMA, _REDIRECTION = "prior_bcma", "prior_t_cell_redirection"


def _bcma_alone(drug: Drug) -> bool:
    return against_bcma(drug) and not redirects(drug)


def _redirection_alone(drug: Drug) -> bool:
    return redirects(drug) and not against_bcma(drug)


_EARLIER: Final[Mapping[str, tuple[str, Callable[[Drug], bool], Callable[[Drug], bool]]]] = {
    _BCMA: (_REDIRECTION, against_bcma, _bcma_alone),
    _REDIRECTION: (_BCMA, redirects, _redirection_alone),
}
"""Earlier therapy: the other kind, the drugs of this one, and those of them that the other does not hold."""


def _earlier_therapy(facts: Facts, name: str) -> Evidence:
    """Judge earlier therapy: BCMA and T-cell redirection overlap, neither contains the other."""
    patient, drugs = facts.patient, facts.drugs
    other, of_this, outside = _EARLIER[name]
    claims = list(_given(patient, name))
    if name == _BCMA and patient.progression_on_bcma:
        claims.append(Claim(True, "progression on BCMA therapy", ("progression_on_bcma",)))
    courses = [each for each in patient.prior_bcma_courses if name == _BCMA or each.kind in T_CELL_REDIRECTING]
    if courses:
        claims.append(Claim(True, _courses(courses), ("prior_bcma_courses",)))
    claims += [claim for claim in (drugs.exposure(of_this),) if claim]
    rest = drugs.exposure(outside)
    if getattr(patient, other) is False and rest is not None and not rest.value:
        claims.append(Claim(False, f"{IN_SENTENCE[other]}: no; {rest.how}", (other, *rest.fields)))
    return Evidence(tuple(claims), "needs an answer, or the drugs given", _labels([name]))


def _courses(courses: Iterable[Course]) -> str:
    return f"earlier course of {and_list(dict.fromkeys(course_text(course) for course in courses))}"
