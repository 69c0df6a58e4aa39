"""A resource from its JSON: every element that is read of any resource is read here, of any version of FHIR."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from bcma_decide.fhir.reading.datatypes import (
    MODIFIER,
    NESTED,
    NO_CONCEPT,
    NO_REFERENCE,
    OBJECT,
    PLAIN,
    Concept,
    Measurement,
    Plain,
    ResourceReference,
    Result,
    clip,
    concept_of,
    identifier_of,
    local_address,
    measurement_of,
    objects,
    period_of,
    reference_of,
    result_of,
)
from bcma_decide.fhir.reading.dates import When, read_when
from bcma_decide.fhir.reading.resource import NO_CODED, NO_RESOURCE, Coded, Extension, ReferenceRange, Resource, Stage

_RESULT: Final = re.compile(r"value[A-Z][A-Za-z]*")
_TIMES: Final[Mapping[str, Callable[[object], When | None]]] = {
    "authoredOn": read_when,
    "birthDate": read_when,
    "dateAsserted": read_when,
    "deceasedDateTime": read_when,
    "abatementDateTime": read_when,
    "abatementPeriod": period_of,
    "dateWritten": read_when,
    "effectiveDateTime": read_when,
    "effectiveInstant": read_when,
    "effectivePeriod": period_of,
    "effectiveTimeDateTime": read_when,
    "effectiveTimePeriod": period_of,
    "issued": read_when,
    "onsetDateTime": read_when,
    "onsetPeriod": period_of,
    "occurenceDateTime": read_when,  # spelled so in R5, for the administration of a drug
    "occurencePeriod": period_of,
    "occurrenceDateTime": read_when,
    "occurrencePeriod": period_of,
    "performedDateTime": read_when,
    "performedPeriod": period_of,
    "recordedDate": read_when,
    "whenHandedOver": read_when,
    "whenPrepared": read_when,
}


_FLAGS: Final = ("notDone", "notGiven", "notPerformed", "taken", "wasNotGiven", "wasNotTaken")
"""Elements of older versions of FHIR that turn the meaning of a resource."""
_NOT_DONE: Final = ("notDoneReason", "reasonNot")
"""How elements begin that say why something was not done."""
_OLDER_KINDS: Final = {"MedicationOrder": "MedicationRequest"}
"""Kinds of older versions of FHIR by what they are called now."""
_DEEPEST: Final = 8
_BESIDE_CODE: Final = frozenset(("dataAbsentReason", "interpretation", "referenceRange"))
_LONGEST: Final = 1000
_LONGEST_NAME: Final = 40
_PLAIN_RANGE: Final = frozenset(("low", "high", "text"))


def read_resource(
    data: Plain, systems: Mapping[str, str], *, path: str = "", url: object = None, modified: bool = True
) -> Resource:
    """Read a resource.

    Parameters
    ----------
    data
        A JSON object whose ``resourceType`` is text.
    systems
        Short names of code systems by their address.
    path, url
        Its place in the bundle, and the ``fullUrl`` of its entry.
    modified
        Whether modifier extensions are to be looked for; False only where it is known that there are none.
    """
    contained = (each for each in objects(data.get("contained")) if isinstance(each.get("resourceType"), str))
    # by the standard a contained resource holds no others: what one holds all the same is not followed
    return _read(data, systems, modified, tuple(_read(each, systems, modified) for each in contained), path, url)


def _read(
    data: Plain,
    systems: Mapping[str, str],
    modified: bool,
    contained: tuple[Resource, ...] = (),
    path: str = "",
    url: object = None,
) -> Resource:
    kind: str = data["resourceType"]
    absent, unread = _fields_for(_names(data))
    given = {
        **absent,
        "kind": _OLDER_KINDS.get(kind, kind),
        "path": path,
        "url": url if isinstance(url, str) else "",
        "modifiers": _modifiers(data) if modified else (),
        "elements": frozenset(name for name, value in data.items() if value is not None),
        "contained": contained,
    }
    return Resource(given, unread, (data, systems))


_Reader = Callable[[Plain, Mapping[str, str]], Any]


def _names(data: Plain) -> tuple[str, ...]:
    """Names of the elements; where they are too long to be kept, the beginnings of those that are read."""
    names = tuple(data)
    if len("".join(names)) < _LONGEST:
        return names
    return tuple(dict.fromkeys(name[:_LONGEST_NAME] for name in names if _fields_of(name)))


@lru_cache(maxsize=1024)
def _fields_for(names: tuple[str, ...]) -> tuple[Mapping[str, Any], Mapping[str, _Reader]]:
    """Fields that no element of these names fills, as they are by default; and the readers of the others.

    A resource has some ten of the elements that are read anywhere, and resources of one server have the same ones.
    """
    filled = {field for name in names for field in _fields_of(name)}
    absent = {field: value for field, value in NO_RESOURCE.items() if field not in filled}
    return absent, {field: read for field, read in _READERS.items() if field in filled}


def _fields_of(name: str) -> tuple[str, ...]:
    if name in _FIELDS:
        return _FIELDS[name]
    if name.lstrip("_").startswith("value"):
        return ("coded",)
    if name.startswith(_NOT_DONE):
        return ("flags",)
    if name.startswith("effectiveTime"):
        return ("older", "times")
    if name.startswith("abatement"):
        return ("abated", "times")
    return ("times",) if name in _TIMES else ()


def times_of(data: Plain) -> tuple[tuple[str, When], ...]:
    """Times of a resource by their element."""
    return tuple(
        (name, when) for name, value in data.items() if name in _TIMES and (when := _TIMES[name](value)) is not None
    )


def subject_of(data: Plain) -> str | None:
    """Return the address of the patient a resource is about."""
    for name in ("subject", "patient"):
        if (value := data.get(name)) is not None and (address := reference_of(value).address):
            return local_address(address)
    return None


def _code(data: Plain, systems: Mapping[str, str]) -> Concept:
    # of a specimen and of a document their type says what they are
    named = "type" if data.get("resourceType") in ("DocumentReference", "Specimen") else "code"
    return concept_of(data.get(named), systems)


def _coded(data: Plain, systems: Mapping[str, str]) -> Coded:
    given = {**NO_CODED, "code": _code(data, systems)}
    if data.keys().isdisjoint(_BESIDE_CODE) and not any("value" in name for name in data):
        return Coded(given)
    for field in _CODED:
        del given[field]
    return Coded(given, _CODED, (data, systems))


def _results(data: Plain, systems: Mapping[str, str]) -> tuple[Result, ...]:
    return tuple(
        result_of(name, value, systems)
        for name, value in data.items()
        if name.startswith("value") and value is not None and _RESULT.fullmatch(name)
    )


def _absent(data: Plain, systems: Mapping[str, str]) -> Concept:
    """Why there is no result: by its own element, or by an extension of the result or of its number."""
    if reason := data.get("dataAbsentReason"):
        said = concept_of(reason, systems)
        return said if said != NO_CONCEPT else Concept((), ("not readable",))
    values = [
        value
        for name, value in data.items()
        if "value" in name and _RESULT.fullmatch(name.lstrip("_")) and isinstance(value, OBJECT)
    ]
    for holder in (*values, *(inner for value in values if isinstance(inner := value.get("_value"), OBJECT))):
        for each in objects(holder.get("extension")):
            if _written(each.get("url")).endswith("data-absent-reason"):
                return Concept((), (_written(each.get("valueCode")) or "not said",))
    return NO_CONCEPT


def _range(data: Plain, systems: Mapping[str, str]) -> ReferenceRange:
    low, high = _bound(data, "low"), _bound(data, "high")
    if data.keys() <= _PLAIN_RANGE:
        return ReferenceRange(low, high, text=clip(data.get("text")))
    age = data.get("age")
    return ReferenceRange(
        low,
        high,
        _first_concept(data, "type", systems),
        _concepts(data, systems, "appliesTo"),
        (_bound(age, "low"), _bound(age, "high")) if isinstance(age, OBJECT) else None,
        clip(data.get("text")),
    )


def _bound(holder: Plain, name: str) -> Measurement | None:
    return measurement_of(value) if isinstance(value := holder.get(name), OBJECT) else None


def _upper_limits(ranges: Sequence[Plain], systems: Mapping[str, str]) -> Iterator[Measurement]:
    for each in ranges:
        kinds = [coding.code for coding in concept_of(each.get("type"), systems).codings] if "type" in each else ()
        # without a type it is the normal range; other types are aims of a treatment, or ranges before and after one
        if (not kinds or "normal" in kinds) and (high := _bound(each, "high")) is not None:
            yield high


def _state(value: object, systems: Mapping[str, str]) -> str:
    """A status: a concept, or before R4 its code as plain text."""
    if isinstance(value, str):
        return clip(value)
    return "" if value is None else concept_of(value, systems).state


def _beside_state(value: object, systems: Mapping[str, str]) -> tuple[str, ...]:
    """What stands beside the code of a status: further codes, and words."""
    status = concept_of(value, systems)
    return (*(code for code in status.codes if code and code != status.state), *status.texts)


def _remarks(data: Plain) -> Iterator[str]:
    """Conclusion and notes under their names of any version, and attachments of plain text."""
    notes = (note.get("text") for note in _listed(data.get("note")) if isinstance(note, OBJECT))
    plain = (data.get(name) for name in ("conclusion", "comments", "comment", "note"))
    attached = (_decoded(each) for each in objects(data.get("presentedForm")))
    for text in (*plain, *notes, *attached):
        if isinstance(text, str) and text:
            yield text


def _decoded(attachment: Plain) -> str:
    """The text of an attachment of plain text; empty where it is no such text."""
    kind, coded = clip(attachment.get("contentType")), attachment.get("data")
    if not kind.casefold().startswith("text/plain") or not isinstance(coded, str):
        return ""
    try:
        return b64decode(coded, validate=False).decode("utf-8")
    except ValueError:
        return ""


def _attachments(data: Plain) -> Iterator[str]:
    for each in objects(data.get("presentedForm")):
        if not _decoded(each):
            yield clip(each.get("title")) or clip(each.get("contentType")) or "without a title"


def _about(data: Plain) -> ResourceReference:
    return next(
        (reference_of(value) for name in ("subject", "patient") if (value := data.get(name)) is not None), NO_REFERENCE
    )


def _collection(data: Plain) -> Plain:
    """The place of a specimen stands one level deeper than that of a result."""
    collection = data.get("collection") if data["resourceType"] == "Specimen" else data
    return collection if isinstance(collection, OBJECT) else {}


def _listed(value: object) -> list[object]:
    """What may stand alone or in a list, as a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _concepts(data: Plain, systems: Mapping[str, str], *names: str) -> tuple[Concept, ...]:
    held = [value for name in names if (value := data.get(name)) is not None]
    if not held:
        return ()
    found = (concept_of(each, systems) for value in held for each in _listed(value))
    return tuple(each for each in found if each != NO_CONCEPT)


