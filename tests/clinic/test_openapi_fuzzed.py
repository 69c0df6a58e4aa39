"""Requests made up from the OpenAPI description: the service answers each, and never with an error of its own."""

import pytest

from tests.clinic.service import app

schemathesis = pytest.importorskip("schemathesis")
hypothesis = pytest.importorskip("hypothesis")

SERVICE = app(requests_per_minute=0)
schema = schemathesis.openapi.from_asgi("/openapi.json", SERVICE)


@pytest.mark.slow
@schema.parametrize()
@hypothesis.settings(
    max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(hypothesis.HealthCheck)
)
def test_no_request_from_the_description_breaks_it(case):
    answer = case.call()
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"][0].startswith(("application/problem+json", "application/fhir+json"))
