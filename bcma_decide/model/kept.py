"""What was worked out for the last few kinds of patients: the same input gives the same result, so it is kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Final, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")
KEPT: Final = 64
"""For how many kinds of patients what was worked out is kept: more than three yes/no traits make in two settings."""


class Kept(Generic[Key, Result]):
    """Results by key, the one used longest ago leaving first; what is kept must not be changed.

    Beside `functools.lru_cache` for what is worked out from more than its key says, but depends on nothing else.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._results: OrderedDict[Key, Result] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Key, work_out: Callable[[], Result]) -> Result:
        """Return what was kept, or work it out; two threads may both do so, and get the same."""
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
                return self._results[key]
        found = work_out()
        with self._lock:
            self._results[key] = found
            if len(self._results) > self._most:
                self._results.popitem(last=False)
        return found
