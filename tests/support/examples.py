"""How many examples a property is tried with: few in the README's command, more in CI, many at night.

The profile is taken from ``BCMA_DECIDE_PROPERTIES`` (plain, ci or nightly). In each of them the examples are the same
every time and no verdict depends on the speed of the machine.
"""

import os
from typing import Final

from hypothesis import HealthCheck, settings

FACTORS: Final = {"plain": 0.4, "ci": 1, "nightly": 25}
"""Examples of a profile for each that CI tries."""
FEWEST: Final = 6
"""So many are tried in any profile."""
USUAL: Final = 50
"""Examples of a property that says nothing else."""
PROFILE: Final = os.environ.get("BCMA_DECIDE_PROPERTIES", "plain")


def examples(usual: int) -> settings:
    """Settings with so many examples in CI, and proportionally fewer or more in the other profiles."""
    return settings(max_examples=_of_profile(usual, PROFILE))


def _of_profile(usual: int, profile: str) -> int:
    return max(min(usual, FEWEST), round(usual * FACTORS[profile]))


def load_profile() -> None:
    """Make the profile the default of every property."""
    if PROFILE not in FACTORS:
        raise SystemExit(f"BCMA_DECIDE_PROPERTIES is {PROFILE!r}, not one of {', '.join(FACTORS)}")
    for name in FACTORS:
        settings.register_profile(
            name, max_examples=_of_profile(USUAL, name), derandomize=True, database=None, deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        )  # fmt: skip
    settings.load_profile(PROFILE)
