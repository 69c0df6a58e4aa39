"""A FHIR resource as one small value, read once at the door: what is read of a record is listed here.

Only this value travels. It says what stands in the resource and judges nothing: which status counts, which of several
times is meant, and what a code means is said by the modules that read observations, conditions and drugs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from bcma_decide.fhir.reading.datatypes import (
    NO_CONCEPT,
    NO_REFERENCE,
    Concept,
    Measurement,
    Plain,
    ResourceReference,
    Result,
    clip,
    concept_of,
    local_address,
    measurement_of,
    objects,
    period_of,
    reference_of,
    result_of,
)
from bcma_decide.fhir.reading.dates import When, read_when

_RESULT: Final = re.compile(r"value[A-Z][A-Za-z]*")
_TIMES: Final[Mapping[str, Callable[[object], When | None]]] = {
    "authoredOn": read_when,
    "birthDate": read_when,
    "dateAsserted": read_when,
    "deceasedDateTime": read_when,
    "effectiveDateTime": read_when,
    "effectiveInstant": read_when,
    "effectivePeriod": period_of,
    "issued": read_when,
    "onsetDateTime": read_when,
    "onsetPeriod": period_of,
    "performedDateTime": read_when,
    "performedPeriod": period_of,
    "recordedDate": read_when,
    "whenHandedOver": read_when,
    "whenPrepared": read_when,
}


class Coded(NamedTuple):
    """What a resource says under its code, or an observation in one of its components."""

    code: Concept = NO_CONCEPT
    results: tuple[Result, ...] = ()
    """Every ``value[x]`` that is there, in the order of the record; one that is valid has one."""
    absent: Concept = NO_CONCEPT
    """Why there is no result."""
    upper_limits: tuple[Measurement, ...] = ()
    """The upper ends of the laboratory's ranges of the normal."""

    @property
    def answer(self) -> Concept:
        """Its coded result."""
        return next((each.content for each in self.results if isinstance(each.content, Concept)), NO_CONCEPT)

    @property
    def quantity(self) -> Measurement | None:
        """Its measured result."""
        return next((each.content for each in self.results if isinstance(each.content, Measurement)), None)

    @property
    def wording(self) -> str:
        """Its result in words, of any length."""
        return next((each.content for each in self.results if isinstance(each.content, str)), "")


class Resource(NamedTuple):
    """One resource and where it stands."""

    kind: str
    coded: Coded = Coded()
    path: str = ""
    """Place in the bundle."""
    url: str = ""
    """What its entry calls it."""
    id: str | None = None
    subject: str | None = None
    """Address of the patient it is about."""
    status: str = ""
    intent: str = ""
    verification: str = ""
    """Verification status of a condition; empty only where there is none."""
    clinical: str = ""
    """Clinical status, likewise."""
    elements: frozenset[str] = frozenset()
    """Names of everything that is there, readable or not."""
    times: tuple[tuple[str, When], ...] = ()
    """Times by element, those that can be read."""
    components: tuple[Coded, ...] = ()
    contained: tuple[Resource, ...] = ()
    medication: Concept = NO_CONCEPT
    medication_reference: ResourceReference = NO_REFERENCE
    do_not_perform: bool = False
    remarks: tuple[str, ...] = ()
    """Conclusion and notes, of any length."""
    gender: str = ""
    deceased: bool = False

    @property
    def code(self) -> Concept:
        """What it is about: the code of the resource itself."""
        return self.coded.code

    @property
    def name(self) -> str:
        """Kind and id, for people; the patient's own id is left out."""
        return f"{self.kind}/{clip(self.id)}" if self.id and self.kind != "Patient" else self.kind

    @property
    def addresses(self) -> frozenset[str]:
        """What references may call it."""
        local = {f"{self.kind}/{self.id}"} if self.id else set()
        return frozenset(local | ({local_address(self.url)} if self.url else set()))

    def when(self, *elements: str) -> When | None:
        """Return the time of the first of these elements that has one."""
        times = dict(self.times)
        return next((times[element] for element in elements if element in times), None)


def read_resource(data: Plain, systems: Mapping[str, str], *, path: str = "", url: object = None) -> Resource:
    """Read a resource.

    Parameters
    ----------
    data
        A JSON object whose ``resourceType`` is text.
    systems
        Short names of code systems by their address.
    path, url
        Its place in the bundle, and the ``fullUrl`` of its entry.
    """
    contained = (each for each in objects(data.get("contained")) if isinstance(each.get("resourceType"), str))
    # by the standard a contained resource holds no others: what one holds all the same is not followed
    return _read(data, systems, tuple(_read(each, systems) for each in contained), path, url)


def _read(
    data: Plain, systems: Mapping[str, str], contained: tuple[Resource, ...] = (), path: str = "", url: object = None
) -> Resource:
    own, gender = data.get("id"), data.get("gender")
    return Resource(
        kind=data["resourceType"],
        coded=_coded(data, systems),
        path=path,
        url=url if isinstance(url, str) else "",
        id=own if isinstance(own, str) else None,
        subject=subject_of(data),
        status=clip(data.get("status")),
        intent=clip(data.get("intent")),
        verification=_state(data.get("verificationStatus"), systems),
        clinical=_state(data.get("clinicalStatus"), systems),
        elements=frozenset(name for name, value in data.items() if value is not None),
        times=times_of(data),
        components=tuple(_coded(each, systems) for each in objects(data.get("component"))),
        contained=contained,
        medication=concept_of(data.get("medicationCodeableConcept"), systems),
        medication_reference=reference_of(data.get("medicationReference")),
        do_not_perform=data.get("doNotPerform") is True,
        remarks=tuple(_remarks(data)),
        gender=gender if isinstance(gender, str) else "",
        deceased=data.get("deceasedBoolean") is True,
    )


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


def _coded(data: Plain, systems: Mapping[str, str]) -> Coded:
    return Coded(
        code=concept_of(data.get("code"), systems),
        results=tuple(
            result_of(name, value, systems)
            for name, value in data.items()
            if value is not None and _RESULT.fullmatch(name)
        ),
        absent=concept_of(data.get("dataAbsentReason"), systems),
        upper_limits=tuple(_upper_limits(data, systems)),
    )


def _upper_limits(data: Plain, systems: Mapping[str, str]) -> Iterator[Measurement]:
    for each in objects(data.get("referenceRange")):
        kinds = [coding.code for coding in concept_of(each.get("type"), systems).codings]
        # without a type it is the normal range; other types are aims of a treatment, or ranges before and after one
        if isinstance(high := each.get("high"), Mapping) and (not kinds or "normal" in kinds):
            yield measurement_of(high)


def _state(value: object, systems: Mapping[str, str]) -> str:
    return "" if value is None else concept_of(value, systems).state


def _remarks(data: Plain) -> Iterator[str]:
    for text in (data.get("conclusion"), *(note.get("text") for note in objects(data.get("note")))):
        if isinstance(text, str):
            yield text
