"""How many examples a property is tried with: few in the README's command, more in CI, many at night.

The profile is taken from ``BCMA_DECIDE_PROPERTIES`` (plain, ci or nightly). In each of them the examples are the same
every time and no verdict depends on the speed of the machine.
"""

import os
from typing import Final

from hypothesis import HealthCheck, settings

FACTORS: Final = {"plain": 1, "ci": 2, "nightly": 25}
"""Examples of a profile for each that the plain one tries."""
PLAIN: Final = 50
"""Examples of a property that says nothing else."""
PROFILE: Final = os.environ.get("BCMA_DECIDE_PROPERTIES", "plain")


def examples(plain: int) -> settings:
    """Settings with so many examples in the plain profile, and proportionally more in the others."""
    return settings(max_examples=plain * FACTORS[PROFILE])


def load_profile() -> None:
    """Make the profile the default of every property."""
    if PROFILE not in FACTORS:
        raise SystemExit(f"BCMA_DECIDE_PROPERTIES is {PROFILE!r}, not one of {', '.join(FACTORS)}")
    for name, factor in FACTORS.items():
        settings.register_profile(
            name, max_examples=PLAIN * factor, derandomize=True, database=None, deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        )  # fmt: skip
    settings.load_profile(PROFILE)
