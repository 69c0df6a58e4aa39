"""From a record to a card: the real reader behind the real hooks."""

from functools import partial

from bcma_decide.cli.serve import _read
from tests.service.support.calls import call
from tests.service.support.service import VIEW, app, model, post
from tests.support.cases import for_each
from tests.support.places import RECORDS as BUNDLES


@for_each("name", sorted(path.stem for path in BUNDLES.glob("*.json")))
def test_every_record_gives_one_card_of_its_patient(name):
    answer = post(app(reading=partial(_read, model())), VIEW, call(name))
    assert answer.status_code == 200
    (card,) = answer.json()["cards"]
    assert len(card["summary"]) < 140
    assert card["indicator"] in ("info", "warning")
    assert "of 100" in card["summary"] + card["detail"]


def test_a_record_that_cannot_be_read_is_refused_with_its_place():
    asked = call("fit-58")
    deep = {"resourceType": "Procedure"}
    for _ in range(70):
        deep = {"resourceType": "Procedure", "contained": [deep]}
    asked["prefetch"]["procedures"]["entry"].append({"resource": deep})
    answer = post(app(reading=partial(_read, model())), VIEW, asked)
    assert answer.status_code == 422
    assert "nested" in answer.json()["issue"][0]["diagnostics"]


def test_a_patient_under_another_key_is_passed_over():
    asked, plain = call("fit-58"), call("fit-58")
    asked["prefetch"]["procedures"]["entry"].append({"resource": {"resourceType": "Patient", "id": "example", "x": 1}})
    application = app(reading=partial(_read, model()))
    assert post(application, VIEW, asked).json() == post(application, VIEW, plain).json()


def test_a_record_without_the_disease_gives_no_card():
    asked = call("fit-58")
    asked["prefetch"]["conditions"]["entry"] = []
    answer = post(app(reading=partial(_read, model())), VIEW, asked)
    assert (answer.status_code, answer.json()) == (200, {"cards": []})
