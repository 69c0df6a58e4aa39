"""Without the extra of a registry its tests are left out; with ``CI_PARTS=1`` they fail instead."""

import importlib.util
import os
from pathlib import Path

LEFT_OUT = importlib.util.find_spec("pyarrow") is None

if LEFT_OUT and os.environ.get("CI_PARTS") != "1":
    collect_ignore = sorted(path.name for path in Path(__file__).parent.glob("test_*.py"))


def pytest_report_header():
    return ["tests left out, cohort: pip install -e '.[cohort]'"] if LEFT_OUT else []
