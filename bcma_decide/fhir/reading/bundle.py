"""A FHIR R4 Bundle as plain data: read within limits, its resources in one shape, of one patient only.

Nothing is fetched, no reference leads outside the bundle, and junk inside a resource is left for its reader to refuse.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any, Final

from bcma_decide.errors import Problem, ProfileError, quote
from bcma_decide.fhir.reading.dates import When, read_when
from bcma_decide.patient.files import read_text, shown_name
from bcma_decide.strict.json import NoNumberError, RepeatedNameError, strict_json

SIZE_LIMIT: Final = 20_000_000
"""Bytes a bundle may have; more is not read."""
DEPTH_LIMIT: Final = 64
BUNDLE_TYPES: Final = ("collection", "searchset", "document", "transaction", "batch")
_SHORT: Final = 80
_HOLDS: Final = "the record of one patient"

Plain = Mapping[str, Any]


@dataclass(frozen=True)
class Resource:
    """One resource of a bundle and where it stands."""

    kind: str
    data: Plain
    path: str
    url: str = ""

    @property
    def name(self) -> str:
        """Kind and id, for people; the patient's own id is left out."""
        own = self.data.get("id")
        return f"{self.kind}/{clip(own)}" if isinstance(own, str) and own and self.kind != "Patient" else self.kind

    @property
    def addresses(self) -> frozenset[str]:
        """What references may call it."""
        own = self.data.get("id")
        local = {f"{self.kind}/{own}"} if isinstance(own, str) and own else set()
        return frozenset(local | ({local_address(self.url)} if self.url else set()))


@dataclass(frozen=True)
class PatientRecord:
    """The resources of one patient, and what was left aside."""

    patient: Resource | None
    resources: tuple[Resource, ...]
    without_subject: tuple[Resource, ...]
    junk: int
    """Entries that hold no resource."""
    more_pages: bool

    def find(self, kind: str, reference: object, holder: Plain) -> Plain | None:
        """Return the resource a reference names: contained in its holder, or in the bundle."""
        text = reference.get("reference") if isinstance(reference, Mapping) else None
        if not isinstance(text, str):
            return None
        if text.startswith("#"):
            inside = (each for each in mappings(holder.get("contained")) if each.get("id") == text[1:])
            return next((each for each in inside if each.get("resourceType") == kind), None)
        wanted = local_address(text)
        return next((each.data for each in self.resources if each.kind == kind and wanted in each.addresses), None)


def read_bundle_file(source: Path | str) -> dict[str, Any]:
    """Read a bundle from a file or standard input (``-``), refusing what is too large before it is parsed.

    Raises
    ------
    ProfileError
        When it cannot be read, is too large, too deep, or is not JSON.
    """
    name = shown_name(source)
    return parse_bundle(read_text(source, SIZE_LIMIT, _HOLDS, partial(refusal, file=name)), name)


def parse_bundle(text: str, name: str = "bundle") -> dict[str, Any]:
    """Parse JSON within limits; raises ProfileError."""
    if len(text) > SIZE_LIMIT:
        raise _too_large(name)
    try:
        value = strict_json(text)
    except RepeatedNameError as error:
        raise refusal(quote(error.name), "stands there twice in one object", "keep one of them", name) from None
    except NoNumberError as error:
        raise refusal(error.word, "is not a number of JSON", "leave the element out", name) from None
    except json.JSONDecodeError as error:
        raise refusal(f"line {error.lineno}", f"not JSON: {error.msg}", "a FHIR Bundle as JSON", name) from None
    except RecursionError:
        raise _too_deep("", name) from None
    check_depth(value, name)
    if not isinstance(value, dict):
        raise refusal("", "is not a JSON object", "a FHIR R4 Bundle", name)
    return value


def open_record(bundle: Plain) -> PatientRecord:
    """Take the resources of a bundle apart; of one patient, or refused.

    Raises
    ------
    ProfileError
        When it is no Bundle of a kind that is read, or holds resources of more than one patient.
    """
    check_depth(bundle, "")
    if bundle.get("resourceType") != "Bundle":
        what = f"is {quote(bundle['resourceType'])}, not 'Bundle'" if bundle.get("resourceType") else "is missing"
        raise refusal("resourceType", what, "a FHIR R4 Bundle")
    kind = bundle.get("type")
    if kind is not None and kind not in BUNDLE_TYPES:
        raise refusal("type", f"{quote(kind)} is not read", f"one of {', '.join(BUNDLE_TYPES)}")
    entries = bundle.get("entry")
    if entries is not None and not isinstance(entries, list):
        raise refusal("entry", "is not a list", "a list of entries, each with a resource")
    resources: list[Resource] = []
    junk = 0
    for number, entry in enumerate(entries or ()):
        found = resource_of(entry, f"entry[{number}].resource")
        if found is None:
            junk += 1
        elif not any(found.kind == each.kind and found.data == each.data for each in _same_id(resources, found)):
            resources.append(found)
    links = [each.get("relation") for each in mappings(bundle.get("link"))]
    return _of_one_patient(resources, junk, "next" in links)


def _same_id(resources: Sequence[Resource], found: Resource) -> Iterator[Resource]:
    own = found.data.get("id")
    return (each for each in resources if own is not None and each.data.get("id") == own)


