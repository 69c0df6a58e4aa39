"""What servers want of what they are to keep: a document that stands alone, narrative everywhere, known extensions."""

import re
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from fhir.resources.R4B.documentreference import DocumentReference
from fhir.resources.R4B.structuredefinition import StructureDefinition

from bcma_decide.comparing.compare import compare, load_pooled
from bcma_decide.fhir.writing import parts
from bcma_decide.fhir.writing.bundle import bundle_json, fhir_bundle
from bcma_decide.fhir.writing.definitions import EXTENSIONS, structure_definitions
from bcma_decide.patient.profile import Patient
from tests.fhir.writing.support.written import small, written
from tests.support.cases import for_each

MODEL = load_pooled()
RECORDED = datetime(2026, 11, 26, 8, 30, tzinfo=UTC)
NAMED = {"subject": "Patient/1", "author": "Practitioner/7", "encounter": "Encounter/3"}
XHTML = "{http://www.w3.org/1999/xhtml}"


def walk(value):
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(inner)


def of_kind(bundle, kind):
    return [each["resource"] for each in bundle["entry"] if each["resource"]["resourceType"] == kind]


def document(**named):
    return of_kind(
        fhir_bundle(small(), MODEL.codes, recorded=RECORDED, pdf=b"%PDF-1.7\n", **named), "DocumentReference"
    )[0]


def test_the_bundle_is_a_transaction_that_creates_each_resource():
    bundle = written()
    assert bundle["type"] == "transaction"
    for entry in bundle["entry"]:
        assert entry["request"] == {"method": "POST", "url": entry["resource"]["resourceType"]}


def test_the_document_is_one_that_servers_take_by_itself():
    found = document(**NAMED)
    DocumentReference.model_validate(found)
    (kind,) = found["type"]["coding"]
    assert (kind["system"], kind["code"]) == ("http://loinc.org", "11488-4")
    ((category,),) = ([*each["coding"]] for each in found["category"])
    assert category["code"] == "clinical-note"
    assert (found["status"], found["docStatus"]) == ("current", "preliminary")
    assert found["author"] == [{"reference": "Practitioner/7"}]
    assert found["context"]["encounter"] == [{"reference": "Encounter/3"}]
    assert found["context"]["period"]["start"] == found["date"]
    references = {each["reference"] for each in walk(found) if isinstance(each, dict) and "reference" in each}
    assert references == {"Patient/1", "Practitioner/7", "Encounter/3"}, "nothing of the bundle"


def test_without_a_person_the_document_has_no_author_and_never_a_device():
    found = document(subject="Patient/1")
    assert "author" not in found
    assert "encounter" not in found["context"]
    assert "Device" not in str(found)
    assert "bcma-decide 0.0.0" in found["description"]


@for_each(
    "named",
    [{"author": "Device/1"}, {"author": "Patient/1"}, {"author": "Practitioner"}, {"author": "Practitioner/a b"},
     {"author": "https://ehr.example/Practitioner/1"}, {"encounter": "Patient/1"}, {"encounter": "x"}],
)  # fmt: skip
def test_what_is_no_reference_to_a_person_or_a_visit_is_refused(named):
    with pytest.raises(ValueError, match="is not a reference such as"):
        document(**named)


def test_every_resource_is_told_in_words_that_are_well_formed_and_hold_its_numbers():
    comparison = compare(Patient(age=70), pooled=MODEL)
    bundle = fhir_bundle(comparison, MODEL.codes, recorded=RECORDED, pdf=b"%PDF-1.7\n", **NAMED)
    for resource in (each["resource"] for each in bundle["entry"]):
        assert resource["text"]["status"] == "generated"
        div = ElementTree.fromstring(resource["text"]["div"])
        assert div.tag == f"{XHTML}div"
        assert {each.tag for each in div.iter()} <= {f"{XHTML}{name}" for name in ("div", "p", "b")}
        text = " ".join(div.itertext())
        assert text.strip()
        for prediction in resource.get("prediction", ()):
            assert prediction["rationale"] in text
        for note in resource.get("note", ()):
            assert note["text"] in text


