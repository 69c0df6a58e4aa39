"""A FHIR Bundle as plain data: read within limits and taken apart; junk inside a resource is left for its reader."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from bcma_decide.errors import Problem, ProfileError, quote
from bcma_decide.fhir.reading.datatypes import MODIFIER, NESTED, OBJECT, PLAIN, Plain, local_address, objects
from bcma_decide.patient.files import read_text, shown_name
from bcma_decide.strict.json import NoNumberError, RepeatedNameError, strict_json

SIZE_LIMIT: Final = 20_000_000
"""Bytes a bundle may have; more is not read."""
DEPTH_LIMIT: Final = 64
BUNDLE_TYPES: Final = (
    "collection", "searchset", "document", "transaction", "batch", "batch-response", "transaction-response",
)  # fmt: skip
"""Kinds of bundles that are read; the responses hold what was asked for in one call."""
_HOLDS: Final = "the record of one patient"


def read_bundle_file(source: Path | str) -> dict[str, Any]:
    """Read a bundle from a file or standard input (``-``), refusing what is too large before it is parsed.

    Raises
    ------
    ProfileError
        When it cannot be read, is too large, too deep, or is not JSON.
    """
    name = shown_name(source)
    return parse_bundle(read_text(source, SIZE_LIMIT, _HOLDS, partial(refusal, file=name)), name)


def parse_bundle(text: str, name: str = "bundle") -> dict[str, Any]:
    """Parse JSON within limits; raises ProfileError."""
    if len(text) > SIZE_LIMIT:
        raise _too_large(name)
    try:
        value = strict_json(text)
    except RepeatedNameError as error:
        raise refusal(quote(error.name), "stands there twice in one object", "keep one of them", name) from None
    except NoNumberError as error:
        raise refusal(error.word, "is not a number of JSON", "leave the element out", name) from None
    except json.JSONDecodeError as error:
        raise refusal(f"line {error.lineno}", f"not JSON: {error.msg}", "a FHIR Bundle as JSON", name) from None
    except RecursionError:
        raise _too_deep("", name) from None
    check_depth(value, name)
    if not isinstance(value, dict):
        raise refusal("", "is not a JSON object", "a FHIR R4 Bundle", name)
    return value


class Entries(NamedTuple):
    """What a bundle holds, also inside the bundles it holds."""

    held: tuple[tuple[Plain, str, object], ...]
    """Each resource with its place and what its entry calls it."""
    deleted: frozenset[str]
    """Addresses of resources that an entry deletes."""
    junk: int
    """Entries without a resource."""
    more_pages: bool
    modified: bool
    """Whether any of them carries a modifier extension."""


def entries_of(bundle: Plain) -> Entries:
    """Take a bundle apart, those it holds included.

    Raises
    ------
    ProfileError
        When it, or one inside it, is no Bundle of a kind that is read.
    """
    modified = check_depth(bundle, "")
    if bundle.get("resourceType") != "Bundle":
        what = f"is {quote(bundle['resourceType'])}, not 'Bundle'" if bundle.get("resourceType") else "is missing"
        raise refusal("resourceType", what, "a FHIR R4 Bundle")
    held: list[tuple[Plain, str, object]] = []
    deleted: set[str] = set()
    junk, more = 0, has_more(bundle)
    for place, entry, data in _entries(bundle, ""):
        if data is None:
            gone = _deleted(entry)
            deleted |= {gone} if gone else set()
            junk += not gone
        elif data["resourceType"] == "Bundle":
            more = more or has_more(data)
        else:
            held.append((data, f"{place}.resource", entry.get("fullUrl")))
    return Entries(tuple(held), frozenset(deleted), junk, more, modified)


def _entries(bundle: Plain, path: str) -> Iterator[tuple[str, Any, Plain | None]]:
    """Entries of a bundle with their resources, those of a bundle inside it behind it; how deep is limited before."""
    kind = bundle.get("type")
    if kind is not None and kind not in BUNDLE_TYPES:
        raise refusal(f"{path}type", f"{quote(kind)} is not read", f"one of {', '.join(BUNDLE_TYPES)}")
    entries = bundle.get("entry")
    if entries is not None and not isinstance(entries, list):
        raise refusal(f"{path}entry", "is not a list", "a list of entries, each with a resource")
    for number, entry in enumerate(entries or ()):
        place = f"{path}entry[{number}]"
        data = held_by(entry)
        yield place, entry, data
        if data is not None and data["resourceType"] == "Bundle":
            yield from _entries(data, f"{place}.resource.")


def held_by(entry: object) -> Plain | None:
    """Return the resource of an entry as JSON; None for one that is deleted, and for anything that is none."""
    if not isinstance(entry, OBJECT) or _deleted(entry) is not None:
        return None
    data = entry.get("resource")
    kind = data.get("resourceType") if isinstance(data, OBJECT) else None
    return data if isinstance(data, OBJECT) and isinstance(kind, str) and kind.isalpha() else None


def _deleted(entry: object) -> str | None:
    """The address an entry deletes, empty where it does not say which; None where it deletes nothing."""
    request = entry.get("request") if isinstance(entry, OBJECT) else None
    if not isinstance(request, OBJECT) or request.get("method") != "DELETE":
        return None
    return local_address(url) if isinstance(url := request.get("url"), str) else ""


def has_more(bundle: Plain) -> bool:
    """Whether a Bundle is one page of several and not the last."""
    return any(link.get("relation") == "next" for link in objects(bundle.get("link")))


def refusal(where: str, message: str, fix: str, file: str = "") -> ProfileError:
    """The error for a bundle that cannot be read."""
    return ProfileError("the record cannot be read", [Problem(where, message, fix, file)])


def check_depth(value: object, name: str) -> bool:
    """Refuse what is nested deeper than any record; raises ProfileError. No recursion.

    Returns whether a modifier extension stands anywhere, which each resource with one has to answer for.
    """
    modified = False
    level: list[Any] = [value] if isinstance(value, NESTED) else []
    for _ in range(DEPTH_LIMIT):
        deeper: list[Any] = []
        for each in level:
            held: Iterable[Any] = each
            if each.__class__ is not list and isinstance(each, OBJECT):
                modified = modified or MODIFIER in each
                held = each.values()
            # most values are plain, and asking them whether they are a Mapping would cost more than all else here
            deeper += [inner for inner in held if inner.__class__ not in PLAIN and isinstance(inner, NESTED)]
        if not deeper:
            return modified
        level = deeper
    raise _too_deep("", name)


def _too_large(name: str) -> ProfileError:
    return refusal("", f"is larger than {SIZE_LIMIT // 1_000_000} MB", _HOLDS, name)


def _too_deep(where: str, name: str) -> ProfileError:
    return refusal(where, f"is nested deeper than {DEPTH_LIMIT} levels", "a FHIR R4 Bundle", name)
