"""What a score says of each of its items: the value with where it comes from, or that it is not known."""

from bcma_decide.facts.score_lines import score_lines
from bcma_decide.facts.traits import derive
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.definitions import shipped_definitions
from tests.support.cases import for_each

LABORATORY = {"beta2_microglobulin": "6 mg/L", "albumin": "3 g/dL"}
"""ISS III: beta-2 microglobulin of 5.5 mg/L or more."""


def facts_of(**values):
    return derive(Patient(**values), shipped_definitions()).facts


def line_of(name, **values):
    return {line.id: line for line in score_lines(facts_of(**values))}[name]


def items_of(name, **values):
    return [(item.text, item.points, item.missing) for item in line_of(name, **values).items]


def test_every_item_stands_with_its_value_and_points():
    """Simplified index: 75 years or less no point, 76 to 80 one, above two; ECOG 0 none, 1 one; Charlson 2 one."""
    assert items_of("simplified_frailty", age=78, ecog=1) == [
        ("age 78 years", (1, 1), ()),
        ("Charlson comorbidity index not known", (0, 1), ("Charlson comorbidity index",)),
        ("ECOG 1", (1, 1), ()),
    ]


def test_an_item_of_a_number_says_where_it_was_worked_out_from():
    """Karnofsky 70 or 80 is ECOG 1."""
    assert items_of("simplified_frailty", karnofsky=80)[2] == (
        "ECOG 1 (from Karnofsky performance status 80)", (1, 1), (),
    )  # fmt: skip


def test_an_item_of_a_condition_has_all_its_points_or_none():
    """R2-ISS: ISS III 1.5 points, del(17p) 1, LDH above normal 1, t(4;14) 1, gain of 1q 0.5."""
    assert items_of("r2_iss", del_17p="yes", t_4_14="no", iss=3) == [
        ("ISS stage III", (1.5, 1.5), ()),
        ("del(17p): yes", (1, 1), ()),
        ("LDH not known", (0, 1), ("LDH",)),
        ("t(4;14): no", (0, 0), ()),
        ("gain of 1q not known", (0, 0.5), ("gain of 1q",)),
    ]


@for_each(
    ("values", "text", "low", "high", "missing"),
    [
        (LABORATORY, "III", 3, 3, ()),
        ({"beta2_microglobulin": "5 mg/L"}, "II", 2, 2, ()),
        ({"beta2_microglobulin": "3 mg/L"}, "I or II", 1, 2, ("albumin",)),
        ({"albumin": "3 g/dL"}, "II or III", 2, 3, ("beta-2 microglobulin",)),
    ],
)
def test_a_stage_that_was_worked_out_stands_in_for_its_field(values, text, low, high, missing):
    """I: beta-2 microglobulin below 3.5 mg/L and albumin 3.5 g/dL or more; III: 5.5 mg/L or more; II: neither."""
    written = {"beta2_microglobulin": "beta-2 microglobulin", "albumin": "albumin"}
    measure = facts_of(**values).number("iss")
    assert (measure.text, measure.span, measure.missing) == (text, (low, high), missing)
    assert measure.how == "from " + ", ".join(f"{written[name]} {value}" for name, value in values.items())
    assert set(measure.fields) == set(values)


def test_a_stage_of_which_nothing_is_known_stands_in_for_nothing():
    assert facts_of(age=70).number("iss") is None
    assert facts_of(age=70).number("r_iss") is None


def test_a_stage_that_was_given_stays_where_the_laboratory_agrees_and_goes_where_it_does_not():
    agreeing = facts_of(**LABORATORY, iss=3).number("iss")
    assert (agreeing.text, agreeing.how) == ("III", "")
    assert facts_of(**LABORATORY, iss=2).number("iss") is None
    assert facts_of(beta2_microglobulin="3 mg/L", iss=2).number("iss").text == "II"