def test_signs_of_markup_stay_text():
    from bcma_decide.fhir.writing.narrative import narrated

    div = narrated({"resourceType": "Device", "id": "1"}, "<b>&", ['a < b & "c" <script>x</script>', ""])["text"]["div"]
    assert "<script" not in div
    assert " ".join(ElementTree.fromstring(div).itertext()) == '<b>& a < b & "c" <script>x</script>'


# StructureDefinitions


def used(bundle):
    """Addresses of the extensions that stand in a bundle, each with the types of its values and the parts inside."""
    found = {}
    for value in walk(bundle):
        for each in value.get("extension", ()) if isinstance(value, dict) else ():
            if each["url"].startswith("urn:"):
                values = {name.removeprefix("value") for name in each if name.startswith("value")}
                inside = {part["url"]: {n.removeprefix("value") for n in part if n.startswith("value")}
                          for part in each.get("extension", ())}  # fmt: skip
                found.setdefault(each["url"], []).append((values, inside))
    return found


def test_every_extension_that_is_written_has_its_definition_and_keeps_to_it():
    own = {each.url: each for each in EXTENSIONS}
    declared = {
        value for value in vars(parts).values() if isinstance(value, str) and value.startswith(f"{parts.BASE}:fhir:")
    }
    assert set(own) == declared
    bundles = [written(), fhir_bundle(compare(Patient(), pooled=MODEL), MODEL.codes, recorded=RECORDED)]
    seen = set()
    for bundle in bundles:
        for url, uses in used(bundle).items():
            seen.add(url)
            for values, inside in uses:
                kinds = {each.name: {each.type[:1].upper() + each.type[1:]} for each in own[url].parts}
                assert inside == kinds
                kind = own[url].type
                assert values == ({kind[:1].upper() + kind[1:]} if kind else set())
    assert seen >= set(own) - {parts.FURTHER_PRODUCT, parts.PREDICTION_INTERVAL}


@for_each("definition", structure_definitions(), ids=[each.id for each in EXTENSIONS])
def test_a_definition_is_a_valid_extension_of_r4(definition):
    """Held against an independent model, and against what the standard asks of snapshot and differential."""
    StructureDefinition.model_validate(definition)
    assert (definition["type"], definition["derivation"], definition["kind"]) == (
        "Extension",
        "constraint",
        "complex-type",
    )
    assert re.fullmatch(r"[A-Z][A-Za-z0-9_]{0,254}", definition["name"]), "sdf-0"
    for part in ("snapshot", "differential"):
        elements = definition[part]["element"]
        assert elements[0]["path"] == "Extension", "sdf-8"
        assert len({each["id"] for each in elements}) == len(elements), "sdf-9, ids are unique"
        assert all(each["path"].startswith("Extension") for each in elements)
        assert {each["fixedUri"] for each in elements if each["path"] == "Extension.url"} == {definition["url"]}
        for each in elements:  # the id is the path with the names of slices (sdf-16)
            assert re.sub(r":[^.]+", "", each["id"]) == each["path"]
    for each in definition["snapshot"]["element"]:
        assert {"min", "max", "base"} <= set(each), "sdf-3, sdf-10"
        assert each["path"] == "Extension" or each.get("type") or each["max"] == "0"
    snapshot = {each["id"] for each in definition["snapshot"]["element"]}
    assert {each["id"] for each in definition["differential"]["element"]} <= snapshot
    complex_ = any(each.get("sliceName") for each in definition["snapshot"]["element"])
    (value,) = (each for each in definition["snapshot"]["element"] if each["id"] == "Extension.value[x]")
    assert value["max"] == ("0" if complex_ else "1")


def test_the_json_is_the_same_bytes_again():
    assert bundle_json(written()) == bundle_json(written())