def resource_of(entry: object, path: str) -> Resource | None:
    """Return the resource of an entry; None for one that is deleted, and for anything that is none."""
    if not isinstance(entry, Mapping):
        return None
    request, data, url = entry.get("request"), entry.get("resource"), entry.get("fullUrl")
    if isinstance(request, Mapping) and request.get("method") == "DELETE":
        return None
    kind = data.get("resourceType") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(kind, str) or not kind.isalpha():
        return None
    return Resource(kind, data, path, url if isinstance(url, str) else "")


READ: Final = (
    "Condition",
    "DiagnosticReport",
    "MedicationAdministration",
    "MedicationDispense",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "Procedure",
)
"""Kinds of resources that speak of the patient here; Medication is looked up by reference."""


def _of_one_patient(resources: Sequence[Resource], junk: int, more_pages: bool) -> PatientRecord:
    patients = [each for each in resources if each.kind == "Patient"]
    if len(patients) > 1:
        raise refusal(patients[1].path, "is a second patient", "one patient per bundle")
    patient = patients[0] if patients else None
    known = patient.addresses if patient else frozenset()
    orphans: list[Resource] = []
    other: dict[str, Resource] = {}
    for each in resources:
        if each.kind not in READ:
            continue
        subject = subject_of(each.data)
        if subject is None:
            orphans.append(each)
        elif subject not in known:
            other.setdefault(subject, each)
    if other and (known or len(other) > 1):
        where = list(other.values())[0 if known else 1]
        raise refusal(f"{where.path}.subject", "is not the patient of the bundle", "one patient per bundle")
    kept = [each for each in resources if each.kind in (*READ, "Medication") and each not in orphans]
    return PatientRecord(patient, tuple(kept), tuple(orphans), junk, more_pages)


def subject_of(data: Plain) -> str | None:
    """Return the address of the patient a resource is about."""
    for name in ("subject", "patient"):
        reference = data.get(name)
        text = reference.get("reference") if isinstance(reference, Mapping) else None
        if isinstance(text, str) and text:
            return local_address(text)
    return None


def local_address(reference: str) -> str:
    """``Patient/1`` of an absolute, relative or versioned reference; a URN stays as it is."""
    if reference.startswith("urn:"):
        return reference
    parts = reference.split("/_history/")[0].rstrip("/").split("/")
    return "/".join(parts[-2:])


def newest_date(bundle: Plain) -> When | None:
    """The day a bundle was put together: its own stamp, else the newest stamp or date among its resources."""
    meta = bundle.get("meta")
    stamp = read_when(bundle.get("timestamp")) or (
        read_when(meta.get("lastUpdated")) if isinstance(meta, Mapping) else None
    )
    if stamp is not None:
        return stamp
    entries = [each.get("resource") for each in mappings(bundle.get("entry"))]
    data = [each for each in entries if isinstance(each, Mapping)]
    updated = [each["meta"].get("lastUpdated") for each in data if isinstance(each.get("meta"), Mapping)]
    found = [when for when in map(read_when, updated) if when] or [
        when for each in data for name in _DATED for when in [read_when(each.get(name))] if when
    ]
    return max(found, key=lambda when: when.last, default=None)


_DATED: Final = (
    "effectiveDateTime",
    "effectiveInstant",
    "performedDateTime",
    "recordedDate",
    "authoredOn",
    "issued",
    "dateAsserted",
    "whenHandedOver",
)


def mappings(value: object) -> Iterator[Plain]:
    """Those members of a list that are objects."""
    return (each for each in value if isinstance(each, Mapping)) if isinstance(value, list) else iter(())


def clip(value: object) -> str:
    """Text of a record as it may be shown: one line, printable, short."""
    if not isinstance(value, str):
        return ""
    plain = " ".join("".join(c if c.isprintable() else " " for c in value[: 4 * _SHORT]).split())
    return plain if len(plain) <= _SHORT else f"{plain[: _SHORT - 3]}..."


def number_of(value: object) -> float | None:
    """A finite number, or None for anything else: text, true and false, and numbers too large to be one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None


def refusal(where: str, message: str, fix: str, file: str = "") -> ProfileError:
    """The error for a bundle that cannot be read."""
    return ProfileError("the record cannot be read", [Problem(where, message, fix, file)])


def check_depth(value: object, name: str) -> None:
    """Refuse what is nested deeper than any record; raises ProfileError. No recursion."""
    level: list[object] = [value]
    for _ in range(DEPTH_LIMIT):
        level = [
            inner
            for each in level
            if isinstance(each, (Mapping, list))
            for inner in (each.values() if isinstance(each, Mapping) else each)
            if isinstance(inner, (Mapping, list))
        ]
        if not level:
            return
    raise _too_deep("", name)


def _too_large(name: str) -> ProfileError:
    return refusal("", f"is larger than {SIZE_LIMIT // 1_000_000} MB", _HOLDS, name)


def _too_deep(where: str, name: str) -> ProfileError:
    return refusal(where, f"is nested deeper than {DEPTH_LIMIT} levels", "a FHIR R4 Bundle", name)
