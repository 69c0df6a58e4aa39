"""compare(): patient + model -> Comparison.

Same input, same bytes: no clock, no random state, no network, no file except the pooled evidence once.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date as Day  # noqa: N812  # a parameter is called date
from functools import lru_cache
from pathlib import Path

from bcma_decide.answer import (
    Answer,
    answer,
)
from bcma_decide.comparison import (
    SCHEMA_VERSION,
    Comparison,
    EvidenceStamp,
    InputLine,
    LabelContext,
    Profile,
    SoftwareStamp,
    TraitLine,
    UnmappedLine,
)
from bcma_decide.errors import NoEvidenceError, Problem, ProfileError
from bcma_decide.explain import explanation
from bcma_decide.findings import (
    cited,
    indications,
    input_findings,
    practical_sources,
    practice,
    rule_findings,
    score_lines,
    worst_first,
)
from bcma_decide.location import pooled_path
from bcma_decide.model.artefact import Model, read_model
from bcma_decide.outcomes import all_outcomes
from bcma_decide.patient import Patient
from bcma_decide.reading import closest
from bcma_decide.traits import derive
from bcma_decide.unknowns import all_unknowns
from bcma_decide.version import __version__
from bcma_decide.vocabulary import (
    DEFAULT_REGION,
    INTENDED_USE,
    MODEL_TRAITS,
    OUTCOMES,
    THRESHOLDS,
    TRAIT_LABELS,
    Design,
)


@lru_cache(maxsize=4)
def _cached_model(path: Path, modified: int) -> Model:
    del modified  # part of the key: a rebuilt file is another model
    return read_model(path)


def load_model(evidence: Path | None = None) -> Model:
    """The model of the pooled file in ``evidence`` (default: the shipped one); read once per process.

    Raises
    ------
    NoEvidenceError
        When there is none, or it cannot be used.
    """
    path = pooled_path(evidence)
    return _cached_model(path, path.stat().st_mtime_ns if path.is_file() else 0)


def compare(
    patient: Patient,
    *,
    setting: Design = "real_world",
    region: str = DEFAULT_REGION,
    date: Day | None = None,
    explain: Collection[str] = (),
    name: str | None = None,
    model: Model | None = None,
    inputs: tuple[InputLine, ...] = (),
    unmapped: tuple[UnmappedLine, ...] = (),
    record_date: Day | None = None,
) -> Comparison:
    """Compare BCMA CAR-T with BCMAxCD3 bispecific antibodies for one patient.

    Parameters
    ----------
    patient
        What is known; everything else is unknown and averaged over.
    setting
        Whose results to expect: those of ordinary care (``real_world``) or of trials (``interventional``).
    region
        Whose labels and regional rules to judge: ``US``, ``EU``, ``China`` or another of the evidence.
    date
        As of which day; default the date of the evidence, so that the same call gives the same bytes on any day.
    explain
        Outcome ids for which waterfall, studies and trait effects are included.
    name
        Name of a shipped example, shown in the profile.
    model
        A loaded model; default the shipped evidence.
    inputs, unmapped, record_date
        Where the profile comes from a patient's record: what became of its values, which codes mean nothing here, and
        the day the ages are counted to. They are passed through and change no number.

    Raises
    ------
    ProfileError
        When the profile names a drug or value that cannot be used, or the region has no label.
    NoEvidenceError
        When the pooled evidence is missing, or ``explain`` names an outcome that does not exist.

    Examples
    --------
    >>> from bcma_decide import Patient, compare
    >>> comparison = compare(Patient(age=71, extramedullary_disease="yes"))
    >>> 0 < comparison.outcomes[0].estimates["car_t"].median < 1
    True
    """
    model = model or load_model()
    for outcome in explain:
        if outcome not in THRESHOLDS:
            problem = Problem("explain", f"unknown outcome {outcome!r}", f"one of {', '.join(OUTCOMES)}")
            raise NoEvidenceError("there is no evidence on that outcome", [problem])
    check_region(model, region)
    on = date or Day.fromisoformat(model.date)
    found = answer(model, derive(patient, model.definitions), setting)
    facts, book = found.traits.facts, model.rules
    findings = worst_first((*input_findings(found), *rule_findings(book, facts, region, on)))
    labels = indications(book, facts, region, on, {option.id: option.label for option in model.options})
    practical = practical_sources(book, region, on)
    scores = score_lines(model.definitions.scores, facts)
    return Comparison(
        evidence=evidence_stamp(model, on),
        software=SoftwareStamp(name="bcma-decide", version=__version__, schema_version=SCHEMA_VERSION),
        intended_use=INTENDED_USE,
        profile=_with_record(_profile(found, setting, name), inputs, unmapped, record_date, record_date == date),
        options=model.options,
        outcomes=all_outcomes(found, explain),
        labels=LabelContext(region=region, date=on.isoformat(), seen_until=book.as_of),
        findings=findings,
        indications=labels,
        practice=practice(book, region, on),
        scores=scores,
        unknowns=all_unknowns(found),
        not_known=model.not_known,
        studies=model.studies,
        explanations=tuple(explanation(model, outcome) for outcome in OUTCOMES if outcome in explain),
        references=(*model.references, *cited(findings, labels, practical, scores, model.citations)),
    )


def evidence_stamp(model: Model, on: Day) -> EvidenceStamp:
    """Which evidence, and whether as many whole months as it allows lie between its date and the day asked for."""
    of = Day.fromisoformat(model.date)
    months = 12 * (on.year - of.year) + on.month - of.month - (on.day < of.day)
    old = months >= model.assumptions["evidence_months"]
    return EvidenceStamp(hash=model.hash, date=model.date, version=model.version, out_of_date=old)


def check_region(model: Model, region: str) -> None:
    """Refuse a region without any label; raises ProfileError."""
    if region not in model.rules.regions:
        known = ", ".join(model.rules.regions)
        hint = closest(region, list(model.rules.regions)) or f"one of {known}"
        raise ProfileError("the region cannot be used", [Problem("region", f"{region!r} has no label here", hint)])


def _with_record(
    profile: Profile,
    inputs: tuple[InputLine, ...],
    unmapped: tuple[UnmappedLine, ...],
    record_date: Day | None,
    asked: bool,
) -> Profile:
    """Add what a record held; traits that were inferred from it say so."""
    inferred = {line.field for line in inputs if line.state == "inferred"}
    traits = tuple(
        line.model_copy(update={"how": "; ".join(part for part in (line.how, "inferred from the record") if part)})
        if line.trait in inferred and line.state == "given"
        else line
        for line in profile.traits
    )
    return profile.model_copy(
        update={
            "traits": traits,
            "inputs": inputs,
            "unmapped": unmapped,
            "record_date": record_date.isoformat() if record_date else None,
            "record_date_asked": record_date is not None and asked,
        }
    )


def _profile(found: Answer, setting: Design, name: str | None) -> Profile:
    lines = []
    for position, trait in enumerate(MODEL_TRAITS):
        value = found.traits[trait.id]
        state = "contradiction" if trait.id in found.traits.contradicted else value.state
        lines.append(
            TraitLine(
                trait=trait.id,
                label=TRAIT_LABELS[trait.id],
                state=state,
                value=value.value,
                text=value.text,
                how=value.how,
                used=bool(found.model.used[:, :, position].any()),
            )
        )
    carried = tuple(
        TraitLine(
            trait=line.field,
            label=line.label,
            state="given",
            value=None,
            text=line.text,
            how=line.note,
            used=line.used,
            for_findings=line.for_findings,
        )
        for line in found.traits.ledger
    )
    return Profile(name=name, setting=setting, traits=tuple(lines), carried=carried)
