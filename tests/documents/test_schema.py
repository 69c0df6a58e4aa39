"""The committed JSON Schema holds what the interface promises."""

import json

from tests.support.places import REPORTS


def test_the_schema_requires_what_the_interface_promises():
    schema = json.loads((REPORTS / "comparison.schema.json").read_text(encoding="utf-8"))
    assert {"evidence", "profile", "options", "outcomes", "findings", "unknowns"} <= set(schema["required"])
    estimate = schema["$defs"]["Estimate"]["properties"]
    assert {"median", "mean", "credible", "prediction", "certainty", "reasons", "informed_traits", "uninformed_traits",
            "n_studies", "n_patients", "sources"} <= set(estimate)  # fmt: skip
    contrast = schema["$defs"]["Contrast"]["properties"]
    assert {"options", "risk_difference", "probability_first_higher", "tipping_point_log_or"} <= set(contrast)
