"""What stands on a card of an order, of a referral, and of a record of which something was seen and not used."""

import json
import re
from functools import partial

from bcma_decide.cli.serve import _read
from bcma_decide.service.hooks.orders import ordered, sought
from tests.service.support.calls import call
from tests.service.support.service import (
    SELECT,
    SIGN,
    TODAY,
    VIEW,
    app,
    ask,
    bundle,
    model,
    post,
    prefetch,
    resource,
    select,
    view,
)
from tests.service.support.tokens import bearer, issuer, token
from tests.support.cases import for_each

WANTED = sought(model())
SERVICE = app(public_url="https://cds.example.org")
READING = app(reading=partial(_read, model()))


def cards(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["cards"]


def referral(text, **parts):
    return {"resourceType": "ServiceRequest", "id": "r", "status": "draft", "intent": "order", "code": {"text": text},
            **parts}  # fmt: skip


def named(order, selections=None):
    return ordered(bundle(order), selections, WANTED)


def test_the_ordered_product_is_named_first_by_its_own_name():
    (card,) = cards(post(SERVICE, SELECT, select("Tecvayli 10 mg/mL")))
    assert card["summary"].startswith("Ordered: teclistamab; ")
    assert len(card["summary"]) < 140
    assert "Ordered: teclistamab (Tecvayli)." in card["detail"]


def test_text_of_an_order_never_reaches_the_card():
    (card,) = cards(post(SERVICE, SELECT, select("teclistamab MARKER <b>")))
    assert "MARKER" not in json.dumps(card)


def test_contraindications_come_before_the_order_and_the_numbers():
    infection = bundle(resource("Observation", "active_infection", value="yes"))
    (card,) = cards(post(SERVICE, SELECT, select() | {"prefetch": prefetch(observations=infection)}))
    assert "contraindication" in card["summary"].split(";")[0]
    assert len(card["summary"]) < 140
    detail = card["detail"]
    assert detail.index("**Findings**") < detail.index("| Of 100 patients like this")
    first = detail[detail.index("**Findings**\n\n") :].splitlines()[2]
    assert first.startswith("- contraindication: ")


@for_each("selection", ["urn:uuid:1", "https://ehr.example/fhir/MedicationRequest/a", "MedicationRequest/a", "a"])
def test_an_order_is_selected_by_full_url_reference_or_id(selection):
    draft = {"resourceType": "MedicationRequest", "medicationCodeableConcept": {"text": "teclistamab-cqyv"}}
    entry = {"fullUrl": "urn:uuid:1", "resource": draft}
    if selection != "urn:uuid:1":
        entry = {"fullUrl": "https://ehr.example/fhir/MedicationRequest/a", "resource": draft | {"id": "a"}}
    asked = select(selections=[selection])
    asked["context"]["draftOrders"]["entry"] = [entry]
    assert len(cards(post(SERVICE, SELECT, asked))) == 1
    asked["context"]["selections"] = ["urn:uuid:2"]
    assert cards(post(SERVICE, SELECT, asked)) == []


def test_signing_an_order_brings_the_card_without_a_selection():
    asked = select("Carvykti") | {"hook": "order-sign"}
    del asked["context"]["selections"]
    (card,) = cards(post(SERVICE, SIGN, asked))
    assert card["summary"].startswith("Ordered: ciltacabtagene autoleucel")
    other = select("Paracetamol") | {"hook": "order-sign"}
    assert cards(post(SERVICE, SIGN, other)) == []
    assert post(SERVICE, SIGN, select()).status_code == 400, "of another hook"
    del asked["context"]["draftOrders"]
    assert post(SERVICE, SIGN, asked).status_code == 400


@for_each(
    ("order", "expected"),
    [
        (referral("Referral for CAR-T evaluation"), ("CAR-T",)),
        (referral("Referral to CAR T-cell therapy program"), ("CAR-T",)),
        (referral("Chimeric antigen receptor T-cell therapy evaluation"), ("CAR-T",)),
        (referral("Bispecific antibody therapy"), ("Bispecific",)),
        (referral("BCMA bispecific or CAR-T?"), ("CAR-T", "Bispecific")),
        (referral("Referral to haematology", reasonCode=[{"text": "BCMA-directed therapy"}]), ("CAR-T", "Bispecific")),
        (referral("Consult", orderDetail=[{"text": "for teclistamab"}]), ("teclistamab (Tecvayli)",)),
        (referral("", code={"coding": [{"system": "http://www.cms.gov/Medicare/Coding/ICD10", "code": "XW033C3"}]}),
         ("CAR-T",)),
        (referral("Consult", performer=[{"display": "CAR T cells unit"}]), ("CAR-T",)),
        (referral("Insect bite"), ()),
        (referral("Medication cart, cartilage"), ()),
        (referral("Scar treatment"), ()),
        (referral("GPRC5D bispecific"), ()),
        (referral("Referral to dentistry", note=[{"text": "had CAR-T in 2023"}]), ()),
        (referral("CAR-T evaluation", doNotPerform=True), ()),
        (referral("CAR-T evaluation") | {"resourceType": "MedicationRequest"}, ()),
    ],
)  # fmt: skip
def test_a_referral_is_recognised_by_what_it_asks_for(order, expected):
    assert sorted(named(order)) == sorted(expected)


def test_a_referral_brings_the_card_of_its_class():
    asked = select(selections=["ServiceRequest/r"])
    asked["context"]["draftOrders"] = bundle(referral("Referral for CAR-T evaluation"))
    (card,) = cards(post(SERVICE, SELECT, asked))
    assert card["summary"].startswith("Ordered: CAR-T; ")


@for_each(
    "died",
    [{"deceasedBoolean": True}, {"deceasedDateTime": "2026-11-01"}, {"deceasedDateTime": "2026"},
     {"_deceasedDateTime": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
                                           "valueCode": "unknown"}]}}],
    ids=["yes", "a day", "a year", "an unknown day"],
)  # fmt: skip
@for_each("path", [VIEW, SELECT, SIGN])
def test_of_a_patient_who_has_died_there_is_no_card(died, path):
    asked = select() if path == SELECT else select() | {"hook": "order-sign"} if path == SIGN else view()
    assert len(cards(post(SERVICE, path, asked))) == 1
    asked["prefetch"]["patient"] = asked["prefetch"]["patient"] | died
    assert cards(post(SERVICE, path, asked)) == []


