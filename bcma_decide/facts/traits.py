"""From a profile to the traits of the model: given, derived or unknown; contradictions are never settled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache, partial
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from bcma_decide.facts.alike import Alike
from bcma_decide.facts.chances import trait_chance
from bcma_decide.facts.claims import gather
from bcma_decide.facts.contradictions import Conflict, without_contradictions
from bcma_decide.facts.drug_history import Claim
from bcma_decide.facts.facts import Evidence, Facts
from bcma_decide.facts.reads import fields_of_trait
from bcma_decide.logic import Chance, Span
from bcma_decide.patient.fields import FIELD_LABELS, FIELDS
from bcma_decide.patient.phrases import and_list, course_text, yes_no
from bcma_decide.patient.profile import Patient
from bcma_decide.patient.quantities import span_text
from bcma_decide.patient.reading import ROMAN, Course
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.vocabulary import MODEL_TRAITS, TRAIT_LABELS

Modelled = float | bool | Chance | None
"""What the model takes of a trait: a number, yes or no, how likely it is, or None where it is not known."""
TraitState = Literal["given", "derived", "unknown"]
_WORTH_SAYING = 0.005
"""Smaller shares would be written as 0 %, and the largest then as 100."""


class TraitValue(Struct, frozen=True):
    """One trait of the model: what it is, and where that comes from or what it would need."""

    trait: str
    state: TraitState
    value: float | bool | None
    text: str
    how: str
    chance: Chance | None = None
    """How likely it is present, where a measured value near a cut leaves that open; None: it is as ``value`` says."""

    @property
    def modelled(self) -> Modelled:
        """What the model takes: the chance where there is one, else the value."""
        return self.value if self.chance is None else self.chance


class Contradiction(Struct, frozen=True):
    """Inputs that cannot all be true and are not used; ``traits`` are unknown for that."""

    fields: tuple[str, ...]
    message: str
    traits: tuple[str, ...] = ()


class LedgerLine(Struct, frozen=True):
    """One field that was given, and whether any trait follows from it."""

    field: str
    label: str
    text: str
    used: bool
    note: str = ""
    for_findings: bool = False


class Traits(Struct, frozen=True, eq=False, dict=True):
    """All traits of the model, in its order, with the contradictions and the ledger of what was given."""

    values: tuple[TraitValue, ...]
    contradictions: tuple[Contradiction, ...]
    ledger: tuple[LedgerLine, ...]
    facts: Facts
    """What the traits were worked out from: without the inputs that contradict each other."""

    def __eq__(self, other: object) -> bool:
        """Whether the same is known, from whatever it was worked out."""
        if not isinstance(other, Traits):
            return NotImplemented
        return self._shown == other._shown

    def __hash__(self) -> int:
        return hash(self._shown)

    @property
    def _shown(self) -> tuple[object, ...]:
        return self.values, self.contradictions, self.ledger

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
    clearance, an ECOG status) takes the place of one worked out from other fields. Inputs that cannot all be true are
    reported and taken as not given; where they merely speak for different answers, the trait is open.

    Parameters
    ----------
    patient
        What is known.
    definitions
        The clinical definitions, or their plain form from the pooled file.
    """
    if not isinstance(definitions, Definitions):
        definitions = Definitions.from_dict(definitions)
    consistent, conflicts = without_contradictions(patient, definitions)
    facts = gather(consistent, definitions)
    found = [each.of(facts) for each in _alike(definitions)]
    values = tuple(each.value for each in found)
    rests_on = {each.value.trait: each.fields for each in found}
    contradictions: tuple[Contradiction, ...] = ()
    if conflicts:
        said = gather(patient, definitions).evidence
        contradictions = tuple(_contradiction(each, values, said) for each in conflicts)
        because = {trait: each for each in reversed(contradictions) for trait in each.traits}
        values = tuple(
            _disputed(value.trait, because[value.trait]) if value.trait in because else value for value in values
        )
    return Traits(values, contradictions, tuple(_ledger(patient, values, rests_on, contradictions)), facts)


class _Found(NamedTuple):
    """A trait, and the fields that speak for it."""

    value: TraitValue
    fields: tuple[str, ...]


@lru_cache(maxsize=4)
def _alike(definitions: Definitions) -> tuple[Alike[_Found], ...]:
    """Every trait of the model, in its order."""
    return tuple(
        Alike(
            fields_of_trait(trait.id, definitions),
            partial(_number if trait.kind != "binary" else _binary, trait.id),
        )
        for trait in MODEL_TRAITS
    )


def _contradiction(conflict: Conflict, values: tuple[TraitValue, ...], said: Mapping[str, Evidence]) -> Contradiction:
    """The traits are those that are unknown now and that the inputs left out speak of."""
    out = set(conflict.fields)
    spoken = {trait for trait, evidence in said.items() if out & set(_fields(evidence.claims))} | out
    traits = tuple(value.trait for value in values if value.value is None and value.trait in spoken)
    return Contradiction(conflict.fields, conflict.message, traits)


def _number(trait: str, facts: Facts) -> _Found:
    return _Found(_number_value(facts.patient, trait), (trait,))


def _number_value(patient: Patient, trait: str) -> TraitValue:
    value = getattr(patient, trait)
    if value is None and trait in patient.spans:
        span = span_text(FIELDS[trait], patient.spans[trait])
        return TraitValue(trait, "unknown", None, span, f"{span}; which, is averaged over; needs the number")
    if value is None:
        return TraitValue(trait, "unknown", None, "unknown", "needs an answer")
    return TraitValue(trait, "given", float(value), _shown(trait, value), "given")


def trait_settled(trait: str, facts: Facts) -> tuple[float | bool | None, Modelled]:
    """Value of a trait and what the model takes of it; facts without the inputs that contradict each other."""
    evidence = facts.evidence_of(trait)
    if evidence is None:
        number: int | None = getattr(facts.patient, trait)
        value = None if number is None else float(number)
        return value, value
    if evidence.value is None and evidence.claims:  # left open: what speaks for either side is not weighed
        return None, None
    chance = trait_chance(trait, facts)
    return evidence.value, evidence.value if chance is None else chance


def _binary(trait: str, facts: Facts) -> _Found:
    evidence = facts.known_evidence(trait)
    return _Found(_binary_value(trait, evidence, facts), _fields(evidence.claims))


def _binary_value(trait: str, evidence: Evidence, facts: Facts) -> TraitValue:
    value, chance = evidence.value, trait_chance(trait, facts)
    if value is None and evidence.claims:
        return TraitValue(trait, "unknown", None, "unknown", f"left open: {_both_sides(evidence)}")
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


def _both_sides(evidence: Evidence) -> str:
    yes, no = ("; ".join(_said(claim) for claim in evidence.claims if claim.value is side) for side in (True, False))
    return f"yes ({yes}), but also no ({no})"


def _said(claim: Claim) -> str:
    return "said directly" if claim.how == "given" else claim.how


def _fields(claims: list[Claim] | tuple[Claim, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for claim in claims for name in claim.fields))


def _ledger(
    patient: Patient,
    values: tuple[TraitValue, ...],
    rests_on: Mapping[str, tuple[str, ...]],
    contradictions: tuple[Contradiction, ...],
) -> Iterator[LedgerLine]:
    disputed = {name for contradiction in contradictions for name in contradiction.fields}
    used = {name for value in values if value.value is not None for name in rests_on[value.trait]}
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
