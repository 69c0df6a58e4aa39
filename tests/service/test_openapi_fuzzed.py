"""Requests made up from the OpenAPI description: the service answers each, and never with an error of its own."""

import pytest

from bcma_decide.service.app import described
from tests.service.support.running import running
from tests.service.support.service import app

schemathesis = pytest.importorskip("schemathesis")
hypothesis = pytest.importorskip("hypothesis")

schema = schemathesis.openapi.from_dict(described(app()))
schema.config.phases.coverage.enabled = False  # every boundary of eighty fields: thousands of requests

SERVER = """
from bcma_decide.service.printing.printing import Printing
async def pdf(*_):
    return b"%PDF-"
Printing.pdf = pdf
import sys
sys.argv = ["bcma-decide", "serve", "--port", "0"]
from bcma_decide.cli import main
main()
"""
"""A PDF takes seconds, and has its own tests."""


@pytest.fixture(scope="module")
def address():
    with running(code=SERVER, BCMA_DECIDE_REQUESTS_PER_MINUTE="0") as (_, port):
        yield f"http://127.0.0.1:{port}"


@pytest.mark.slow
@schema.parametrize()
@hypothesis.settings(
    max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(hypothesis.HealthCheck)
)
def test_no_request_from_the_description_breaks_it(case, address):
    answer = case.call(base_url=address)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"][0] in ("application/problem+json", "application/fhir+json")
