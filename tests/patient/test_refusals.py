"""What is said of a value that cannot be read: where it stands, what is wrong with it, and how to mend it."""

from math import inf

import pytest

from bcma_decide.errors import ProfileError
from bcma_decide.patient.profile import Patient
from bcma_decide.patient.reading import Course, Quantity
from tests.support.cases import for_each


def problems(**values):
    with pytest.raises(ProfileError) as caught:
        Patient(**values)
    return [(problem.field, problem.message, problem.fix) for problem in caught.value.problems]


KINDS = "adc, car_t or bispecific"
COURSES = "kind:months since, separated by commas; kinds adc, car_t, bispecific"
STAGES = "1 to 3, or I to III"
YEARS = "whole number, 18 to 110 years"


@for_each(
    ("field", "value", "message", "fix"),
    [
        ("del_17p", "maybe", "'maybe' is neither yes nor no", "yes, no or unknown"),
        ("del_17p", 1, "1 is neither yes nor no", "yes, no or unknown"),
        ("iss", "IV", "'IV' is not a stage", f"{STAGES}, or unknown"),
        ("iss", True, "True is not a stage", f"{STAGES}, or unknown"),
        ("sex", "x", "'x' is none of the choices", "female or male, or unknown"),
        ("age", "old", "'old' is not a number", f"{YEARS}, or unknown"),
        ("age", 71.5, "71.5 is not a whole number", YEARS),
        ("age", "71 cm", "'71 cm' is not a whole number", YEARS),
        ("age", 17, "17 is outside 18 to 110 years", "check the value"),
        ("age", True, "True is not a number", f"{YEARS}, or unknown"),
        ("age", 10**400, "a very long number is not a finite number", f"{YEARS}, or unknown"),
        ("crp", ",1 mg/dL", "',1 mg/dL' is not a number", "number in mg/dL or mg/L, or unknown"),
        ("platelets", "1,200 /uL", "'1,200 /uL' may be 1.2 /uL or 1200 /uL", "write it without a separator"),
        ("crp", "30", "'30' has no unit; use mg/dL or mg/L", ""),
        ("crp", 30.5, "'30.5' has no unit; use mg/dL or mg/L", ""),
        ("crp", "30 furlong", "'furlong' is not a unit for it; use mg/dL or mg/L", ""),
        ("hemoglobin", "90 g/dL", "90 g/dL is outside 2 to 25 g/dL", "check the unit: g/dL, g/L or mmol/L"),
        ("hemoglobin", {"value": 9}, "a mapping here has the keys value and unit", "'10.4 g/dL'"),
        ("hemoglobin", {"value": 9, "unit": 1}, "a mapping here has the keys value and unit", "'10.4 g/dL'"),
        ("hemoglobin", {"value": "9 g", "unit": "g/dL"}, "'9 g' is not a number", "put the unit under unit"),
        ("marrow_plasma_cells", 0.6, "0.6 may be a fraction or a percentage", "write the unit, as in '60 %'"),
        ("refractory_to", 5, "5 is not a list of drugs", "names, separated by commas"),
        ("refractory_to", [5], "5 is not a drug known here", "names, separated by commas"),
        ("refractory_to", "xyzzy", "'xyzzy' is not a drug known here", "use the international name"),
        ("refractory_to", "lenalidomde", "'lenalidomde' is not a drug known here", "did you mean 'lenalidomide'?"),
        ("refractory_to", "len, ?", "'unknown' stands among drugs", "leave out what is not known"),
        (
            "refractory_to", "anti-CD38",
            "'anti-CD38' is a class, not a drug", "name the drug: daratumumab or isatuximab",
        ),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_read(field, value, message, fix):
    assert problems(**{field: value}) == [(field, message, fix)]


@for_each(
    ("value", "at", "message", "fix"),
    [
        (7, "", "7 is not a list of courses", COURSES),
        (["vaccine:3"], "[1].kind", "'vaccine' is not a kind of BCMA therapy", KINDS),
        ([{"kind": 3}], "[1].kind", "3 is not a kind of BCMA therapy", KINDS),
        ([3], "[1]", "3 is not a course", "the keys kind and months_since"),
        ([{"months_since": 3}], "[1]", "a mapping is not a course", "the keys kind and months_since"),
        ([{"kind": "adc", "dose": 3}], "[1]", "a mapping is not a course", "the keys kind and months_since"),
        (["adc:3", "adc:3 years"], "[2].months_since", "'3 years' is not a number of months", "a number"),
        (["adc:-3"], "[1].months_since", "'-3' is outside 0 to 600 months", "check the value"),
        (["adc:x"], "[1].months_since", "'x' is not a number", f"{COURSES}, or unknown"),
    ],
)
def test_a_course_that_cannot_be_read(value, at, message, fix):
    assert problems(prior_bcma_courses=value) == [(f"prior_bcma_courses{at}", message, fix)]


def test_every_course_and_every_drug_that_cannot_be_read_is_told():
    courses = problems(prior_bcma_courses=["vaccine:3", "adc:3", "adc:x"])
    assert [where for where, _, _ in courses] == ["prior_bcma_courses[1].kind", "prior_bcma_courses[3].months_since"]
    assert len(problems(refractory_to="xyzzy, len, anti-CD38")) == 2


@for_each(
    ("value", "expected"),
    [
        ("adc:3", (Course("adc", 3),)),
        ({"kind": "car_t", "months_since": 7}, (Course("car_t", 7),)),
        (Course("bispecific", 2), (Course("bispecific", 2),)),
        (Course("bispecific"), (Course("bispecific"),)),
        ([Course("adc", 1), "antibody-drug conjugate: 2 mo", "CAR T:1 month"],
         (Course("adc", 1), Course("adc", 2), Course("car_t", 1))),
        ("adc:0; adc:600\nbsab", (Course("adc", 0), Course("adc", 600), Course("bispecific"))),
        ({"kind": "Bispecific antibody"}, (Course("bispecific"),)),
        ("adc:3, ", (Course("adc", 3),)),
        ({"kind": "adc", "months_since": "unknown"}, (Course("adc"),)),
        ([], ()),
    ],
)  # fmt: skip
def test_courses_in_every_form(value, expected):
    assert Patient(prior_bcma_courses=value).prior_bcma_courses == expected


@for_each(
    ("field", "value", "expected"),
    [
        ("live_vaccine", "never", Quantity(inf, "weeks")),
        ("live_vaccine", Quantity(inf, "weeks"), Quantity(inf, "weeks")),
        ("live_vaccine", Quantity(3, "weeks"), Quantity(3, "weeks")),
        ("live_vaccine", {"value": 3, "unit": " weeks "}, Quantity(3, "weeks")),
        ("crp", {"value": "unknown", "unit": "mg/dL"}, None),
        ("crp", {"value": None, "unit": "mg/dL"}, None),
        ("crp", "+3.5 mg/dL", Quantity(3.5, "mg/dL")),
        ("crp", ".5 mg/dL", Quantity(0.5, "mg/dL")),
        ("crp", "5.mg/dL", Quantity(5, "mg/dL")),
        ("crp", "1e1 mg/dL", Quantity(10, "mg/dL")),
        ("marrow_plasma_cells", 1, Quantity(1, "%")),
        ("marrow_plasma_cells", 0, Quantity(0, "%")),
        ("neutrophils", "0.9 x 10^9/L", Quantity(0.9, "10^9/L")),
        ("neutrophils", "0.9·10^9/L", Quantity(0.9, "10^9/L")),
        ("neutrophils", "0.9*10^9/L", Quantity(0.9, "10^9/L")),
    ],
)
def test_quantities_in_every_form(field, value, expected):
    assert getattr(Patient(**{field: value}), field) == expected


@for_each(
    ("field", "low", "high"),
    [("age", 18, 110), ("ecog", 0, 4), ("hemoglobin", "2 g/dL", "25 g/dL"), ("marrow_plasma_cells", 0, 100)],
)
def test_the_ends_of_a_range_are_inside(field, low, high):
    for value in (low, high):
        assert getattr(Patient(**{field: value}), field) is not None


@for_each(
    ("quantity", "text"),
    [
        (Quantity(9.1, "g/dL"), "9.1 g/dL"),
        (Quantity(1, "weeks"), "1 week"),
        (Quantity(2, "weeks"), "2 weeks"),
        (Quantity(1, "mL/s"), "1 mL/s"),
        (Quantity(inf, "weeks"), "never"),
        (Quantity(1234567, "ng/mL"), "1.23457e+06 ng/mL"),
        (Course("adc", 3.0), "adc (3 months ago)"),
        (Course("adc", 1.5), "adc (1.5 months ago)"),
        (Course("car_t"), "car_t (time unknown)"),
    ],
)
def test_how_values_are_written(quantity, text):
    assert str(quantity) == text


def test_half_of_a_letter_is_no_text_of_a_list():
    """It would be told as a line that is not read, and no answer with it could be written down."""
    with pytest.raises(ProfileError, match="half of a letter"):
        Patient.read({"labs": "Hb 9.8 g/dL\nx \ud83e"})
