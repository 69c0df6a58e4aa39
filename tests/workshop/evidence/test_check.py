"""Every rule of the evidence check, with an example that breaks it."""

from __future__ import annotations

import pytest

from bcma_decide.workshop.evidence.catalogue import evidence_hash, load_catalogue, read_catalogue
from bcma_decide.workshop.evidence.check import check
from tests.workshop.evidence.support.factory import evidence_directory, plain_study, row, split


def test_the_real_evidence_is_sound():
    assert check() == ()


def problems_of(tmp_path, *studies):
    return {(p.file, p.field): p.message for p in check(evidence_directory(tmp_path, *studies))}


def test_a_small_study_is_sound(tmp_path):
    assert problems_of(tmp_path, plain_study()) == {}


EFFECT = {
    "outcome": "pfs",
    "trait": "age",
    "contrast": "x",
    "measure": "HR",
    "value": 2.0,
    "basis": "verified",
    "source": "S1",
}
ONE_BROKEN_FIELD = {
    "more events than patients": (
        {"outcomes": [row(events=51, n=50)]},
        "outcomes[0].events",
        "51 events among 50 patients",
    ),
    "more than everybody in the baseline table": (
        {"population": {"frail": {"n": 9, "of": 8, "basis": "verified", "source": "S1"}}},
        "population.frail.n",
        "9 among 8 patients",
    ),
    "percentage of another count": (
        {"outcomes": [row(events=30, n=50, pct=61)]},
        "outcomes[0].pct",
        "61 printed, but 30/50 is 60.00 percent",
    ),
    "percentage off in its last printed place": (
        {"outcomes": [row(events=46, n=63, pct=73.1)]},
        "outcomes[0].pct",
        "73.1 printed, but 46/63 is 73.02 percent",
    ),
    "derived count more than half a patient away": (
        {"outcomes": [row(events=31, n=50, pct=60, events_derived=True)]},
        "outcomes[0].pct",
        "60 printed, but 31/50 is 62.00 percent",
    ),
    "marked inconsistent without being it": (
        {"outcomes": [row(pct=60, inconsistent="why")]},
        "outcomes[0].inconsistent",
        "the figures do agree",
    ),
    "baseline percentage of another count": (
        {"population": {"frail": {"n": 4, "of": 8, "pct": 40, "basis": "verified", "source": "S1"}}},
        "population.frail.pct",
        "40 printed, but 4/8 differs",
    ),
    "interval beside its estimate": (
        {"outcomes": [row(pct=60, ci95=[61, 70])]},
        "outcomes[0].ci95",
        "does not contain 60",
    ),
    "interval of an effect beside it": (
        {"effects": [EFFECT | {"ci95": [2.5, 3.0]}]},
        "effects[0].ci95",
        "does not contain 2",
    ),
    "interval upside down": (
        {"outcomes": [row(ci95=[70, 50])]},
        "outcomes[0].ci95",
        "runs from 70 down to 50",
    ),
    "source that is not there": (
        {"outcomes": [row(source="S9")]},
        "outcomes[0].source",
        "S9 is not among the sources",
    ),
    "verified without a source": (
        {"outcomes": [row(source=None)]},
        "outcomes[0].source",
        "a verified figure needs a source",
    ),
    "verified from background knowledge": (
        {"outcomes": [row(source="SR")], "sources": {"SR": {"citation": "known", "traceable": False}}},
        "outcomes[0].basis",
        "SR is background knowledge, so the basis is recalled",
    ),
    "source that cannot be looked up": (
        {"sources": {"S1": {"citation": "A paper"}}},
        "sources.S1",
        "has no url, doi or pmid",
    ),
    "overlap with itself": (
        {"overlaps_with": ["alpha"]},
        "overlaps_with[0]",
        "a study does not overlap with itself",
    ),
    "overlap with nobody": (
        {"overlaps_with": ["omega"]},
        "overlaps_with[0]",
        "there is no study omega",
    ),
    "basis of a count that is not given": (
        {"outcomes": [row(events=None, pct=60, events_basis="derived")]},
        "outcomes[0].events_basis",
        "there are no events",
    ),
    "two primary rows": (
        {"outcomes": [row(), row(events=31)]},
        "outcomes",
        "2 primary rows of orr",
    ),
    "two primary splits": (
        {"splits": [split("race", "Black", 1, 2), split("race", "Black", 1, 3)]},
        "splits",
        "2 primary splits of orr by race, Black",
    ),
    "yes-or-no trait without a side": (
        {"splits": [split("extramedullary_disease", "maybe", 1, 2)]},
        "splits[0].group",
        "'maybe' is neither present nor absent",
    ),
    "yes-or-no trait with bounds": (
        {"splits": [split("frail", "frail", 1, 2, group="present", at_least=2)]},
        "splits[0].at_least",
        "frail is not numeric",
    ),
    "numeric trait without bounds": (
        {"splits": [split("age", "old", 1, 2)]},
        "splits[0].level",
        "age needs bounds",
    ),
    "numeric trait with a side": (
        {"splits": [split("age", "old", 1, 2, group="present", at_least=70)]},
        "splits[0].group",
        "age is numeric",
    ),
    "empty range of a numeric trait": (
        {"splits": [split("age", "65-65", 1, 2, at_least=65, below=65)]},
        "splits[0].below",
        "65 is not above 65",
    ),
    "stricter threshold with more events": (
        {"outcomes": [row(), row("cr_or_better", 31, 50)]},
        "outcomes[1].events",
        "31 of cr_or_better, but 30 of orr",
    ),
    "arm that is not there": (
        {"outcomes": [row(arm="b")]},
        "outcomes[0].arm",
        "b is not among the arms",
    ),
    "reference of an effect that is no trait of the model": (
        {"effects": [EFFECT | {"reference": "absent"}]},
        "effects[0].reference",
        "age is no yes-or-no trait of the model",
    ),
    "label that is pooled": (
        {"record_type": "label", "design": "label"},
        "pooling.role",
        "whole_group, but such a record is never pooled",
    ),
    "label with the design of a study": (
        {"record_type": "label", "pooling": {"role": "context", "reason": "label"}},
        "design",
        "record_type label with design interventional",
    ),
    "mixed targets that are pooled": (
        {"mixed_targets": True},
        "pooling.role",
        "whole_group, but its targets are mixed",
    ),
    "role without a reason": (
        {"pooling": {"role": "context"}},
        "pooling.reason",
        "context needs a reason",
    ),
    "no product": ({"products": []}, "products", "is empty"),
    "unknown outcome": (
        {"outcomes": [row("crs_anny")]},
        "outcomes[0].outcome",
        "crs_anny is not one of the outcomes",
    ),
    "unknown product": (
        {"products": ["teclistamap"]},
        "products[0]",
        "teclistamap is not one of the products",
    ),
    "unknown region": ({"region": "mars"}, "region", "mars is not one of the regions"),
    "unknown baseline figure": (
        {"population": {"age_medium": {"value": 60, "basis": "verified", "source": "S1"}}},
        "population.age_medium",
        "age_medium is not one of the population",
    ),
    "unknown endpoint": (
        {"time_to_event": [{"endpoint": "pfss", "population": "all", "basis": "verified", "source": "S1"}]},
        "time_to_event[0].endpoint",
        "pfss is not one of the endpoints",
    ),
    "unknown outcome of an effect": (
        {"effects": [EFFECT | {"outcome": "ofs"}]},
        "effects[0].outcome",
        "ofs is not one of the outcomes or endpoints",
    ),
    # the schema
    "unknown field": ({"colour": "red"}, "colour", "is not a known field"),
    "figure without a basis": (
        {"outcomes": [{"outcome": "orr", "primary": True}]},
        "outcomes[0].basis",
        "is missing",
    ),
    "number as text": (
        {"outcomes": [row(events="30")]},
        "outcomes[0].events",
        "Input should be a valid integer",
    ),
    "negative count": (
        {"outcomes": [row(events=-1)]},
        "outcomes[0].events",
        "Input should be greater than or equal to 0",
    ),
}


