"""Which column of a table is which field, and what a mapping file may say."""

import pytest

from bcma_decide.cohort.question import CohortQuestion, Column, choose_columns, read_mapping, units_left_out
from bcma_decide.errors import ProfileError


def problems(caught):
    return [(each.field, each.message) for each in caught.value.problems]


def test_headings_are_fields_other_names_of_them_and_units():
    columns, carried = choose_columns(["Id", "age", "emd", "Creatinine [mg/dL]", "hb [g/L]", "labs"])
    assert carried == ("Id",)
    assert columns == (
        Column("age", "age"),
        Column("emd", "extramedullary_disease"),
        Column("Creatinine [mg/dL]", "creatinine", "mg/dL"),
        Column("hb [g/L]", "hemoglobin", "g/L"),
        Column("labs", "labs"),
    )


def test_a_column_may_be_passed_through_and_be_a_field():
    columns, carried = choose_columns(["patient", "age", "centre"], id="patient", carry=["centre", "age"])
    assert (columns, carried) == ((Column("age", "age"),), ("patient", "centre", "age"))


def test_everything_that_is_wrong_is_said_at_once():
    with pytest.raises(ProfileError) as caught:
        choose_columns(["age", "age", "creatinin", "emd [mg/dL]", "ferritin [U/L]", "alter"], carry=["centre"])
    assert problems(caught) == [
        ("age", "stands there twice"),
        ("centre", "is no column of the table"),
        ("id", "no column names the patients"),
        ("creatinin", "is not a field of the profile"),
        ("age", "is age, which age is too"),
        ("emd [mg/dL]", "Extramedullary disease takes no unit"),
        ("ferritin [U/L]", "'U/L' is not a unit of Ferritin"),
        ("alter", "is age, which age is too"),
    ]
    assert "did you mean 'creatinine'?" in str(caught.value)


def test_other_columns_are_left_aside_only_when_asked():
    with pytest.raises(ProfileError, match="shoe_size"):
        choose_columns(["id", "age", "shoe_size"])
    assert choose_columns(["id", "age", "shoe_size"], others=True) == ((Column("age", "age"),), ("id",))


def test_numbers_of_a_number_type_need_their_unit():
    columns, carried = choose_columns(["id", "ferritin", "age", "ldh", "albumin [g/L]"])
    asked = CohortQuestion(columns, carried)
    (problem,) = units_left_out(asked, ["ferritin", "age", "ldh", "albumin [g/L]"])
    assert (problem.field, problem.fix) == ("ferritin", "name it ferritin [ng/mL]; ng/mL or ug/L")


def test_a_mapping_says_fields_units_words_and_what_is_left_aside(tmp_path):
    file = tmp_path / "columns.yaml"
    file.write_text(
        "id: nr\ncarry: [centre]\nignore: remarks\ncolumns:\n  hb_value: {field: hb, unit: g/dL}\n"
        "  emd_now: {field: extramedullary_disease, values: {1: yes, 2: no, 9: unknown}}\n  sex_code: sex\n"
    )
    mapped = read_mapping(file)
    columns, carried = choose_columns(["nr", "centre", "hb_value", "emd_now", "sex_code", "remarks", "age"], mapped)
    assert carried == ("nr", "centre")
    assert columns == (
        Column("hb_value", "hemoglobin", "g/dL"),
        Column("emd_now", "extramedullary_disease", "", (("1", "yes"), ("2", "no"), ("9", "unknown"))),
        Column("sex_code", "sex"),
        Column("age", "age"),
    )


def test_a_mapping_that_cannot_be_used_names_every_entry(tmp_path):
    file = tmp_path / "columns.yaml"
    file.write_text(
        "identity: x\ncarry: 7\nid: [a]\ncolumns:\n  a: {unit: g}\n  b: hemoglobine\n  c: {field: crp, unit: 5}\n"
        "  d: {field: sex, values: [1]}\n"
    )
    with pytest.raises(ProfileError) as caught:
        read_mapping(file)
    assert [field for field, _ in problems(caught)] == [
        "identity", "columns.a", "columns.b.field", "columns.c.unit", "columns.d.values", "id", "carry",
    ]  # fmt: skip
    assert {each.file for each in caught.value.problems} == {str(file)}
    file.write_text("- a\n")
    with pytest.raises(ProfileError, match="is not a mapping"):
        read_mapping(file)
    file.write_text("columns: {shoe: age}\n")
    with pytest.raises(ProfileError, match="is no column"):
        choose_columns(["id", "age"], read_mapping(file))
