"""compare(): patient + model -> Comparison.

Same input, same bytes: no clock, no random state, no network, no file except the pooled evidence once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date as Day  # noqa: N812  # a parameter is called date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bcma_decide.comparing.explanation import explanation
from bcma_decide.comparing.findings import (
    cited,
    input_findings,
    that_can_apply,
    worst_first,
)
from bcma_decide.comparing.label_findings import context_of_labels, label_findings, outside_comparison
from bcma_decide.comparing.order import order_of_therapies, order_sources
from bcma_decide.comparing.outcomes import all_outcomes
from bcma_decide.comparing.pairs import apart_products, check_pair, pair_contrast
from bcma_decide.comparing.published import published_options, withheld_numbers
from bcma_decide.comparing.question import Question
from bcma_decide.comparing.quoted import quoted_survival
from bcma_decide.comparing.survival import (
    computed_survival,
    sides_at_one_year,
    survival_contrast,
    survival_explanation,
    survival_moves,
)
from bcma_decide.comparing.tell_apart import tell_apart
from bcma_decide.comparing.unknowns import all_unknowns
from bcma_decide.comparing.ways import all_ways
from bcma_decide.comparison import (
    SCHEMA_VERSION,
    Comparison,
    EvidenceStamp,
    Profile,
    RecordLedger,
    Reference,
    SoftwareStamp,
    TraitLine,
)
from bcma_decide.errors import NoEvidenceError, Problem
from bcma_decide.facts.facts import Facts
from bcma_decide.facts.score_lines import score_lines
from bcma_decide.facts.traits import derive
from bcma_decide.model.beside import kept_beside
from bcma_decide.model.decision_clock import from_the_decision
from bcma_decide.model.numbers import PatientNumbers, patient_numbers
from bcma_decide.model.survival import survival_curves
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.pooled.file import read_pooled
from bcma_decide.pooled.location import pooled_path
from bcma_decide.rules.findings import rule_findings
from bcma_decide.rules.indications import indications
from bcma_decide.rules.practical import practical_rows, practical_sources
from bcma_decide.spellings import read_region, read_setting
from bcma_decide.time_course import Clock
from bcma_decide.version import __version__
from bcma_decide.vocabulary import (
    DEFAULT_REGION,
    EXPLAINED,
    INTENDED_USE,
    MODEL_TRAITS,
    OUTCOMES,
    PFS,
    TRAIT_LABELS,
)

if TYPE_CHECKING:
    from bcma_decide.patient.stated_weights import Weights


_read: Final[dict[Path, tuple[int, PooledEvidence]]] = {}
"""By file, when it was changed and what was in it."""
_MOST_FILES: Final = 4


def load_pooled(evidence: Path | None = None) -> PooledEvidence:
    """The pooled evidence of the file in ``evidence`` (default: the shipped one); read once per process.

    Raises
    ------
    NoEvidenceError
        When there is none, or it cannot be used.
    """
    path = pooled_path(evidence)
    try:
        modified = path.stat().st_mtime_ns
    except OSError:
        return read_pooled(path)  # which says what is wrong
    found = _read.get(path)
    if found is None or found[0] != modified:
        found = _read[path] = modified, read_pooled(path)  # what was read before it was changed is dropped
        if len(_read) > _MOST_FILES:
            _read.pop(next(iter(_read)), None)
    return found[1]


load_model = load_pooled
"""The same under its earlier name."""


def compare(
    patient: Patient,
    *,
    setting: str = "real_world",
    region: str = DEFAULT_REGION,
    date: Day | None = None,
    explain: Collection[str] = (),
    clock: Clock = "infusion",
    order: bool = False,
    pair: tuple[str, str] | None = None,
    name: str | None = None,
    pooled: PooledEvidence | None = None,
    record: RecordLedger | None = None,
    weights: Weights | None = None,
) -> Comparison:
    """Compare BCMA CAR-T with BCMAxCD3 bispecific antibodies for one patient.

    Parameters
    ----------
    patient
        What is known; everything else is unknown and averaged over.
    setting
        Whose results to expect: those of ordinary care (``real_world``) or of trials (``trial``).
    region
        Whose labels and regional rules to judge: ``US``, ``EU``, ``China`` or another, or a country in it.
    date
        As of which day; default the date of the evidence, so that the same call gives the same bytes on any day.
    explain
        Outcome ids for which waterfall, studies and trait effects are included.
    clock
        What response and survival are shown from: ``infusion`` (the first dose of a bispecific antibody) or
        ``decision`` (CAR-T from apheresis). Both are in the document; it changes no number.
    order
        Whether to include two plans of a CAR-T and a bispecific antibody one after the other.
    pair
        Two options, classes or products, whose differences are included: ``("cilta-cel", "teclistamab")``.
    name
        Name of a shipped example, shown in the profile.
    pooled
        Loaded pooled evidence; default the shipped one.
    record
        Where the profile comes from a patient's record: what became of its values. It changes no number.
    weights
        What matters to the person; without them nothing is ranked, and they change no other number.

    Raises
    ------
    ProfileError
        When the profile names a drug or value that cannot be used, the region has no label, the setting is none, or
        ``pair`` names what is not compared.
    NoEvidenceError
        When the pooled evidence is missing, or ``explain`` names an outcome that does not exist.
    WeightsError
        When ``weights`` name what cannot be given one, or contradict themselves.

    Examples
    --------
    >>> from bcma_decide import Patient, compare
    >>> comparison = compare(Patient(age=71, extramedullary_disease="yes"))
    >>> 0 < comparison.outcomes[0].estimates["car_t"].mean < 1
    True
    """
    question = Question(
        patient=patient,
        setting=read_setting(setting),
        region=region,
        date=date,
        explain=tuple(explain),
        clock=clock,
        order=order,
        pair=pair,
        name=name,
        record=record,
        weights=weights,
    )
    return answer_question(question, pooled or load_pooled())


def answer_question(question: Question, pooled: PooledEvidence) -> Comparison:
    """Compare as asked: the same question, evidence and version of the program give the same bytes.

    Raises
    ------
    ProfileError
        When the region has no label, or the pair names what is not compared.
    NoEvidenceError
        When ``explain`` names an outcome that does not exist.
    WeightsError
        When the weights cannot be used.
    """
    explain = question.explain
    for outcome in explain:
        if outcome not in EXPLAINED:
            problem = Problem("explain", f"unknown outcome {outcome!r}", f"one of {', '.join(EXPLAINED)}")
            raise NoEvidenceError("there is no evidence on that outcome", [problem])
    check_pair(question.pair, [option.id for option in pooled.options])
    region = check_region(pooled, question.region)
    on = question.date or Day.fromisoformat(pooled.date)
    numbers = patient_numbers(pooled, derive(question.patient, pooled.definitions), question.setting)
    facts, book = numbers.traits.facts, pooled.rules
    names = {option.id: option.label for option in pooled.options}
    label_months = pooled.assumptions["label_months"]
    labels = indications(book, _said(question, numbers, pooled), region, on, names, label_months)
    label_context = context_of_labels(labels, region, on, book.as_of, int(label_months))
    practical = practical_sources(book, region, on)
    scores = score_lines(facts)
    withheld = withheld_numbers(numbers)
    judged = that_can_apply(rule_findings(book, facts, region, on), labels)
    of_labels = label_findings(labels, label_context)
    beyond = outside_comparison(book.outside_comparison, pooled.options, labels, judged, withheld)
    findings = worst_first((*input_findings(numbers), *judged, *of_labels, *beyond))
    beside = published_options(pooled, region, on)
    quoted = quoted_survival(numbers, question.setting, beside)
    curves = survival_curves(numbers)
    moves = survival_moves(numbers, curves, withheld)
    unknowns = all_unknowns(numbers, withheld, moves)
    outcomes = all_outcomes(numbers, withheld, unknowns, tuple(o for o in explain if o != PFS))
    decided = from_the_decision(numbers, curves)
    computed = computed_survival(numbers, curves, decided, withheld, moves)
    at_one_year = sides_at_one_year(numbers, computed)
    of_classes = survival_contrast(numbers, at_one_year, computed)
    ways = all_ways(numbers, withheld, curves, decided)
    ranked = None
    if question.weights is not None:
        # Weights are validated by what is slow to load, and few ask for a ranking.
        from bcma_decide.comparing.measured import Grounds
        from bcma_decide.comparing.preferences import preferences

        grounds = Grounds(numbers, {each.id: each for each in outcomes}, computed, region, on)
        ranked = preferences(question.weights, grounds)
    order = order_of_therapies(numbers, withheld, computed, region, on) if question.order else None
    return Comparison(
        evidence=evidence_stamp(pooled, on),
        software=SoftwareStamp(name="bcma-decide", version=__version__, schema_version=SCHEMA_VERSION),
        intended_use=INTENDED_USE,
        profile=_profile(numbers, question),
        options=pooled.options,
        outcomes=outcomes,
        clock=question.clock,
        survival=(*computed, *quoted),
        survival_contrast=of_classes,
        survival_explanation=survival_explanation(pooled) if PFS in explain else None,
        ways=ways,
        preferences=ranked,
        order_of_therapies=order,
        apart=apart_products(numbers, withheld, at_one_year),
        pair=None if question.pair is None else pair_contrast(numbers, question.pair, outcomes, at_one_year, computed),
        tell_apart=tell_apart(outcomes, computed, of_classes),
        published_options=beside,
        labels=label_context,
        findings=findings,
        indications=labels,
        practice=practical_rows(book, region, on),
        scores=scores,
        unknowns=unknowns,
        not_known=pooled.not_known,
        studies=pooled.studies,
        explanations=tuple(explanation(pooled, outcome) for outcome in OUTCOMES if outcome in explain),
        references=_references(
            pooled,
            cited(findings, labels, practical, scores, withheld.values(), beside, quoted, ways) | order_sources(order),
        ),
    )


def _said(question: Question, numbers: PatientNumbers, pooled: PooledEvidence) -> Facts:
    """What is known without what was inferred from the record: an inference never settles a label."""
    inferred = question.record.inferred if question.record else ()
    if not inferred:
        return numbers.traits.facts
    return derive(question.patient.model_copy(update=dict.fromkeys(inferred)), pooled.definitions).facts


@kept_beside(64)
def _references(pooled: PooledEvidence, keys: frozenset[str]) -> tuple[Reference, ...]:
    """References of the numbers, then those of everything else that is said, each once."""
    behind = {reference.key for reference in pooled.references}
    return (*pooled.references, *(pooled.citations[key] for key in sorted(keys - behind)))


def evidence_stamp(pooled: PooledEvidence, on: Day) -> EvidenceStamp:
    """Which evidence, and whether as many whole months as it allows lie between its date and the day asked for."""
    of = Day.fromisoformat(pooled.date)
    months = 12 * (on.year - of.year) + on.month - of.month - (on.day < of.day)
    # Whole months: the same answer on every day of one, and no day count that leap years shift.
    old = months >= pooled.assumptions["evidence_months"]
    return EvidenceStamp(hash=pooled.hash, date=pooled.date, version=pooled.version, out_of_date=old)


@kept_beside(64)
def check_region(pooled: PooledEvidence, region: str) -> str:
    """The region with labels that a name of it, or of a country in it, stands for; raises ProfileError."""
    return read_region(region, pooled.rules.regions)


def _profile(numbers: PatientNumbers, question: Question) -> Profile:
    profile = Profile(
        name=question.name,
        setting=question.setting,
        traits=tuple(_trait_lines(numbers)),
        carried=tuple(_carried_lines(numbers)),
        read_as=question.patient.read_as,
    )
    return profile if question.record is None else _with_record(profile, question.record, question.date)


def _with_record(profile: Profile, record: RecordLedger, question_date: Day | None) -> Profile:
    """Add what a record held; traits that were inferred from it say so."""
    traits = tuple(
        line.model_copy(update={"how": "; ".join(part for part in (line.how, "inferred from the record") if part)})
        if line.trait in record.inferred and line.state == "given"
        else line
        for line in profile.traits
    )
    return profile.model_copy(
        update={
            "traits": traits,
            "inputs": record.inputs,
            "unmapped": record.unmapped,
            "not_needed": record.not_needed,
            "record_date": record.date.isoformat(),
            "record_date_asked": record.date == question_date,
        }
    )


def _trait_lines(numbers: PatientNumbers) -> Iterator[TraitLine]:
    used = _used(numbers.pooled)
    for position, trait in enumerate(MODEL_TRAITS):
        value = numbers.traits[trait.id]
        yield TraitLine(
            trait=trait.id,
            label=TRAIT_LABELS[trait.id],
            state="contradiction" if trait.id in numbers.traits.contradicted else value.state,
            value=value.value,
            text=value.text,
            how=value.how,
            used=used[position],
        )


@kept_beside(4)
def _used(pooled: PooledEvidence) -> list[bool]:
    """Whether any number depends on a trait, by trait."""
    return [bool(pooled.used[:, :, position].any()) for position in range(pooled.trait_count)]


def _carried_lines(numbers: PatientNumbers) -> Iterator[TraitLine]:
    for line in numbers.traits.ledger:
        yield TraitLine(
            trait=line.field,
            label=line.label,
            state="given",
            value=None,
            text=line.text,
            how=line.note,
            used=line.used,
            for_findings=line.for_findings,
        )
