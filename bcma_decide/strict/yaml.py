"""The one strict YAML reader of the program, for evidence files and patient profiles.

It knows neither pydantic nor any schema, so that every part of the program can import it cheaply.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from bcma_decide.errors import BcmaDecideError, EvidenceError, Problem
from bcma_decide.strict.files import TooLarge, UnreadableFile, read_bytes
from bcma_decide.strict.letters import HALF, half_of_a_letter
from bcma_decide.strict.scalars import plain_scalar

SIZE_LIMIT: Final = 1_000_000
"""Bytes one file may have."""
DEPTH_LIMIT: Final = 40
"""Levels one file may nest; deeper ones are refused before they can exhaust the parser."""

_TOO_DEEP: Final = f"nests deeper than {DEPTH_LIMIT} levels"

Data = Any
"""Plain data: mappings with text keys, lists, text, numbers, true, false and null."""


def read_yaml(source: Path | str, *, name: str = "", error: type[BcmaDecideError] = EvidenceError) -> Data:
    """Read one YAML document.

    Stricter than YAML 1.1: duplicate keys, anchors, tags and deep nesting are errors; only ``true`` and
    ``false`` are booleans, only ``null``, ``~`` and nothing are null; dates, ``yes``, ``on``, ``1:30`` and
    ``012`` stay text.

    Parameters
    ----------
    source
        A path, or the text itself.
    name
        What the file is called in messages; the path by default.
    error
        The class of error raised for a document that cannot be used.
    """
    if isinstance(source, Path):
        name = name or str(source)
        text = _read_text(source, name, error)
    else:
        name = name or "text"
        text = source
        if len(text.encode("utf-8", "surrogatepass")) > SIZE_LIMIT:
            raise _too_large(name, error)
    if (place := half_of_a_letter(text)) is not None:  # the C parser would fail on it
        line = text.count("\n", 0, place) + 1
        raise _refusal(error, name, f"line {line}", HALF, "save the file as UTF-8")
    try:
        return _Builder(name, error).build(text)
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        message = problem.problem or "not YAML"
        if "nesting" in message:  # the parser's own, much higher limit, met before the first event arrives
            message = _TOO_DEEP
        raise _refusal(error, name, f"line {line}", message, "mend the YAML") from None
    except yaml.YAMLError as problem:
        raise _refusal(error, name, "", f"not YAML: {problem}".splitlines()[0], "mend the YAML") from None


def _read_text(path: Path, name: str, error: type[BcmaDecideError]) -> str:
    try:
        return read_bytes(path, SIZE_LIMIT).decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise _refusal(error, name, f"byte {problem.start}", "is not UTF-8 text", "save the file as UTF-8") from None
    except TooLarge:
        raise _too_large(name, error) from None
    except UnreadableFile as problem:
        raise _refusal(error, name, "", problem.reason, problem.fix) from None


def _too_large(name: str, error: type[BcmaDecideError]) -> BcmaDecideError:
    return _refusal(error, name, "", f"is larger than the limit of {SIZE_LIMIT // 1_000_000} MB", "")


def _refusal(error: type[BcmaDecideError], name: str, field: str, message: str, fix: str) -> BcmaDecideError:
    problem = Problem(field=field, message=message, fix=fix, file=name)
    return error("this file cannot be used", [problem])


_PARSER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Builder:
    """Builds the document from the parser's events, without recursion, refusing what is not plain data."""

    def __init__(self, name: str, error: type[BcmaDecideError]) -> None:
        self._name = name
        self._error = error

    def build(self, text: str) -> Data:
        """Return the one document in ``text``."""
        root: list[Any] = []
        open_nodes: list[list[Any] | dict[str, Any]] = [root]
        keys: list[str | None] = [None]
        for event in self._events(text):
            if isinstance(event, yaml.CollectionEndEvent):
                open_nodes.pop()
                keys.pop()
                continue
            holder = open_nodes[-1]
            if isinstance(holder, dict) and keys[-1] is None:
                keys[-1] = self._key(event, holder)
                continue
            value = self._value(event)
            if isinstance(holder, dict):
                holder[str(keys[-1])] = value
                keys[-1] = None
            else:
                holder.append(value)
            if isinstance(event, yaml.CollectionStartEvent):
                open_nodes.append(value)
                keys.append(None)
                if len(open_nodes) > DEPTH_LIMIT:
                    raise self._refused(event, _TOO_DEEP, "")
        if not root or root[0] is None:
            raise _refusal(self._error, self._name, "", "is empty", "write at least one 'key: value' line")
        return root[0]

    def _events(self, text: str) -> Iterator[Any]:
        documents = 0
        for event in yaml.parse(text, Loader=_PARSER):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._refused(event, "a second document starts here", "keep one document per file")
            elif isinstance(event, yaml.AliasEvent):
                raise self._refused(event, "anchors and aliases are not supported", "write the value out")
            elif isinstance(event, yaml.NodeEvent):
                if event.anchor is not None:
                    raise self._refused(event, "anchors and aliases are not supported", "write the value out")
                if getattr(event, "tag", None) not in (None, "!"):
                    raise self._refused(event, "tags are not supported", "remove the tag")
                yield event
            elif isinstance(event, yaml.CollectionEndEvent):
                yield event

    def _key(self, event: Data, holder: dict[str, Any]) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise self._refused(event, "a key has to be plain text", "")
        key = str(event.value)
        if key == "<<" and event.implicit[0]:
            raise self._refused(event, "merge keys are not supported", "write the values out")
        if key in holder:
            raise self._refused(event, f"the key {key!r} appears twice", "keep one of them")
        return key

    @staticmethod
    def _value(event: Data) -> Data:
        if isinstance(event, yaml.SequenceStartEvent):
            return []
        if isinstance(event, yaml.MappingStartEvent):
            return {}
        return plain_scalar(event.value) if event.implicit[0] else event.value

    def _refused(self, event: Data, message: str, fix: str) -> BcmaDecideError:
        return _refusal(self._error, self._name, f"line {event.start_mark.line + 1}", message, fix)
