"""Without the extra ``clinic`` the tests of the service are left out; with ``CI_PARTS=1`` they fail instead."""

import importlib.util
import os

MISSING = importlib.util.find_spec("fastapi") is None

if MISSING and os.environ.get("CI_PARTS") != "1":
    collect_ignore = [
        "test_addresses.py",
        "test_cds_hooks.py",
        "test_fetched_cards.py",
        "test_fhir_client.py",
        "test_load.py",
        "test_openapi_fuzzed.py",
        "test_orders.py",
        "test_page.py",
        "test_page_in_chromium.py",
        "test_record_to_card.py",
        "test_rest.py",
        "test_server.py",
        "test_settings.py",
        "test_smart.py",
        "test_smart_attacks.py",
        "test_smart_pieces.py",
        "test_smart_served.py",
        "test_tokens.py",
    ]


def pytest_report_header():
    return "the tests of the service left out: pip install -e '.[clinic]'" if MISSING else None
