"""Without the extras of the service its tests are left out; with ``CI_PARTS=1`` they fail instead."""

import importlib.util
import os

from tests.clinic.postgresql import fixture_postgresql  # noqa: F401  # a fixture

SERVICE = [
    "test_cds_hooks.py",
    "test_load.py",
    "test_openapi_fuzzed.py",
    "test_record_to_card.py",
    "test_rest.py",
    "test_server.py",
    "test_settings.py",
    "test_tokens.py",
]
AUDIT = ["test_audit.py", "test_audit_killed.py", "test_replay.py"]


def _without(*libraries):
    return any(importlib.util.find_spec(name) is None for name in libraries)


LEFT_OUT = {
    "clinic": SERVICE if _without("fastapi") else [],
    "clinic,audit,postgresql": AUDIT if _without("fastapi", "sqlalchemy", "psycopg") else [],
}

if os.environ.get("CI_PARTS") != "1":
    collect_ignore = [name for names in LEFT_OUT.values() for name in names]


def pytest_report_header():
    return [
        f"tests left out, {', '.join(names)}: pip install -e '.[{extras}]'"
        for extras, names in LEFT_OUT.items()
        if names
    ]
