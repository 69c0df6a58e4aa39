"""What holds for all tests: the profile of properties, each text parsed once, one browser.

A module that takes ``browser`` from elsewhere would start a second, which cannot run beside the first.
"""

from tests.render.support.sheets import browser  # noqa: F401  # a fixture
from tests.support.examples import load_profile
from tests.support.parsed_once import yaml_once

load_profile()
yaml_once()
