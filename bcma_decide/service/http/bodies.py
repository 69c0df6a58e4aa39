"""Request bodies: strict JSON, then a typed shape, every problem with its field."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from bcma_decide.errors import Problem
from bcma_decide.service.http.problems import Refusal
from bcma_decide.service.threads import Threads
from bcma_decide.strict.json import strict_json

JSON_TYPES: Final = ("application/json", "application/fhir+json")
INLINE: Final = 20_000
"""Bytes up to which parsing holds up other requests no longer than handing it over costs."""
_LONGEST_NUMBER: Final = 40
_FIELDS_SHOWN: Final = 50

Shape = TypeVar("Shape", bound=BaseModel)


async def read_object(request: Request, threads: Threads) -> dict[str, Any]:
    """Read a JSON object, a long one beside the loop; raises Refusal (415, 400)."""
    if content_type(request) not in JSON_TYPES:
        raise Refusal(415, "send JSON, with Content-Type: application/json")
    try:
        body = await request.body()
        size = len(body)
        content = parse_json(body) if size < INLINE else await threads.run_sized(size, parse_json, body)
    except RecursionError:
        raise Refusal(400, "the JSON is nested too deeply") from None
    except UnicodeDecodeError:
        raise Refusal(400, "the body is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise Refusal(400, f"the body is not JSON: {error.msg} at line {error.lineno}") from None
    except ValueError as error:
        raise Refusal(400, f"the body is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise Refusal(400, "the body is not a JSON object")
    return content


def parse_json(content: bytes) -> object:
    """Parse JSON, of each name in an object one; raises ValueError, or RecursionError where it is nested too deeply.

    A byte order mark at the beginning is passed over, as RFC 8259 allows.
    """
    return strict_json(content.decode("utf-8-sig"))


def content_type(request: Request) -> str:
    """The type of a body as it is declared, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().casefold()


def read_shape(shape: type[Shape], content: object, status: int, detail: str) -> Shape:
    """Check plain data against a shape; raises Refusal with every field that is wrong."""
    try:
        return shape.model_validate(content)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        problems = [
            Problem(_place(each["loc"]), each["msg"].removeprefix("Value error, ")) for each in found[:_FIELDS_SHOWN]
        ]
        raise Refusal(status, detail, problems, name="invalid-request") from None


def _place(parts: Sequence[int | str]) -> str:
    return ".".join(str(part) if len(str(part)) <= _LONGEST_NUMBER else "..." for part in parts)
