"""Which form of an answer a client wants: by name in the address, else by its Accept header."""

from __future__ import annotations

from typing import Final, Literal

from bcma_decide.service.http.problems import Refusal

Format = Literal["json", "html", "pdf", "fhir"]
FHIR: Final = "application/fhir+json"

TYPES: Final[dict[Format, str]] = {
    "json": "application/json",
    "html": "text/html",
    "pdf": "application/pdf",
    "fhir": FHIR,
}


def negotiated(accept: str | None, named: Format | None) -> Format:
    """Choose the form; JSON where several are equally wanted. Raises Refusal (406)."""
    if named is not None:
        return named
    wanted = _qualities(accept or "*/*")
    best, form = max(((_quality(kind, wanted), -place), name) for place, (name, kind) in enumerate(TYPES.items()))
    if best[0] <= 0:
        raise Refusal(406, f"ask for {', '.join(TYPES.values())}")
    return form


def _qualities(accept: str) -> dict[str, float]:
    found = {}
    for part in accept.split(","):
        kind, *parameters = (each.strip().casefold() for each in part.split(";"))
        quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        try:
            found[kind] = min(1.0, max(0.0, float(quality)))
        except ValueError:
            found[kind] = 0.0
    return found


def _quality(kind: str, wanted: dict[str, float]) -> float:
    """The most specific range counts."""
    family = kind.partition("/")[0] + "/*"
    return next((wanted[each] for each in (kind, family, "*/*") if each in wanted), 0.0)
