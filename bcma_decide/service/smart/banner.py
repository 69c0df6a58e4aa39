"""Who the patient is, in one line for the top of the page: shown there and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from bcma_decide.fhir.reading.datatypes import clip, objects

_USES: Final = ("official", "usual")


def banner_of(patient: Mapping[str, Any], today: date) -> str:
    """Name and birth date of a Patient resource; what it does not say is called not given."""
    born = clip(patient.get("birthDate"))
    name = _name(patient, today) or "name not given"
    return f"{name}, {f'born {born}' if born else 'date of birth not given'}"


def _name(patient: Mapping[str, Any], today: date) -> str:
    """The official name, else the usual, else the first that is not over."""
    names = [each for each in objects(patient.get("name")) if not _is_over(each, today)]
    found = next((each for use in _USES for each in names if each.get("use") == use), names[0] if names else {})
    given = found.get("given")
    parts = [*(given if isinstance(given, list) else ()), found.get("family")]
    return clip(found.get("text")) or clip(" ".join(part for part in parts if isinstance(part, str) and part))


def _is_over(name: Mapping[str, Any], today: date) -> bool:
    period = name.get("period")
    end = period.get("end") if isinstance(period, Mapping) else None
    return name.get("use") == "old" or (isinstance(end, str) and end < today.isoformat())
