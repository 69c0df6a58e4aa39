"""The committed JSON Schema is the one the program has."""

import json

from bcma_decide.comparison import Comparison
from tests.support.places import REPORTS

COMMITTED = REPORTS / "comparison.schema.json"


def test_the_committed_schema_is_current():
    schema = Comparison.model_json_schema(mode="serialization")
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == schema, (
        "run: bcma-decide schema > reports/comparison.schema.json"
    )


def test_the_schema_requires_what_the_interface_promises():
    schema = json.loads(COMMITTED.read_text(encoding="utf-8"))
    assert {"evidence", "profile", "options", "outcomes", "findings", "unknowns"} <= set(schema["required"])
    estimate = schema["$defs"]["Estimate"]["properties"]
    assert {"median", "mean", "credible", "prediction", "certainty", "reasons", "informed_traits", "uninformed_traits",
            "n_studies", "n_patients", "sources"} <= set(estimate)  # fmt: skip
    contrast = schema["$defs"]["Contrast"]["properties"]
    assert {"options", "risk_difference", "probability_first_higher", "tipping_point_log_or"} <= set(contrast)
