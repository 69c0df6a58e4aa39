"""Nothing that is guarded takes 30 % more of a yardstick than when its ratio was committed."""

import pytest

from tests.benchmarks.guard import slower


@pytest.mark.slow
@pytest.mark.sample
def test_nothing_has_become_slower():
    assert slower() == {}
