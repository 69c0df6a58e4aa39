"""Every rule about times to event, with a row that breaks it, and curves that break none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.workshop.evidence.check import check_catalogue
from bcma_decide.workshop.evidence.check_times import time_remarks
from tests.workshop.evidence.support.factory import catalogue, row, shipped, study


def time(endpoint="pfs", population="all treated", origin="first_dose", **fields):
    return {
        "endpoint": endpoint,
        "population": population,
        "origin": origin,
        "basis": "verified",
        "source": "S1",
    } | fields


def curve(*points, **fields):
    """A primary row with landmarks of (month, percentage)."""
    return time(primary=True, n=50, landmarks=[{"month": month, "pct": pct} for month, pct in points], **fields)


def problems_of(*rows, **fields):
    """Message by field of one study that is sound but for these rows."""
    one = study(**({"treated": 50} | fields), time_to_event=list(rows))
    found = [problem for problem in check_catalogue(catalogue(one)) if problem.file == "studies/alpha.yaml"]
    assert len({problem.field for problem in found}) == len(found)
    return {problem.field: problem.message for problem in found}


EMD = {"trait": "extramedullary_disease", "level": "present", "group": "present", "n": 20}
ONE_BROKEN_ROW = {
    "primary without the start of its time": (
        [curve((6, 70), origin=None)],
        {},
        "[0].origin",
        "a counted row needs the start of its time",
    ),
    "group by a trait without the start of its time": (
        [time(median_months=4, origin=None, **EMD)],
        {},
        "[0].origin",
        "a counted row needs the start of its time",
    ),
    "start that is said elsewhere": (
        [curve((6, 70), origin="other")],
        {},
        "[0].origin",
        "other does not start a time of class bite",
    ),
    "antibody counted from an infusion": (
        [curve((6, 70), origin="infusion")],
        {},
        "[0].origin",
        "infusion does not start a time of class bite",
    ),
    "antibody counted from apheresis": (
        [time(median_months=4, origin="apheresis", **EMD)],
        {},
        "[0].origin",
        "apheresis does not start a time of class bite",
    ),
    "CAR-T counted from a first dose": (
        [curve((6, 70))],
        {"class_id": "car_t", "products": ["ide-cel"]},
        "[0].origin",
        "first_dose does not start a time of class car_t",
    ),
    "randomised by its response, counted from the first dose": (
        [curve((6, 70))],
        {"outcomes": [row(denominator="randomised")]},
        "[0].origin",
        "first_dose, but the study is randomised",
    ),
    "randomised by another row, counted from infusion": (
        [
            curve((6, 70), origin="infusion"),
            time("os", origin="randomisation", landmarks=[{"month": 6, "pct": 90}]),
        ],
        {"class_id": "car_t", "products": ["ide-cel"]},
        "[0].origin",
        "infusion, but the study is randomised",
    ),
    "nobody knows how many": (
        [time(primary=True, median_months=9)],
        {"treated": None},
        "[0].n",
        "a primary row needs its number of patients",
    ),
    "more than there are": (
        [curve((6, 70)) | {"n": 51}],
        {},
        "[0].n",
        "51 patients in a study of 50",
    ),
    "primary that is no progression-free survival": (
        [time("os", primary=True, n=50, median_months=20)],
        {},
        "[0].primary",
        "os is not counted",
    ),
    "primary that is a group": (
        [time(primary=True, median_months=4, **EMD)],
        {},
        "[0].primary",
        "a group by extramedullary_disease is not the whole group",
    ),
    "primary without a figure": (
        [time(primary=True, n=50, ci95=[9, None])],
        {},
        "[0].primary",
        "has neither a median nor a landmark",
    ),
    "primary of a study that is never pooled": (
        [curve((6, 70))],
        {"pooling": {"role": "context", "reason": "label"}},
        "[0].primary",
        "the whole group of a context study is not counted",
    ),
    "primary of a study of contrasts only": (
        [curve((6, 70))],
        {"pooling": {"role": "splits_only", "reason": "chosen for it"}},
        "[0].primary",
        "the whole group of a splits_only study is not counted",
    ),
    "two cuts of the median": (
        [
            time(primary=True, n=50, median_months=11.3),
            time(population="all treated, later", primary=True, n=50, median_months=11.4),
        ],
        {},
        "[1].median_months",
        "a second median of one curve",
    ),
    "two cuts of a landmark": (
        [curve((6, 70), (12, 55)), curve((12, 54), population="all treated, later")],
        {},
        "[1].landmarks[0].pct",
        "a second rate at 12 months of one curve",
    ),
    "two cuts of a group": (
        [time(median_months=4, **EMD), time(population="EMD, later", median_months=5, **EMD)],
        {},
        "[1].median_months",
        "a second median of one curve",
    ),
    "one curve from two places": (
        [
            curve((6, 70), origin="randomisation"),
            curve((12, 60), population="as treated", origin="apheresis"),
        ],
        {"class_id": "car_t", "products": ["ide-cel"]},
        "[1].origin",
        "apheresis, but time_to_event[0] of the same curve from randomisation",
    ),
    "one group from two places": (
        [
            time(landmarks=[{"month": 30, "pct": 71}], origin="randomisation", **EMD),
            time(population="as treated", median_months=35, origin="infusion", **EMD),
        ],
        {"class_id": "car_t", "products": ["ide-cel"]},
        "[1].origin",
        "infusion, but time_to_event[0] of the same curve from randomisation",
    ),
    "the whole and one of its arms": (
        [curve((6, 70)), curve((6, 60), population="arm b", arm="b")],
        {"arms": [{"arm": "b", "product": "teclistamab", "treated": 20, "basis": "verified", "source": "S1"}]},
        "",
        "primary rows of the whole study and of b",
    ),
    "arm that is not there": (
        [curve((6, 70), arm="b")],
        {},
        "[0].arm",
        "b is not among the arms",
    ),
    "recalled where it was seen": (
        [
            time(median_months=11.3, n=50),
            time(population="all treated, mature", primary=True, n=50, median_months=11.4, basis="recalled"),
        ],
        {},
        "[1].primary",
        "is recalled, but time_to_event[0] was seen",
    ),
    "landmarks that rise within a row": (
        [curve((6, 70), (12, 71))],
        {},
        "[0].landmarks[1].pct",
        "71 % at 12 months, but 70 % at 6 months",
    ),
    "landmarks that rise from one primary row to another": (
        [curve((18, 41), population="later cut"), curve((6, 73), (12, 40))],
        {},
        "[0].landmarks[0].pct",
        "41 % at 18 months, but 40 % at 12 months",
    ),
    "landmarks that rise within a group": (
        [
            time(population="EMD, first cut", landmarks=[{"month": 6, "pct": 40}], **EMD),
            time(population="EMD, second cut", landmarks=[{"month": 12, "pct": 45}], **EMD),
        ],
        {},
        "[1].landmarks[0].pct",
        "45 % at 12 months, but 40 % at 6 months",
    ),
    "landmarks that rise within a population that is not counted": (
        [
            time("os", landmarks=[{"month": 12, "pct": 70}]),
            time("os", landmarks=[{"month": 24, "pct": 75}]),
        ],
        {},
        "[1].landmarks[0].pct",
        "75 % at 24 months, but 70 % at 12 months",
    ),
    "more than half after the median": (
        [curve((18, 58), median_months=11.4, ci95=[8.8, 16.4])],
        {},
        "[0].landmarks[0].pct",
        "58 % at 18 months, but a median of 11.4 months",
    ),
    "less than half before the median": (
        [curve((6, 44), median_months=11.4, ci95=[8.8, 16.4])],
        {},
        "[0].median_months",
        "a median of 11.4 months, but 44 % at 6 months",
    ),
    "median beside its interval": (
        [time(primary=True, n=50, median_months=11.4, ci95=[12, 16.4])],
        {},
        "[0].ci95",
        "does not contain 11.4",
    ),
    "landmark beside its interval": (
        [time(primary=True, n=50, landmarks=[{"month": 12, "pct": 55, "ci95": [56, 64]}])],
        {},
        "[0].landmarks[0].ci95",
        "does not contain 55",
    ),
    "fewer alive than free of progression": (
        [curve((12, 66)), time("os", landmarks=[{"month": 12, "pct": 60}])],
        {},
        "[1].landmarks[0].pct",
        "OS has 60 % at 12 months, PFS 66 % at 12 months",
    ),
    "fewer alive than free of progression later": (
        [time(median_months=18), time("os", landmarks=[{"month": 12, "pct": 45}])],
        {},
        "[1].landmarks[0].pct",
        "OS has 45 % at 12 months, PFS a median of 18 months",
    ),
    "half dead as soon as half progressed": (
        [time(median_months=18), time("os", median_months=18)],
        {},
        "[1].median_months",
        "OS has a median of 18 months, PFS a median of 18 months",
    ),
    "inconsistent with nothing": (
        [time(median_months=18, inconsistent="why")],
        {},
        "[0].inconsistent",
        "the figures do agree",
    ),
    "group without a side": (
        [time(median_months=4) | EMD | {"group": None}],
        {},
        "[0].group",
        "'present' is neither present nor absent",
    ),
    "numeric trait without bounds": (
        [time(median_months=4, trait="age", level=">=70")],
        {},
        "[0].level",
        "age needs bounds",
    ),
}


@pytest.mark.parametrize(("rows", "fields", "field", "message"), ONE_BROKEN_ROW.values(), ids=ONE_BROKEN_ROW)
def test_a_broken_row_is_named(rows, fields, field, message):
    assert {f"time_to_event{field}": message} == problems_of(*rows, **fields)


def test_an_inconsistent_row_is_not_primary():
    found = problems_of(curve((6, 70), (12, 71), inconsistent="rises in the source"))
    assert found == {"time_to_event[0].primary": "an inconsistent row is not counted"}


CONTRADICTION = [time(median_months=18), time("os", median_months=18)]


def test_a_contradiction_of_the_source_is_carried_with_its_reason():
    marked = CONTRADICTION[1] | {"inconsistent": "the abstract prints 18 months twice"}
    assert problems_of(CONTRADICTION[0], marked) == {}


SOUND = {
    "points of two cuts": [curve((15, 50.9)), time(population="later", primary=True, n=50, median_months=17.2)],
    "landmark whose interval holds a half": [
        time(
            primary=True,
            n=50,
            median_months=11.4,
            ci95=[8.8, 11.9],
            landmarks=[{"month": 12, "pct": 51, "ci95": [43, 59]}],
        )
    ],
    "landmark inside the interval of the median": [curve((12, 51), median_months=11.4, ci95=[8.8, 16.4])],
    "a group and the whole": [curve((6, 50)), time(median_months=9, **EMD)],
    "other populations": [curve((12, 55)), time(population="CR or better", landmarks=[{"month": 24, "pct": 90}])],
    "progression-free by the other censoring": [
        time(landmarks=[{"month": 36, "pct": 83.4}]),
        time("os", landmarks=[{"month": 36, "pct": 83.3}]),
    ],
    "nobody progressed or died between two months": [curve((18, 93.8), (36, 93.8))],
    "recalled where nothing was seen": [curve((12, 70), basis="recalled")],
}


@pytest.mark.parametrize("rows", SOUND.values(), ids=SOUND)
def test_a_sound_curve_passes(rows):
    assert problems_of(*rows) == {}


months = st.lists(st.integers(1, 60), min_size=2, max_size=6, unique=True).map(sorted)


@st.composite
def falling_curves(draw):
    """Months in order, percentages in order, and the month at which half are left where the points pass it."""
    times = draw(months)
    rates = sorted(draw(st.lists(st.integers(0, 100), min_size=len(times), max_size=len(times))), reverse=True)
    return list(zip(times, rates, strict=True))


@given(falling_curves(), st.data())
def test_curves_that_fall_pass_in_one_row_and_in_several(points, data):
    """A median between the last landmark above a half and the first below it belongs to the same curve."""
    rows = [curve(*points)]
    above = [month for month, pct in points if pct >= 50]
    below = [month for month, pct in points if pct < 50]
    if above and below:
        rows[0]["median_months"] = data.draw(st.integers(above[-1], below[0]))
    assert problems_of(*rows) == {}
    assert problems_of(*(curve(point, population=f"cut {point[0]}") for point in points)) == {}


@given(falling_curves(), st.data())
def test_a_curve_with_two_rates_exchanged_does_not_pass(points, data):
    one, other = sorted(data.draw(st.permutations(range(len(points))))[:2])
    (early, high), (late, low) = points[one], points[other]
    if high == low:
        return
    points[one], points[other] = (early, low), (late, high)
    assert f"time_to_event[0].landmarks[{other}].pct" in problems_of(curve(*points))


REMARKED = {
    "start not known": (time(median_months=9, origin=None), "origin", "the start of the time is not known"),
    "group of unknown size": (
        time(median_months=9) | EMD | {"n": None},
        "n",
        "the size of the group by extramedullary_disease is not known",
    ),
    "past the longest follow-up": (
        time("os", median_months=37),
        "median_months",
        "a median of 37 months, past the longest follow-up of 14 months",
    ),
}


@pytest.mark.parametrize(("one", "field", "message"), REMARKED.values(), ids=REMARKED)
def test_what_is_unclear_is_remarked_and_no_error(one, field, message):
    unclear = study(treated=50, longest_follow_up_months=14, time_to_event=[one])
    if field == "n":
        assert problems_of(one) == {}
    (remark,) = time_remarks([unclear])
    assert (remark.file, remark.field, remark.message) == ("studies/alpha.yaml", f"time_to_event[0].{field}", message)


def primary_points(study_id):
    (found,) = [one for one in shipped().studies if one.id == study_id]
    rows = [row for row in found.time_to_event if row.primary]
    landmarks = [(landmark.month, landmark.pct) for row in rows for landmark in row.landmarks]
    return sorted(landmarks + [(row.median_months, 50.0) for row in rows if row.median_months is not None])


def test_the_counted_curves_of_the_pivotal_trials():
    """Points as printed in the reports of CARTITUDE-1, KarMMa-3 (18.6 and 30.9 months), MagnetisMM-3 and MajesTEC-1."""
    assert primary_points("cartitude-1") == [(12, 76.6), (24, 60.5), (27, 54.9), (34.9, 50.0)]
    assert primary_points("karmma-3") == [(6, 73), (12, 55), (13.8, 50.0), (18, 41)]
    assert primary_points("magnetismm-3-cohort-a") == [(15, 50.9), (17.2, 50.0)]
    assert primary_points("majestec-1") == [(11.3, 50.0)]


def test_cohorts_of_other_lines_and_of_one_trait_have_no_counted_curve():
    apart = ("cartitude-2-cohort-b", "cartitude-2-cohort-c", "cartitude-2-cohort-d", "majestec-1-cohort-c")
    chosen = ("emd-xuzhou-2023", "pcl-beijing-guo-2026", "cns-myeloma-cart-2025", "us-mmic-pcl-bsab-2025")
    assert all(primary_points(one) == [] for one in (*apart, *chosen))
