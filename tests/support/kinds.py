"""What kind each test is of: one for every module, by the longest path that begins its own.

A test that Hypothesis draws cases for is a property, wherever it stands.
"""

from pathlib import PurePosixPath
from typing import Final

UNIT, REFERENCE, PROPERTY, ATTACK, SERVED = "unit", "reference", "property", "attack", "served"
KINDS: Final = {
    UNIT: "one part, in this process; a command run in this process or forked from it",
    REFERENCE: "numbers or bytes from elsewhere, or committed: metafor, published formulas, the golden figures",
    PROPERTY: "what holds for every input, over drawn examples",
    ATTACK: "input that means harm or makes no sense",
    SERVED: "a server, a browser, a database or a socket is part of it",
}
PLACES: Final = {
    "": UNIT,
    "cli/test_surroundings.py": ATTACK,
    "documents": REFERENCE,
    "fuzz": ATTACK,
    "golden": REFERENCE,
    "facts/test_scores.py": REFERENCE,
    "fhir/reading/test_hostile.py": ATTACK,
    "fhir/reading/test_properties.py": PROPERTY,
    "model/test_scans.py": PROPERTY,
    "render/test_pdf.py": SERVED,
    "render/test_sheet_in_chromium.py": SERVED,
    "rules/test_indications.py": REFERENCE,
    "service/test_addresses.py": ATTACK,
    "service/test_audit.py": SERVED,
    "service/test_audit_killed.py": SERVED,
    "service/test_cds_client_in_chromium.py": SERVED,
    "service/test_connections.py": SERVED,
    "service/test_deployment.py": SERVED,
    "service/test_fetched_cards.py": SERVED,
    "service/test_fhir_client.py": SERVED,
    "service/test_load.py": SERVED,
    "service/test_openapi_fuzzed.py": ATTACK,
    "service/test_page_in_chromium.py": SERVED,
    "service/test_replay.py": SERVED,
    "service/test_server.py": SERVED,
    "service/test_smart.py": SERVED,
    "service/test_smart_attacks.py": ATTACK,
    "service/test_smart_served.py": SERVED,
    "service/test_tokens.py": ATTACK,
    "strict": ATTACK,
    "workshop/evidence_report/test_page_in_chromium.py": SERVED,
    "workshop/meta_analysis": REFERENCE,
    "workshop/patient_model/test_recovery.py": REFERENCE,
    "workshop/validation/test_bands.py": REFERENCE,
    "workshop/validation/test_forecast.py": REFERENCE,
}
"""Folders and modules below ``tests``; what is not named here is of the kind of its folder."""


def kind_of(module: str) -> str:
    """The kind of a module, by its path below ``tests``."""
    path = PurePosixPath(module)
    places = [str(path), *(str(folder).removeprefix(".") for folder in path.parents)]
    return next(PLACES[place] for place in places if place in PLACES)
