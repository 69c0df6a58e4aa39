"""One Hypothesis profile for all tests: the same examples each time, no verdict on the speed of the machine.

And one browser: a module that takes ``browser`` from elsewhere would start a second, which cannot run beside the first.
"""

from hypothesis import HealthCheck, settings

from tests.render.support.sheets import browser  # noqa: F401  # a fixture

settings.register_profile(
    "repeatable", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("repeatable")
