"""The `Comparison`: the one plain value every face (terminal, HTML, JSON, clinic) is drawn from.

`Comparison.model_dump_json()` is the interface, the record for audit and what goes inside a printed sheet. It is
complete: nothing else has to be looked up to show it. Probabilities are fractions between 0 and 1.
"""

from __future__ import annotations

import json
from datetime import date as Day  # noqa: N812  # a field is called date
from hashlib import sha256
from typing import Final, Literal

from msgspec import field

from bcma_decide.behind import Explanation, Move, SurvivalExplanation
from bcma_decide.pieces import INDENTED, ON_ONE_LINE, Layout, Pieces
from bcma_decide.preference_shapes import PreferenceResult
from bcma_decide.time_course import Clock, OrderOfTherapies, Survival, WayToTreatment
from bcma_decide.value import Interval, Number, Value
from bcma_decide.vocabulary import (
    SEVERITIES,
    UNVERIFIED,
    Basis,
    Certainty,
    FindingState,
    InputState,
    LabelState,
    Origin,
    Severity,
    State,
)

SCHEMA_VERSION = "7"


class EvidenceStamp(Value):
    """Which evidence the numbers come from."""

    hash: str
    date: str
    version: str
    out_of_date: bool = False
    """Whether it is older, on the day asked for, than the evidence itself allows."""


class SoftwareStamp(Value):
    """Which program made them."""

    name: str
    version: str
    schema_version: str


class TraitLine(Value):
    """One line of the input ledger."""

    trait: str
    label: str
    state: Literal["given", "derived", "unknown", "contradiction"]
    value: bool | float | None
    text: str
    """The value as read, with its unit; *unknown* where it is."""
    how: str = ""
    """Where a derived value comes from, or what an unknown one needs."""
    used: bool = True
    """Whether any number depends on it."""
    for_findings: bool = False
    """Whether it is asked for findings and labels only."""


class InputLine(Value):
    """One value of a patient's record, and what became of it."""

    field: str
    """Field of the profile; empty where it concerns none."""
    label: str
    text: str
    """The value as the record has it."""
    state: InputState
    resource: str = ""
    """Kind of resource and its id; never an id of the patient."""
    system: str = ""
    """Short name of the code system; the address of one not known here."""
    code: str = ""
    date: str = ""
    """As the record writes it; year, month or day."""
    age_days: int | None = None
    """Days before the day asked for; where the date is not exact, the most it can be."""
    unit: str = ""
    """As the record writes it."""
    layer: str = ""
    """How it was recognised: a code, the step of the drug resolver, or *text*."""
    basis: Literal["verified", "secondary", "recalled", ""] = ""
    """How the meaning of the code is known."""
    note: str = ""
    """Why it was not used, or what to know about it."""


class UnmappedLine(Value):
    """A code of a record that means nothing here."""

    kind: Literal["drug", "observation", "condition", "procedure", "report"]
    text: str
    system: str = ""
    code: str = ""
    count: int = 1
    """How many resources carry it."""


class NotNeededLine(Value):
    """Resources of a record that nothing here asks for: understood, and of no use to the comparison."""

    kind: str
    """Kind of resource, or what the drugs have in common."""
    count: int


class RecordLedger(Value):
    """What a patient's record held, and what became of it."""

    inputs: tuple[InputLine, ...] = ()
    """Every value, used or not."""
    unmapped: tuple[UnmappedLine, ...] = ()
    """Codes that mean nothing here."""
    not_needed: tuple[NotNeededLine, ...] = ()
    """Resources that nothing here asks for."""
    date: Day
    """The day the ages of its values are counted to."""

    @property
    def inferred(self) -> frozenset[str]:
        """Fields that were worked out from others, and not stated."""
        return frozenset(line.field for line in self.inputs if line.state == "inferred")