def _first_concept(data: Plain, name: str, systems: Mapping[str, str]) -> Concept:
    return next(iter(_concepts(data, systems, name)), NO_CONCEPT)


def _written(value: object) -> str:
    """A plain value as the record writes it; *unreadable* for what is none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return clip(value) or "unreadable"


def _flags(data: Plain, systems: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Elements of other versions that turn the meaning; a reason why something was not done says that it was not."""
    for name, value in data.items():
        if value is None:
            continue
        if name in _FLAGS:
            yield name, _written(value)
        elif name.startswith(_NOT_DONE):
            yield name, "given"
        elif name == "adherence":  # R5
            yield name, concept_of(value.get("code") if isinstance(value, OBJECT) else None, systems).state


def _forbids(value: object) -> bool:
    """Whether an order says not to give it; a word that cannot be read is not taken for no."""
    return value is not None and _written(value).casefold() not in ("false", "no", "n", "0")


def _modifiers(data: Plain) -> tuple[str, ...]:
    """Addresses of modifier extensions in any element; what is contained speaks for itself."""
    found: dict[str, None] = {}
    level: list[Any] = [data]
    for _ in range(_DEEPEST + 1):
        deeper: list[Any] = []
        for each in level:
            if isinstance(each, list):
                deeper += [inner for inner in each if isinstance(inner, NESTED)]
                continue
            for name, inner in each.items():
                if name == MODIFIER:
                    # one that has not even the shape of an extension is no better understood
                    own = [_written(one.get("url")) or "without address" for one in objects(inner)]
                    found.update(dict.fromkeys(own or (["unreadable"] if inner else [])))
                elif inner.__class__ not in PLAIN and name != "contained" and isinstance(inner, NESTED):
                    deeper.append(inner)
        if not deeper:
            break
        level = deeper
    return tuple(found)


