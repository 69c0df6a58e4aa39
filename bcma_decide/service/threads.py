"""The threads of one worker that compare and draw."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")

LONG: Final = 250_000
"""Bytes of a request from which it is a long one: a record of some 250 resources, read in the time of two answers."""


class Threads:
    """Where it is compared and drawn: beside the loop, so that connections, limits and health are answered meanwhile.

    One thread for what is short, in the order it came, and one for what is long, which nothing short waits for. Two for
    whatever comes would take the interpreter from each other, and each answer would be ready when both are.
    """

    def __init__(self) -> None:
        self._short = ThreadPoolExecutor(1, thread_name_prefix="short")
        self._long = ThreadPoolExecutor(1, thread_name_prefix="long")

    async def run(
        self, function: Callable[Parameters, Returned], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Returned:
        """Run a function that takes milliseconds."""
        return await asyncio.get_running_loop().run_in_executor(self._short, partial(function, *args, **kwargs))

    async def run_sized(
        self, size: int, function: Callable[Parameters, Returned], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Returned:
        """Run a function whose time grows with what was sent, of ``size`` bytes."""
        lane = self._short if size < LONG else self._long
        return await asyncio.get_running_loop().run_in_executor(lane, partial(function, *args, **kwargs))

    def stop(self) -> None:
        """Begin nothing new."""
        for lane in (self._short, self._long):
            lane.shutdown(wait=False, cancel_futures=True)
