"""The answer as a whole: a GuidanceResponse with what is missing, what contradicts itself, what speaks against."""

from __future__ import annotations

from typing import Any, Final

from bcma_decide.comparison import Comparison
from bcma_decide.fhir.writing.narrative import narrated
from bcma_decide.fhir.writing.needs import data_requirements
from bcma_decide.fhir.writing.notes import WORST, Findings, difference, finding_note
from bcma_decide.fhir.writing.origin import DEVICE
from bcma_decide.fhir.writing.parts import BASE, Frame, Written, as_notes, filled
from bcma_decide.pooled.codes import Codes
from bcma_decide.render.sheet.clinician_view import banners
from bcma_decide.render.words import arrange, published, rule_view, sentences, wording

GUIDANCE: Final = "GuidanceResponse"
MODULE: Final = f"{BASE}:comparison"
_MESSAGES: Final = "messages"


def guidance_response(frame: Frame, codes: Codes, findings: Findings) -> Written:
    """Write the answer; *data-requested* where knowing more would move a number."""
    comparison = frame.comparison
    wanted = data_requirements(comparison, codes)
    issues = _issues(comparison)
    outcome = {"resourceType": "OperationOutcome", "id": _MESSAGES, "issue": issues}
    notes = _notes(comparison, findings)
    asked = [f"Asked for: {each['extension'][0]['valueString']}." for each in wanted]
    answer = filled(
        {
            "resourceType": "GuidanceResponse",
            "id": frame.id_of(GUIDANCE),
            "contained": [outcome] if issues else [],
            "identifier": [frame.identifier],
            "moduleUri": MODULE,
            "status": "data-requested" if wanted else "success",
            "subject": dict(frame.subject),
            "occurrenceDateTime": frame.recorded,
            "performer": frame.link(DEVICE),
            "note": as_notes(notes),
            "evaluationMessage": [{"reference": f"#{_MESSAGES}"}] if issues else [],
            "dataRequirement": wanted,
        }
    )
    said = [*notes, *asked, *(issue["details"]["text"] for issue in issues)]
    return narrated(answer, "Answer as a whole", dict.fromkeys(said))


def _notes(comparison: Comparison, findings: Findings) -> list[str]:
    """Intended use, contraindications, what can be told apart, inputs that matter, what no input could settle."""
    return [
        comparison.intended_use,
        *banners(comparison),
        *(finding_note(comparison, each) for each in findings.fired if each.severity == WORST),
        comparison.tell_apart,
        difference(comparison),
        *(sentences.mover_sentence(mover, comparison) for mover in arrange.movers(comparison)),
        *(f"{published.title()}: {line}" for line in published.option_lines(comparison)),
        *comparison.not_known,
        f"{wording.how_good()} {sentences.validation_command(comparison)}",
    ]


def _issues(comparison: Comparison) -> list[dict[str, Any]]:
    """Inputs that contradict each other, and what is missing to judge findings, the worst first."""
    contradictions = [
        *(f"{line.label}: {line.how or line.text}" for line in comparison.profile.traits if _contradicts(line.state)),
        *(each.text for each in arrange.contradictions(comparison)),
        *(
            ", ".join(part for part in (f"{line.label}: {line.text}", line.resource, line.note) if part)
            for line in comparison.profile.inputs
            if _contradicts(line.state)
        ),
    ]
    unsettled = [rule_view.open_text(each) for each in rule_view.open_findings(comparison)]
    return [
        *(_issue("warning", "invariant", text) for text in dict.fromkeys(contradictions)),
        *(_issue("information", "informational", f"{rule_view.open_title()}: {text}") for text in unsettled),
    ]


def _contradicts(state: str) -> bool:
    return state == "contradiction"


def _issue(severity: str, code: str, text: str) -> dict[str, Any]:
    return {"severity": severity, "code": code, "details": {"text": wording.visible(text)}}