def _is_older(data: Plain) -> bool:
    """Whether a resource is in a shape that R4 no longer has."""
    return (
        data["resourceType"] in _OLDER_KINDS
        or any(isinstance(data.get(name), str) for name in ("clinicalStatus", "verificationStatus"))
        or any(name in data for name in (*_FLAGS, "dateWritten", "comments", "codedDiagnosis"))
        or any(name.startswith("effectiveTime") for name in data)
    )


def _reasons(data: Plain, systems: Mapping[str, str]) -> Iterator[str]:
    for each in (*_listed(data.get("statusReason")), *_listed(data.get("statusReasonCodeableConcept"))):
        concept = concept_of(each, systems)
        yield from (
            concept.texts or concept.codes or ((_written(each),) if not isinstance(each, OBJECT) else ("unreadable",))
        )


def _gives_nothing(data: Plain) -> bool:
    """Whether a dose or the quantity handed out is zero."""
    dosages = [each for name in ("dosage", "dosageInstruction") for each in _listed(data.get(name))]
    rates = [rate for each in dosages for rate in _listed(_within(each, "doseAndRate"))]
    amounts = [
        data.get("quantity"),
        *(_within(each, name) for each in (*dosages, *rates) for name in ("dose", "doseQuantity", "quantity")),
    ]
    values = (_within(each, "value") for each in amounts)
    return any(value == 0 and not isinstance(value, bool) for value in values)


