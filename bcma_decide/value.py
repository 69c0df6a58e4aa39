"""Base of every shape of the answer: immutable, strict, numbers rounded once.

The shapes are msgspec structs: they are made, compared and written in a small part of the time that a validating model
takes, and the program itself fills them. What comes back in from outside (`Value.model_validate_json`) is checked
against the annotations, words of a list among them; what the program fills in is checked by the type checker alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import copy
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self, dataclass_transform

from msgspec import Meta, Struct, StructMeta, convert, field, json, to_builtins
from msgspec.structs import force_setattr, replace

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

DECIMALS: Final = 6
"""Of every number, so that machines agree to the last digit printed."""
_MILLION: Final = 10.0**DECIMALS


def rounded(value: float) -> float:
    """A number as it leaves the program: rounded, a plain float and never minus zero.

    Raises ValueError or OverflowError for what is no finite number.
    """
    # By way of a whole number: the division is exact to the last bit, and to go through a text, as round(value, 6)
    # does, takes three times as long.
    return round(value * _MILLION) / _MILLION


def all_rounded(values: NDArray[float64]) -> list[Any]:
    """Many numbers at once, as nested lists in the shape of the array, each as `rounded` gives it."""
    return [*((values * _MILLION).round() / _MILLION + 0.0).tolist()]


Number = Annotated[float, Meta(extra={"decimals": DECIMALS})]
Interval = tuple[Number, Number]
"""Lower and upper end of a 95 % interval."""
_OF_NUMBERS: Final = re.compile(r"\b(Number|Interval|Bounds)\b")
"""Names by which annotations say that a field holds numbers; read as text, since resolving the types of all shapes
would cost a start of the program more than everything else here."""


class _OfValues(StructMeta):
    """Makes the shapes: fields by name only, numbers rounded.

    ``in_bulk``: those who make the shape round its numbers, many at once with `all_rounded`, since it is made so often
    that to do it one by one would cost more than all else that is done with it.
    """

    def __new__(
        mcls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        in_bulk: bool = False,
        **options: Any,  # noqa: ANN401  # as msgspec takes them
    ) -> _OfValues:
        """Make the class of a shape."""
        annotations: Mapping[str, str] = namespace.get("__annotations__", {})
        numbers = tuple(each for each, kind in annotations.items() if _OF_NUMBERS.search(kind))
        if numbers and not in_bulk:
            namespace["__post_init__"] = _rounding(numbers)
        return super().__new__(mcls, name, bases, namespace, kw_only=True, **options)


def _rounding(numbers: tuple[str, ...]) -> Callable[[Struct], None]:
    def round_numbers(self: Struct) -> None:
        for name in numbers:
            value = getattr(self, name)
            if isinstance(value, tuple):
                force_setattr(self, name, tuple([None if each is None else rounded(each) for each in value]))
            elif isinstance(value, dict):
                force_setattr(self, name, {key: rounded(each) for key, each in value.items()})
            elif value is not None:
                force_setattr(self, name, rounded(value))

    return round_numbers


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
class Value(Struct, metaclass=_OfValues, frozen=True, forbid_unknown_fields=True, gc=False):
    """Base of every shape here: immutable, nothing unknown.

    Values form trees, never circles: the garbage collector need not look at them.
    """

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self:
        """The same, with other values of some fields."""
        return replace(self, **(update or {}))

    def with_texts(self, **texts: object) -> Self:
        """The same with other values of some fields that hold no number: the numbers are rounded already."""
        found = copy(self)
        for name, value in texts.items():
            force_setattr(found, name, value)
        return found

    def model_dump(self, *, mode: Literal["python", "json"] = "python") -> dict[str, Any]:
        """As plain mappings: tuples and days as they are, or (``json``) as a reader of the JSON finds them."""
        found: dict[str, Any] = (
            json.decode(json.encode(self)) if mode == "json" else to_builtins(self, builtin_types=(date,))
        )
        return found

    def model_dump_json(self, *, indent: int | None = None) -> str:
        """As JSON, fields in their order."""
        written = json.encode(self)
        return (written if indent is None else json.format(written, indent=indent)).decode()

    @classmethod
    def model_validate(cls, values: object) -> Self:
        """Read plain mappings, with shapes in them or not; raises ValueError where something is not as annotated."""
        return convert(values, cls)

    @classmethod
    def model_validate_json(cls, text: str | bytes) -> Self:
        """Read JSON; raises ValueError where it is none, or something is not as annotated."""
        return json.decode(text, type=cls)

    @classmethod
    def model_json_schema(cls, *, mode: Literal["serialization"] = "serialization") -> dict[str, Any]:
        """JSON Schema of what `model_dump_json` writes: every field is there, those with a default too."""
        del mode  # there is no other schema; the word says which it is
        parts = schemas_of(cls)
        whole: dict[str, Any] = parts.pop(cls.__name__)
        return {"$defs": parts, **whole} if parts else whole


def schemas_of(*shapes: type[Value], place: str = "#/$defs/") -> dict[str, Any]:
    """JSON Schemas of the shapes and of all their parts, by name, referring to each other at ``place``."""
    _, parts = json.schema_components(shapes, ref_template=place + "{name}")
    for part in parts.values():
        part["required"] = list(part["properties"])
    plain: dict[str, Any] = json.decode(json.encode(parts))  # defaults as JSON has them
    return plain
