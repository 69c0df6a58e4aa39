"""Refusals as the two standards want them: problem details (RFC 9457), and OperationOutcome for CDS Hooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import JSONResponse

from bcma_decide.errors import (
    AuditError,
    BcmaDecideError,
    NoEvidenceError,
    Problem,
    ProfileError,
    SheetError,
    WeightsError,
)

PROBLEM_TYPE: Final = "application/problem+json"
OUTCOME_TYPE: Final = "application/fhir+json"
HOOKS_PATH: Final = "/cds-services"
"""Below it, a refusal is an OperationOutcome."""

_STATUS: Final[tuple[tuple[type[BcmaDecideError], int, str], ...]] = (
    (ProfileError, 422, "invalid-profile"),
    (WeightsError, 422, "invalid-weights"),
    (SheetError, 422, "invalid-sheet"),
    (NoEvidenceError, 422, "unknown-outcome"),
    (AuditError, 503, "not-recorded"),
)
_ISSUE_CODES: Final = {400: "invalid", 401: "login", 404: "not-found", 408: "timeout", 412: "required",
                       413: "too-long", 415: "not-supported", 422: "invalid", 429: "throttled",
                       503: "transient"}  # fmt: skip


class Refusal(Exception):  # noqa: N818  # an answer, not a mistake of the program
    """A request that is answered with an error status."""

    def __init__(
        self,
        status: int,
        detail: str = "",
        problems: Sequence[Problem] = (),
        *,
        name: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.detail = detail
        self.problems = tuple(problems)
        self.name = name
        self.headers = dict(headers or {})
        super().__init__(detail)

    @classmethod
    def of(cls, error: BcmaDecideError) -> Refusal:
        """The refusal that goes with an error of the program."""
        for kind, status, name in _STATUS:
            if isinstance(error, kind):
                return cls(status, error.message, error.problems, name=name)
        return cls(500, "the request could not be answered")


def refusal_response(path: str, refusal: Refusal) -> JSONResponse:
    """Write a refusal in the form that goes with the path asked for."""
    if path == HOOKS_PATH or path.startswith(f"{HOOKS_PATH}/"):
        return JSONResponse(outcome(refusal), refusal.status, refusal.headers, OUTCOME_TYPE)
    return JSONResponse(problem_details(refusal), refusal.status, refusal.headers, PROBLEM_TYPE)


def forgetful() -> Refusal:
    """The refusal where the memory that processes share does not answer, and the request needs it."""
    return Refusal(503, "the memory of sessions and tokens does not answer", headers={"Retry-After": "5"})


def problem_details(refusal: Refusal) -> dict[str, Any]:
    """RFC 9457; ``errors`` has every field that is wrong, and how to mend it."""
    details: dict[str, Any] = {
        "type": f"urn:bcma-decide:problem:{refusal.name}" if refusal.name else "about:blank",
        "title": HTTPStatus(refusal.status).phrase,
        "status": refusal.status,
    }
    if refusal.detail:
        details["detail"] = refusal.detail
    if refusal.problems:
        details["errors"] = [
            {key: value for key, value in (("field", p.field), ("message", p.message), ("fix", p.fix)) if value}
            for p in refusal.problems
        ]
    return details


def outcome(refusal: Refusal) -> dict[str, Any]:
    """FHIR R4 OperationOutcome: one issue for each thing wrong, with no detail at all for who may not call."""
    code = _ISSUE_CODES.get(refusal.status, "processing")
    texts = [str(problem) for problem in refusal.problems] or [refusal.detail or HTTPStatus(refusal.status).phrase]
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": code, "diagnostics": text} for text in texts],
    }
