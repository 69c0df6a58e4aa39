"""Without the extras of the service its tests are left out; with ``CI_PARTS=1`` they fail instead."""

import importlib.util
import logging
import os
from pathlib import Path

import pytest

from tests.service.support.postgresql import fixture_postgresql  # noqa: F401  # a fixture

AUDIT = {"test_audit.py", "test_audit_killed.py", "test_replay.py"}
SERVICE = {path.name for path in Path(__file__).parent.glob("test_*.py")} - AUDIT


def _without(*libraries):
    return any(importlib.util.find_spec(name) is None for name in libraries)


LEFT_OUT = {
    "clinic": SERVICE if _without("fastapi") else set(),
    "clinic,audit,postgresql": AUDIT if _without("fastapi", "sqlalchemy", "psycopg") else set(),
}

if os.environ.get("CI_PARTS") != "1":
    collect_ignore = sorted(name for names in LEFT_OUT.values() for name in names)


@pytest.fixture(autouse=True)
def _logging_as_it_was():
    """A test that sets up the log of a server leaves none behind that writes to a stream of its own."""
    loggers = [logging.getLogger(), *(logging.getLogger(name) for name in list(logging.root.manager.loggerDict))]
    before = [(logger, logger.handlers[:], logger.propagate, logger.level) for logger in loggers]
    yield
    for logger, handlers, propagate, level in before:
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def address(request, tmp_path):
    """Of an audit that is not there yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/audit.db"
    return request.getfixturevalue("postgresql").new()


def pytest_report_header():
    return [
        f"tests left out, {', '.join(names)}: pip install -e '.[{extras}]'"
        for extras, names in LEFT_OUT.items()
        if names
    ]
