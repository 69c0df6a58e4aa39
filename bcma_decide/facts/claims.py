"""What the fields of a profile say about each trait of the model, in three-valued logic.

A *claim* says that a trait is present or absent, and from which fields that follows. None is made from what
is not known: *no* needs every way to *yes* to be ruled out. Claims that disagree are left for
:mod:`bcma_decide.facts.traits`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bcma_decide.facts.drug_history import T_CELL_REDIRECTING, Claim, DrugHistory, against_bcma, redirects
from bcma_decide.facts.facts import Evidence, Facts, Judgement, ScoreResult
from bcma_decide.facts.measures import KnownNumber, measures
from bcma_decide.facts.scores import score_patient
from bcma_decide.logic import Bounds
from bcma_decide.patient.fields import FIELD_LABELS, FIELDS, in_sentence
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


def gather(patient: Patient, definitions: Definitions) -> Facts:
    """Collect all that is known of a patient: numbers, claims about every yes-or-no trait, scores.

    Scores may rest on traits, and some traits on scores: the traits that do not are found first.
    """
    drugs = DrugHistory(patient, definitions)
    numbers = measures(patient, definitions.scores)
    found: dict[str, Evidence] = {}
    scores: dict[str, ScoreResult] = {}
    facts = Facts(patient, definitions, drugs, numbers, found, scores)
    for any_of in definitions.any_of:
        found[any_of.id] = _any_of(patient, any_of)
    for cut in definitions.cut_offs:
        found[cut.id] = _cut_off(patient, cut, numbers)
    found |= _refractoriness(patient, definitions, drugs)
    found |= _earlier_therapy(patient, drugs)
    for term in definitions.terms:
        if term.id not in found and FIELDS[term.id].kind == "yes_no":
            found[term.id] = Evidence(_given(patient, term.id), "needs an answer", _labels([term.id]))
    for ruled_out in definitions.ruled_out:
        found[ruled_out.id] = _ruled_out(patient, ruled_out, facts.judge(ruled_out.when))
    score_patient(facts, scores, numbers)
    for from_score in definitions.from_scores:
        found[from_score.id] = _from_score(patient, from_score, scores[from_score.score])
    for stage in definitions.stages:
        found[stage.id] = _stage(patient, stage, definitions.stages, scores[stage.score])
    return facts


def _given(patient: Patient, name: str) -> tuple[Claim, ...]:
    value = getattr(patient, name, None)
    return () if value is None else (Claim(value, "given", (name,), given=True),)


def _labels(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(in_sentence(FIELD_LABELS[name]) for name in names)


def _any_of(patient: Patient, rule: AnyOf) -> Evidence:
    claims = list(_given(patient, rule.id))
    values = {name: getattr(patient, name) for name in rule.fields}
    present = tuple(name for name, value in values.items() if value)
    if present:
        claims.append(Claim(True, f"{and_list(_labels(present))} present", present))
    elif all(value is False for value in values.values()):
        claims.append(Claim(False, f"{and_list(_labels(rule.fields))} absent", rule.fields))
    missing = _labels(name for name, value in values.items() if value is None)
    return Evidence(tuple(claims), f"needs {and_list(missing)}", missing)


def _cut_off(patient: Patient, rule: CutOff, numbers: dict[str, KnownNumber]) -> Evidence:
    claims = list(_given(patient, rule.id))
    label = in_sentence(FIELD_LABELS[rule.field])
    measure = numbers.get(rule.field)
    value = None if measure is None else rule.bounds.judge(measure.span)
    if measure is not None and value is not None:
        cut = wording(rule).removeprefix(label).strip()
        claims.append(Claim(value, f"{label} {measure.shown}; cut-off: {cut}", measure.fields))
    enough = [
        Claim(True, in_sentence(FIELD_LABELS[name]), (name,)) for name in rule.or_any_of if getattr(patient, name)
    ]
    if enough:  # whatever the value is
        claims = [claim for claim in claims if claim.given or claim.value] + enough
    return Evidence(tuple(claims), f"needs {label}", (label,))


def _ruled_out(patient: Patient, rule: RuledOut, why: Judgement) -> Evidence:
    claims = list(_given(patient, rule.id))
    if why.value:
        claims.append(Claim(False, ", ".join(why.here), why.fields))
    return Evidence(tuple(claims), "needs an answer", _labels([rule.id]))


def _from_score(patient: Patient, rule: FromScore, result: ScoreResult) -> Evidence:
    claims = list(_given(patient, rule.id))
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


def _stage(patient: Patient, rule: Stage, rules: Iterable[Stage], result: ScoreResult) -> Evidence:
    claims: list[Claim] = []
    stage = getattr(patient, rule.field)
    label = FIELD_LABELS[rule.field]
    if stage is not None:
        claims.append(Claim(stage == rule.stage, f"{label} {ROMAN[stage]}", (rule.field,), given=True))
    for other in rules:
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


def _refractoriness(patient: Patient, definitions: Definitions, drugs: DrugHistory) -> dict[str, Evidence]:
    """Judge refractoriness: needing more of every class implies needing less, and is ruled out with it."""
    own: dict[str, list[Claim]] = {}
    needs: dict[str, str] = {}
    for rule in definitions.drug_counts:
        counted, needs[rule.id] = _count(drugs, rule)
        own[rule.id] = [*_given(patient, rule.id), *counted]
    found = {}
    for rule in definitions.drug_counts:
        claims = list(own[rule.id])
        for other in definitions.drug_counts:
            direct = [claim for claim in own[other.id] if claim.given and other is not rule]
            claims += [
                Claim(claim.value, f"{in_sentence(FIELD_LABELS[other.id])}: {yes_no(claim.value)}", claim.fields)
                for claim in direct
                if (_implies(other, rule) if claim.value else _implies(rule, other))
            ]
        found[rule.id] = Evidence(tuple(claims), needs[rule.id] or "needs an answer", _labels([rule.id]))
    return found


def _implies(stronger: DrugCount, weaker: DrugCount) -> bool:
    counts = {need.drug_class: need.at_least for need in stronger.needs}
    return all(counts.get(need.drug_class, 0) >= need.at_least for need in weaker.needs)


def _earlier_therapy(patient: Patient, drugs: DrugHistory) -> dict[str, Evidence]:
    """Judge earlier therapy: BCMA and T-cell redirection overlap, neither contains the other."""
    bcma, redirection = "prior_bcma", "prior_t_cell_redirection"
    claims = {name: list(_given(patient, name)) for name in (bcma, redirection)}
    if patient.progression_on_bcma:
        claims[bcma].append(Claim(True, "progression on BCMA therapy", ("progression_on_bcma",)))
    if patient.prior_bcma_courses:
        claims[bcma].append(Claim(True, _courses(patient.prior_bcma_courses), ("prior_bcma_courses",)))
    redirecting = [course for course in patient.prior_bcma_courses if course.kind in T_CELL_REDIRECTING]
    if redirecting:
        claims[redirection].append(Claim(True, _courses(redirecting), ("prior_bcma_courses",)))
    sides: dict[str, tuple[Callable[[Drug], bool], Callable[[Drug], bool]]] = {
        bcma: (against_bcma, lambda drug: against_bcma(drug) and not redirects(drug)),
        redirection: (redirects, lambda drug: redirects(drug) and not against_bcma(drug)),
    }
    for name, other in ((bcma, redirection), (redirection, bcma)):
        every, outside = sides[name]
        claims[name] += [claim for claim in (drugs.exposure(every),) if claim]
        rest = drugs.exposure(outside)
        if getattr(patient, other) is False and rest is not None and not rest.value:
            how = f"{in_sentence(FIELD_LABELS[other])}: no; {rest.how}"
            claims[name].append(Claim(False, how, (other, *rest.fields)))
    return {
        name: Evidence(tuple(found), "needs an answer, or the drugs given", _labels([name]))
        for name, found in claims.items()
    }


def _courses(courses: Iterable[Course]) -> str:
    return f"earlier course of {and_list(dict.fromkeys(course_text(course) for course in courses))}"
