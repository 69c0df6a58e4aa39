"""Units: what is kept of a laboratory value, what is refused, and that the unit never changes an answer."""

from decimal import Decimal
from math import inf

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide import Patient, ProfileError, compare
from bcma_decide.patient.conversion import factor_between
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.quantities import converted_quantity
from tests.patient.support.drawn import WRITTEN
from tests.support.cases import for_each
from tests.support.examples import examples

QUANTITIES = [field for field in FIELDS.values() if field.kind == "quantity"]
BARE = [field.id for field in QUANTITIES if field.unit_optional]


def problem(**values):
    with pytest.raises(ProfileError) as caught:
        Patient(**values)
    (only,) = caught.value.problems
    return str(only)


# What a value is in another unit. Creatinine 88.4, albumin 10 and IgG 100: the conversion tables of w3.csmu.edu.tw and
# labtests.co.in; CRP, ferritin and cells per uL: the CAR-HEMATOTOX specification of the look-up; the pound is
# 0.45359237 kg by its international definition, a month a twelfth of a year of 365.25 days.
PAIRS = [
    ("crp", "64 mg/L", "6.4 mg/dL"),
    ("crp", "30 mg/L", "3 mg/dL"),
    ("neutrophils", "1200 /uL", "1.2 10^9/L"),
    ("neutrophils", "1200 cells/uL", "1.2 10^9/L"),
    ("neutrophils", "1.2 10^3/uL", "1.2 10^9/L"),
    ("neutrophils", "1.2 K/uL", "1.2 10^9/L"),
    ("platelets", "71000 /uL", "71 10^9/L"),
    ("platelets", "71000 /mm3", "71 10^9/L"),
    ("platelets", "71 10^3/uL", "71 10^9/L"),
    ("lymphocytes", "300 /uL", "0.3 10^9/L"),
    ("ferritin", "2000 ug/L", "2000 ng/mL"),
    ("hemoglobin", "90 g/L", "9 g/dL"),
    ("albumin", "35 g/L", "3.5 g/dL"),
    ("beta2_microglobulin", "0.55 mg/dL", "5.5 mg/L"),
    ("beta2_microglobulin", "5.5 ug/mL", "5.5 mg/L"),
    ("igg", "4 g/L", "400 mg/dL"),
    ("igg", "2.32 g/L", "232 mg/dL"),
    ("creatinine_clearance", "0.75 mL/s", "45 mL/min"),
    ("weeks_since_last_therapy", "14 days", "2 weeks"),
    ("weeks_near_centre", "28 d", "4 weeks"),
]
NEARLY = [
    ("creatinine", "88.4 umol/L", "1 mg/dL"),
    ("creatinine", "106 umol/L", "1.2 mg/dL"),
    ("creatinine", "79.6 µmol/L", "0.9 mg/dL"),
    ("weight", "154 lb", "69.85 kg"),
    ("live_vaccine", "1 month", "4.348 weeks"),
    ("weeks_without_driving", "12 months", "52.18 weeks"),
]


@for_each(("field", "written", "same"), PAIRS)
def test_one_value_in_two_units_is_one_value(field, written, same):
    assert getattr(Patient(**{field: written}), field) == getattr(Patient(**{field: same}), field)


@for_each(("field", "written", "same"), NEARLY)
def test_one_value_in_two_units_to_a_thousandth(field, written, same):
    kept, expected = (getattr(Patient(**{field: text}), field).value for text in (written, same))
    assert kept == pytest.approx(expected, rel=0.001)


@pytest.mark.parametrize(("crp", "points"), [("6 mg/L", 0), ("60 mg/L", 1), ("0.6 mg/dL", 0), ("6 mg/dL", 1)])
def test_crp_counts_by_its_unit(crp, points):
    """One point from 3 mg/dL, that is 30 mg/L."""
    line = next(each for each in compare(Patient(crp=crp)).scores if each.id == "car_hematotox")
    assert next(item.points for item in line.items if item.label == "CRP") == (points, points)


@for_each(
    ("field", "written"),
    [
        ("platelets", "71000 10^9/L"),
        ("albumin", "36 g/dL"),
        ("hemoglobin", "90 g/dL"),
        ("creatinine", "100 mg/dL"),
        ("weight", "12 lb"),
    ],
)
def test_a_number_that_belongs_to_another_unit_asks_to_check_the_unit(field, written):
    assert "check the unit" in problem(**{field: written})