class Profile(Value):
    """What is known of the patient: the model's traits and whatever else was given."""

    name: str | None
    """Name of a shipped example; never a person's."""
    setting: Literal["real_world", "interventional"]
    traits: tuple[TraitLine, ...]
    carried: tuple[TraitLine, ...] = ()
    """Given, shown, but in no number."""
    read_as: tuple[str, ...] = ()
    """Values that were read by interpretation: ``10,4 g/dl read as 10.4 g/dL``."""
    inputs: tuple[InputLine, ...] = ()
    """What a patient's record held, if the profile came from one: used, and not used with the reason."""
    unmapped: tuple[UnmappedLine, ...] = ()
    """Codes of that record that mean nothing here."""
    not_needed: tuple[NotNeededLine, ...] = ()
    """Resources of that record that nothing here asks for."""
    record_date: str | None = None
    """Day the ages of its values are counted to."""
    record_date_asked: bool = False
    """Whether that day was asked for; otherwise it is the newest date of the record."""


class Option(Value):
    """A treatment option: a class or one product of it."""

    id: str
    label: str
    long_label: str
    class_id: Literal["car_t", "bite"]
    kind: Literal["class", "product"]


class PublishedFigure(Value):
    """A published figure as it stands, not computed for this patient."""

    text: str
    outcome: str
    events: int | None = None
    n: int | None = None
    rate: Number | None = None
    sources: tuple[str, ...] = ()
    """Keys of the references."""
    month: Number | None = None
    """Of a time to an event with a landmark: the month of the one nearest to a year."""
    share: Number | None = None
    """Without the event at that month."""


class PublishedOption(Value):
    """A labelled regimen that the model does not hold: published figures, not computed for this patient."""

    id: str
    label: str
    long_label: str
    class_id: Literal["car_t", "bite"]
    study: str
    """Design, size and follow-up of the study in words."""
    figures: tuple[PublishedFigure, ...]
    note: str = ""
    sources: tuple[str, ...] = ()


class WaterfallStep(Value):
    """One step from the pooled rate to this patient."""

    trait: str | None
    """None for the start (an average patient of the evidence population)."""
    label: str
    mean: Number
    change: Number


class FromDecision(Value):
    """The same rate counted from the decision (apheresis) instead of the infusion.

    Those who never reach the infusion count as not having the result. ``mean``: over patients of reaching the infusion
    and having the result, never the product of the two means.
    """

    mean: Number
    credible: Interval
    prediction: Interval
    """At the next centre."""


class Estimate(Value):
    """One option's expected result on one outcome for patients like this one.

    ``mean``, the headline: posterior mean of the average over centres and over everything that is not known of the
    patient. ``credible``: 95 % interval of that average, by what the parameters leave open. ``prediction``: the same at
    the next centre. ``median`` differs from ``mean`` where the uncertainty is skewed. All are None unless ``state`` is
    *estimated*; ``reason`` then says why, and ``published`` what was published instead.
    """

    state: State
    reason: str | None = None
    median: Number | None = None
    mean: Number | None = None
    credible: Interval | None = None
    prediction: Interval | None = None
    certainty: Certainty | None = None
    reasons: tuple[str, ...] = ()
    """Why the certainty is what it is, each starting with *down*, *up* or *start*."""
    informed_traits: tuple[str, ...] = ()
    borrowed_traits: tuple[str, ...] = ()
    """Informed traits whose effect was seen in the other class only."""
    uninformed_traits: tuple[str, ...] = ()
    """Known traits of this patient that no evidence ties to this outcome: they do not move the number."""
    outside_evidence: tuple[str, ...] = ()
    n_studies: int = 0
    n_patients: int = 0
    follow_up_months: Number | None = None
    sources: tuple[str, ...] = ()
    further_product: bool = False
    """Whether the product has no usable rows here, so that this is the class's value for a further product of it."""
    same_for_every_patient: bool = False
    """Whether no trait moves this number."""
    published: tuple[PublishedFigure, ...] = ()
    """What stands in the place of a number that is withheld."""
    from_decision: FromDecision | None = None
    """CAR-T response only; the bispecific has no such loss."""
    waterfall: tuple[WaterfallStep, ...] = ()


