"""Profiles as files: read them, write an empty one, and the shipped examples."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

from bcma_decide.errors import BcmaDecideError, Problem, ProfileError, closest, quote
from bcma_decide.patient.fields import FIELDS, PANELS, ProfileField, definition_text
from bcma_decide.patient.names import ALIASES, LABS
from bcma_decide.strict.files import TooLarge, UnreadableFile, read_bytes
from bcma_decide.strict.json import RepeatedNameError, strict_json

if TYPE_CHECKING:
    from bcma_decide.patient.profile import Patient
    from bcma_decide.pooled.definitions import Definitions

STANDARD_INPUT: Final = "-"
SIZE_LIMIT: Final = 1_000_000
"""Bytes a profile may have; more is not read."""

_EXAMPLES: Final = Path(__file__).parent / "examples"
_WIDTH: Final = 96


def read_profile(source: Path | str, definitions: Definitions | None = None) -> Patient:
    """Read a patient from a YAML or JSON file, or from standard input (``-``).

    Raises
    ------
    ProfileError
        When the file cannot be used, or with every problem of the profile in it.
    """
    return build(read_values(source), definitions, file=shown_name(source))


def read_values(source: Path | str) -> dict[str, Any]:
    """Read the fields as they stand in a file, unchecked."""
    name = shown_name(source)
    text = read_text(source, SIZE_LIMIT, "a profile has about a hundred lines", partial(_refusal, name))
    return parse(text, name, as_json=str(source).endswith(".json"))


def read_text(source: Path | str, limit: int, holds: str, refuse: Callable[[str, str, str], BcmaDecideError]) -> str:
    """Read a text from a file or standard input (``-``), refusing what is too large before it is looked at.

    Parameters
    ----------
    source
        Path of the file.
    limit
        Bytes it may have.
    holds
        What a file of the usual size holds, for the refusal.
    refuse
        Makes the error of a place in the file, what is wrong there, and what to do.
    """
    try:
        content = _standard_input(limit) if str(source) == STANDARD_INPUT else read_bytes(source, limit)
    except TooLarge as error:
        raise refuse("", error.reason, holds) from None
    except UnreadableFile as error:
        raise refuse("", error.reason, error.fix) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse(f"byte {error.start}", "is not UTF-8 text", "save the file as UTF-8") from None


def _standard_input(limit: int) -> bytes:
    try:
        content = sys.stdin.buffer.read(limit + 1)
    except OSError as error:  # closed by whoever started the program, or a folder
        raise UnreadableFile(f"cannot be read: {error.strerror or error}", "give something to it") from None
    if len(content) > limit:
        raise TooLarge(limit)
    return content


def parse(text: str, name: str = "profile", *, as_json: bool = False) -> dict[str, Any]:
    """Read the fields in a YAML or JSON text, unchecked; ``name`` is what messages call it."""
    if not text.strip():
        raise _refusal(name, "", "is empty", "start from: bcma-decide template")
    values: Any
    if as_json or text.lstrip().startswith("{"):
        try:
            values = strict_json(text, keep_no_numbers=True)
        except RepeatedNameError as error:
            raise _refusal(name, quote(error.name), "stands there twice", "keep one of them") from None
        except (json.JSONDecodeError, RecursionError) as error:
            if as_json or isinstance(error, RecursionError):
                line = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
                message = error.msg if isinstance(error, json.JSONDecodeError) else "is nested too deeply"
                raise _refusal(name, line, f"not JSON: {message}", "mend the JSON") from None
            values = _yaml(text, name)
    else:
        values = _yaml(text, name)
    if values is None:
        raise _refusal(name, "", "holds no field", "start from: bcma-decide template")
    if not isinstance(values, dict):
        raise _refusal(name, "", "is not a mapping of fields to values", "one 'field: value' on each line")
    for key in values:
        if not isinstance(key, str):
            raise _refusal(name, quote(key), "is not a field of the profile", "see the template")
    return values


def build(values: Mapping[str, Any], definitions: Definitions | None = None, *, file: str = "") -> Patient:
    """Build a patient from plain values; problems carry the name of the file."""
    from bcma_decide.patient.profile import Patient

    try:
        return Patient.read(values, definitions)
    except ProfileError as error:
        placed = [Problem(each.field, each.message, each.fix, file) for each in error.problems]
        raise ProfileError(error.message, placed) from None


def template(definitions: Definitions | None = None) -> str:
    """Write an empty profile as YAML: every field, its definition, unit and why it matters, all unknown."""
    lines = [
        *_comment("Profile of one patient. Replace 'unknown' where something is known; leave the rest as it is."),
        *_comment("Unknown is an answer: it is averaged over, never taken as absent or normal."),
        *_comment(
            "Values are read as they are written: 10.4 g/dL or 10,4 g/dl, 85/nl, 1-2, >=4, ckd 3b, VRd; how they were "
            "read is told with the answer, and what may mean two things, such as 1,200, is refused."
        ),
        *_comment(
            f"Short names count too (hb, plt, emd, lines), and under '{LABS}: |' a pasted list, one value a line:"
        ),
        "#   labs: |",
        "#     Hb 9,8 g/dl",
        "#     Thrombozyten 71 /nl",
    ]
    for panel in PANELS:
        lines += ["", f"# ---- {panel} ----"]
        for field in FIELDS.values():
            if field.panel == panel:
                lines += ["", *_described(field, definitions), f"{field.id}: unknown"]
    return "\n".join(lines) + "\n"


def profile_text(values: Mapping[str, Any], *, as_json: bool = False) -> str:
    """Write the known fields of one patient as a file that :func:`read_profile` reads, in the order of the table.

    Parameters
    ----------
    values
        Fields as text, such as *2.1 mg/dL*.
    as_json
        JSON instead of YAML.
    """
    known = {name: values[name] for name in FIELDS if name in values}
    if as_json:
        return json.dumps(known, indent=2, ensure_ascii=False) + "\n"
    import yaml

    head = _comment("Profile of one patient. What is not here is unknown. Read it with: bcma-decide compare FILE")
    return "\n".join(head) + "\n" + yaml.safe_dump(known, sort_keys=False, allow_unicode=True, width=_WIDTH)


def _described(field: ProfileField, definitions: Definitions | None) -> list[str]:
    example = f", for example {field.example}" if field.example else ""
    meaning = definition_text(field, definitions)
    also = f" Also: {', '.join(ALIASES[field.id])}." if field.id in ALIASES else ""
    return [
        *_comment(f"{field.label}: {field.answer}{example}.{also}"),
        *(_comment(meaning) if meaning else []),
        *_comment(f"Why: {field.why}"),
    ]


def _comment(text: str) -> list[str]:
    return wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ")


def example_names() -> tuple[str, ...]:
    """Names of the shipped example patients, all fictional."""
    return tuple(sorted(path.stem for path in _EXAMPLES.glob("*.yaml")))


def example_path(name: str) -> Path:
    """File of a shipped example.

    Raises
    ------
    ProfileError
        When there is none of that name.
    """
    names = example_names()
    if name not in names:
        fix = closest(name, list(names)) or f"one of {', '.join(names)}"
        raise ProfileError("there is no such example", [Problem("example", f"{quote(name)} is not an example", fix)])
    return _EXAMPLES / f"{name}.yaml"


def describe_example(name: str) -> str:
    """Who the example is, from the first line of its file."""
    with example_path(name).open(encoding="utf-8") as stream:
        return stream.readline().lstrip("# ").strip()


def load_example(name: str, definitions: Definitions | None = None) -> Patient:
    """Load a shipped example patient."""
    return read_profile(example_path(name), definitions)


def shown_name(source: Path | str) -> str:
    """What messages call a file, or standard input."""
    return "standard input" if str(source) == STANDARD_INPUT else str(source)


def _yaml(text: str, name: str) -> object:
    from bcma_decide.strict.yaml import read_yaml

    return read_yaml(text, name=name, error=ProfileError)


def _refusal(name: str, where: str, message: str, fix: str) -> ProfileError:
    return ProfileError("the profile cannot be used", [Problem(where, message, fix, name)])
