"""Orders: recognised by every kind of code of the evidence, and by names where no code says what it is."""

from bcma_decide.service.hooks.orders import ordered, sought
from tests.fhir.reading.support.records import ATC, ICD10PCS, NDC, RXNORM, coded
from tests.service.support.service import SELECT, app, model, post, select
from tests.support.cases import for_each

HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
WANTED = sought(model())


def drafts(*resources):
    return {"resourceType": "Bundle", "entry": [{"resource": each} for each in resources]}


def order(concept=None, *, kind="MedicationRequest", **more):
    under = "code" if kind in ("ServiceRequest", "Procedure") else "medicationCodeableConcept"
    return {"resourceType": kind, "id": "a", **({under: concept} if concept else {}), **more}


def asked(*resources):
    return ordered(drafts(*resources), ["MedicationRequest/a"], WANTED)


@for_each(
    "concept",
    [coded(RXNORM, "2619438"), coded(RXNORM, "2725585"), coded(NDC, "0069-4494"), coded(NDC, "57894044901"),
     coded(NDC, "59572-515-01"), {"text": "Tecvayli"}, {"text": "for review: Elranatamab 44 mg"}],
    ids=["product", "product of a conjugate", "NDC", "NDC of eleven digits", "NDC with package", "brand", "inside"],
)  # fmt: skip
def test_a_medicine_is_recognised_by_code_or_name(concept):
    assert asked(order(concept))


@for_each("kind", ["ServiceRequest", "Procedure"])
@for_each("concept", [coded(ICD10PCS, "XW033A7"), coded(ICD10PCS, "XW043K7"), coded(HCPCS, "Q2056")])
def test_the_infusion_of_cells_is_recognised_as_a_procedure(kind, concept):
    assert asked(order(concept, kind=kind))


@for_each(
    "concept",
    [coded(RXNORM, "342369"), coded(RXNORM, "358258", "bortezomib"), coded(ATC, "L01FX29"),
     coded(HCPCS, "J1323"), coded(ICD10PCS, "XW033C3"), coded("http://local.example", "2619438"),
     {"coding": [{"code": "2619438"}]}, {"text": "Talquetamab"}, {"text": ""}, {}],
    ids=["another drug", "with its name", "another target", "claim never checked", "cells unnamed",
         "another system", "no system", "name of another target", "empty", "nothing"],
)  # fmt: skip
def test_other_orders_and_codes_that_were_never_checked_do_not_count(concept):
    assert not asked(order(concept))


def test_a_code_decides_over_words_elsewhere_in_the_order():
    note = [{"text": "before teclistamab"}]
    assert not asked(order(coded(RXNORM, "342369"), note=note))
    assert asked(order(coded("http://local.example", "1"), note=note))


def test_an_order_whose_id_is_no_text_was_not_selected():
    for junk in ({"a": 1}, ["a"], 1, None, True):
        assert not asked(order({"text": "Tecvayli"}) | {"id": junk})
        assert asked(order({"text": "Velcade"}) | {"id": junk}, order({"text": "Tecvayli"}))


def test_where_code_and_name_disagree_either_counts():
    assert asked(order(coded(RXNORM, "2619438", "lenalidomide")))
    assert asked(order(coded(RXNORM, "342369", "teclistamab")))


def test_a_reference_leads_to_a_medicine_inside_or_beside_the_order():
    medicine = {"resourceType": "Medication", "id": "m", "code": coded(NDC, "57894-449")}
    assert asked(order(medicationReference={"reference": "#m"}, contained=[medicine]))
    assert asked(order(medicationReference={"reference": "Medication/m"}), medicine)
    assert asked(order(medicationReference={"display": "Tecvayli"}))
    other = {**medicine, "code": coded(RXNORM, "342369")}
    assert not asked(order(medicationReference={"reference": "Medication/m"}), other)
    assert not asked(order(medicationReference={"reference": "Medication/elsewhere"}), medicine)
    whole = drafts(order(medicationReference={"reference": "urn:uuid:1"}))
    whole["entry"].append({"fullUrl": "urn:uuid:1", "resource": medicine})
    assert ordered(whole, ["a"], WANTED)


def test_only_what_was_selected_counts():
    beside = {**order(coded(NDC, "57894-449")), "id": "b"}
    assert not asked(order(coded(RXNORM, "342369")), beside)
    assert not ordered(drafts(beside), [], WANTED)


@for_each(
    "entry", [None, 7, {}, {"resource": []}, {"resource": {"id": "a"}},
              {"resource": {"resourceType": "MedicationRequest", "id": "a", "medicationReference": 3, "contained": {}}},
              {"resource": {"resourceType": "ServiceRequest", "id": "a", "code": [1]}}]
)  # fmt: skip
def test_junk_among_the_orders_is_no_order(entry):
    assert not ordered({"entry": [entry]}, ["a"], WANTED)


def test_an_order_by_code_alone_brings_the_card():
    call = select()
    call["context"]["draftOrders"] = drafts(order(coded(RXNORM, "2619438")))
    assert len(post(app(), SELECT, call).json()["cards"]) == 1
    call["context"]["draftOrders"] = drafts(order(coded(RXNORM, "342369")))
    assert post(app(), SELECT, call).json()["cards"] == []