def _within(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, OBJECT) else None


def _ingredients(data: Plain, systems: Mapping[str, str]) -> Iterator[Concept]:
    """What is in a product; what is there for its form only, or with nothing of it, is not."""
    for each in objects(data.get("ingredient")):
        amount = _within(_within(each.get("strength"), "numerator"), "value")
        if each.get("isActive") is False or amount == 0:
            continue
        concept = each.get("itemCodeableConcept") or _within(each.get("item"), "concept")
        if (found := concept_of(concept, systems)) != NO_CONCEPT:
            yield found


def _dosage(data: Plain) -> Iterator[str]:
    for name in ("dosage", "dosageInstruction"):
        for each in _listed(data.get(name)):
            if isinstance(each, OBJECT) and isinstance(text := each.get("text"), str):
                yield clip(text)


def _stages(data: Plain, systems: Mapping[str, str]) -> Iterator[Stage]:
    for each in _listed(data.get("stage")):
        if isinstance(each, OBJECT):
            yield Stage(
                concept_of(each.get("summary"), systems),
                concept_of(each.get("type"), systems),
                tuple(map(reference_of, _listed(each.get("assessment")))),
            )


def _extensions(data: Plain) -> Iterator[Extension]:
    """Extensions of the resource itself, of its code and of its codings, each with the codes of its value and parts."""
    code = data.get("code")
    code = code if isinstance(code, OBJECT) else {}
    listed = code.get("coding")
    if "extension" not in data and "extension" not in code and not any("extension" in each for each in objects(listed)):
        return
    for each in (
        *objects(data.get("extension")),
        *objects(code.get("extension")),
        *(each for coding in objects(listed) for each in objects(coding.get("extension"))),
    ):
        parts = (each, *objects(each.get("extension")))
        values = (value for part in parts for name, value in part.items() if name.startswith("value"))
        yield Extension(_written(each.get("url")), tuple(code for value in values for code in _codes(value)))


