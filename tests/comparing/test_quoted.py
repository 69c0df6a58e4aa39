"""Published survival as quoted: figures against the papers, and which row stands first for whom."""

from __future__ import annotations

import pytest

from bcma_decide import Patient, compare, load_model
from bcma_decide.facts.traits import derive
from bcma_decide.patient.files import example_names, load_example
from bcma_decide.time_course import ENDPOINT_LABELS
from tests.support.cases import for_each

EARLY = {
    "prior_lines": 2,
    "refractory_to": ["lenalidomide"],
    "prior_bcma": "no",
    "naive_to": ["daratumumab", "isatuximab"],
}
EXTRAMEDULLARY = {"extramedullary_disease": "yes"}


def quoted(answer):
    return [row for row in answer.survival if row.kind == "published"]


def rows(profile, option, endpoint, **asked):
    """Rows of one option and endpoint, the nearest first."""
    found = quoted(compare(Patient(**profile), **asked))
    return [row for row in found if (row.option, row.endpoint) == (option, endpoint)]


def first(profile, option, endpoint, **asked):
    return rows(profile, option, endpoint, **asked)[0]


def of_study(profile, option, endpoint, study):
    return next(row for row in rows(profile, option, endpoint) if row.study == study)


def middle(row):
    return row.median_months.value, row.median_months.credible, row.n_patients


FIRST = {
    "CARTITUDE-4, EMD, N Engl J Med supplement": (EARLY | EXTRAMEDULLARY, "cilta-cel", "pfs", (12.6, (1.2, 18.4), 21)),
    "US consortium, teclistamab, true EMD": (EXTRAMEDULLARY, "teclistamab", "pfs", (1.4, None, 109)),
    "US consortium, teclistamab, true EMD, OS": (EXTRAMEDULLARY, "teclistamab", "os", (9.54, None, 109)),
    "Zanwar 2024, ide-cel, EMD": (EXTRAMEDULLARY, "ide-cel", "pfs", (5.3, (4.1, 6.9), 84)),
    "Zanwar 2024, ide-cel, EMD, OS": (EXTRAMEDULLARY, "ide-cel", "os", (14.8, (9.0, None), 84)),
    "KarMMa, high risk": ({"high_risk_cytogenetics": "yes"}, "ide-cel", "pfs", (8.2, (4.8, 11.9), 45)),
    "US consortium, teclistamab after BCMA therapy": ({"prior_bcma": "yes"}, "teclistamab", "pfs", (4.6, None, 193)),
    "CARTITUDE-2 cohort C": ({"prior_bcma_courses": ["adc:9"]}, "cilta-cel", "pfs", (9.1, (1.5, None), 20)),
    "salvage after CAR-T": (
        {"prior_bcma_courses": ["car_t:12"]},
        "elranatamab",
        "pfs",
        (3.6, (1.4, None), None),
    ),
    "plasma cell leukaemia": ({"plasma_cell_leukemia": "yes"}, "bite", "pfs", (3.2, None, None)),
    "KarMMa-3, two lines": ({"prior_lines": 2}, "ide-cel", "pfs", (16.2, None, None)),
}


@pytest.mark.parametrize(("profile", "option", "endpoint", "expected"), FIRST.values(), ids=FIRST)
def test_the_first_row_is_the_published_figure_of_the_patients_group(profile, option, endpoint, expected):
    row = first(profile, option, endpoint)
    value, ends, n = middle(row)
    assert (value, ends) == expected[:2]
    assert expected[2] in (None, n)
    assert row.kind == "published"
    assert row.subgroup
    assert row.sources


