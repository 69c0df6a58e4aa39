"""What holds for all tests: kinds, the profile of properties, each text parsed once, one browser.

A module that takes ``browser`` from elsewhere would start a second, which cannot run beside the first.
"""

from pathlib import Path

import pytest

from tests.render.support.sheets import browser  # noqa: F401  # a fixture
from tests.support.examples import load_profile
from tests.support.kinds import PROPERTY, kind_of
from tests.support.parsed_once import shapes_once, yaml_once

HERE = Path(__file__).parent
ASSERTING = ("tests.cli.support.checks", "tests.render.support.browsing")
"""Helpers whose assertions say what they compared, as those of tests do."""

pytest.register_assert_rewrite(*ASSERTING)
load_profile()
yaml_once()
shapes_once()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark each test with its kind; what is for the night is slow too, so that ``not slow`` leaves it out."""
    for item in items:
        drawn = getattr(item.obj, "is_hypothesis_test", False) or getattr(item.obj, "draws", False)
        kind = PROPERTY if drawn else kind_of(item.path.relative_to(HERE).as_posix())
        item.add_marker(kind)
        if item.get_closest_marker("nightly") and not item.get_closest_marker("slow"):
            item.add_marker("slow")