# What is refused


@for_each("field", [field.id for field in QUANTITIES if not field.unit_optional])
@for_each("bare", ["30", 30, 30.0])
def test_a_bare_number_is_refused_where_the_unit_matters(field, bare):
    message = problem(**{field: bare})
    assert "has no unit" in message
    assert all(unit.name in message for unit in FIELDS[field].units)


@for_each("field", BARE)
def test_a_bare_number_is_taken_where_there_is_one_unit_in_use(field):
    unit = FIELDS[field].unit
    assert Patient(**{field: 60}) == Patient(**{field: "60"}) == Patient(**{field: f"60 {unit}"})


@for_each("field", [field.id for field in QUANTITIES])
@for_each("unit", ["furlong", "mol/L", "mg", "kg/L"])
def test_a_wrong_unit_is_refused_with_the_accepted_ones(field, unit):
    for value in (f"30 {unit}", {"value": 30, "unit": unit}):
        message = problem(**{field: value})
        assert "is not a unit for it" in message
        assert all(accepted.name in message for accepted in FIELDS[field].units)


def test_filtration_rate_and_clearance_are_not_mixed_up():
    assert "use mL/min or mL/s" in problem(creatinine_clearance="58 mL/min/1.73 m2")
    assert Patient(egfr="58 mL/min").read_as == ("eGFR 58 mL/min read as 58 mL/min/1.73 m2",)


def test_a_fraction_that_may_be_a_percentage_is_refused():
    assert "may be a fraction or a percentage" in problem(lvef=0.55)
    assert Patient(lvef="55 percent").lvef.value == 55


# Never


@pytest.mark.parametrize("word", ["never", " Never ", "NONE"])
def test_never_is_infinitely_long_ago(word):
    patient = Patient(live_vaccine=word, weeks_since_last_therapy=word)
    assert (patient.live_vaccine.value, str(patient.live_vaccine)) == (inf, "never")
    assert patient.weeks_since_last_therapy.value == inf


@for_each("field", [field.id for field in QUANTITIES if not field.never])
def test_never_is_no_answer_to_how_much(field):
    assert "is not a number" in problem(**{field: "never"})


@pytest.mark.parametrize("written", ["inf weeks", "1e400 weeks", inf])
def test_infinity_is_not_a_number_of_weeks(written):
    """Only the word says it."""
    assert "number" in problem(live_vaccine=written)


def test_what_was_never_given_is_longer_ago_than_any_interval():
    """A live vaccine of last week is a finding where one of ten years ago and none at all are not."""
    found = {
        when: {each.id for each in compare(Patient(live_vaccine=when, weeks_since_last_therapy=when)).findings}
        for when in ("never", "500 weeks", "1 week")
    }
    assert found["never"] == found["500 weeks"]
    assert found["never"] < found["1 week"]


# Choices


@for_each(
    ("written", "sex"),
    [("female", "female"), ("F", "female"), ("Woman", "female"), ("male", "male"), (" m ", "male"), ("MAN", "male")],
)
def test_spellings_of_a_choice(written, sex):
    assert Patient(sex=written).sex == sex


@for_each("written", ["x", "fem", "yes", True, 1, ["female"], {"sex": "female"}])
def test_what_is_no_choice_is_refused_with_the_choices(written):
    assert "is none of the choices (female or male, or unknown)" in problem(sex=written)


# A patient survives JSON


@examples(40)
@given(st.fixed_dictionaries({}, optional={name: WRITTEN[field.kind](field) for name, field in FIELDS.items()}))
def test_a_patient_survives_json_whatever_is_known(values):
    patient = Patient(**values)
    assert Patient.model_validate_json(patient.model_dump_json()) == patient
    assert Patient(**patient.given()) == patient


def test_never_survives_json():
    patient = Patient(live_vaccine="never", crp="64 mg/L")
    assert Patient.model_validate_json(patient.model_dump_json()) == patient
    assert '"live_vaccine":"never"' in patient.model_dump_json()


def test_never_survives_plain_data():
    patient = Patient(live_vaccine="never", crp="64 mg/L")
    assert Patient(**patient.model_dump()) == patient


# The same value in any of its units


