"""Where it is compared: nothing short waits for something long, and what is short is done in the order it came."""

import asyncio
import threading

from bcma_decide.service.threads import LONG, Threads
from tests.service.support.service import run


def test_who_sent_little_does_not_wait_for_who_sent_much():
    threads, go_on, done = Threads(), threading.Event(), []

    async def asked():
        long = asyncio.create_task(threads.run_sized(LONG, go_on.wait, 60))
        short = [threads.run_sized(LONG - 1, done.append, number) for number in range(5)]
        await asyncio.wait_for(asyncio.gather(*short, threads.run(done.append, 5)), 30)
        assert not long.done()
        go_on.set()
        assert await long
        threads.stop()

    run(asked)
    assert done == [0, 1, 2, 3, 4, 5]