@pytest.mark.parametrize(("fields", "field", "message"), ONE_BROKEN_FIELD.values(), ids=ONE_BROKEN_FIELD)
def test_a_broken_field_is_named_with_its_file(tmp_path, fields, field, message):
    assert {("studies/alpha.yaml", field): message} == problems_of(tmp_path, plain_study(**fields))


def test_an_overlap_has_to_be_named_by_both(tmp_path):
    beta = plain_study("beta", overlaps_with=["alpha"])
    found = problems_of(tmp_path, plain_study("alpha"), beta)
    assert found == {("studies/beta.yaml", "overlaps_with[0]"): "alpha does not name beta in turn"}


def test_the_fix_suggests_the_nearest_word(tmp_path):
    (problem,) = check(evidence_directory(tmp_path, plain_study(products=["teclistamap"])))
    assert problem.fix == "did you mean teclistamab?"


def test_a_study_is_called_like_its_file(tmp_path):
    root = evidence_directory(tmp_path, plain_study())
    (root / "studies" / "alpha.yaml").rename(root / "studies" / "beta.yaml")
    (problem,) = check(root)
    assert (problem.file, problem.field, problem.message) == ("studies/beta.yaml", "id", "is alpha")


def test_duplicate_keys_are_found_with_their_line(tmp_path):
    root = evidence_directory(tmp_path, plain_study())
    path = root / "studies" / "alpha.yaml"
    path.write_text("id: alpha\n" + path.read_text())
    (problem,) = check(root)
    assert (problem.file, problem.field) == ("studies/alpha.yaml", "line 2")


