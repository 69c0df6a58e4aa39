"""What a profile accepts, keeps and refuses."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.errors import ProfileError
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.profile import Patient
from bcma_decide.patient.reading import Course, Quantity
from bcma_decide.pooled.definitions import shipped_definitions
from tests.support.cases import for_each


def problems(**values):
    with pytest.raises(ProfileError) as caught:
        Patient(**values)
    return [str(problem) for problem in caught.value.problems]


def test_the_table_of_fields_and_the_model_agree():
    assert list(Patient.__annotations__) == [*FIELDS, "between", "read_as"]


@for_each("unknown", [None, "unknown", "?", "", " Unknown "])
def test_unknown_is_a_value_of_every_field(unknown):
    assert Patient() == Patient(**dict.fromkeys(FIELDS, unknown))


@for_each("word", [True, "yes", "Y", "true", "present", "POSITIVE"])
def test_words_for_yes(word):
    assert Patient(del_17p=word).del_17p is True


@for_each("word", [False, "no", "n", "False", "absent", "negative"])
def test_words_for_no(word):
    assert Patient(del_17p=word).del_17p is False


@for_each("age", [71, "71", " 71 ", 71.0, "71 years", "071"])
def test_clean_numerals_are_numbers(age):
    assert Patient(age=age).age == 71


@for_each("age", [True, "seventy", 71.5, "7e400", float("nan"), float("inf"), 17, 111, "71 cm",
                                 "-71", "७१", [71], {"years": 71}, 10**400, "1,1"])  # fmt: skip
def test_what_is_no_age(age):
    (problem,) = problems(age=age)
    assert problem.startswith("age: ")


@pytest.mark.parametrize(("written", "stage"), [("III", 3), ("ii", 2), (1, 1), ("3", 3)])
def test_stages(written, stage):
    assert Patient(iss=written).iss == stage


@for_each("written", ["IV", 0, True, 2.0, "1.5", []])
def test_what_is_no_stage(written):
    assert problems(r_iss=written)[0].startswith("r_iss: ")


@for_each(
    ("field", "written", "kept"),
    [
        ("ferritin", "850 ng/mL", 850),
        ("ferritin", "850 µg/L", 850),
        ("ferritin", {"value": 850, "unit": "ng/mL"}, 850),
        ("ferritin", {"value": "850", "unit": "UG/L"}, 850),
        ("crp", "3.1 mg/dL", 3.1),
        ("crp", "30 mg/L", 3.0),
        ("neutrophils", "0.9 10^9/L", 0.9),
        ("neutrophils", "900 /uL", 0.9),
        ("neutrophils", "1200 cells/µL", 1.2),
        ("neutrophils", "0.9x10^9/L", 0.9),
        ("neutrophils", "0.9 × 10⁹/L", 0.9),
        ("neutrophils", "0.9 G/L", 0.9),
        ("neutrophils", "0.9 K/uL", 0.9),
        ("hemoglobin", "90 g/L", 9.0),
        ("platelets", "75000 /mm3", 75),
        ("creatinine_clearance", 38, 38),
        ("creatinine_clearance", "0.75 mL/s", 45),
        ("marrow_plasma_cells", "60", 60),
        ("marrow_plasma_cells", "0.5 %", 0.5),
    ],
)
def test_quantities_are_kept_in_one_unit_exactly_at_a_cut_off(field, written, kept):
    value = getattr(Patient(**{field: written}), field)
    assert value == Quantity(kept, FIELDS[field].unit)


@for_each(
    ("field", "written", "message"),
    [
        ("ferritin", "850", "ferritin: '850' has no unit; use ng/mL or ug/L"),
        ("ferritin", 850, "ferritin: '850' has no unit; use ng/mL or ug/L"),
        ("ferritin", "850 g/dL", "ferritin: 'g/dL' is not a unit for it; use ng/mL or ug/L"),
        ("hemoglobin", "6 mmol", "hemoglobin: 'mmol' is not a unit for it; use g/dL, g/L or mmol/L"),
        ("hemoglobin", "90 g/dL", "90 g/dL is outside 2 to 25 g/dL (check the unit: g/dL, g/L or mmol/L)"),
        ("platelets", "1,200 /uL", "may be 1.2 /uL or 1200 /uL (write it without a separator)"),
        ("platelets", "-5 10^9/L", "is outside"),
        ("platelets", "nan 10^9/L", "is not a number"),
        ("platelets", "1e999 10^9/L", "is not a finite number"),
        ("platelets", {"value": float("inf"), "unit": "10^9/L"}, "is not a finite number"),
        ("platelets", {"value": 5}, "keys value and unit"),
        ("platelets", {"value": "5 g", "unit": "10^9/L"}, "is not a number"),
        ("platelets", True, "is not a number"),
        ("platelets", "5 " + "9**9**9" * 9, "is not a unit for it"),
        ("marrow_plasma_cells", 0.6, "may be a fraction or a percentage"),
        ("creatinine_clearance", "38 mL/min/1.73m2", "is not a unit for it; use mL/min or mL/s"),
    ],
)
def test_a_quantity_that_cannot_be_read_names_the_accepted_units(field, written, message):
    (problem,) = problems(**{field: written})
    assert message in problem


def test_drugs_by_any_name_in_one_order():
    patient = Patient(refractory_to="Darzalex; revlimid, VELCADE", exposed_to=["ide-cel", "Ide Cel"])
    assert patient.refractory_to == ("bortezomib", "lenalidomide", "daratumumab")
    assert patient.exposed_to == ("idecabtagene vicleucel",)


def test_a_class_is_not_a_drug():
    assert problems(refractory_to=["anti-CD38"]) == [
        "refractory_to: 'anti-CD38' is a class, not a drug (name the drug: daratumumab or isatuximab)"
    ]


def test_a_misspelt_drug():
    assert problems(naive_to="lenalidomde")[0].endswith("(did you mean 'lenalidomide'?)")


@for_each("value", [5, False, {"drug": "len"}, [5], [["len"]], ["unknown"]])
def test_what_is_no_list_of_drugs(value):
    assert problems(exposed_to=value)[0].startswith("exposed_to: ")


def test_courses_as_text_and_as_mapping():
    expected = (Course("car_t", 7), Course("adc"), Course("bispecific", 1.5))
    assert expected == Patient(prior_bcma_courses="CAR-T:7, adc:?, bispecific:1.5").prior_bcma_courses
    rows = [{"kind": "cart", "months_since": "7 months"}, {"kind": "ADC"}, "BsAb:1.5"]
    assert expected == Patient(prior_bcma_courses=rows).prior_bcma_courses


@for_each(
    ("value", "message"),
    [
        ("vaccine:3", "prior_bcma_courses[1].kind: 'vaccine' is not a kind"),
        (["adc:3", "car_t:x"], "prior_bcma_courses[2].months_since: 'x' is not a number"),
        (["adc:-3"], "prior_bcma_courses[1].months_since: '-3' is outside 0 to 600 months"),
        (["adc:3 years"], "is not a number of months"),
        ([{"months_since": 3}], "prior_bcma_courses[1]: a mapping is not a course"),
        (7, "prior_bcma_courses: 7 is not a list of courses"),
    ],
)
def test_what_is_no_course(value, message):
    assert message in problems(prior_bcma_courses=value)[0]


def test_an_unknown_field_is_named_with_the_nearest_one():
    found = problems(cytogenetics_high_risk="yes", agee=71, **{"\x1b[31m": 1})
    assert "agee: is not a field of the profile (did you mean 'age'?)" in found
    assert not any("\x1b" in problem for problem in found)


def test_all_problems_are_raised_together():
    assert len(problems(age=5, ferritin="850", refractory_to=["PI", "IMiD"], x=1)) == 5


def test_a_profile_does_not_change():
    with pytest.raises(Exception, match="frozen"):
        Patient(age=71).age = 72


def test_a_copy_without_a_change_is_the_same():
    patient = Patient(age=71, lines=">=4", ferritin="850 ug/L")
    assert patient.model_copy() == patient
    assert patient.model_copy(update={"age": 50}) == Patient(age=50, lines=">=4", ferritin="850 ug/L")


def test_the_drug_names_can_come_from_other_definitions():
    plain = shipped_definitions().to_dict()
    plain["drugs"].append({"id": "newmab", "drug_class": "anti_cd38"})
    definitions = type(shipped_definitions()).from_dict(plain)
    assert Patient.read({"naive_to": "newmab"}, definitions).naive_to == ("newmab",)


@given(st.dictionaries(st.sampled_from(list(FIELDS)), st.none() | st.booleans() | st.integers() | st.floats()
                       | st.text() | st.lists(st.text(), max_size=3)
                       | st.dictionaries(st.sampled_from(["value", "unit", "kind"]), st.text())))  # fmt: skip
def test_anything_is_read_or_refused_with_a_short_line_per_problem(values):
    try:
        patient, found = Patient(**values), ()
    except ProfileError as error:
        patient, found = Patient(), error.problems
        assert found
    assert patient == Patient(**patient.model_dump())
    assert patient == Patient.model_validate_json(patient.model_dump_json())
    for problem in found:
        assert problem.field.split("[")[0] in values
        assert len(str(problem)) < 400
        assert str(problem).isprintable()


def test_no_unit_library_is_needed_for_another_unit():
    code = (
        "import sys; from bcma_decide.patient.profile import Patient;"
        "Patient(ferritin='850 ug/L', weight='154 lb'); assert 'pint' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
