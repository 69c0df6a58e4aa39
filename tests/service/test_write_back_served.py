"""What the service gives of the answer as FHIR: a document by whom the caller names, and its own definitions."""

import pytest

from bcma_decide.fhir.writing.definitions import EXTENSIONS
from tests.service.support.service import app, ask, post
from tests.service.support.tokens import issuer
from tests.support.cases import for_each


@for_each(
    ("name", "value"),
    [("author", "Device/1"), ("author", "Patient/1"), ("author", "Practitioner"),
     ("author", "https://ehr.example/Practitioner/1"), ("encounter", "Patient/1"), ("encounter", "x")],
)  # fmt: skip
def test_what_is_no_reference_to_a_person_or_a_visit_is_refused(name, value):
    answer = post(app(), f"/comparisons?format=fhir&{name}={value}", {"profile": {"age": 71}})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == name


def test_over_rest_the_document_is_by_whom_the_caller_names():
    path = "/comparisons?format=fhir&with_pdf=true&author=PractitionerRole/7&encounter=Encounter/3"
    answer = post(app(), path, {"profile": {"age": 71}})
    if answer.status_code == 503:
        pytest.skip("no PDF is written here")
    entries = [each["resource"] for each in answer.json()["entry"]]
    (found,) = (each for each in entries if each["resourceType"] == "DocumentReference")
    assert found["author"] == [{"reference": "PractitionerRole/7"}]


def test_a_service_gives_them_to_everybody_one_by_one_and_by_address(tmp_path):
    service = app(issuers=(issuer(tmp_path),))
    whole = ask(service, "GET", "/fhir/StructureDefinition")
    assert whole.headers["content-type"] == "application/fhir+json"
    assert whole.json()["total"] == len(EXTENSIONS)
    for own in EXTENSIONS:
        one = ask(service, "GET", f"/fhir/StructureDefinition/{own.id}")
        assert (one.status_code, one.json()["url"]) == (200, own.url)
        found = ask(service, "GET", "/fhir/StructureDefinition", params={"url": own.url}).json()
        assert [each["resource"] for each in found["entry"]] == [one.json()]
    assert ask(service, "GET", "/fhir/StructureDefinition/nothing").status_code == 404
    assert "entry" not in ask(service, "GET", "/fhir/StructureDefinition", params={"url": "urn:x"}).json()
    assert ask(service, "GET", "/evidence").status_code == 401, "the rest is as it was"