class RiskDifference(Value):
    """First option minus second, as a fraction; ``mean`` is the difference of the two headlines."""

    mean: Number
    interval: Interval


class ContrastWithoutBias(Value):
    """The same contrast if the two sets of studies were perfectly comparable."""

    risk_difference: RiskDifference
    probability_first_higher: Number


class Contrast(Value):
    """The difference between the two classes for this patient."""

    options: tuple[str, str]
    risk_difference: RiskDifference
    probability_first_higher: Number
    tipping_point_log_or: Number
    """Log odds ratio (first over second) that unmeasured differences between the studies would have to explain
    for the two options to be equal."""
    bias_sd: Number
    """Standard deviation, on the log-odds scale, of the bias term of this unanchored comparison."""
    without_bias_term: ContrastWithoutBias
    certainty: Certainty
    reasons: tuple[str, ...] = ()


class PairContrast(Value):
    """The differences of two options that were asked for."""

    options: tuple[str, str]
    contrasts: dict[str, Contrast]
    """By outcome, progression-free survival at one year among them; none where either has no number."""


class Apart(Value):
    """What the data tell apart among the products at one outcome.

    A pair is told apart where the 95 % interval of the difference of its two numbers, with the bias term of this
    unanchored comparison, leaves out zero.
    """

    outcome: str
    compared: tuple[str, ...]
    """Products with a number of their own."""
    pairs: tuple[tuple[str, str], ...]
    """Told apart, the product with the higher number first."""


class Outcome(Value):
    """One row of the side-by-side table."""

    id: str
    label: str
    plain: str
    family: str
    direction: Literal["benefit", "harm"]
    horizon: str
    estimates: dict[str, Estimate]
    contrast: Contrast | None
    contrast_reason: str | None = None
    """Why there is no contrast."""
    notes: tuple[str, ...] = ()
    """For example that the two options were followed for different times."""


class Finding(Value):
    """A rule's finding for one option, or something to check in the input.

    *recalled* findings are trial-entry thresholds and the like that were not seen in a source: shown apart, never a
    contraindication. ``basis`` is None for what the program itself found in the input, and where nothing was seen.
    """

    id: str
    applies_to: dict[str, str] = field(default_factory=dict)
    """``class`` and, where it concerns one product only, ``product``; empty for the profile itself."""
    severity: Severity
    state: FindingState
    text: str
    value: str | None = None
    """The patient's value."""
    threshold: str | None = None
    """The condition in words."""
    needs: tuple[str, ...] = ()
    """What would settle it, where it cannot be judged."""
    sources: tuple[str, ...] = ()
    """Keys of the references."""
    topic: str | None = None
    origin: Origin | None = None
    basis: Basis | None = None
    date: str | None = None
    """As of when it was seen or stated."""
    note: str = ""
    short: str = ""
    """The same in one line of at most 72 characters, naming whom it concerns."""
    subject: str = ""
    """State of the patient it speaks of, such as ``active_infection``; empty for what the input gives to check."""
    shared_short: str = ""
    """One line for all findings of this state and rank, where together they cover every product offered."""
    phase: Literal["start", "during"] = "start"
    """*during* where it speaks of doses under treatment: no reason against a start."""

    @property
    def rank(self) -> tuple[bool, int]:
        """Where it stands among others: the gravest first, unverified ones last whatever their severity."""
        return self.basis == UNVERIFIED, SEVERITIES.index(self.severity)


class IndicationItem(Value):
    """One thing a label asks for."""

    text: str
    state: LabelState
    value: str | None = None
    needs: tuple[str, ...] = ()


