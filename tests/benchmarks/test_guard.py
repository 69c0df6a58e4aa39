"""Nothing that is guarded takes 30 % more of a yardstick than when its ratio was committed."""

import os
import subprocess
import sys

import pytest

from tests.benchmarks.timing import ONE_THREAD
from tests.support.places import ROOT


@pytest.mark.slow
@pytest.mark.sample
def test_nothing_has_become_slower():
    """In a process of its own, with one thread: several wait for each other and count as time of what comes next."""
    program = "from tests.benchmarks.guard import slower; print(slower())"
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={**os.environ, **ONE_THREAD}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert found.stdout.strip() == "{}"
