"""A short load on the real service: nothing fails, and the memory does not run away; figures come from tests.load."""

import pytest

from tests.load.load import Plan, measured, missing

LARGEST = 700
"""Megabytes of two workers and their parent under load."""


@pytest.mark.nightly
@pytest.mark.skipif(bool(missing()), reason=missing())
@pytest.mark.parametrize("signed", [False, True], ids=["open", "signed"])
def test_two_workers_answer_many_at_once_without_an_error(capsys, signed):
    plan = Plan(seconds=5, at_once=(32,), audits=(True,), signed=signed, kinds=("cards",) if signed else Plan.kinds)
    with capsys.disabled():
        print()
        found = measured(plan)
    for run in found["runs"]:
        assert run["requests"] > 0
        assert (run["refused"], run["broken"]) == (0, 0)
        assert sum(run["after"].values()) < LARGEST
