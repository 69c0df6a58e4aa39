"""How many requests it answers, how fast, in how much memory: prints what it measured, asserts that nothing failed."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from bcma_decide.patient.files import example_names, example_path, read_values
from tests.service.support.running import running

REQUESTS = 300


def megabytes(process, name):
    """Memory of a process as the system counts it: ``VmRSS`` now, ``VmHWM`` at most."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1000


@pytest.mark.nightly
@pytest.mark.parametrize("at_once", [1, 8, 32])
def test_many_comparisons_at_once_without_an_error(capsys, at_once):
    bodies = [{"profile": read_values(example_path(name))} for name in example_names()]

    begun = time.perf_counter()
    with (
        running(BCMA_DECIDE_REQUESTS_PER_MINUTE="0") as (process, port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
        ThreadPoolExecutor(at_once) as clients,
    ):
        started = time.perf_counter() - begun

        def one(number):
            begun = time.perf_counter()
            answer = client.post("/comparisons", json=bodies[number % len(bodies)])
            return answer.status_code, time.perf_counter() - begun

        one(0)
        idle = megabytes(process, "VmRSS")
        begun = time.perf_counter()
        found = list(clients.map(one, range(REQUESTS)))
        seconds = time.perf_counter() - begun
        most = megabytes(process, "VmHWM")
    times = sorted(each for _, each in found)
    p50, p95, p99 = (1000 * times[int(share * len(times))] for share in (0.5, 0.95, 0.99))
    with capsys.disabled():
        print(
            f"\n{REQUESTS} comparisons, {at_once} at once: {REQUESTS / seconds:.1f} requests/s, p50 {p50:.0f} ms, "
            f"p95 {p95:.0f} ms, p99 {p99:.0f} ms; {idle:.0f} MB, {most:.0f} MB at most; listening after {started:.1f} s"
        )
    assert {status for status, _ in found} == {200}
