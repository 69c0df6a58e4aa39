"""StructureDefinitions of the extensions in what is written, as whoever receives one may ask for them.

Their addresses are URNs: they name an extension and no place. A running service gives the definitions below its own
address; a copy of them says the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from bcma_decide.fhir.writing.narrative import narrated
from bcma_decide.fhir.writing.parts import (
    CERTAINTY,
    FURTHER_PRODUCT,
    INPUT,
    POINT_ESTIMATE,
    PREDICTION_INTERVAL,
    UNKNOWN_RANGE,
    Written,
)
from bcma_decide.version import __version__

FHIR_VERSION: Final = "4.0.1"
_BASE: Final = "http://hl7.org/fhir/StructureDefinition/Extension"
_STRING: Final = "http://hl7.org/fhirpath/System.String"
_PREDICTION: Final = "RiskAssessment.prediction"


class Part(NamedTuple):
    """One part of an extension that has several: its name, its type, what it says."""

    name: str
    type: str
    short: str


class Own(NamedTuple):
    """An extension of the project: address, where it stands, what it says, and its type or parts."""

    url: str
    context: str
    short: str
    type: str = ""
    parts: tuple[Part, ...] = ()

    @property
    def id(self) -> str:
        """The last part of its address."""
        return self.url.rpartition(":")[2]


EXTENSIONS: Final = (
    Own(POINT_ESTIMATE, _PREDICTION, "Mean of the probability, in per cent; probabilityRange is its 95 % interval",
        "decimal"),
    Own(PREDICTION_INTERVAL, _PREDICTION, "95 % interval for the patients of one further centre, in per cent", "Range"),
    Own(CERTAINTY, _PREDICTION, "Certainty of the evidence: high, moderate, low or very low", "string"),
    Own(FURTHER_PRODUCT, _PREDICTION, "The product has no data of its own here: the value is that of its class",
        "boolean"),
    Own(UNKNOWN_RANGE, _PREDICTION, "What the values of one unknown input would make of the probability", parts=(
        Part("input", "string", "The input that is not known"),
        Part("range", "Range", "From the lowest to the highest probability over its values, in per cent"))),
    Own(INPUT, "GuidanceResponse.dataRequirement", "The input that is asked for, in words, and what is missing of it",
        "string"),
)  # fmt: skip


def structure_definitions() -> list[Written]:
    """One StructureDefinition for each of :data:`EXTENSIONS`, with snapshot and differential."""
    return [_definition(own) for own in EXTENSIONS]


def _definition(own: Own) -> Written:
    title = own.id.replace("-", " ")
    return narrated(
        {
            "resourceType": "StructureDefinition",
            "id": own.id,
            "url": own.url,
            "version": __version__,
            "name": "".join(word.capitalize() for word in own.id.split("-")),
            "title": title.capitalize(),
            "status": "active",
            "description": f"{own.short}.",
            "fhirVersion": FHIR_VERSION,
            "kind": "complex-type",
            "abstract": False,
            "context": [{"type": "element", "expression": own.context}],
            "type": "Extension",
            "baseDefinition": _BASE,
            "derivation": "constraint",
            "snapshot": {"element": list(_snapshot(own))},
            "differential": {"element": list(_differential(own))},
        },
        title.capitalize(),
        [own.url, f"{own.short}.", f"On {own.context}."],
    )


def _differential(own: Own) -> Iterator[dict[str, Any]]:
    yield {"id": "Extension", "path": "Extension", "short": own.short, "definition": f"{own.short}."}
    if own.parts:
        yield _sliced()
        for part in own.parts:
            yield {"id": f"Extension.extension:{part.name}", "path": "Extension.extension", "sliceName": part.name,
                   "short": part.short, "min": 1, "max": "1"}  # fmt: skip
            yield from (_without_base(each) for each in _inside(part))
    else:
        yield {"id": "Extension.extension", "path": "Extension.extension", "max": "0"}
    yield {"id": "Extension.url", "path": "Extension.url", "fixedUri": own.url}
    value = {"id": "Extension.value[x]", "path": "Extension.value[x]"}
    yield {**value, "max": "0"} if own.parts else {**value, "min": 1, "type": [{"code": own.type}]}


def _snapshot(own: Own) -> Iterator[dict[str, Any]]:
    yield _element("Extension", "", (0, "*"), (0, "*"), short=own.short, definition=f"{own.short}.")
    yield _element("Extension.id", _STRING, (0, "1"), base="Element.id", representation=["xmlAttr"])
    if own.parts:
        whole = _element("Extension.extension", "Extension", (len(own.parts), "*"), (0, "*"), base="Element.extension")
        yield {**whole, **_sliced()}
        for part in own.parts:
            named = {"sliceName": part.name, "short": part.short}
            yield _element("Extension.extension", "Extension", (1, "1"), (0, "*"), part.name, base="Element.extension",
                           **named)  # fmt: skip
            yield from _inside(part)
    else:
        yield _element("Extension.extension", "Extension", (0, "0"), (0, "*"), base="Element.extension")
    yield _element("Extension.url", _STRING, (1, "1"), representation=["xmlAttr"], fixedUri=own.url)
    yield _element("Extension.value[x]", own.type, (0, "0") if own.parts else (1, "1"), (0, "1"))


def _inside(part: Part) -> Iterator[dict[str, Any]]:
    """Elements of one part."""
    path, name = "Extension.extension", part.name
    yield _element(f"{path}.id", _STRING, (0, "1"), (0, "1"), name, base="Element.id", representation=["xmlAttr"])
    yield _element(f"{path}.extension", "Extension", (0, "0"), (0, "*"), name, base="Element.extension")
    yield _element(f"{path}.url", _STRING, (1, "1"), (1, "1"), name, base="Extension.url", representation=["xmlAttr"],
                   fixedUri=part.name)  # fmt: skip
    yield _element(f"{path}.value[x]", part.type, (1, "1"), (0, "1"), name, base="Extension.value[x]")


def _sliced() -> dict[str, Any]:
    by_url = {"discriminator": [{"type": "value", "path": "url"}], "ordered": False, "rules": "closed"}
    return {"id": "Extension.extension", "path": "Extension.extension", "slicing": by_url}


def _element(
    path: str,
    kind: str,
    occurs: tuple[int, str],
    of_base: tuple[int, str] | None = None,
    part: str = "",
    *,
    base: str = "",
    **more: object,
) -> dict[str, Any]:
    """An element of a snapshot; ``part`` is the slice it stands in."""
    least, most = of_base or occurs
    found: dict[str, Any] = {
        "id": path.replace("Extension.extension", f"Extension.extension:{part}", 1) if part else path,
        "path": path,
        "min": occurs[0],
        "max": occurs[1],
        "base": {"path": base or path, "min": least, "max": most},
        **more,
    }
    if kind:
        found["type"] = [{"code": kind}]
    return found


def _without_base(element: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in element.items() if name not in ("base", "representation")}