STEPS = {
    "weight": (range(60, 300), {"kg": "0.45359237", "lb": "1"}),
    "beta2_microglobulin": (range(10, 90), {"mg/L": "0.1", "mg/dL": "0.01", "ug/mL": "0.1"}),
    "albumin": (range(20, 50), {"g/dL": "0.1", "g/L": "1"}),
    "hemoglobin": (range(70, 140), {"g/dL": "0.1", "g/L": "1"}),
    "platelets": (range(10, 300), {"10^9/L": "1", "/uL": "1000", "10^3/uL": "1"}),
    "neutrophils": (range(2, 40), {"10^9/L": "0.1", "/uL": "100", "10^3/uL": "0.1"}),
    "lymphocytes": (range(1, 20), {"10^9/L": "0.1", "/uL": "100", "10^3/uL": "0.1"}),
    "crp": (range(100), {"mg/dL": "0.1", "mg/L": "1"}),
    "ferritin": (range(1, 60), {"ng/mL": "50", "ug/L": "50"}),
    "igg": (range(1, 15), {"mg/dL": "100", "g/L": "1"}),
    "creatinine_clearance": (range(5, 40), {"mL/min": "3", "mL/s": "0.05"}),
    "weeks_since_last_therapy": (range(20), {"weeks": "1", "days": "7"}),
    "live_vaccine": (range(20), {"weeks": "1", "days": "7"}),
    "weeks_near_centre": (range(12), {"weeks": "1", "days": "7"}),
    "weeks_without_driving": (range(12), {"weeks": "1", "days": "7"}),
}
"""How many steps of what size, the size in every unit in which it is a short decimal."""


@st.composite
def one_patient_in_two_sets_of_units(draw):
    chosen = draw(st.lists(st.sampled_from(list(STEPS)), min_size=1, unique=True))
    first, second = {}, {}
    for field in chosen:
        counts, sizes = STEPS[field]
        count = draw(st.sampled_from(counts))
        for values in (first, second):
            unit = draw(st.sampled_from(list(sizes)))
            values[field] = f"{count * Decimal(sizes[unit])} {unit}"
    return first, second


def test_every_field_with_several_units_is_among_them():
    """Creatinine in umol/L is no short decimal of mg/dL: it has its own test."""
    assert STEPS.keys() | {"creatinine"} == {field.id for field in QUANTITIES if len(field.units) > 1}


@examples(15)
@given(one_patient_in_two_sets_of_units())
def test_the_unit_changes_no_score_and_no_finding(patients):
    first, second = (Patient(age=70, sex="male", creatinine="1.3 mg/dL", **values) for values in patients)
    assert first == second
    found, again = (compare(patient) for patient in (first, second))
    assert found.scores == again.scores
    assert found.findings == again.findings


@for_each("umol", [80, 120, 177, 265, 400])
def test_creatinine_by_the_mole_gives_the_same_scores_and_findings(umol):
    first, second = (
        compare(Patient(age=70, sex="female", weight="60 kg", creatinine=written))
        for written in (f"{umol} umol/L", f"{umol / 88.4} mg/dL")
    )
    by_mole, by_mass = ({line.id: line for line in each.scores} for each in (first, second))
    for formula in ("cockcroft_gault", "ckd_epi_2021"):
        assert by_mole[formula].low == pytest.approx(by_mass[formula].low, rel=0.001)
    assert {name: line.group for name, line in by_mole.items()} == {name: line.group for name, line in by_mass.items()}
    assert [(each.id, each.state) for each in first.findings] == [(each.id, each.state) for each in second.findings]


def test_every_unit_of_every_field_is_converted_as_by_the_unit_library():
    registry = pint.UnitRegistry()
    for field in FIELDS.values():
        for unit in field.units:
            mass = {} if unit.molar_mass is None else {"mw": registry.Quantity(unit.molar_mass, "gram/mole")}
            context = ("chemistry",) if mass else ()
            for number in (0.5, 1.0, 88.4, 1234.5678):
                given = registry.Quantity(number, unit.spelled_out)
                wanted = given.to(field.units[0].spelled_out, *context, **mass).magnitude
                got = number * factor_between(unit, field.units[0])
                assert got == pytest.approx(wanted, rel=1e-12), f"{field.id} in {unit.name}"
                assert converted_quantity(number, unit, field.units[0]) == float(f"{wanted:.12g}")


def test_units_of_different_things_are_not_converted():
    creatinine, weight = FIELDS["creatinine"], FIELDS["weight"]
    with pytest.raises(ValueError, match="kg cannot be converted to mg/dL"):
        factor_between(weight.units[0], creatinine.units[0])
