"""What the tests of metafor, PyMARE and statsmodels expect of their programs holds of this one."""

import json

import pytest

from bcma_decide.workshop.meta_analysis.meta_regression import meta_regression
from bcma_decide.workshop.meta_analysis.moderators import moderators
from bcma_decide.workshop.meta_analysis.pooling import pool
from tests.cli.support.program import invoke
from tests.support.cases import for_each
from tests.workshop.meta_analysis.support.disagreements import expected, outlived
from tests.workshop.meta_analysis.support.peers import FOLDER, cases, found_at, pymare
from tests.workshop.meta_analysis.support.reference import TEST_LETTERS

SLACK = 1e-3
"""Of the last unit: a number that lies between two roundings."""


@pytest.fixture(scope="module")
def answers():
    """One run of the command for every table and options."""
    return {}


@for_each("case", cases(), ids=lambda case: case.source)
def test_the_command_gives_the_numbers_that_other_programs_expect(case, answers):
    asked = (case.table, case.options)
    if asked not in answers:
        answer = invoke("meta", FOLDER / "tables" / f"{case.table}.csv", *case.options, "--json")
        assert answer.exit_code == 0, answer.stderr
        answers[asked] = json.loads(answer.stdout)
    for place, numbers in case.expected.items():
        numbers = numbers if isinstance(numbers, list) else [numbers]
        found = found_at(answers[asked], place)
        assert found == pytest.approx(numbers, rel=0, abs=(0.5 + SLACK) * 10**-case.decimals), place


def test_meta_regressions_are_those_of_pymares_reference():
    """metafor with its own limits: likelihoods within 1e-5 of tau2, all else to the last digits."""
    differing = [place for place, apart in map(_beside_pymare, pymare()["cases"]) if apart]
    assert not [place for place in differing if not expected("pymare", place)]
    assert not outlived("pymare", differing), "these are listed as disagreements, but no longer differ"


def _beside_pymare(case):
    """The case in a word, and whether a number of ours is another."""
    name, count, method, letters, tau2, *columns = case
    design, test = pymare()["designs"][name], TEST_LETTERS[letters]
    if count:
        mods = moderators({moderator: design[moderator] for moderator in ("mod1", "mod2")[:count]})
        fit = meta_regression(design["yi"], design["vi"], mods, method=method, test=test)
        rows = [(each.estimate, each.se, each.p, *each.ci) for each in fit.coefficients]
    else:
        fit = pool(design["yi"], design["vi"], method=method, test=test)
        rows = [(fit.estimate, fit.se, fit.p, *fit.ci)]
    rel, nothing = (2e-4, 2e-5) if method in ("ML", "REML") else (1e-9, 1e-11)
    agree = fit.tau2 == pytest.approx(tau2, rel=rel, abs=max(nothing, 1e-12))
    agree = agree and all(
        row == pytest.approx(theirs, rel=rel, abs=nothing) for row, *theirs in zip(rows, *columns, strict=True)
    )
    return f"{name}-{count}-{method}-{letters}", not agree