def test_cartitude_4_stands_with_its_randomised_comparator():
    """JAMA/J Clin Oncol follow-up of 33.6 months: hazard ratio 0.29 (0.22 to 0.39), 11.8 months (9.7 to 14.0)."""
    row = of_study(EARLY, "cilta-cel", "pfs", "CARTITUDE-4")
    assert row == first(EARLY, "cilta-cel", "pfs")
    assert (row.median_months.value, row.median_months.credible) == (None, (34.5, None))
    assert [(time.month, time.mean) for time in row.times] == [(12, 0.759), (30, 0.594)]
    beside = row.comparator
    assert (beside.hazard_ratio, beside.hazard_ratio_interval) == (0.29, (0.22, 0.39))
    assert (beside.median_months.value, beside.median_months.credible, beside.n_patients) == (11.8, (9.7, 14.0), 211)
    assert (row.n_patients, row.follow_up_months, row.origin, row.setting) == (
        208,
        33.6,
        "randomisation",
        "interventional",
    )


def test_majestec_3_stands_with_its_randomised_comparator():
    """Costa, N Engl J Med 2025: without progression at 36 months 83.4 % against 29.7 %, hazard ratio 0.17."""
    row = first(EARLY, "teclistamab-daratumumab", "pfs")
    assert [(time.month, time.mean, time.credible) for time in row.times] == [(36, 0.834, (0.782, 0.874))]
    assert [time.mean for time in row.comparator.times] == [0.297]
    assert (row.comparator.hazard_ratio, row.comparator.hazard_ratio_interval) == (0.17, (0.12, 0.23))
    alive = first(EARLY, "teclistamab-daratumumab", "os")
    assert (alive.times[0].mean, alive.comparator.times[0].mean, alive.comparator.hazard_ratio) == (0.833, 0.65, 0.46)


@for_each(
    "more",
    [{"prior_lines": 4}, {"prior_bcma": "yes"}, {"naive_to": [], "refractory_to": ["lenalidomide", "daratumumab"]}],
)
def test_majestec_3_is_not_shown_to_whom_it_did_not_take_in(more):
    assert rows(EARLY | more, "teclistamab-daratumumab", "pfs") == []


def test_an_early_line_trial_stands_last_while_the_lines_are_not_known():
    found = rows({}, "cilta-cel", "pfs")
    assert found[-1].study == "CARTITUDE-4"
    assert found[-1].not_settled == ("1 to 3 prior lines", "refractory to lenalidomide")
    assert all(row.not_settled == () for row in found[:-1])


def test_a_published_option_has_rows_only_where_it_is_shown():
    assert rows(EARLY, "teclistamab-daratumumab", "pfs", region="China") == []
    assert first({"prior_bcma": "no"}, "eque-cel", "pfs", region="China").median_months.value == 35.9
    assert rows({}, "eque-cel", "pfs", region="US") == []


def test_of_a_patient_of_whom_nothing_is_known_only_whole_studies_are_shown():
    book = {group.label for group in load_model().published.survival.groups}
    found = quoted(compare(Patient()))
    assert {row.option for row in found} >= {"cilta-cel", "ide-cel", "teclistamab", "elranatamab", "linvoseltamab"}
    assert all(row.subgroup == () for row in found)
    assert all(set(row.not_settled) <= book for row in found)


PROFILES = {
    **{name: load_example(name) for name in example_names()},
    "nothing known": Patient(),
    "one line": Patient(**EARLY | {"prior_lines": 1}),
    "contradictory": Patient(extramedullary_disease="yes", prior_bcma="no", prior_bcma_courses=["car_t:7"]),
}


@pytest.mark.parametrize("patient", PROFILES.values(), ids=PROFILES)
def test_no_row_speaks_of_a_group_that_is_not_the_patients(patient):
    model = load_model()
    facts = derive(patient, model.definitions).facts
    holds = {group.label: facts.judge(group.when).value for group in model.published.survival.groups}
    for row in quoted(compare(patient)):
        assert all(holds[label] is True for label in row.subgroup)
        assert all(holds[label] is None for label in row.not_settled)


