"""Results of the last few calls, for what is asked again soon: fits that several outcomes of a study share."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Recent(Generic[Result]):
    """The last ``size`` results by key; the one unused longest goes first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._results: OrderedDict[Hashable, Result] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Result]) -> Result:
        """The result of this key, made if it is not there; what ``make`` raises is not kept."""
        if key in self._results:
            self._results.move_to_end(key)
            return self._results[key]
        result = self._results[key] = make()
        if len(self._results) > self._size:
            self._results.popitem(last=False)
        return result
