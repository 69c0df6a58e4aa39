"""How many requests it answers, and how fast: prints what it measured, asserts only that nothing failed."""

import asyncio
import time

import httpx
import pytest

from bcma_decide.profile_io import example_names, example_path, read_values
from tests.clinic.test_server import running

REQUESTS = 300
AT_ONCE = 8


@pytest.mark.slow
def test_many_comparisons_at_once_without_an_error(capsys):
    bodies = [{"profile": read_values(example_path(name))} for name in example_names()]

    async def one(client, gate, body):
        async with gate:
            begun = time.perf_counter()
            answer = await client.post("/comparisons", json=body)
            return answer.status_code, time.perf_counter() - begun

    async def many(port):
        gate = asyncio.Semaphore(AT_ONCE)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            await client.post("/comparisons", json=bodies[0])
            begun = time.perf_counter()
            found = await asyncio.gather(*(one(client, gate, bodies[n % len(bodies)]) for n in range(REQUESTS)))
            return found, time.perf_counter() - begun

    with running(BCMA_DECIDE_REQUESTS_PER_MINUTE="0") as (_, port):
        found, seconds = asyncio.run(many(port))
    times = sorted(each for _, each in found)
    with capsys.disabled():
        print(
            f"\n{REQUESTS} comparisons, {AT_ONCE} at once: {REQUESTS / seconds:.1f} requests/s, "
            f"p50 {1000 * times[len(times) // 2]:.0f} ms, p99 {1000 * times[int(0.99 * len(times))]:.0f} ms"
        )
    assert {status for status, _ in found} == {200}
