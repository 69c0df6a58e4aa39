"""What is added to empty cells is what metafor adds, for every measure, amount and choice of studies.

The numbers are of metafor 3.8-1: ``escalc(measure, ai, n1i, ci, n2i, add, to, drop00)`` and ``rma(method="DL")`` of it,
``escalc(measure, xi, ni, add, to)``. Two kinds of studies differ on purpose: metafor keeps an effect whose variance is
0, which no weight can be made of; here it is not known.
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.continuity import Correction
from bcma_decide.workshop.meta_analysis.effect_sizes import effect_sizes
from bcma_decide.workshop.meta_analysis.two_groups import compare_groups
from tests.cli.support.program import invoke
from tests.support.cases import for_each

EXPECTED = json.loads((Path(__file__).parent / "support" / "corrections.json").read_text(encoding="utf-8"))
EVENTS1, TOTAL1 = [3, 0, 0, 8, 5, 2], [20, 15, 12, 8, 5, 30]
EVENTS2, TOTAL2 = [6, 4, 0, 9, 2, 7], [22, 14, 25, 9, 6, 28]
"""One plain, one empty cell, nobody had the event, everybody had, all of one group had, plain."""
ALIKE = [2, 3]
SCALES = {"PLO": "logit", "PLN": "log", "PR": "raw"}


def known(case):
    """Values and variances of metafor, without those that no weight can be made of."""
    y, v = (np.array(case[name], dtype=float) for name in ("yi", "vi"))
    return np.where(v > 0, y, np.nan), np.where(v > 0, v, np.nan)


def named(cases):
    return {
        " ".join(str(case[name]) for name in ("measure", "add", "to", "drop") if name in case): case for case in cases
    }


@for_each("name", named(EXPECTED["two_groups"]))
def test_effects_of_two_groups_are_those_of_escalc(name):
    case = named(EXPECTED["two_groups"])[name]
    rows = [row for row in range(6) if not (case["drop"] and row in ALIKE)]
    counts = [np.array(each)[rows] for each in (EVENTS1, TOTAL1, EVENTS2, TOTAL2)]
    found = compare_groups(*counts, case["measure"], correction=Correction(case["add"], case["to"]))
    y, v = known(case)
    np.testing.assert_allclose(found.yi, y[rows], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found.vi, v[rows], rtol=1e-8)


@for_each("name", named(EXPECTED["single"]))
def test_single_proportions_are_those_of_escalc(name):
    case = named(EXPECTED["single"])[name]
    found = effect_sizes(EVENTS1, TOTAL1, SCALES[case["measure"]], correction=Correction(case["add"], case["to"]))
    y, v = known(case)
    np.testing.assert_allclose(found.yi, y, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found.vi, v, rtol=1e-8)


def of_command(tmp_path, case):
    file = tmp_path / "table.csv"
    rows = zip("ABCDEF", EVENTS1, TOTAL1, EVENTS2, TOTAL2, strict=True)
    file.write_text("study,events1,n1,events2,n2\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    drop = "--drop-double-zero" if case["drop"] else "--keep-double-zero"
    options = ("--measure", case["measure"], "--correction", str(case["add"]), "--to", case["to"], drop)
    answer = invoke("meta", file, *options, "--method", "DL", "--json")
    assert answer.exit_code == 0, answer.stderr
    return json.loads(answer.stdout)


@for_each("name", named(EXPECTED["two_groups"]))
def test_the_command_pools_what_rma_pools(tmp_path, name):
    """But where metafor pools effects without a variance, or cannot."""
    case = named(EXPECTED["two_groups"])[name]
    found = of_command(tmp_path, case)
    whole = all(v is None or v > 0 for v in case["vi"])
    if whole:
        assert found["estimate"] == pytest.approx(case["dl"], rel=1e-8)
    assert found["left_out"] == [name for name, y in zip("ABCDEF", known(case)[0], strict=True) if math.isnan(y)]
    assert found["correction"] == {"amount": case["add"], "to": case["to"], "by_size": False}
    for label in found["left_out"]:
        assert any(label in remark.split(":")[0] + remark for remark in found["remarks"]), label


def test_the_treatment_arm_correction_by_hand():
    """0 of 10 against 2 of 30: 10/40 of a patient to both cells of the first group, 30/40 to those of the second."""
    found = compare_groups([0], [10], [2], [30], correction=Correction(by_size=True))
    assert found.yi == pytest.approx([math.log((0.25 / 10.25) / (2.75 / 28.75))])
    assert found.vi == pytest.approx([1 / 0.25 + 1 / 10.25 + 1 / 2.75 + 1 / 28.75])


@pytest.mark.parametrize("by_size", [False, True])
def test_a_treatment_arm_correction_leaves_a_study_without_events_at_no_difference(by_size):
    """Of 0 of 10 against 0 of 30 the odds ratio is 1, where half a patient everywhere has it at 3 (61 to 21)."""
    found = compare_groups([0], [10], [0], [30], correction=Correction(by_size=by_size))
    assert math.exp(found.yi[0]) == pytest.approx(1.0 if by_size else 61 / 21)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"amount": -1}, "0 or more"), ({"amount": math.nan}, "0 or more"), ({"to": "some"}, "must be one of only0")],
)
def test_what_cannot_be_added_is_refused(wrong, message):
    with pytest.raises(SynthesisError, match=message):
        Correction(**wrong)
