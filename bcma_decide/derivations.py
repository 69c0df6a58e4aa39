"""What the fields of a profile say about each trait of the model, in three-valued logic.

A *claim* says that a trait is present or absent, and from which fields that follows. None is made from what
is not known: *no* needs every way to *yes* to be ruled out. Claims that disagree are left for
:mod:`bcma_decide.traits`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import NamedTuple

from bcma_decide.definitions import AnyOf, CutOff, Definitions, Drug, DrugCount, Score, Stage, holds, wording
from bcma_decide.fields import FIELD_LABELS, FIELDS, in_sentence, or_list
from bcma_decide.patient import Patient
from bcma_decide.reading import Course, Quantity

T_CELL_REDIRECTING = ("car_t", "bispecific")
HEADINGS = ("refractory_to", "exposed_to", "naive_to")
ROMAN = ("", "I", "II", "III")
COURSE_KINDS = {"adc": "antibody-drug conjugate", "car_t": "CAR-T", "bispecific": "bispecific antibody"}


class Claim(NamedTuple):
    """A trait is present (or absent), because of these fields."""

    value: bool
    how: str
    fields: tuple[str, ...]
    given: bool = False


class Evidence(NamedTuple):
    """The claims about one trait, and what it would need if there are none."""

    claims: tuple[Claim, ...]
    needs: str

    @property
    def value(self) -> bool | None:
        """Present, absent, or None where there is no claim or the claims disagree."""
        values = {claim.value for claim in self.claims}
        return values.pop() if len(values) == 1 else None


class Drugs:
    """Which drugs failed, were given, were never given; a drug under two headings counts as unknown."""

    def __init__(self, patient: Patient, definitions: Definitions) -> None:
        self.patient = patient
        self.definitions = definitions
        self.refractory: dict[str, bool | None] = {}
        self.exposed: dict[str, bool | None] = {}
        self.overlaps: dict[tuple[str, str], list[str]] = {}
        for drug in definitions.drugs:
            under = [heading for heading in HEADINGS if drug.id in getattr(patient, heading)]
            for first, second in pairwise(under):
                self.overlaps.setdefault((first, second), []).append(drug.id)
            only = under[0] if len(under) == 1 else None
            self.refractory[drug.id] = None if only is None else only == "refractory_to"
            self.exposed[drug.id] = None if only is None else only != "naive_to"

    def headings(self, drugs: Iterable[str]) -> tuple[str, ...]:
        """List the fields these drugs were named in."""
        named = set(drugs)
        return tuple(heading for heading in HEADINGS if named & set(getattr(self.patient, heading)))

    def exposure(self, wanted: Callable[[Drug], bool]) -> Claim | None:
        """Whether any wanted drug was given: yes if one was, no if none of them was."""
        wanted_drugs = [drug.id for drug in self.definitions.drugs if wanted(drug)]
        given = [drug for drug in wanted_drugs if self.exposed[drug]]
        if given:
            return Claim(True, f"{and_list(given)} given", self.headings(given))
        if all(self.exposed[drug] is False for drug in wanted_drugs):
            return Claim(False, f"{and_list(wanted_drugs)} never given", ("naive_to",))
        return None


def and_list(words: Iterable[str]) -> str:
    """Write ``a``, ``a and b``, ``a, b and c``."""
    return or_list(list(words)).replace(" or ", " and ")


def all_evidence(patient: Patient, definitions: Definitions, drugs: Drugs) -> dict[str, Evidence]:
    """Collect the evidence about every binary trait that has a definition."""
    found: dict[str, Evidence] = {}
    for any_of in definitions.any_of:
        found[any_of.id] = _any_of(patient, any_of)
    for cut in definitions.cut_offs:
        found[cut.id] = _cut_off(patient, cut)
    for score in definitions.scores:
        found[score.id] = _score(patient, score)
    for stage in definitions.stages:
        found[stage.id] = _stage(patient, stage, definitions.stages, found)
    found |= _refractoriness(patient, definitions, drugs)
    found |= _earlier_therapy(patient, drugs)
    for term in definitions.terms:
        if term.id not in found and FIELDS[term.id].kind == "yes_no":
            found[term.id] = Evidence(_given(patient, term.id), "needs an answer")
    return found


def _given(patient: Patient, name: str) -> tuple[Claim, ...]:
    value = getattr(patient, name, None)
    return () if value is None else (Claim(value, "given", (name,), given=True),)


def _labels(names: Iterable[str]) -> list[str]:
    return [FIELD_LABELS[name] for name in names]


def _number(patient: Patient, name: str) -> float | None:
    value: Quantity | int | None = getattr(patient, name)
    return value.value if isinstance(value, Quantity) else value


def _any_of(patient: Patient, rule: AnyOf) -> Evidence:
    claims = list(_given(patient, rule.id))
    values = {name: getattr(patient, name) for name in rule.fields}
    present = tuple(name for name, value in values.items() if value)
    if present:
        claims.append(Claim(True, f"{and_list(_labels(present))} present", present))
    elif all(value is False for value in values.values()):
        claims.append(Claim(False, f"{and_list(_labels(rule.fields))} absent", rule.fields))
    missing = [name for name, value in values.items() if value is None]
    return Evidence(tuple(claims), f"needs {and_list(_labels(missing))}")


def _cut_off(patient: Patient, rule: CutOff) -> Evidence:
    claims = list(_given(patient, rule.id))
    value = getattr(patient, rule.field)
    number = _number(patient, rule.field)
    if number is not None:
        label = in_sentence(FIELD_LABELS[rule.field])
        cut = wording(rule).removeprefix(label).strip()
        claims.append(Claim(holds(rule, number), f"{label} {value}; cut-off: {cut}", (rule.field,)))
    claims += [
        Claim(True, in_sentence(FIELD_LABELS[name]), (name,)) for name in rule.or_any_of if getattr(patient, name)
    ]
    return Evidence(tuple(claims), f"needs {in_sentence(FIELD_LABELS[rule.field])}")


def _score(patient: Patient, rule: Score) -> Evidence:
    claims = list(_given(patient, rule.id))
    lowest = highest = 0
    known: list[str] = []
    missing: list[str] = []
    parts: list[str] = []
    for item in rule.items:
        value = _number(patient, item.field) if item.field else None
        low, high = item.points(value)
        lowest, highest = lowest + low, highest + high
        if value is None or item.field is None:
            missing.append(item.label)
        else:
            known.append(item.field)
            parts.append(f"{item.label} {getattr(patient, item.field)} ({low})")
    total = f"{lowest}" if lowest == highest else f"{lowest} to {highest}"
    points = f"{total} {'point' if total == '1' else 'points'}"
    if lowest >= rule.at_least or highest < rule.at_least:
        detail = f": {', '.join(parts)}" if parts else ""
        how = f"{points}{detail}; yes from {rule.at_least} points"
        claims.append(Claim(lowest >= rule.at_least, how, tuple(known)))
    return Evidence(tuple(claims), f"{points}; needs {and_list(missing)}" if missing else points)


def _stage(patient: Patient, rule: Stage, rules: Iterable[Stage], found: dict[str, Evidence]) -> Evidence:
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
    base = getattr(patient, rule.base_field) if rule.base_field else None
    if rule.base_field and base is not None:
        name = FIELD_LABELS[rule.base_field]
        if base != rule.stage and rule.stage in rule.same_as_base:
            how = f"{label} {ROMAN[rule.stage]} needs {name} {ROMAN[rule.stage]}, it is {ROMAN[base]}"
            claims.append(Claim(False, how, (rule.base_field,)))
        for name_of in rule.sufficient_with if base == rule.stage else ():
            if found[name_of].value:
                sources = tuple(dict.fromkeys(f for claim in found[name_of].claims for f in claim.fields))
                how = f"{name} {ROMAN[base]} with {in_sentence(FIELD_LABELS[name_of])}"
                claims.append(Claim(True, how, (rule.base_field, *sources)))
    return Evidence(tuple(claims), f"needs {label}")


def _count(drugs: Drugs, rule: DrugCount) -> tuple[list[Claim], str]:
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


def _refractoriness(patient: Patient, definitions: Definitions, drugs: Drugs) -> dict[str, Evidence]:
    """Judge refractoriness: needing more of every class implies needing less, and is ruled out with it."""
    own: dict[str, list[Claim]] = {}
    needs: dict[str, str] = {}
    for rule in definitions.drug_counts:
        counted, needs[rule.id] = _count(drugs, rule)
        own[rule.id] = [*_given(patient, rule.id), *counted, *_hardly(patient, drugs, rule)]
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
        found[rule.id] = Evidence(tuple(claims), needs[rule.id] or "needs an answer")
    return found


def _hardly(patient: Patient, drugs: Drugs, rule: DrugCount) -> list[Claim]:
    """Dispute a direct yes where a drug it practically presupposes was never given."""
    never = [drug for drug in rule.hardly_without if drugs.exposed[drug] is False]
    if not never or getattr(patient, rule.id) is not True:
        return []
    return [Claim(False, f"{and_list(never)} never given", ("naive_to",))]


def _implies(stronger: DrugCount, weaker: DrugCount) -> bool:
    counts = {need.drug_class: need.at_least for need in stronger.needs}
    return all(counts.get(need.drug_class, 0) >= need.at_least for need in weaker.needs)


def _earlier_therapy(patient: Patient, drugs: Drugs) -> dict[str, Evidence]:
    """Judge earlier therapy: BCMA and T-cell redirection overlap, neither contains the other."""
    bcma, redirection = "prior_bcma", "prior_t_cell_redirection"
    claims = {name: list(_given(patient, name)) for name in (bcma, redirection)}
    if patient.prior_bcma_courses:
        claims[bcma].append(Claim(True, _courses(patient.prior_bcma_courses), ("prior_bcma_courses",)))
    redirecting = [course for course in patient.prior_bcma_courses if course.kind in T_CELL_REDIRECTING]
    if redirecting:
        claims[redirection].append(Claim(True, _courses(redirecting), ("prior_bcma_courses",)))
    sides: dict[str, tuple[Callable[[Drug], bool], Callable[[Drug], bool]]] = {
        bcma: (_against_bcma, lambda drug: _against_bcma(drug) and not _redirects(drug)),
        redirection: (_redirects, lambda drug: _redirects(drug) and not _against_bcma(drug)),
    }
    for name, other in ((bcma, redirection), (redirection, bcma)):
        every, outside = sides[name]
        claims[name] += [claim for claim in (drugs.exposure(every),) if claim]
        rest = drugs.exposure(outside)
        if getattr(patient, other) is False and rest is not None and not rest.value:
            how = f"{in_sentence(FIELD_LABELS[other])}: no; {rest.how}"
            claims[name].append(Claim(False, how, (other, *rest.fields)))
    return {name: Evidence(tuple(found), "needs an answer, or the drugs given") for name, found in claims.items()}


def _courses(courses: Iterable[Course]) -> str:
    return f"earlier course of {and_list(dict.fromkeys(course_text(course) for course in courses))}"


def course_text(course: Course) -> str:
    """Write a course of BCMA therapy: ``CAR-T (7 months ago)``."""
    return str(course).replace(course.kind, COURSE_KINDS[course.kind], 1)


def _against_bcma(drug: Drug) -> bool:
    return "bcma" in drug.targets


def _redirects(drug: Drug) -> bool:
    return drug.modality in T_CELL_REDIRECTING


def yes_no(value: bool) -> str:
    """Write the word for it."""
    return "yes" if value else "no"
