"""The threads of one worker that compare and draw."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")

_THREADS: Final = 2


class Threads:
    """Where it is compared and drawn: beside the loop, so that connections, limits and health are answered meanwhile.

    Two, since a short question shall not wait for a long record; more would only take the interpreter from each other.
    """

    def __init__(self) -> None:
        self._compare = ThreadPoolExecutor(_THREADS, thread_name_prefix="compare")

    async def run(
        self, function: Callable[Parameters, Returned], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Returned:
        """Run a function that takes milliseconds."""
        return await asyncio.get_running_loop().run_in_executor(self._compare, partial(function, *args, **kwargs))

    def stop(self) -> None:
        """Begin nothing new."""
        self._compare.shutdown(wait=False, cancel_futures=True)
