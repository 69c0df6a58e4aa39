"""For all tests: one Hypothesis profile (the same examples each time, no verdict on the machine), one browser."""

from hypothesis import HealthCheck, settings

from tests.render.sheets import browser  # noqa: F401  # one for the whole session: it cannot be started twice

settings.register_profile(
    "repeatable", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("repeatable")
