"""A FHIR resource as one small value, read once at the door: what is read of a record is listed here.

Only this value travels. It says what stands in the resource and judges nothing: which status counts, which of several
times is meant, and what a code means is said by the modules that read observations, conditions and drugs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from bcma_decide.fhir.reading.datatypes import (
    NO_CONCEPT,
    NO_REFERENCE,
    Concept,
    Measurement,
    ResourceReference,
    Result,
    clip,
    local_address,
)
from bcma_decide.fhir.reading.dates import When


class Extension(NamedTuple):
    """An extension of a resource: its address and its plain value."""

    url: str
    codes: tuple[str, ...] = ()
    """Codes of its value and of the values of its parts."""


class ReferenceRange(NamedTuple):
    """What the laboratory calls normal, and for whom."""

    low: Measurement | None = None
    high: Measurement | None = None
    kind: Concept = NO_CONCEPT
    applies_to: tuple[Concept, ...] = ()
    age: tuple[Measurement | None, Measurement | None] | None = None
    """Youngest and oldest it is for; None where it says nothing of age."""
    text: str = ""


class Stage(NamedTuple):
    """A stage of a condition: which, of what system, and the observations it rests on."""

    summary: Concept = NO_CONCEPT
    kind: Concept = NO_CONCEPT
    assessments: tuple[ResourceReference, ...] = ()


class ReadWhenAsked:
    """A value whose fields are read when they are first asked for.

    Of most resources of a record their code says that nothing here needs the rest of them.

    Parameters
    ----------
    given
        Fields that are known already: of the value alone, since what is read is kept among them.
    unread
        How to read each of the others from ``source``, which only the module that reads JSON looks into.
    """

    def __init__(
        self,
        given: dict[str, Any],
        unread: Mapping[str, Callable[..., Any]] = MappingProxyType({}),
        source: tuple[object, ...] = (),
    ) -> None:
        self.__dict__ = given
        self._unread, self._source = unread, source

    if not TYPE_CHECKING:  # for a checker, fields are those that are written down

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # of any field
            """Read a field, and keep it."""
            if name.startswith("_") or name not in self._unread:
                raise AttributeError(name)
            value = self._unread[name](*self._source)
            self.__dict__[name] = value
            return value

    def with_changes(self, **changes: Any) -> Self:  # noqa: ANN401  # of any field
        """Return the same with other values of some fields."""
        changed = type(self).__new__(type(self))
        # what follows from fields is not a field
        changed.__dict__ = {name: value for name, value in self.__dict__.items() if name not in _FOLLOWING} | changes
        return changed

    def __repr__(self) -> str:
        """Every field, read by then."""
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in type(self).__annotations__)
        return f"{type(self).__name__}({fields})"


_FOLLOWING: Final = ("addresses", "name")


class Coded(ReadWhenAsked):
    """What a resource says under its code, or an observation in one of its components."""

    code: Concept
    results: tuple[Result, ...]
    """Every ``value[x]`` that is there, in the order of the record; one that is valid has one."""
    absent: Concept
    """Why there is no result."""
    upper_limits: tuple[Measurement, ...]
    """The upper ends of the laboratory's ranges of the normal."""
    ranges: tuple[ReferenceRange, ...]
    """All of its ranges, of whatever kind and for whomever."""
    interpretation: tuple[Concept, ...]
    """Codes such as high, low, positive or negative beside the result."""

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


NO_CODED: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "code": NO_CONCEPT,
        "results": (),
        "absent": NO_CONCEPT,
        "upper_limits": (),
        "ranges": (),
        "interpretation": (),
    }
)
"""What stands in a resource that says nothing under its code."""