class Indication(Value):
    """Whether a product's labelled indication is met in a region on a day, item by item."""

    state: LabelState
    region: str
    date: str
    items: tuple[IndicationItem, ...]
    label: str
    """What the product is called."""
    class_id: Literal["car_t", "bite"]
    regimen: str
    approval: str | None = None
    since: str | None = None
    until: str | None = None
    sources: tuple[str, ...] = ()
    basis: Basis | None = None
    note: str = ""
    seen: str = ""
    """Up to when it was seen to be so; empty where nothing was seen."""
    opinion: str | None = None
    """Day of the positive opinion of an application that is still pending."""
    aged_months: int | None = None
    """Where that is longer ago, on the day asked for, than so many months; None where it is not."""
    other_regimens: tuple[Indication, ...] = ()
    """Labels of the same product in combination; the numbers here are of the single agent."""

    @property
    def regimens(self) -> tuple[Indication, ...]:
        """The label itself, then those of the other regimens."""
        return (self, *self.other_regimens)

    @property
    def off_label(self) -> bool:
        """Whether neither it nor any other regimen of the product is on label for this patient."""
        return all(each.state == "not_met" for each in self.regimens)


class LabelContext(Value):
    """For which region and day labels, rules and practical facts were judged, and up to when they were seen."""

    region: str
    date: str
    seen_until: str
    aged_months: int | None = None
    """Where a label of the region was seen longer ago than so many months; None where none was."""


class PracticalLine(Value):
    """One practical fact about a product."""

    text: str
    region: str | None
    since: str | None
    until: str | None
    basis: Basis
    sources: tuple[str, ...] = ()
    note: str = ""


class PracticalRow(Value):
    """One topic of what giving each product takes."""

    topic: str
    label: str
    shown: bool
    """Whether it belongs to the short view."""
    facts: dict[str, tuple[PracticalLine, ...]]
    """By product; a product without an entry has no fact on it here."""


class ScoreItemLine(Value):
    """One item of a score: the value, and the points it gives at the least and at the most."""

    label: str
    text: str
    points: Interval | None
    missing: tuple[str, ...] = ()


class ScoreLine(Value):
    """A published score as far as the profile settles it; the category only if nothing missing can change it."""

    id: str
    name: str
    low: Number | None
    high: Number | None
    unit: str
    highest: Number | None
    """The most points there can be."""
    group: str | None
    possible_groups: tuple[str, ...]
    outcomes: tuple[str, ...] = ()
    """What was published for that category."""
    items: tuple[ScoreItemLine, ...]
    needs: tuple[str, ...] = ()
    applies_to: tuple[Literal["car_t", "bite"], ...]
    definition: str
    purpose: str
    measured_at: str
    validation: str
    limits: str
    basis: Basis
    sources: tuple[str, ...]
    note: str = ""


class Unknown(Value):
    """A trait that is not known, and what knowing it would do."""

    trait: str
    label: str
    needs: str
    moves: tuple[Move, ...]


class StudyEntry(Value):
    """A study behind the numbers of one class, over all outcomes."""

    study: str
    name: str
    class_id: Literal["car_t", "bite"]
    design: Literal["real_world", "interventional"]
    n: int
    """Most patients counted for any outcome."""
    follow_up_months: Number | None
    """Longest follow-up of any outcome."""
    outcomes: tuple[str, ...]
    sources: tuple[str, ...]
    """Keys of the references."""


class Reference(Value):
    """A citation."""

    key: str
    citation: str
    pmid: int | None = None
    doi: str | None = None
    url: str | None = None