def _codes(value: object) -> Iterator[str]:
    """Codes of a value of any type."""
    if isinstance(value, str):
        yield clip(value)
    elif isinstance(value, OBJECT):
        for each in (value, *objects(value.get("coding"))):
            if isinstance(code := each.get("code"), str):
                yield clip(code)


def _meta(data: Plain) -> Plain:
    meta = data.get("meta")
    return meta if isinstance(meta, OBJECT) else {}


def _medication(data: Plain) -> Plain:
    """R5 has concept and reference in one element."""
    medication = data.get("medication")
    return medication if isinstance(medication, OBJECT) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


_CODED: Final[Mapping[str, _Reader]] = {
    "results": _results,
    "absent": _absent,
    "upper_limits": lambda data, systems: tuple(_upper_limits(list(objects(data.get("referenceRange"))), systems)),
    "ranges": lambda data, systems: tuple(_range(each, systems) for each in objects(data.get("referenceRange"))),
    "interpretation": lambda data, systems: _concepts(data, systems, "interpretation"),
}
"""How the fields beside a code are read from the elements of a resource or a component."""

_READERS: Final[Mapping[str, _Reader]] = {
    "code": _code,
    "coded": _coded,
    "id": lambda data, _: own if isinstance(own := data.get("id"), str) else None,
    "subject": lambda data, _: subject_of(data),
    "about": lambda data, _: _about(data),
    "identifiers": lambda data, _: tuple(filter(None, map(identifier_of, _listed(data.get("identifier"))))),
    "version": lambda data, _: clip(_meta(data).get("versionId")),
    "updated": lambda data, _: read_when(_meta(data).get("lastUpdated")),
    "profiles": lambda data, _: tuple(
        clip(each) for each in _listed(_meta(data).get("profile")) if isinstance(each, str)
    ),
    "labels": lambda data, _: tuple(
        clip(each.get("code")) for name in ("security", "tag") for each in objects(_meta(data).get(name))
    ),
    "rules": lambda data, _: _written(data.get("implicitRules")),
    "flags": lambda data, systems: tuple(_flags(data, systems)),
    "older": lambda data, _: _is_older(data),
    "status": lambda data, _: clip(data.get("status")),
    "intent": lambda data, _: clip(data.get("intent")),
    "verification": lambda data, systems: _state(data.get("verificationStatus"), systems),
    "clinical": lambda data, systems: _state(data.get("clinicalStatus"), systems),
    "verification_words": lambda data, systems: _beside_state(data.get("verificationStatus"), systems),
    "clinical_words": lambda data, systems: _beside_state(data.get("clinicalStatus"), systems),
    "times": lambda data, _: times_of(data),
    "components": lambda data, systems: tuple(_coded(each, systems) for each in objects(data.get("component"))),
    "medication": lambda data, systems: concept_of(
        data.get("medicationCodeableConcept") or _medication(data).get("concept"), systems
    ),
    "medication_reference": lambda data, _: reference_of(
        data.get("medicationReference") or _medication(data).get("reference")
    ),
    "ingredients": lambda data, systems: tuple(_ingredients(data, systems)),
    "gives_nothing": lambda data, _: _gives_nothing(data),
    # without its value, an element that has an extension says at least that there is one
    "do_not_perform": lambda data, _: _forbids(data.get("doNotPerform", data.get("_doNotPerform"))),
    "remarks": lambda data, _: tuple(_remarks(data)),
    "conclusions": lambda data, systems: _concepts(data, systems, "conclusionCode", "codedDiagnosis"),
    "attachments": lambda data, _: tuple(_attachments(data)),
    "results": lambda data, _: tuple(map(reference_of, objects(data.get("result")))),
    "dosage": lambda data, _: tuple(_dosage(data)),
    "reasons": lambda data, systems: tuple(dict.fromkeys(_reasons(data, systems))),
    "categories": lambda data, systems: _concepts(data, systems, "category"),
    "body_site": lambda data, systems: _concepts(_collection(data), systems, "bodySite"),
    "method": lambda data, systems: concept_of(data.get("method"), systems),
    "specimen": lambda data, _: reference_of(next(iter(_listed(data.get("specimen"))), None)),
    "more_specimens": lambda data, _: tuple(map(reference_of, _listed(data.get("specimen"))[1:])),
    "focus": lambda data, _: tuple(map(reference_of, _listed(data.get("focus")))),
    "stages": lambda data, systems: tuple(_stages(data, systems)),
    "abated": lambda data, _: any(data.get(name) not in (None, False) for name in data if name.startswith("abatement")),
    "extensions": lambda data, _: tuple(_extensions(data)),
    "links": lambda data, _: tuple(
        (clip(each.get("type")), reference_of(each.get("other"))) for each in objects(data.get("link"))
    ),
    "active": lambda data, _: data.get("active") is not False,
    "gender": lambda data, _: _text(data.get("gender")),
    "deceased": lambda data, _: data.get("deceasedBoolean") is True,
}
"""How each field of a resource is read from its elements."""

