"""Versions of one resource in one bundle: the highest counts, and what was withdrawn or deleted does not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from bcma_decide.fhir.reading.datatypes import server_of
from bcma_decide.fhir.reading.resource import Resource

_WITHDRAWN: Final = "entered-in-error"


def current(resources: Sequence[Resource], deleted: frozenset[str] = frozenset()) -> list[Resource]:
    """Mark resources of which the bundle holds a newer version.

    Parameters
    ----------
    resources
        Those of one bundle, in any order.
    deleted
        Addresses of resources that the bundle deletes.

    Returns
    -------
    list
        The same in the same order; what does not count has ``set_aside`` with the reason. Versions are ordered by
        their number, else by the time of their last change. Where neither orders them, one that was entered in error
        withdraws the others; resources under one id that differ in code or time are two resources and no versions.
    """
    groups: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for number, each in enumerate(resources):
        if each.id:
            groups[server_of(each.url), each.kind, each.id].append(number)
    marked = list(resources)
    for numbers in groups.values():
        if len(numbers) > 1:
            reasons = _reasons([resources[number] for number in numbers])
            for number, reason in zip(numbers, reasons, strict=True):
                marked[number] = resources[number].with_changes(set_aside=reason)
    return [
        each.with_changes(set_aside="deleted in the same bundle") if not deleted.isdisjoint(each.addresses) else each
        for each in marked
    ]


def _reasons(versions: Sequence[Resource]) -> list[str]:
    """Why each version of a resource does not count; empty for those that do."""
    newest = _newest(versions)
    if newest is not None:
        return ["" if each is newest else "a newer version of it is in the bundle" for each in versions]
    if any(_is_withdrawn(each) for each in versions):
        return [
            "" if _is_withdrawn(each) else "the same resource stands there as entered in error" for each in versions
        ]
    if any(_is_version_of(one, other) for one in versions for other in versions if one is not other):
        reason = "stands there in versions that differ, and nothing says which is newer"
        return [
            reason if any(_is_version_of(each, other) for other in versions if other is not each) else ""
            for each in versions
        ]
    return ["" for _ in versions]


def _newest(versions: Sequence[Resource]) -> Resource | None:
    numbers = [int(each.version) if each.version.isdecimal() and len(each.version) < 10 else None for each in versions]
    if (found := _one_highest(numbers)) is not None:
        return versions[found]
    times = [each.updated.moment.timestamp() if each.updated and each.updated.moment else None for each in versions]
    found = _one_highest(times)
    return None if found is None else versions[found]


def _one_highest(values: Iterable[float | None]) -> int | None:
    """Place of the highest of values; None where one is missing or two are the highest."""
    known = list(values)
    given = [value for value in known if value is not None]
    if len(given) < len(known) or given.count(max(given)) > 1:
        return None
    return known.index(max(given))


def _is_withdrawn(resource: Resource) -> bool:
    return _WITHDRAWN in (resource.status, resource.verification)


def _is_version_of(one: Resource, other: Resource) -> bool:
    """Whether two under one id are one resource: of the same code and time, and no result that could be compared."""
    return one.kind != "Observation" and one.code == other.code and one.times == other.times