@pytest.mark.parametrize("patient", PROFILES.values(), ids=PROFILES)
def test_rows_stand_by_option_endpoint_and_nearness(patient):
    model = load_model()
    found = compare(patient)
    order = [option.id for option in found.options] + [option.id for option in found.published_options]
    groups = [group.label for group in model.published.survival.groups]
    keys = [
        (
            order.index(row.option),
            list(ENDPOINT_LABELS).index(row.endpoint),
            bool(row.not_settled),
            [*map(groups.index, row.subgroup), len(groups)],
        )
        for row in quoted(found)
    ]
    assert keys == sorted(keys)


@pytest.mark.parametrize("patient", PROFILES.values(), ids=PROFILES)
def test_every_row_is_seen_dated_and_cited(patient):
    found = compare(patient)
    known = {reference.key for reference in found.references}
    for row in quoted(found):
        assert row.basis in ("verified", "derived")
        assert set(row.sources) <= known
        assert row.median_months is not None or row.times
        assert row.curve == ()
        assert row.certainty is None


def test_the_same_question_gives_the_same_rows():
    asked = PROFILES["extramedullary-66-high-risk"]
    assert compare(asked).model_dump_json() == compare(asked).model_dump_json()


def test_the_length_of_follow_up_is_that_of_the_cut():
    """Cuts of one trial: MagnetisMM-3 at 33.9 months, CARTITUDE-1 at 33.4 and, for overall survival, 61.3 months."""
    of_everybody = {(row.study, row.endpoint): row.follow_up_months for row in quoted(compare(Patient()))}
    elranatamab = "MagnetisMM-3 cohort A (BCMA-naive)"
    assert [of_everybody[elranatamab, endpoint] for endpoint in ("pfs", "os", "dor")] == [33.9] * 3
    assert [of_everybody["CARTITUDE-1", endpoint] for endpoint in ("pfs", "os", "dor")] == [33.4, 61.3, 33.4]


def test_the_setting_asked_for_stands_before_the_other_within_a_group():
    practice = first({}, "elranatamab", "pfs", setting="real_world")
    trial = first({}, "elranatamab", "pfs", setting="interventional")
    assert (practice.setting, trial.setting) == ("real_world", "interventional")
    assert trial.median_months.value == 17.2
    assert {row.study for row in rows({}, "elranatamab", "pfs")} >= {practice.study, trial.study}


def test_an_immature_figure_stands_after_others_of_its_group():
    """The 12.5 months of the first US series were called immature; KarMMa's 24.8 months were not."""
    medians = [row.median_months.value for row in rows({}, "ide-cel", "os") if not row.not_settled]
    assert medians == [24.8, 12.5]


def test_a_class_stands_in_for_the_product_without_a_row_of_the_group():
    """After more lines than CARTITUDE-4 allowed, cilta-cel has no row by extramedullary disease; ide-cel has."""
    profile = EXTRAMEDULLARY | {"prior_lines": 5}
    pooled = first(profile, "cilta-cel", "pfs")
    assert (pooled.of_class, pooled.median_months.value, pooled.n_patients) == (True, 5.1, 47)
    assert first(profile, "car_t", "pfs").median_months.value == 5.1
    assert not any(row.of_class for row in rows(profile, "ide-cel", "pfs"))


def test_trials_say_nothing_of_patients_they_left_out():
    for profile in ({"plasma_cell_leukemia": "yes"}, {"cns_myeloma": "yes"}, {"prior_bcma": "yes"}):
        assert "CARTITUDE-1" not in {row.study for row in quoted(compare(Patient(**profile)))}
    assert "CARTITUDE-1" in {row.study for row in quoted(compare(Patient()))}


def test_no_recalled_figure_is_quoted():
    """Survival of linvoseltamab stands in the files from memory only: its duration of response was seen."""
    assert rows({}, "linvoseltamab", "pfs") == rows({}, "linvoseltamab", "os") == []
    assert [(t.month, t.mean) for t in first({}, "linvoseltamab", "dor").times] == [(9, 0.89), (12, 0.72)]
