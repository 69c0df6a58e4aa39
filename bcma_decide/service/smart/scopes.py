"""Scopes of SMART: which are asked for, and which parts of a record the granted ones open."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final, Literal

from bcma_decide.service.fetching.searches import KINDS
from bcma_decide.service.settings import Ehr
from bcma_decide.service.smart.configuration import Configuration

Access = Literal["whole", "some", "none"]
_RESOURCE: Final = re.compile(
    r"(?:patient|user)/(?P<kind>\*|[A-Z][A-Za-z]*)\.(?P<may>read|write|\*|c?r?u?d?s?)(?P<only>\?.*)?"
)
_IDENTITY: Final = ("openid", "fhirUser")


def asked_scopes(ehr: Ehr, configuration: Configuration, *, standalone: bool) -> tuple[str, ...]:
    """The scopes of a launch; identity only where it can be checked."""
    launch = "launch/patient" if standalone else "launch"
    wanted = (scope for scope in ehr.scopes if configuration.identifies or scope not in _IDENTITY)
    return tuple(dict.fromkeys((launch, *wanted)))


def access(key: str, granted: Collection[str]) -> Access:
    """How far granted scopes open a part of the record, in the words of SMART 2 or 1.

    The patient is read, everything else searched; a scope with a query (``?category=...``) opens some of it.
    """
    needed = "r" if key == "patient" else "s"
    found = [match for match in map(_RESOURCE.fullmatch, granted) if match and match["kind"] in ("*", KINDS[key])]
    opening = [match for match in found if match["may"] in ("read", "*") or (needed in _letters(match["may"]))]
    if not opening:
        return "none"
    return "some" if all(match["only"] for match in opening) else "whole"


def _letters(may: str) -> str:
    return "" if may == "write" else may
