"""What follows from the pooled evidence, alone or with little else: worked out once, kept and dropped with it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache, partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from bcma_decide.pooled.evidence import PooledEvidence

P = ParamSpec("P")
T = TypeVar("T")


def beside(pooled: PooledEvidence, name: Hashable, made: Callable[[], T]) -> T:
    """Return what is kept under a name, made the first time.

    Two threads may both make it: the same twice.
    """
    found = pooled.beside
    if name not in found:
        found[name] = made()
    return cast("T", found[name])


def kept_beside(
    most: int,
) -> Callable[[Callable[Concatenate[PooledEvidence, P], T]], Callable[Concatenate[PooledEvidence, P], T]]:
    """As `functools.lru_cache` for functions of the evidence and something else; the results stay with the evidence.

    ``most`` are kept of each evidence. What is kept must not be changed.
    """

    def decorated(made: Callable[Concatenate[PooledEvidence, P], T]) -> Callable[Concatenate[PooledEvidence, P], T]:
        @wraps(made)
        def of(pooled: PooledEvidence, *args: P.args, **kwargs: P.kwargs) -> T:
            stores: dict[Hashable, Any] = pooled.beside
            store = stores.get(made)
            if store is None:
                store = stores.setdefault(made, lru_cache(maxsize=most)(partial(made, pooled)))
            return cast("T", store(*args, **kwargs))

        return cast("Callable[Concatenate[PooledEvidence, P], T]", of)

    return decorated