_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "resourceType": (),
    "active": ("active",),
    "adherence": ("flags",),
    "bodySite": ("body_site",),
    "category": ("categories",),
    "clinicalStatus": ("clinical", "clinical_words", "older"),
    "code": ("code", "coded", "extensions"),
    "codedDiagnosis": ("conclusions", "older"),
    "collection": ("body_site",),
    "comment": ("remarks",),
    "comments": ("older", "remarks"),
    "component": ("components",),
    "conclusion": ("remarks",),
    "conclusionCode": ("conclusions",),
    "dataAbsentReason": ("coded",),
    "dateWritten": ("older", "times"),
    "deceasedBoolean": ("deceased",),
    "doNotPerform": ("do_not_perform",),
    "_doNotPerform": ("do_not_perform",),
    "dosage": ("dosage", "gives_nothing"),
    "dosageInstruction": ("dosage", "gives_nothing"),
    "extension": ("extensions",),
    "focus": ("focus",),
    "gender": ("gender",),
    "id": ("id",),
    "identifier": ("identifiers",),
    "implicitRules": ("rules",),
    "ingredient": ("ingredients",),
    "intent": ("intent",),
    "interpretation": ("coded",),
    "link": ("links",),
    "medication": ("medication", "medication_reference"),
    "medicationCodeableConcept": ("medication",),
    "medicationReference": ("medication_reference",),
    "meta": ("version", "updated", "profiles", "labels"),
    "method": ("method",),
    "note": ("remarks",),
    "patient": ("subject", "about"),
    "presentedForm": ("remarks", "attachments"),
    "quantity": ("gives_nothing",),
    "referenceRange": ("coded",),
    "result": ("results",),
    "specimen": ("specimen", "more_specimens"),
    "stage": ("stages",),
    "status": ("status",),
    "statusReason": ("reasons",),
    "statusReasonCodeableConcept": ("reasons",),
    "subject": ("subject", "about"),
    "type": ("code", "coded"),
    "verificationStatus": ("verification", "verification_words", "older"),
    **dict.fromkeys(_FLAGS, ("flags", "older")),
}
"""Which fields each element fills; those with a type in their name are told by how they begin (:func:`_fields_of`)."""
