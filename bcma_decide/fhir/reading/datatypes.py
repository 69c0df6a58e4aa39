"""The data types of FHIR as small values: what is JSON is looked at here, and nowhere behind the door.

Junk never raises: what has not the shape of its type is an empty value, or none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from math import isfinite
from typing import Any, Final, NamedTuple

from bcma_decide.errors import quote
from bcma_decide.fhir.reading.dates import When, read_when, span
from bcma_decide.pooled.codes import Coding

Plain = Mapping[str, Any]
UCUM: Final = ("http://unitsofmeasure.org", "urn:oid:2.16.840.1.113883.6.8")
OBJECT: Final = (dict, Mapping)
"""Types of a JSON object; the plain one stands first because asking for it costs next to nothing."""
NESTED: Final = (dict, list, Mapping)
PLAIN: Final = frozenset((str, int, float, bool, type(None)))
"""Types of what holds nothing, as most values of a record."""
MODIFIER: Final = "modifierExtension"
_SHORT: Final = 80


class Concept(NamedTuple):
    """A CodeableConcept."""

    codings: tuple[Coding, ...] = ()
    """Codings under the short names of their systems; codes without a system are left out."""
    texts: tuple[str, ...] = ()
    """Its own text, then those of its codings."""
    codes: tuple[str, ...] = ()
    """The code of every coding, with a system or without."""
    whole: tuple[str, ...] = ()
    """The texts at full length, only where one of them is longer than may be shown."""

    @property
    def wordings(self) -> tuple[str, ...]:
        """The texts at full length."""
        return self.whole or self.texts

    @property
    def state(self) -> str:
        """Its code; without one its text, so that a status that cannot be read never counts as none."""
        return next((code for code in self.codes if code), "") or next(iter(self.texts), "") or "not readable"


NO_CONCEPT: Final = Concept()


class WrittenNumber(NamedTuple):
    """What stands where a number belongs."""

    value: int | float | None
    """As written, however large; None where it is no number."""
    shown: str


class Measurement(NamedTuple):
    """A Quantity."""

    number: WrittenNumber
    unit: str
    """The UCUM code if there is one, else the text."""
    is_ucum: bool
    """Whether the record claims a code of UCUM, which keeps its case."""
    comparator: str | None
    """None without one; empty for one that cannot be read, which still is no plain value."""
    unit_text: str = ""
    """The unit as it is written for people, beside the code or alone."""
    unit_code: str = ""
    """The code of the unit, of whatever system."""

    @property
    def finite(self) -> float | None:
        """Its number, None where it is none or too large to be one."""
        return number_of(self.number.value)


class ResourceReference(NamedTuple):
    """A Reference, as far as it can be followed or shown."""

    address: str | None = None
    """As written: relative, absolute, a URN, or of what is contained."""
    display: str = ""
    identifier: str = ""
    """System and value of a logical reference."""
    kind: str = ""
    """Kind of resource it leads to, where it says so."""


NO_REFERENCE: Final = ResourceReference()


class Result(NamedTuple):
    """One ``value[x]``: its element, how it is shown, and what it is; None for types that are not read."""

    element: str
    shown: str
    content: Measurement | WrittenNumber | Concept | bool | str | None


def concept_of(value: object, systems: Mapping[str, str]) -> Concept:
    """Read a CodeableConcept; ``systems`` has the short names of code systems by their address."""
    if value is None or not isinstance(value, OBJECT):
        return NO_CONCEPT
    listed, text = value.get("coding"), value.get("text")
    if isinstance(listed, list) and len(listed) == 1 and isinstance(only := listed[0], dict):
        system, code, display = only.get("system"), only.get("code"), only.get("display")
        if system and code and isinstance(system, str) and all(map(_is_short, (code, display, text))):
            short = systems.get(system.rstrip("/"))
            return _one_coding(clip(system) if short is None else short, code, display, text)
    codings, written, codes = [], [text], []
    for each in objects(listed):
        system, code = each.get("system"), each.get("code")
        written.append(each.get("display"))
        codes.append(clip(code))
        if isinstance(system, str) and isinstance(code, str) and system and code:
            short = systems.get(system.rstrip("/"))
            codings.append(Coding(clip(system) if short is None else short, clip(code.strip())))
    long = any(isinstance(text, str) and len(text) > _SHORT for text in written)
    return Concept(
        tuple(codings),
        tuple(dict.fromkeys(filter(None, map(clip, written)))),
        tuple(codes),
        tuple(dict.fromkeys(text for text in written if isinstance(text, str) and clip(text))) if long else (),
    )


def _is_short(value: object) -> bool:
    """Whether something is a short text or none: what was kept between records is never a note, and never large."""
    return value is None or (value.__class__ is str and len(value) <= _SHORT)


@lru_cache(maxsize=4096)
def _one_coding(system: str, code: str, display: str | None, text: str | None) -> Concept:
    """A concept of one coding with short texts, as most are: records name the same few again and again."""
    return Concept(
        (Coding(system, clip(code.strip())),),
        tuple(dict.fromkeys(filter(None, map(clip, (text, display))))),
        (clip(code),),
    )


def measurement_of(value: Plain) -> Measurement:
    """Read a Quantity."""
    number, *words = map(value.get, ("value", "system", "code", "unit", "comparator"))
    # 0 and -0 are equal, and not written alike
    plain = number.__class__ in (int, float) and number and all(map(_is_short, words))
    return (_plain_measurement if plain else _measurement)(number, *words)


def _measurement(number: object, system: object, code: object, text: object, comparator: object) -> Measurement:
    ucum = system in UCUM
    written = code if ucum and isinstance(code, str) and code.strip() else text
    return Measurement(
        written_number(number),
        written.strip() if isinstance(written, str) else "",
        ucum and bool(code),
        clip(comparator) if comparator else None,
        text.strip() if isinstance(text, str) else "",
        code.strip() if isinstance(code, str) else "",
    )


_plain_measurement = lru_cache(maxsize=4096, typed=True)(_measurement)
"""Of numbers with short units: results and ends of ranges repeat. Typed, for 2 and 2.0 are not written alike."""


def written_number(value: object) -> WrittenNumber:
    """Take a number as it stands there; anything else, true and false among it, is only shown."""
    if isinstance(value, float):
        return WrittenNumber(value, f"{value:.12g}")
    if isinstance(value, int):
        return WrittenNumber(None if isinstance(value, bool) else value, quote(value))
    return WrittenNumber(None, clip(value) or "?")


def result_of(element: str, value: object, systems: Mapping[str, str]) -> Result:
    """Read one ``value[x]``; where the type and the JSON do not fit, only its text is kept."""
    match element, value:
        case "valueQuantity", dict() | Mapping():
            return Result(element, "", measurement_of(value))
        case "valueCodeableConcept", dict() | Mapping():
            return Result(element, "", concept_of(value, systems))
        case "valueInteger", _:
            return Result(element, clip(value), written_number(value))
        case "valueBoolean", bool(present):
            return Result(element, "", present)
        case "valueString", str(text):
            return Result(element, clip(text), text)
    return Result(element, clip(value), None)


def reference_of(value: object) -> ResourceReference:
    """Read a Reference."""
    if not isinstance(value, OBJECT):
        return NO_REFERENCE
    if len(value) == 1 and isinstance(only := value.get("reference"), str):
        return ResourceReference(only)
    address, kind = value.get("reference"), value.get("type")
    return ResourceReference(
        address if isinstance(address, str) else None,
        clip(value.get("display")),
        identifier_of(value.get("identifier")),
        clip(kind).rpartition("/")[2],
    )


def identifier_of(value: object) -> str:
    """System and value of an Identifier as one text; empty where either is missing, for then it names nobody."""
    if not isinstance(value, OBJECT):
        return ""
    system, own = value.get("system"), value.get("value")
    named = isinstance(system, str) and isinstance(own, str) and system.strip() and own.strip()
    return f"{str(system).strip()}|{str(own).strip()}" if named else ""


def local_address(reference: str) -> str:
    """``Patient/1`` of an absolute, relative or versioned reference; a URN stays as it is."""
    if reference.startswith("urn:") or (reference.count("/") == 1 and reference[-1] != "/"):
        return reference
    parts = reference.split("/_history/")[0].rstrip("/").split("/")
    return "/".join(parts[-2:])


def server_of(reference: str) -> str:
    """``host/base`` of an absolute address of a resource; empty for a relative one and a URN.

    The scheme is left out: behind a proxy one server is written with both.
    """
    if "://" not in reference:
        return ""
    found = _ABSOLUTE.fullmatch(reference.split("/_history/")[0].rstrip("/"))
    return f"{found['host'].casefold()}{found['base']}" if found else ""


_ABSOLUTE: Final = re.compile(r"https?://(?P<host>[^/]+)(?P<base>(?:/[^/]+)*?)/[A-Za-z]+/[^/]+", re.IGNORECASE)


def period_of(value: object) -> When | None:
    """Read a Period as one span."""
    return span(read_when(value.get("start")), read_when(value.get("end"))) if isinstance(value, OBJECT) else None


def objects(value: object) -> Iterator[Plain]:
    """Those members of a list that are JSON objects."""
    return (each for each in value if isinstance(each, OBJECT)) if isinstance(value, list) else iter(())


def clip(value: object) -> str:
    """Text of a record as it may be shown: one line, printable, short."""
    if not isinstance(value, str):
        return ""
    if len(value) <= _SHORT and value.isprintable() and " " not in value:
        return value
    cut = value[: 4 * _SHORT]
    plain = " ".join((cut if cut.isprintable() else "".join(c if c.isprintable() else " " for c in cut)).split())
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
