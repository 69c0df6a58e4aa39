"""What somebody entered on the page: from the address, from the form, or from a profile file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from bcma_decide.errors import BcmaDecideError, Problem
from bcma_decide.patient.entry import canonical_names
from bcma_decide.patient.files import SIZE_LIMIT, example_path, parse, read_values
from bcma_decide.patient.names import LABS
from bcma_decide.patient.profile import Patient
from bcma_decide.service.http.problems import Refusal
from bcma_decide.service.page.form_values import LISTS, TAKEN, field_of_control, texts_of, too_long
from bcma_decide.service.page.view_options import NAMES, ViewOptions, read_view, usual_view
from bcma_decide.service.service import Service
from bcma_decide.service.sessions import Filled

FORM: Final = "application/x-www-form-urlencoded"
WITH_FILE: Final = "multipart/form-data"
FORM_LIMIT: Final = 500_000
"""Bytes a form may have: every control full."""
FORMAT: Final = "format"
PROFILES: Final = ("yaml", "json")
"""Files of the profile alone: nothing is compared for them."""
FORMS: Final = ("pdf", *PROFILES)
FILE: Final = "profile"
_MOST: Final = 2 * len(TAKEN)
"""Controls a form may have."""
_AROUND: Final = 10_000
"""Bytes a form may have around the file in it."""


@dataclass(frozen=True)
class Entered:
    """What was entered, and what is wrong with it so far."""

    view: ViewOptions
    texts: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    form: str = ""
    """The file that is asked for instead of the page."""
    example: str = ""
    day_text: str = ""


async def from_address(service: Service, request: Request, filled: Filled | None) -> Entered:
    """Read view options and the name of an example; the record fills the form. Nothing else is read there."""
    given = _grouped(request.query_params.multi_items())
    example = given.pop("example", [""])[0]
    view, problems, day_text = _view(service, given)
    if filled is not None:
        if example:
            problems = (*problems, Problem("example", "is not shown over the profile of a record", "leave it out"))
        return Entered(view, texts_of(filled.values), problems, day_text=day_text)
    if not example:
        return Entered(view, {}, problems, day_text=day_text)
    try:
        texts = texts_of(read_values(example_path(example)))
    except BcmaDecideError as error:
        return Entered(view, {}, (*problems, *error.problems), day_text=day_text)
    return Entered(view, texts, problems, example=example, day_text=day_text)


async def from_form(service: Service, request: Request, filled: Filled | None) -> Entered:
    """Read the form as sent. Raises Refusal (413, 415, 400)."""
    del filled  # the form holds everything
    sent = await _form(request, FORM, FORM_LIMIT)
    given = _grouped((name, value) for name, value in sent if isinstance(value, str))
    once = [name for name in given if name in TAKEN and (len(given[name]) == 1 or name in LISTS)]
    texts = {name: ", ".join(filter(None, (_text(name, each) for each in given.pop(name)))) for name in once}
    twice = [Problem(field_of_control(name), "stands there twice", "answer it once") for name in given if name in TAKEN]
    form = given.pop(FORMAT, [""])[-1]
    view, problems, day_text = _view(service, {name: given[name] for name in given if name not in TAKEN})
    if form not in ("", *FORMS):
        problems = (*problems, Problem(FORMAT, "there is no such file", f"one of {', '.join(FORMS)}"))
    return Entered(view, texts, (*twice, *too_long(texts), *problems), form, day_text=day_text)


async def from_file(service: Service, request: Request, filled: Filled | None) -> Entered:
    """Read a profile file that was sent. Raises Refusal (413, 415, 400)."""
    del filled
    view, problems, day_text = _view(service, _grouped(request.query_params.multi_items()))
    file = dict(await _form(request, WITH_FILE, SIZE_LIMIT + _AROUND)).get(FILE)
    if not isinstance(file, _File):
        return Entered(view, {}, (*problems, Problem("file", "none was chosen", "choose a profile")))
    try:
        values = parse(file.content.decode("utf-8-sig"), "", as_json=file.name.casefold().endswith(".json"))
    except UnicodeDecodeError:
        return Entered(view, {}, (*problems, Problem("file", "is not UTF-8 text", "save the file as UTF-8")))
    except BcmaDecideError as error:
        wrong = (Problem(each.field or "file", each.message, each.fix) for each in error.problems)
        return Entered(view, {}, (*problems, *wrong))
    try:
        Patient.read(values, service.pooled.definitions)  # as it stands there: the form has no place for some mistakes
    except BcmaDecideError as error:
        problems = (*problems, *error.problems)
    return Entered(view, texts_of(canonical_names(values)[0]), problems, day_text=day_text)


def _view(service: Service, given: Mapping[str, list[str]]) -> tuple[ViewOptions, tuple[Problem, ...], str]:
    """The view asked for, or the usual one with what is wrong, and the day as typed."""
    usual = usual_view(service)
    unknown = tuple(
        Problem("address or form", "holds something that is no option of the page", "leave it out")
        for _ in [name for name in given if name not in NAMES][:1]
    )
    try:
        return read_view({name: given[name] for name in given if name in NAMES}, usual), unknown, ""
    except Refusal as refusal:
        return usual, (*unknown, *refusal.problems), given.get("date", [""])[-1]


class _File(NamedTuple):
    name: str
    content: bytes


async def _form(request: Request, kind: str, limit: int) -> list[tuple[str, str | _File]]:
    """Read a form into memory; nothing of it is written to a disk."""
    if request.headers.get("content-type", "").partition(";")[0].strip().casefold() != kind:
        raise Refusal(415, f"send the form as {kind}")
    if len(await request.body()) > limit:
        raise Refusal(413, f"the form may have {limit} bytes")
    try:
        async with request.form(max_files=1, max_fields=_MOST) as form:
            return [
                (name, _File(value.filename or "", await value.read()) if isinstance(value, UploadFile) else value)
                for name, value in form.multi_items()
            ]
    except HTTPException:
        raise Refusal(400, "the form cannot be read") from None


def _text(name: str, text: str) -> str:
    """What stands on several lines is a list; laboratory values keep theirs."""
    if name == LABS:
        return text
    return ", ".join(line for line in map(str.strip, text.splitlines()) if line)


def _grouped(items: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in items:
        found.setdefault(name, []).append(value)
    return found
