"""A FHIR R4 Bundle as plain data: read within limits, its resources in one shape, of one patient only.

Nothing is fetched, no reference leads outside the bundle, and junk inside a resource is left for its reader to refuse.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from bcma_decide.errors import Problem, ProfileError, quote
from bcma_decide.fhir.reading.datatypes import Plain, local_address, objects
from bcma_decide.fhir.reading.dates import When, read_when
from bcma_decide.fhir.reading.resource import Resource
from bcma_decide.fhir.reading.resource_reading import read_resource, times_of
from bcma_decide.patient.files import read_text, shown_name
from bcma_decide.strict.json import NoNumberError, RepeatedNameError, strict_json

SIZE_LIMIT: Final = 20_000_000
"""Bytes a bundle may have; more is not read."""
DEPTH_LIMIT: Final = 64
BUNDLE_TYPES: Final = ("collection", "searchset", "document", "transaction", "batch")
_PLAIN: Final = (str, int, float, type(None))
_HOLDS: Final = "the record of one patient"

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
_KEPT: Final = frozenset((*READ, "Patient", "Medication"))
NO_SYSTEMS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True)
class PatientRecord:
    """The resources of one patient, and what was left aside."""

    patient: Resource | None
    resources: tuple[Resource, ...]
    without_subject: tuple[Resource, ...]
    junk: int
    """Entries that hold no resource."""
    more_pages: bool

    def find(self, kind: str, address: str | None, holder: Resource) -> Resource | None:
        """Return the resource of a kind that an address names: contained in its holder, or in the bundle."""
        if address is None:
            return None
        if address.startswith("#"):
            return next((each for each in holder.contained if each.kind == kind and each.id == address[1:]), None)
        wanted = local_address(address)
        return next((each for each in self.resources if each.kind == kind and wanted in each.addresses), None)


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


def open_record(bundle: Plain, systems: Mapping[str, str] = NO_SYSTEMS) -> PatientRecord:
    """Take the resources of a bundle apart; of one patient, or refused.

    Parameters
    ----------
    bundle
        Plain data.
    systems
        Short names of code systems by their address; a system without one keeps its address.

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
    by_id: dict[str, list[Plain]] = defaultdict(list)
    junk = 0
    for number, entry in enumerate(entries or ()):
        data = held_by(entry)
        if data is None:
            junk += 1
        elif data["resourceType"] in _KEPT and not _is_repeated(data, by_id):
            path = f"entry[{number}].resource"
            resources.append(read_resource(data, systems, path=path, url=entry.get("fullUrl")))
    return _of_one_patient(resources, junk, has_more(bundle))


def _is_repeated(data: Plain, by_id: dict[str, list[Plain]]) -> bool:
    """Whether it stood there before, word for word: two that differ anywhere are two, also under one id."""
    own = data.get("id")
    if own is None:
        return False
    before = by_id[own if isinstance(own, str) else ""]
    if data in before:
        return True
    before.append(data)
    return False


def held_by(entry: object) -> Plain | None:
    """Return the resource of an entry as JSON; None for one that is deleted, and for anything that is none."""
    if not isinstance(entry, Mapping):
        return None
    request, data = entry.get("request"), entry.get("resource")
    if isinstance(request, Mapping) and request.get("method") == "DELETE":
        return None
    kind = data.get("resourceType") if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) and isinstance(kind, str) and kind.isalpha() else None


def has_more(bundle: Plain) -> bool:
    """Whether a Bundle is one page of several and not the last."""
    return any(link.get("relation") == "next" for link in objects(bundle.get("link")))


def _of_one_patient(resources: Sequence[Resource], junk: int, more_pages: bool) -> PatientRecord:
    patients = [each for each in resources if each.kind == "Patient"]
    if len(patients) > 1:
        raise refusal(patients[1].path, "is a second patient", "one patient per bundle")
    patient = patients[0] if patients else None
    known = patient.addresses if patient else frozenset()
    kept: list[Resource] = []
    orphans: list[Resource] = []
    other: dict[str, Resource] = {}
    for each in resources:
        if each.kind == "Medication":  # names nobody; it counts only through what refers to it
            kept.append(each)
        elif each.kind in READ:
            if each.subject is None:
                orphans.append(each)
                continue
            kept.append(each)
            if each.subject not in known:
                other.setdefault(each.subject, each)
    if other and (known or len(other) > 1):
        where = list(other.values())[0 if known else 1]
        raise refusal(f"{where.path}.subject", "is not the patient of the bundle", "one patient per bundle")
    return PatientRecord(patient, tuple(kept), tuple(orphans), junk, more_pages)


def newest_date(bundle: Plain) -> When | None:
    """The day a bundle was put together: its own stamp, else the newest stamp or date among its resources."""
    stamp = read_when(bundle.get("timestamp")) or _updated(bundle)
    if stamp is not None:
        return stamp
    # every resource counts here, also of kinds that are not read: it is the age of the bundle, not of its results
    held = [each.get("resource") for each in objects(bundle.get("entry"))]
    resources = [each for each in held if isinstance(each, Mapping)]
    stamps = [when for when in map(_updated, resources) if when]
    times = stamps or [when for each in map(times_of, resources) for when in map(dict(each).get, _DATED) if when]
    return max(times, key=lambda when: when.last, default=None)


def _updated(data: Plain) -> When | None:
    meta = data.get("meta")
    return read_when(meta.get("lastUpdated")) if isinstance(meta, Mapping) else None


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
            # most values are plain, and asking them whether they are a Mapping would cost more than all else here
            if not isinstance(inner, _PLAIN) and isinstance(inner, (Mapping, list))
        ]
        if not level:
            return
    raise _too_deep("", name)


def _too_large(name: str) -> ProfileError:
    return refusal("", f"is larger than {SIZE_LIMIT // 1_000_000} MB", _HOLDS, name)


def _too_deep(where: str, name: str) -> ProfileError:
    return refusal(where, f"is nested deeper than {DEPTH_LIMIT} levels", "a FHIR R4 Bundle", name)