def test_schema_problems_of_all_files_are_listed_at_once(tmp_path):
    root = evidence_directory(tmp_path, plain_study(colour="red"), plain_study("beta", phase=2))
    (root / "vocabulary.yaml").write_text("outcomes: {}")
    files = {problem.file for problem in check(root)}
    assert {"studies/alpha.yaml", "studies/beta.yaml", "vocabulary.yaml"} == files


def test_a_missing_file_is_a_problem(tmp_path):
    root = evidence_directory(tmp_path, plain_study())
    (root / "source_meta_analysis.yaml").unlink()
    (problem,) = check(root)
    assert problem.file == "source_meta_analysis.yaml"


def edited(tmp_path, name, old, new):
    root = evidence_directory(tmp_path, plain_study())
    path = root / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return [(problem.file, problem.field, problem.message) for problem in check(root)]


def test_review_files_are_checked_too(tmp_path):
    found = edited(
        tmp_path, "adjusted_effects.yaml", "{id: te001, traits: [extramedullary_disease]", "{id: te002, traits: [emd]"
    )
    assert ("adjusted_effects.yaml", "effects[0].traits", "emd is not one of the traits") in found
    assert ("adjusted_effects.yaml", "effects", "2 rows are called te002") in found


def test_sources_of_review_files_resolve(tmp_path):
    found = edited(tmp_path, "source_meta_analysis.yaml", "source: S1", "source: S7")
    assert [message for _, _, message in found] == ["S7 is not among the sources"]


def test_the_words_of_the_program_stand_in_the_vocabulary(tmp_path):
    found = edited(tmp_path, "vocabulary.yaml", "  icans_g3plus: ICANS, grade 3 or higher\n", "")
    assert ("vocabulary.yaml", "outcomes.icans_g3plus", "is used by the program but missing") in found


def test_the_hash_follows_the_content_and_not_the_pooled_file(tmp_path):
    root = evidence_directory(tmp_path, plain_study())
    before = evidence_hash(root)
    (root / "pooled.json").write_text("{}")
    assert before == evidence_hash(root)
    path = root / "studies" / "alpha.yaml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert before == evidence_hash(root)
    path.write_text(path.read_text() + "notes: changed\n")
    assert before != evidence_hash(root)


def test_a_catalogue_is_read_whole_or_not_at_all(tmp_path):
    catalogue, problems = read_catalogue(evidence_directory(tmp_path, plain_study(colour="red")))
    assert catalogue is None
    assert len(problems) == 1


def test_the_real_evidence_keeps_its_figures():
    """Counts of figures by basis: a study may be added, a figure is not lost unnoticed."""
    from bcma_decide.workshop.evidence.views import basis_counts

    studies = load_catalogue().studies
    total = {basis: sum(basis_counts(s)[basis] for s in studies) for basis in ("verified", "derived", "recalled")}
    assert len(studies) >= 156
    assert total["verified"] >= 1736
    assert total["derived"] >= 224
