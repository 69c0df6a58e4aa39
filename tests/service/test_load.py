"""How many requests it answers, and how fast: prints what it measured, asserts only that nothing failed."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from bcma_decide.patient.files import example_names, example_path, read_values
from tests.service.support.running import running

REQUESTS = 300
AT_ONCE = 8


@pytest.mark.nightly
def test_many_comparisons_at_once_without_an_error(capsys):
    bodies = [{"profile": read_values(example_path(name))} for name in example_names()]

    with (
        running(BCMA_DECIDE_REQUESTS_PER_MINUTE="0") as (_, port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
        ThreadPoolExecutor(AT_ONCE) as clients,
    ):

        def one(number):
            begun = time.perf_counter()
            answer = client.post("/comparisons", json=bodies[number % len(bodies)])
            return answer.status_code, time.perf_counter() - begun

        one(0)
        begun = time.perf_counter()
        found = list(clients.map(one, range(REQUESTS)))
        seconds = time.perf_counter() - begun
    times = sorted(each for _, each in found)
    with capsys.disabled():
        print(
            f"\n{REQUESTS} comparisons, {AT_ONCE} at once: {REQUESTS / seconds:.1f} requests/s, "
            f"p50 {1000 * times[len(times) // 2]:.0f} ms, p99 {1000 * times[int(0.99 * len(times))]:.0f} ms"
        )
    assert {status for status, _ in found} == {200}
