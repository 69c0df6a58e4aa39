"""From a profile to the traits of the model: given, derived or unknown; contradictions are never settled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from bcma_decide.facts.chances import trait_chance
from bcma_decide.facts.claims import gather
from bcma_decide.facts.drug_history import Claim, DrugHistory
from bcma_decide.facts.facts import Evidence, Facts
from bcma_decide.logic import Chance, Span
from bcma_decide.patient.fields import FIELD_LABELS, FIELDS, in_sentence
from bcma_decide.patient.phrases import and_list, course_text, yes_no
from bcma_decide.patient.profile import Patient
from bcma_decide.patient.quantities import span_text
from bcma_decide.patient.reading import ROMAN, Course
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.vocabulary import MODEL_TRAITS, TRAIT_LABELS

TraitState = Literal["given", "derived", "unknown"]
_WORTH_SAYING = 0.005
"""Smaller shares would be written as 0 %, and the largest then as 100."""


@dataclass(frozen=True)
class TraitValue:
    """One trait of the model: what it is, and where that comes from or what it would need."""

    trait: str
    state: TraitState
    value: float | bool | None
    text: str
    how: str
    chance: Chance | None = None
    """How likely it is present, where a measured value near a cut leaves that open; None: it is as ``value`` says."""

    @property
    def modelled(self) -> float | bool | Chance | None:
        """What the model takes: the chance where there is one, else the value."""
        return self.value if self.chance is None else self.chance


@dataclass(frozen=True)
class Contradiction:
    """Fields that cannot all be right; the traits that follow from them are taken as unknown."""

    fields: tuple[str, ...]
    message: str
    traits: tuple[str, ...] = ()


@dataclass(frozen=True)
class LedgerLine:
    """One field that was given, and whether any trait follows from it."""

    field: str
    label: str
    text: str
    used: bool
    note: str = ""
    for_findings: bool = False


@dataclass(frozen=True)
class Traits:
    """All traits of the model, in its order, with the contradictions and the ledger of what was given."""

    values: tuple[TraitValue, ...]
    contradictions: tuple[Contradiction, ...]
    ledger: tuple[LedgerLine, ...]
    facts: Facts = field(compare=False, repr=False)
    """What the traits were worked out from, with everything contradictory marked as disputed."""

    def __getitem__(self, trait: str) -> TraitValue:
        """Return the value of one trait."""
        return self._by_trait[trait]

    @cached_property
    def _by_trait(self) -> dict[str, TraitValue]:
        return {value.trait: value for value in self.values}

    def __iter__(self) -> Iterator[TraitValue]:
        """In the order of the model."""
        return iter(self.values)

    def known(self) -> dict[str, float | bool]:
        """Return the traits that are known."""
        return {value.trait: value.value for value in self.values if value.value is not None}

    @property
    def contradicted(self) -> frozenset[str]:
        """Traits taken as unknown because the fields contradict each other."""
        return frozenset(trait for contradiction in self.contradictions for trait in contradiction.traits)


def derive(patient: Patient, definitions: Definitions | Mapping[str, Any]) -> Traits:
    """Work out every trait of the model from what is known.

    Three-valued throughout: a trait is *no* only if everything that could make it *yes* is ruled out. Less
    information never turns an unknown trait into a known one and never turns yes into no. A number that is given (a
    clearance, an ECOG status) takes the place of one worked out from other fields.

    Parameters
    ----------
    patient
        What is known.
    definitions
        The clinical definitions, or their plain form from the pooled file.
    """
    if not isinstance(definitions, Definitions):
        definitions = Definitions.from_dict(definitions)
    facts = gather(patient, definitions)
    evidence = facts.evidence
    contradictions = [
        *_overlaps(facts.drugs),
        *_too_few_lines(patient, definitions, evidence),
        *_disputes(evidence),
    ]
    disputed = {trait: each for each in reversed(contradictions) for trait in each.traits}
    values = tuple(
        _disputed(trait.id, disputed[trait.id])
        if trait.id in disputed
        else _number(patient, trait.id)
        if trait.kind != "binary"
        else _binary(trait.id, facts)
        for trait in MODEL_TRAITS
    )
    return Traits(
        values,
        tuple(contradictions),
        tuple(_ledger(patient, values, evidence, contradictions)),
        replace(facts, disputed=_marked(contradictions, facts)),
    )


def _marked(contradictions: list[Contradiction], facts: Facts) -> frozenset[str]:
    """Fields and traits that rules take as unknown; of a number that was worked out, it and not what it came from."""
    marked = {name for each in contradictions for name in (*each.fields, *each.traits)}
    for cut in facts.definitions.cut_offs:
        measure = facts.measures.get(cut.field)
        if cut.id in marked and measure is not None and cut.field not in measure.fields:
            marked = marked.difference(measure.fields) | {cut.field}
    return frozenset(marked)


def _number(patient: Patient, trait: str) -> TraitValue:
    value = getattr(patient, trait)
    if value is None and trait in patient.spans:
        span = span_text(FIELDS[trait], patient.spans[trait])
        return TraitValue(trait, "unknown", None, span, f"{span}; which, is averaged over; needs the number")
    if value is None:
        return TraitValue(trait, "unknown", None, "unknown", "needs an answer")
    return TraitValue(trait, "given", float(value), _shown(trait, value), "given")


def _binary(trait: str, facts: Facts) -> TraitValue:
    evidence = facts.evidence[trait]
    value, chance = evidence.value, trait_chance(trait, facts)
    if value is None:
        return TraitValue(trait, "unknown", None, "unknown", evidence.needs + _counted(chance), chance)
    state: TraitState = "given" if any(claim.given for claim in evidence.claims) else "derived"
    how = "; ".join(dict.fromkeys(claim.how for claim in evidence.claims))
    return TraitValue(trait, state, value, yes_no(value), how + _counted(chance), chance)


def _counted(chance: Chance | None) -> str:
    """What the model makes of a value near a cut."""
    parts = {} if chance is None else {"yes": chance.yes, "no": chance.no, "unknown": chance.unknown}
    if not parts or max(parts.values()) > 1.0 - _WORTH_SAYING:
        return ""
    shares = ", ".join(f"{name} {100.0 * share:.0f} %" for name, share in parts.items() if share >= _WORTH_SAYING)
    return f"; counted as {shares}: laboratory variation"


def _disputed(trait: str, contradiction: Contradiction) -> TraitValue:
    return TraitValue(trait, "unknown", None, "unknown", f"contradiction: {contradiction.message}")


def _overlaps(drugs: DrugHistory) -> Iterator[Contradiction]:
    for (first, second), named in drugs.overlaps.items():
        labels = f"{in_sentence(FIELD_LABELS[first])!r} and {in_sentence(FIELD_LABELS[second])!r}"
        yield Contradiction((first, second), f"{and_list(named)} stands under {labels}")


def _too_few_lines(
    patient: Patient, definitions: Definitions, evidence: Mapping[str, Evidence]
) -> Iterator[Contradiction]:
    lines = patient.prior_lines
    for rule in definitions.drug_counts:
        claims = [claim for claim in evidence[rule.id].claims if claim.value]
        fewest = rule.fewest_prior_lines
        if lines is not None and fewest is not None and lines < fewest and claims:
            name = in_sentence(TRAIT_LABELS[rule.id])
            message = f"{lines} earlier line of therapy, but {name} takes at least {fewest}"
            yield Contradiction(("prior_lines", *_fields(claims)), message, ("prior_lines", rule.id))


def _disputes(evidence: Mapping[str, Evidence]) -> list[Contradiction]:
    """One contradiction per set of fields, naming all traits it concerns."""
    found: dict[frozenset[str], Contradiction] = {}
    for trait, each in evidence.items():
        if len({claim.value for claim in each.claims}) < 2:
            continue
        fields = _fields(each.claims)
        earlier = found.get(frozenset(fields))
        if earlier is None:
            yes = "; ".join(_said(claim) for claim in each.claims if claim.value)
            no = "; ".join(_said(claim) for claim in each.claims if not claim.value)
            message = f"{TRAIT_LABELS.get(trait) or FIELD_LABELS[trait]}: yes ({yes}), but also no ({no})"
            found[frozenset(fields)] = Contradiction(fields, message, (trait,))
        else:
            found[frozenset(fields)] = Contradiction(earlier.fields, earlier.message, (*earlier.traits, trait))
    return list(found.values())


def _said(claim: Claim) -> str:
    return "said directly" if claim.how == "given" else claim.how


def _fields(claims: list[Claim] | tuple[Claim, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for claim in claims for name in claim.fields))


def _ledger(
    patient: Patient,
    values: tuple[TraitValue, ...],
    evidence: Mapping[str, Evidence],
    contradictions: list[Contradiction],
) -> Iterator[LedgerLine]:
    disputed = {name for contradiction in contradictions for name in contradiction.fields}
    used = {value.trait for value in values if value.value is not None and value.trait not in evidence}
    for value in values:
        if value.value is not None and value.trait in evidence:
            used.update(_fields(evidence[value.trait].claims))
    for name, value in patient.given().items():
        open_traits = [TRAIT_LABELS[trait] for trait in FIELDS[name].feeds]
        if name in used:
            note = ""
        elif name in disputed:
            note = "shown; part of a contradiction"
        elif open_traits:
            note = f"shown; does not settle {and_list(open_traits)} by itself"
        elif FIELDS[name].findings_only:
            note = "for findings and labels; in no number"
        else:
            note = "shown; in no number"
        for_findings = FIELDS[name].findings_only
        yield LedgerLine(name, FIELD_LABELS[name], _shown(name, value), name in used, note, for_findings)


def _shown(name: str, value: object) -> str:
    if isinstance(value, bool):
        return yes_no(value, name)
    if isinstance(value, Span):
        return span_text(FIELDS[name], value)
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return ", ".join(course_text(part) if isinstance(part, Course) else str(part) for part in value)
    if isinstance(value, int):
        if FIELDS[name].kind == "stage":
            return ROMAN[value]
        unit = "" if name == "prior_lines" else FIELDS[name].unit  # its label says what is counted
        return f"{value} {unit if value != 1 else unit.removesuffix('s')}".strip()
    return str(value)
