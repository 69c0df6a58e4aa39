"""The files of codes: their shape, their sources, and what the check says of slips."""

import shutil

import pytest

from bcma_decide.comparing.compare import load_pooled
from bcma_decide.errors import EvidenceError
from bcma_decide.pooled.codes import Codes, Coding, normal
from bcma_decide.pooled.location import evidence_directory
from bcma_decide.workshop.evidence.codes import load_codes
from bcma_decide.workshop.evidence.definitions import load_definitions
from tests.support.cases import for_each

ROOT = evidence_directory()


@pytest.fixture(scope="module")
def definitions():
    return load_definitions(ROOT)


def problems(tmp_path, definitions, file, old, new):
    """What the check says after one change in one file."""
    shutil.copytree(ROOT / "codes", tmp_path / "codes")
    path = tmp_path / "codes" / f"{file}.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(EvidenceError) as error:
        load_codes(tmp_path, definitions)
    return [str(problem) for problem in error.value.problems]


def test_the_shipped_files_are_sound(definitions):
    assert load_codes(ROOT, definitions).diagnoses.diagnoses[0].means == "myeloma"


def test_the_pooled_file_carries_them(definitions):
    assert load_pooled().codes == Codes.from_dict(load_codes(ROOT, definitions).bedside())


VERIFIED = {
    ("loinc", "718-7"): "hemoglobin",
    ("loinc", "2276-4"): "ferritin",
    ("loinc", "89247-1"): "ecog",
    ("ncit", "C139007"): "iss",
    ("ncit", "C141392"): "r_iss",
    ("loinc", "2465-3"): "igg",
}
"""Copied by hand from the guides."""


@for_each(("coding", "field"), VERIFIED.items())
def test_codes_mean_what_the_guides_say(coding, field):
    row, code = load_pooled().codes.observation_of[Coding(*coding)]
    assert (row.field, code.basis) == (field, "verified")


@pytest.mark.parametrize("code", ["30522-7", "16933-4"])
def test_what_was_never_seen_is_marked_recalled(code):
    assert not load_pooled().codes.observation_of[Coding("loinc", code)][1].usable


@pytest.mark.parametrize("code", ["33944-8", "33945-5", "26098-4", "21908-9-riss"])
def test_invented_codes_are_in_no_file(code):
    assert not any(code in path.read_text(encoding="utf-8") for path in (ROOT / "codes").glob("*.yaml"))


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("observations", "code: 718-7,", "code: 777-3,", "stands 2 times"),
        ("observations", "field: hemoglobin", "field: haemoglobin", "haemoglobin: is no field of the profile"),
        ("observations", "field: hbsag\n    measure: answer", "field: hbsag\n    measure: value", "that value fits"),
        ("observations", "basis: verified, source: cibmtr}", "basis: verified}", "a recalled code has no source"),
        ("observations", "basis: recalled}", "basis: recalled, source: mii}", "a recalled code has no source"),
        ("observations", "source: mii}", "source: nobody}", "source 'nobody' is not listed"),
        ("observations", "max_age_days: 14", "max_age_days: 0", "greater than or equal to 1"),
        ("observations", '    reason: "Blood counts', '    resaon: "Blood counts', "is not a known field"),
        ("observations", "system: loinc, code: 718-7", "system: lonic, code: 718-7", "system 'lonic' is not listed"),
        ("cytogenetics", "field: del_17p, copies_below", "field: ferritin, copies_below", "not a yes-or-no field"),
        ("diagnoses", "means: plasma_cell_leukemia", "means: leukemia", "neither a yes-or-no field"),
        ("diagnoses", "value: stage 3a", "value: stage 7", "'stage 7' names no stage"),
        ("agreement", "accepts: [blood, creatinine]", "accepts: [blod, creatinine]", "'blod' is no member of a set"),
        (
            "agreement",
            "  - {field: ferritin, accepts: [blood, ferritin]}\n",
            "",
            "has codes and no row of what it accepts",
        ),
        ("agreement", "[ferritin]}", "[ferritin, crp]}", "'crp' stands there twice"),
        ("agreement", "{field: platelets, at_least: 1", "{field: platelet, at_least: 1", "is no field of the profile"),
        ("agreement", "needs: [clearance]", "needs: [mdrd]", "needs 'mdrd', which it does not accept"),
        ("drugs", "{drug: bortezomib,", "{drug: bortezomibe,", "bortezomibe: is not a drug of definitions.yaml"),
        ("drugs", "layer: ingredient", "layer: substance", "Input should be"),
        ("drugs", "{era_gap_days}", "{era_gap}", "cannot be filled in"),
        (
            "procedures",
            "  - drug: teclistamab\n",
            "  - drug: teclistamab\n    field: hiv\n",
            "is one of a drug, a field, a transplantation, or no dose",
        ),
        (
            "systems",
            "  mcode:",
            "  extra: {citation: Not cited, traceable: false}\n  mcode:",
            "sources.extra: is not cited",
        ),
        ("drug_words", "routes: [push,", "routes: [push, planned,", "is listed as a word of a drug and as one of"),
        ("drug_words", "routes: [push,", "routes: [push, S.C.,", "has capitals, or a dot or hyphen"),
        ("drug_words", "shapes: ['q", "shapes: ['(', 'q", "is no pattern"),
        ("drug_words", "  teclistamab: [cqyv]", "  teclistamob: [cqyv]", "is not a drug of definitions.yaml"),
        ("procedures", "    category: true", "    drug: teclistamab", "is one of a drug, a field"),
        ("systems", '"http://snomed.info/sct"', '"http://loinc.org"', "names two systems"),
        ("systems", ', url: "https://github.com/HL7/fhir-mCODE-ig"', "", "has no url, doi or pmid"),
    ],
)
def test_every_slip_is_found_with_its_place(tmp_path, definitions, file, old, new, message):
    found = problems(tmp_path, definitions, file, old, new)
    assert any(message in line for line in found), found
    assert all(line.startswith("codes/") for line in found)


def test_a_missing_file_is_named(tmp_path, definitions):
    with pytest.raises(EvidenceError, match=r"codes/systems\.yaml"):
        load_codes(tmp_path, definitions)


def test_the_evidence_check_reads_them(tmp_path):
    from bcma_decide.workshop.evidence.check import check

    shutil.copytree(ROOT, tmp_path / "evidence")
    path = tmp_path / "evidence" / "codes" / "drugs.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("{drug: bortezomib,", "{drug: x-ray,"), encoding="utf-8")
    assert "codes/drugs.yaml: x-ray: is not a drug of definitions.yaml" in [
        str(each) for each in check(tmp_path / "evidence")
    ]


@for_each(
    ("code", "kept"),
    [("57894-449-01", "57894-449"), ("57894044901", "57894-449"), ("0173-0913", "173-913"),
     ("00173-0913-01", "173-913"), ("1-2", "1-2"), ("not a code", "not a code")],
)  # fmt: skip
def test_forms_of_an_ndc_are_one(code, kept):
    assert normal(Coding("ndc", code)) == Coding("ndc", kept)