def test_of_the_living_there_is_one():
    alive = view()
    alive["prefetch"]["patient"] = alive["prefetch"]["patient"] | {"deceasedBoolean": False}
    assert len(cards(post(SERVICE, VIEW, alive))) == 1


def test_a_statement_that_was_seen_and_not_used_is_named():
    asked = call("fit-58")
    for entry in asked["prefetch"]["observations"]["entry"]:
        if entry["resource"]["id"] == "fish":
            entry["resource"] = {**entry["resource"], "valueString": "del(17p): equivocal, repeat suggested"}
    (card,) = cards(post(READING, VIEW, asked))
    start = card["detail"].index("**In the record, not used**")
    assert "17p" in card["detail"][start:].partition("\n\n**")[0]


def test_a_weak_kidney_stands_on_the_card_without_a_weight_and_beside_much_else():
    """Where a card is full, what is left out repeats a subject that stands there already."""
    asked = call("renal-74")
    asked["prefetch"]["observations"]["entry"] = [
            {"resource": {
                "resourceType": "Observation", "id": code, "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
                "subject": {"reference": f"Patient/{asked['context']['patientId']}"},
                "effectiveDateTime": TODAY.isoformat(),
                "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
            }}
            for code, value, unit in [("2160-0", 2.9, "mg/dL"), ("751-8", 0.8, "10*9/L"), ("777-3", 41, "10*9/L"),
                                      ("2276-4", 2100, "ng/mL"), ("1988-5", 42, "mg/L"), ("718-7", 8.1, "g/dL"),
                                      ("89247-1", 2, "{score}"), ("10230-1", 44, "%")]
    ]  # fmt: skip
    (card,) = cards(post(READING, VIEW, asked))
    found = card["detail"].partition("**Findings**")[2].partition("\n\n**")[0]
    assert re.search("Clearance below 50: fludarabine.* reduced or not given", found)
    assert "Clearance below 45" in found
    assert re.search(r"and \d+ more", found)


def test_a_planned_drug_is_named_beside_those_that_were_given():
    asked = call("fit-58")
    asked["prefetch"]["medicationRequests"]["entry"] = [{"resource": request(text)} for text in ("cilta-cel planned",)]
    (card,) = cards(post(READING, VIEW, asked))
    told = card["detail"].partition("**In the record, not used**")[2].partition("\n\n**")[0]
    assert "cilta-cel planned" in told


