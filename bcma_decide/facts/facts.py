"""What is known of one patient, and the judgement of a condition on it in three values.

A judgement carries what it rests on: the values that decide it, or what would have to be known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from msgspec import Struct

from bcma_decide.facts.drug_history import BCMA_KINDS, SUMMARIES, Claim, DrugHistory, drugs_where
from bcma_decide.facts.measures import NUMERIC, KnownNumber, computed, given_number, measured_log_sd
from bcma_decide.logic import Bounds, Chance, Span, Truth, all_of, any_of, negated
from bcma_decide.patient.fields import FIELDS, or_list
from bcma_decide.patient.phrases import COURSE_KINDS, and_list, course_text, label_of, span_text, yes_no
from bcma_decide.patient.profile import Patient
from bcma_decide.patient.reading import Course
from bcma_decide.pooled.conditions import (
    Condition,
    Drugs,
    Every,
    HadCourse,
    Is,
    IsKnown,
    Not,
    OneOf,
    Score,
    Some,
    Times,
    Within,
)
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.pooled.score_book import Formula

COURSES: Final = "prior_bcma_courses"


class Evidence(NamedTuple):
    """The claims about one trait, what it would need if there are none, and the inputs missing for it."""

    claims: tuple[Claim, ...]
    needs: str
    missing: tuple[str, ...] = ()

    @property
    def value(self) -> Truth:
        """Present, absent, or None where there is no claim or the claims disagree."""
        values = {claim.value for claim in self.claims}
        return values.pop() if len(values) == 1 else None


class ItemPoints(NamedTuple):
    """One item of a score: the value, its lowest and highest possible points, its fields, and what is missing.

    Stages and formulas have no points by item.
    """

    label: str
    text: str
    points: Span | None = None
    fields: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class ScoreResult(Struct, frozen=True, dict=True):
    """A score as far as it is settled: the span it must lie in and the categories still possible."""

    score: str
    span: Span | None
    """None where nothing can be said: a formula without its inputs."""
    groups: tuple[str, ...]
    items: tuple[ItemPoints, ...]

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """Inputs that are missing, each once."""
        return tuple(dict.fromkeys(word for item in self.items for word in item.missing))

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Fields the known part comes from."""
        return tuple(dict.fromkeys(name for item in self.items for name in item.fields))

    @property
    def group(self) -> str | None:
        """The category, only if nothing that is missing can change it."""
        return self.groups[0] if len(self.groups) == 1 else None


class Judgement(NamedTuple):
    """Whether a condition holds, the values that decide it with their fields, and what is missing where it is open."""

    value: Truth
    here: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


class Ways(NamedTuple):
    """How what was not said follows from what was, by trait, score and number; each asks for what it needs."""

    evidence: Mapping[str, Callable[[Facts], Evidence]] = MappingProxyType({})
    scores: Mapping[str, Callable[[Facts], ScoreResult]] = MappingProxyType({})
    numbers: Mapping[str, Callable[[Facts, KnownNumber | None], KnownNumber | None]] = MappingProxyType({})
    """From a number as it was given, or None, to what it counts as."""


GIVEN_ONLY: Final = Ways()
"""Nothing follows: what was said is all there is."""