class Comparison(Value):
    """One patient, all options, all outcomes, with everything needed to show and check them."""

    evidence: EvidenceStamp
    software: SoftwareStamp
    intended_use: str
    profile: Profile
    options: tuple[Option, ...]
    outcomes: tuple[Outcome, ...]
    clock: Clock = "infusion"
    """What response and survival are shown from; both are in the document."""
    survival: tuple[Survival, ...] = ()
    """Computed rows in the order of the options, then published ones, nearest to this patient first."""
    survival_contrast: Contrast | None = None
    """Difference of the two classes in the computed share free of progression at one year, from the infusion."""
    survival_explanation: SurvivalExplanation | None = None
    ways: tuple[WayToTreatment, ...] = ()
    """From the decision on, by option."""
    order_of_therapies: OrderOfTherapies | None = None
    preferences: PreferenceResult | None = None
    """What stated weights make of the evidence; None unless weights were given."""
    """None where it was not asked for."""
    tell_apart: str = ""
    """One sentence: what the data can and cannot tell apart between the classes for this patient."""
    apart: tuple[Apart, ...] = ()
    """The same between the products, by outcome."""
    pair: PairContrast | None = None
    """None where no pair was asked for."""
    published_options: tuple[PublishedOption, ...] = ()
    labels: LabelContext
    findings: tuple[Finding, ...] = ()
    """Worst first, what fires before what cannot be judged, unverified last."""
    indications: dict[str, Indication] = field(default_factory=dict)
    """By product, those without an estimate included."""
    practice: tuple[PracticalRow, ...] = ()
    scores: tuple[ScoreLine, ...] = ()
    unknowns: tuple[Unknown, ...] = ()
    not_known: tuple[str, ...] = ()
    """What no input could settle: no head-to-head trial, products without counts, follow-up."""
    studies: tuple[StudyEntry, ...] = ()
    """Every study behind the numbers, those of the first class first."""
    explanations: tuple[Explanation, ...] = ()
    references: tuple[Reference, ...] = ()

    def model_dump_json(self, *, indent: int | None = None) -> str:
        """As JSON, fields in their order; on one line of pieces, most of which were written before."""
        return _ON_ONE_LINE.of(self).decode() if indent is None else super().model_dump_json(indent=indent)


_SAME: Final = frozenset({"options", "published_options", "practice", "not_known", "studies"})
"""Fields that hold the same object for every patient of a region and day."""


class _Document:
    """Writes comparisons in one layout."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._pieces = Pieces(layout)
        self._of_alike = Pieces(layout)
        """Of what is the same object for patients who are alike: others come between, so that these leave sooner."""

    def of(self, comparison: Comparison) -> bytes:
        return self._layout.document((name, self._field(comparison, name)) for name in comparison.__struct_fields__)

    def _field(self, comparison: Comparison, name: str) -> bytes:
        # Each published row, reference and finding of a rule without a value of the patient is made once; which of them
        # stand in an answer differs by patient.
        piece, listed, pieces, of_alike = self._layout.piece, self._layout.listed, self._pieces, self._of_alike
        if name == "references":
            return listed(pieces.rows(comparison.references))
        if name == "scores":
            return listed(of_alike.rows(comparison.scores))
        if name == "survival":
            rows = comparison.survival
            return listed([(pieces if row.kind == "published" else of_alike).of(row, 2) for row in rows])
        if name == "outcomes":
            return listed(of_alike.rows(comparison.outcomes))
        if name == "findings":
            return listed(
                [
                    pieces.of(each, 2) if each.value is None and each.origin is not None else piece(each, 2)
                    for each in comparison.findings
                ]
            )
        value = getattr(comparison, name)
        return pieces.of(value) if name in _SAME else piece(value, 1)


_ON_ONE_LINE: Final = _Document(ON_ONE_LINE)
_INDENTED: Final = _Document(INDENTED)


def result_bytes(comparison: Comparison) -> bytes:
    """The comparison as the document that ``--json`` prints and that lies inside a PDF, in UTF-8."""
    return _INDENTED.of(comparison)


def result_json(comparison: Comparison) -> str:
    """The same as text."""
    return result_bytes(comparison).decode()


def schema_json() -> str:
    """The JSON Schema of that document, as ``schema`` prints it."""
    schema = Comparison.model_json_schema(mode="serialization")
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def result_hash(comparison: Comparison) -> str:
    """SHA-256 of that document in UTF-8, as hexadecimal digits; its first twelve are the sheet's id."""
    return sha256(result_bytes(comparison)).hexdigest()