def test_a_long_list_of_drugs_hides_no_diagnosis_and_no_procedure():
    asked = call("fit-58")
    asked["prefetch"]["medicationRequests"]["entry"] = [{"resource": request(f"Tablet {n}")} for n in range(30)]
    for key, kind in (("conditions", "Condition"), ("procedures", "Procedure")):
        other = {"resourceType": kind, "id": "other", "status": "completed", "code": {"text": f"An odd {kind}"},
                 "subject": {"reference": "Patient/example"}}  # fmt: skip
        asked["prefetch"][key]["entry"].append({"resource": other})
    (card,) = cards(post(READING, VIEW, asked))
    told = card["detail"].partition("**In the record, not understood**")[2].partition("\n\n**")[0]
    assert all(name in told for name in ("Tablet 0", "An odd Condition", "An odd Procedure"))


def request(text):
    return {"resourceType": "MedicationRequest", "id": text.replace(" ", "-"), "status": "active", "intent": "order",
            "medicationCodeableConcept": {"text": text}, "subject": {"reference": "Patient/example"},
            "authoredOn": TODAY.isoformat()}  # fmt: skip


def test_entries_that_name_no_patient_are_used_or_counted():
    asked, plain = call("fit-58"), call("fit-58")
    for entry in asked["prefetch"]["observations"]["entry"]:
        entry["resource"]["subject"] = {"identifier": {"system": "urn:oid:1.2", "value": "somebody"}}
    (card,), (whole,) = (cards(post(READING, VIEW, each)) for each in (asked, plain))
    assert card["summary"] == whole["summary"] or "**In the record, not used**" in card["detail"]


@for_each(
    ("settings", "expected"),
    [({"page": "launch"}, True), ({"page": "open"}, True), ({"page": "off"}, False)],
)  # fmt: skip
def test_addresses_of_a_card_open_for_whoever_sees_it(settings, expected, tmp_path):
    """With issuers configured, without a token, in a browser."""
    service = app(public_url="https://cds.example.org", issuers=(issuer(tmp_path),), **settings)
    (card,) = cards(post(service, VIEW, view(), headers=bearer(token(path=VIEW))))
    addresses = [each["url"] for each in (card["source"], *card.get("links", ())) if "url" in each]
    assert bool(addresses) is expected
    for address in addresses:
        path = address.removeprefix("https://cds.example.org")
        for method in ("GET", "HEAD"):
            answer = ask(service, method, path, headers={"Accept": "text/html"})
            assert (answer.status_code, bool(answer.content)) == (200, method == "GET"), (method, path)


FEEDBACK = {"card": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "outcomeTimestamp": "2026-11-26T20:10:00Z"}


@for_each(
    ("entry", "status"),
    [
        (FEEDBACK | {"outcome": "accepted", "acceptedSuggestions": [{"id": "e56e1945-20b3-4393-8503-a1a20fd73152"}]},
         200),
        (FEEDBACK | {"outcome": "accepted"}, 200),
        (FEEDBACK | {"outcome": "overridden"}, 200),
        (FEEDBACK | {"outcome": "overridden", "overrideReason": {"reason": {
            "code": "cds-not-applicable", "system": "http://x", "display": "no"}, "userComment": "x"}}, 200),
        (FEEDBACK | {"outcome": "overridden", "overrideReason": {"userComment": "x"}}, 200),
        (FEEDBACK | {"outcome": "overridden", "vendor": {"a": [1]}, "extension": {"org.x": 1}}, 200),
        (FEEDBACK | {"outcome": "accepted", "acceptedSuggestions": "x"}, 400),
        (FEEDBACK | {"outcome": "accepted", "acceptedSuggestions": [{}]}, 400),
        (FEEDBACK | {"outcome": "overridden", "outcomeTimestamp": "yesterday"}, 400),
        (FEEDBACK | {"outcome": "overridden", "overrideReason": "x"}, 400),
    ],
)  # fmt: skip
def test_feedback_is_read_as_the_standard_has_it(entry, status):
    for path in (VIEW, SELECT, SIGN):
        answer = post(SERVICE, f"{path}/feedback", {"feedback": [entry], "more": 1})
        assert answer.status_code == status, answer.text