class Facts:
    """Everything known of one patient: what was given, and what follows from it, worked out once when it is asked for.

    Scores may rest on traits, and some traits on scores.
    """

    def __init__(self, patient: Patient, definitions: Definitions, ways: Ways) -> None:
        self.patient = patient
        self.definitions = definitions
        self._ways = ways
        self._spans = patient.spans
        self._numbers: dict[str, KnownNumber | None] = {}
        self._evidence: dict[str, Evidence] = {}
        self._scores: dict[str, ScoreResult] = {}
        self._formulas: dict[str, KnownNumber | None] = {}
        self._log_sds: dict[str, float | None] = {}
        self._truths: dict[str, Judgement] = {}
        self.stage_chances: dict[str, Mapping[int, Chance]] = {}
        """By staging, how likely each stage is; kept here by what works it out."""

    @property
    def of_nobody(self) -> Facts:
        """What would be known of a patient of whom nothing was said."""
        return Facts(Patient.model_construct(), self.definitions, self._ways)

    @cached_property
    def given(self) -> frozenset[str]:
        """Fields of which anything was said."""
        patient = self.patient
        said = [name for name in FIELDS if (value := getattr(patient, name)) is not None and value != ()]
        return frozenset((*said, *self._spans))

    @cached_property
    def drugs(self) -> DrugHistory:
        """Which drugs failed, were given, were never given."""
        return DrugHistory(self.patient, self.definitions)

    def number(self, name: str) -> KnownNumber | None:
        """A number of the profile, given or worked out; None where nothing is known of it, or it contradicts itself."""
        if name not in self._numbers:
            given = given_number(self.patient, self._spans, name)
            way = self._ways.numbers.get(name)
            self._numbers[name] = given if way is None else way(self, given)
        return self._numbers[name]

    def log_sd(self, name: str, measure: KnownNumber) -> float | None:
        """Laboratory variation of a known number: standard deviation of its logarithm; None where it does not vary."""
        if measure.fields == (name,):
            return self.definitions.log_sd.get(name)
        if name not in self._log_sds:
            book, by_field = self.definitions.scores, self.definitions.log_sd
            self._log_sds[name] = measured_log_sd(name, measure, self.number, book, by_field)
        return self._log_sds[name]

    def evidence_of(self, trait: str) -> Evidence | None:
        """What speaks for a trait; None for one that has no definition."""
        found = self._evidence.get(trait)
        if found is None and (way := self._ways.evidence.get(trait)) is not None:
            found = self._evidence[trait] = way(self)
        return found

    def known_evidence(self, trait: str) -> Evidence:
        """What speaks for a trait that has a definition; raises KeyError for another."""
        found = self.evidence_of(trait)
        if found is None:
            raise KeyError(trait)
        return found

    def score(self, name: str) -> ScoreResult:
        """A score as far as it is settled."""
        if name not in self._scores:
            self._scores[name] = self._ways.scores[name](self)
        return self._scores[name]

    def computed(self, formula: Formula) -> KnownNumber | None:
        """What a formula gives, whether or not its number was given too."""
        name = formula.about.id
        if name not in self._formulas:
            self._formulas[name] = computed(formula, self.patient, self.number, self.definitions.scores)
        return self._formulas[name]

    @property
    def evidence(self) -> Mapping[str, Evidence]:
        """What speaks for every trait that has a definition."""
        return {trait: self.known_evidence(trait) for trait in self._ways.evidence}

    @property
    def scores(self) -> Mapping[str, ScoreResult]:
        """Every score."""
        return {name: self.score(name) for name in self._ways.scores}

    def judge(self, condition: Condition) -> Judgement:
        """Judge a condition in three values; what it rests on is kept, whatever cannot matter is left out."""
        match condition:
            case Not(part):
                return joined("not", [self.judge(part)])
            case Every(parts):
                return joined("all", [self.judge(part) for part in parts])
            case Some(parts):
                return joined("any", [self.judge(part) for part in parts])
            case Is(trait, wanted):
                found = self.truth(trait)
                return found._replace(value=None if found.value is None else found.value is wanted)
            case IsKnown(trait, wanted) if trait in NUMERIC:
                measure = self.number(trait)
                return Judgement((measure is not None and measure.span.exact) is wanted)
            case IsKnown(trait, wanted):
                known = self.truth(trait).value is not None
                return Judgement(known is wanted, (f"{label_of(trait)}: {'known' if known else 'not known'}",))
            case OneOf(trait, values):
                return self._one_of(trait, values)
            case Within(trait, bounds):
                return self._within(trait, bounds)
            case Times(trait, other, bounds):
                return self._times(trait, other, bounds)
            case Drugs():
                return self._drugs(condition)
            case HadCourse(kinds, months):
                return self._course(kinds, months)
            case Score(name, bounds):
                return self._score(name, bounds)

    def truth(self, trait: str) -> Judgement:
        """A yes-or-no trait: derived where it has a definition, else as given."""
        if trait not in self._truths:
            self._truths[trait] = self._truth(trait)
        return self._truths[trait]

    def _truth(self, trait: str) -> Judgement:
        label, known = label_of(trait), self.evidence_of(trait)
        if known is None:
            value: object = getattr(self.patient, trait, None)
            if not isinstance(value, bool):
                return Judgement(None, missing=(label,))
            return Judgement(value, (f"{label}: {yes_no(value, trait)}",), fields=(trait,))
        found = known.value
        if found is None:
            return Judgement(None, missing=known.missing or (label,))
        how = next((f" ({claim.how})" for claim in known.claims if claim.how != "given"), "")
        fields = tuple(dict.fromkeys(name for claim in known.claims for name in claim.fields))
        return Judgement(found, (f"{label}: {yes_no(found)}{how}",), fields=fields)

    def _within(self, trait: str, bounds: Bounds) -> Judgement:
        label = label_of(trait)
        measure = self.number(trait)
        if measure is None:
            return Judgement(None, missing=(label,))
        value = bounds.judge(measure.span)
        missing = () if value is not None else measure.missing or (label,)
        return Judgement(value, (f"{label} {measure.shown}",), missing, measure.fields)

    def _times(self, trait: str, other: str, bounds: Bounds) -> Judgement:
        formula = self.definitions.scores.find(other)
        measure = self.number(trait)
        if isinstance(formula, Formula):
            base, name = self.computed(formula), formula.about.name
        else:
            base, name = self.number(other), label_of(other)
        if measure is None or base is None or base.span.low <= 0.0:
            return Judgement(None, missing=(label_of(trait) if measure is None else name,))
        value = bounds.judge(Span(measure.span.low / base.span.high, measure.span.high / base.span.low))
        said = f"{base.text} by {base.how}" if isinstance(formula, Formula) else f"{name} {base.shown}"
        fields = tuple(dict.fromkeys((*measure.fields, *base.fields)))
        return Judgement(
            value, (f"{label_of(trait)} {measure.shown}", said), base.missing if value is None else (), fields
        )

    def _one_of(self, trait: str, values: tuple[float | str, ...]) -> Judgement:
        if FIELDS[trait].kind != "choice":
            found = [self._within(trait, Bounds(at_least=float(value), at_most=float(value))) for value in values]
            return joined("any", found)
        given: str | None = getattr(self.patient, trait)
        if given is None:
            return Judgement(None, missing=(label_of(trait),))
        return Judgement(given in values, (f"{label_of(trait)}: {given}",), fields=(trait,))

    def _drugs(self, wanted: Drugs) -> Judgement:
        failed = wanted.state == "refractory"
        known = self.drugs.refractory if failed else self.drugs.exposed
        members = wanted.drugs or self.definitions.agents(wanted.drug_class)
        said = "refractory to" if failed else "given"
        sure = [drug for drug in members if known[drug]]
        ruled_out = [drug for drug in members if known[drug] is False]
        if len(sure) >= wanted.at_least:
            return Judgement(True, (f"{said} {and_list(sure)}",), fields=self.drugs.headings(sure))
        if len(members) - len(ruled_out) < wanted.at_least:
            return Judgement(False, (f"not {said} {or_list(ruled_out)}",), fields=self.drugs.headings(ruled_out))
        never = self._never_given([drug for drug in members if known[drug] is None])
        if never is not None:
            return never
        for rule in self.definitions.drug_counts:
            enough = any(n.drug_class == wanted.drug_class and n.at_least >= wanted.at_least for n in rule.needs)
            if enough and (found := self.truth(rule.id)).value:
                return found
        label = self.definitions.class_label(wanted.drug_class) if wanted.drug_class else or_list(wanted.drugs)
        return Judgement(None, missing=(f"{label} ({'refractory or not' if failed else 'given or not'})",))

    def _never_given(self, drugs: Sequence[str]) -> Judgement | None:
        """Whether a summary (no earlier BCMA therapy, no T-cell redirection) rules all of these drugs out."""
        for summary, covers in SUMMARIES.items():
            covered = drugs_where(self.definitions, covers)
            if all(drug in covered for drug in drugs) and (found := self.truth(summary)).value is False:
                return found
        return None

    def _course(self, kinds: tuple[str, ...], months: Bounds) -> Judgement:
        """Courses listed, and of the kinds not listed whether they were given at all."""
        parts = []
        for kind in kinds:
            listed = [course for course in self.patient.prior_bcma_courses if course.kind == kind]
            parts += [_in_time(course, months) for course in listed] or [self._unlisted(kind, months)]
        return joined("any", parts)

    def _unlisted(self, kind: str, months: Bounds) -> Judgement:
        name, of_kind = f"BCMA {COURSE_KINDS[kind]}", BCMA_KINDS[kind]
        claim = self.drugs.exposure(of_kind)
        if claim is not None and (not claim.value or not months.edges):
            return Judgement(claim.value, (claim.how,), fields=claim.fields)
        if claim is not None:
            return Judgement(None, missing=(f"time since the {name}",))
        never = self._never_given(drugs_where(self.definitions, of_kind))
        return never or Judgement(None, missing=(f"earlier {name}",))

    def _score(self, name: str, bounds: Bounds) -> Judgement:
        result = self.score(name)
        if result.span is None:
            return Judgement(None, missing=result.missing)
        value = bounds.judge(result.span)
        here = f"{self.score_names[name]} {span_text(result.span)}"
        missing = result.missing if value is None else ()
        return Judgement(value, (here,) if result.fields else (), missing, result.fields)

    @cached_property
    def score_names(self) -> Mapping[str, str]:
        """What each score is called."""
        return {score.about.id: score.about.name for score in self.definitions.scores.every()}


def _in_time(course: Course, months: Bounds) -> Judgement:
    if months.edges and course.months_since is None:
        return Judgement(None, missing=(f"time since the BCMA {COURSE_KINDS[course.kind]}",))
    value = course.months_since is None or months.hold(course.months_since)
    return Judgement(value, (f"earlier {course_text(course)}",), fields=(COURSES,))


def joined(kind: Literal["not", "all", "any"], parts: Sequence[Judgement]) -> Judgement:
    """Join judgements, or turn one into its contrary.

    Where one part settles the whole, only such parts speak, and of an open one those still open.
    """
    if kind == "not":
        return parts[0]._replace(value=negated(parts[0].value))
    settles = kind == "any"
    value = (any_of if settles else all_of)(part.value for part in parts)
    deciding = [part for part in parts if value is not settles or part.value is value]
    known = [part for part in deciding if part.value is not None]
    return Judgement(
        value,
        tuple(dict.fromkeys(text for part in known for text in part.here)),
        tuple(dict.fromkeys(word for part in deciding if part.value is None for word in part.missing)),
        tuple(dict.fromkeys(name for part in known for name in part.fields)),
    )