def test_the_stages_still_possible_are_named_in_order_with_what_would_settle_them():
    line = line_of("iss", albumin="3 g/dL")
    assert (line.low, line.high, line.group, line.possible_groups) == (2, 3, None, ("II", "III"))
    assert [(item.text, item.missing) for item in line.items] == [
        ("albumin 3 g/dL", ()),
        ("beta-2 microglobulin not known", ("beta-2 microglobulin",)),
    ]
    settled = line_of("iss", **LABORATORY)
    assert (settled.low, settled.high, settled.group, settled.needs) == (3, 3, "III", ())


def test_once_a_stage_is_settled_nothing_is_missing_for_it():
    """Beta-2 microglobulin of 5 mg/L is II whatever the albumin."""
    line = line_of("iss", beta2_microglobulin="5 mg/L")
    assert (line.group, line.needs, [item.text for item in line.items]) == ("II", (), ["beta-2 microglobulin 5 mg/L"])


KIDNEY = {"age": 70, "weight": "70 kg", "creatinine": "1.36 mg/dL"}


@for_each(
    ("name", "values", "texts", "needs"),
    [
        (
            "cockcroft_gault",
            {},
            ["age not known", "body weight not known", "creatinine not known", "sex not known"],
            ("age", "body weight", "creatinine", "sex"),
        ),
        (
            "cockcroft_gault",
            {**KIDNEY, "sex": "male"},
            ["age 70 years", "body weight 70 kg", "creatinine 1.36 mg/dL", "sex male"],
            (),
        ),
        (
            "cockcroft_gault",
            {**KIDNEY, "sex": "male", "dialysis": "yes"},
            ["age 70 years", "body weight 70 kg", "creatinine 1.36 mg/dL", "sex male", "not for patients on dialysis"],
            (),
        ),
        (
            "cockcroft_gault",
            {"age": 70, "sex": "male", "dialysis": "yes"},
            ["age 70 years", "body weight not known", "creatinine not known", "sex male"],
            ("body weight", "creatinine"),
        ),
        ("ckd_epi_2021", {"age": 70}, ["age 70 years", "creatinine not known", "sex not known"], ("creatinine", "sex")),
        (
            "ecog_karnofsky",
            {"karnofsky": 85},
            ["Karnofsky performance status 85", "not a value of the table"],
            (),
        ),
        ("ecog_karnofsky", {"karnofsky": 80}, ["Karnofsky performance status 80"], ()),
        ("ecog_karnofsky", {}, ["Karnofsky performance status not known"], ("Karnofsky performance status",)),
    ],
)
def test_a_number_that_is_worked_out_names_its_inputs_or_why_there_is_none(name, values, texts, needs):
    line = line_of(name, **values)
    assert [item.text for item in line.items] == texts
    assert line.needs == needs
    assert all(item.points is None for item in line.items)


@for_each(
    ("name", "values", "low", "high", "unit", "highest"),
    [
        ("cockcroft_gault", {}, None, None, "mL/min", None),
        ("ckd_epi_2021", {}, None, None, "mL/min/1.73 m2", None),
        ("ecog_karnofsky", {"karnofsky": 80}, 1, 1, "", None),
        ("iss", LABORATORY, 3, 3, "", None),
        ("mycare", {"extramedullary_disease": "yes", "ferritin_raised": "no"}, 1, 3, "points", 4),
        ("simplified_frailty", {"age": 78}, 1, 4, "points", 5),
    ],
)
def test_the_ends_of_a_score_its_unit_and_its_highest_value(name, values, low, high, unit, highest):
    line = line_of(name, **values)
    assert (line.low, line.high, line.unit, line.highest) == (low, high, unit, highest)


def test_a_stage_that_was_given_is_its_own_item():
    line = line_of("iss", iss=2)
    assert (line.low, line.high, line.group, line.possible_groups) == (2, 2, "II", ("II",))
    assert [(item.label, item.text) for item in line.items] == [("ISS stage II, as given", "ISS stage II, as given")]


@for_each(("sex", "fields"), [(None, ("age",)), ("female", ("age", "sex"))])
def test_only_what_is_known_is_among_the_fields_of_a_score(sex, fields):
    assert facts_of(age=70, sex=sex).scores["cockcroft_gault"].fields == fields
