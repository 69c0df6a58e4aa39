"""Meta-regression of response: the numbers of a fit made by hand, the rows it leaves out, the caution beside it."""

from __future__ import annotations

import numpy as np
import pytest

from bcma_decide.workshop.evidence.selection import select
from bcma_decide.workshop.evidence_report.moderators import characteristics, traits
from bcma_decide.workshop.evidence_report.regression import FEWEST, fit_all
from bcma_decide.workshop.meta_analysis.effect_sizes import effect_sizes
from bcma_decide.workshop.meta_analysis.meta_regression import meta_regression
from bcma_decide.workshop.meta_analysis.moderators import moderators
from tests.workshop.evidence.support.factory import catalogue as made_catalogue
from tests.workshop.evidence.support.factory import study
from tests.workshop.evidence_report.support.reading import accounts, catalogue, document, table


@pytest.fixture(scope="module")
def fits():
    return fit_all(catalogue(), accounts())


def test_an_odds_ratio_by_class_is_that_of_a_regression_made_by_hand(fits):
    rows = accounts().selections["orr"].rows
    effects = effect_sizes([row.events for row in rows], [row.n for row in rows])
    design = moderators({"bite": [float(row.class_id == "bite") for row in rows]})
    by_hand = meta_regression(effects.yi, effects.vi, design, method="REML", test="knapp_hartung")
    [found] = [fit for term, fit in fits.alone if term.id == "class"]
    assert found.coefficients[1].estimate == pytest.approx(by_hand.coefficients[1].estimate, rel=1e-9)
    assert found.coefficients[1].ci == pytest.approx(by_hand.coefficients[1].ci, rel=1e-9)
    cells = dict(zip(table("Each moderator alone").titles, table("Each moderator alone").rows[0], strict=True))
    assert cells["odds ratio (95 % interval)"].startswith(f"{np.exp(by_hand.coefficients[1].estimate):.2f} (")
    assert cells["rows"] == str(len(rows))


def test_rows_used_and_rows_left_out_are_all_there_are(fits):
    whole = len(accounts().selections["orr"].rows)
    read = table("Rows left out of each regression")
    assert len(read.rows) == len(fits.alone) + len(fits.too_few) == 3 + len(traits(catalogue(), ()))
    for used, dropped in zip(read.column("rows that report it"), read.column("rows left out"), strict=True):
        assert int(used) + int(dropped) == whole
    for term, found in fits.alone:
        assert found.k == term.known >= FEWEST
    assert all(term.known < FEWEST for term in fits.too_few)


def test_every_number_has_its_bubble_plot(fits):
    drawn = [each for each in document().query("svg") if "bubble" in each.attrs["class"]]
    numeric = [(term, found) for term, found in fits.alone if term.reference is None]
    assert len(drawn) == len(numeric) > 3
    for plot, (_, found) in zip(drawn, numeric, strict=True):
        assert len(plot.query("circle")) == found.k


def test_the_caution_about_averages_stands_there():
    assert "ecological bias" in " ".join(document().root.to_text().split())


def test_prevalences_count_in_steps_of_ten_points_and_recalled_ones_not_at_all():
    def patients(**figure):
        return {"extramedullary_disease": {"basis": "verified", "source": "S1"} | figure}

    age = {"age_median": {"value": 64, "basis": "verified", "source": "S1"}}
    whole = made_catalogue(
        study("a", population=patients(n=12, of=40)),
        study("b", population=patients(pct=25, basis="recalled") | age),
        study("c", population=patients(pct=25, n_basis="recalled"), targets=["BCMA", "CD19"]),
    )
    rows = select(whole, "orr", purpose="published").rows
    found = {each.id: each for each in (*characteristics(whole, rows), *traits(whole, rows))}
    assert found["extramedullary_disease"].values == (pytest.approx(3.0), None, None)
    assert found["age"].values == (None, 64.0, None)
    assert found["targets"].values == ("one", "one", "two or more")
