"""What follows from the pooled evidence alone: worked out once, kept beside it and dropped with it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from bcma_decide.pooled.evidence import PooledEvidence

T = TypeVar("T")

_BESIDE: WeakKeyDictionary[PooledEvidence, dict[Hashable, Any]] = WeakKeyDictionary()


def beside(pooled: PooledEvidence, name: Hashable, made: Callable[[], T]) -> T:
    """Return what is kept under a name, made the first time.

    Two threads may both make it: the same twice.
    """
    found = _BESIDE.setdefault(pooled, {})
    if name not in found:
        found[name] = made()
    return cast("T", found[name])