class Resource(ReadWhenAsked):
    """One resource and where it stands."""

    kind: str
    code: Concept
    """What it is about: the code of the resource itself."""
    coded: Coded
    path: str
    """Place in the bundle."""
    url: str
    """What its entry calls it."""
    id: str | None
    subject: str | None
    """Address of the patient it is about."""
    about: ResourceReference
    """The same as it is written: with its server, or by an identifier alone."""
    identifiers: tuple[str, ...]
    version: str
    updated: When | None
    profiles: tuple[str, ...]
    labels: tuple[str, ...]
    """Codes of its security labels and tags."""
    rules: str
    """Rules under which it was written, for which no reader without them may take it."""
    modifiers: tuple[str, ...]
    """Addresses of extensions that turn its meaning, wherever in it they stand."""
    flags: tuple[tuple[str, str], ...]
    """Elements of older versions of FHIR that turn its meaning, as written."""
    older: bool
    """Whether it is in the shape of a version of FHIR before R4."""
    set_aside: str
    """Why it does not count whatever it says: a newer version of it, or its holder."""
    holder: str
    """Name of the resource that contains it."""
    status: str
    intent: str
    verification: str
    """Verification status of a condition; empty only where there is none."""
    clinical: str
    """Clinical status, likewise."""
    verification_words: tuple[str, ...]
    """What stands beside the code of the verification status: further codes, and words."""
    clinical_words: tuple[str, ...]
    """The same of the clinical status."""
    elements: frozenset[str]
    """Names of everything that is there, readable or not."""
    times: tuple[tuple[str, When], ...]
    """Times by element, those that can be read."""
    components: tuple[Coded, ...]
    contained: tuple[Resource, ...]
    medication: Concept
    medication_reference: ResourceReference
    ingredients: tuple[Concept, ...]
    """What a Medication consists of, where it says so by code."""
    gives_nothing: bool
    """Whether an amount of a drug in it is zero."""
    do_not_perform: bool
    """Whether it forbids what it names; also where the element cannot be read."""
    remarks: tuple[str, ...]
    """Conclusion, notes and attachments of plain text, of any length."""
    conclusions: tuple[Concept, ...]
    """Coded conclusions of a report."""
    attachments: tuple[str, ...]
    """Titles of attachments that are no plain text."""
    results: tuple[ResourceReference, ...]
    """Observations of a report."""
    dosage: tuple[str, ...]
    """Texts of dosage instructions."""
    reasons: tuple[str, ...]
    """Why it has its status, in words and codes."""
    categories: tuple[Concept, ...]
    body_site: tuple[Concept, ...]
    method: Concept
    specimen: ResourceReference
    more_specimens: tuple[ResourceReference, ...]
    """Those behind the first."""
    focus: tuple[ResourceReference, ...]
    """Whom or what it is about other than its subject."""
    stages: tuple[Stage, ...]
    abated: bool
    """Whether it says that a condition has ended, at a known time or not."""
    extensions: tuple[Extension, ...]
    links: tuple[tuple[str, ResourceReference], ...]
    """Other records of a patient, each with how it is linked."""
    active: bool
    gender: str
    deceased: bool

    @cached_property
    def name(self) -> str:
        """Kind and id, for people, after its holder if it is contained; the patient's own id is left out."""
        own = f"{self.kind}/{clip(self.id)}" if self.id and self.kind != "Patient" else self.kind
        return f"{self.holder}#{own}" if self.holder else own

    @cached_property
    def addresses(self) -> frozenset[str]:
        """What references may call it."""
        local = {f"{self.kind}/{self.id}"} if self.id else set()
        return frozenset(local | ({local_address(self.url)} if self.url else set()))

    def when(self, *elements: str) -> When | None:
        """Return the time of the first of these elements that has one."""
        times = dict(self.times)
        return next((times[element] for element in elements if element in times), None)


NO_RESOURCE: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "kind": "",
        "coded": Coded({**NO_CODED}),
        "path": "",
        "url": "",
        "id": None,
        "subject": None,
        "about": NO_REFERENCE,
        "identifiers": (),
        "version": "",
        "updated": None,
        "profiles": (),
        "labels": (),
        "rules": "",
        "modifiers": (),
        "flags": (),
        "older": False,
        "set_aside": "",
        "holder": "",
        "status": "",
        "intent": "",
        "verification": "",
        "clinical": "",
        "verification_words": (),
        "clinical_words": (),
        "elements": frozenset(),
        "times": (),
        "components": (),
        "contained": (),
        "medication": NO_CONCEPT,
        "medication_reference": NO_REFERENCE,
        "ingredients": (),
        "gives_nothing": False,
        "do_not_perform": False,
        "remarks": (),
        "conclusions": (),
        "attachments": (),
        "results": (),
        "dosage": (),
        "reasons": (),
        "categories": (),
        "body_site": (),
        "method": NO_CONCEPT,
        "specimen": NO_REFERENCE,
        "more_specimens": (),
        "focus": (),
        "stages": (),
        "abated": False,
        "extensions": (),
        "links": (),
        "active": True,
        "gender": "",
        "deceased": False,
        "code": NO_CONCEPT,
    }
)
"""The fields of a resource that says nothing."""
