"""A little of the long run: every reader, some inputs each; and that the run itself notices what goes wrong."""

import time

import pytest

from bcma_decide.errors import BcmaDecideError
from tests.fuzz import run as fuzz
from tests.fuzz.readers import READERS, Reader

A_FEW = 800
"""Inputs over all readers here; ``.ci/nightly`` tries a million."""


@pytest.fixture
def reader(monkeypatch):
    """One reader in the place of all."""

    def put(read):
        monkeypatch.setattr(fuzz, "READERS", {"x": Reader(lambda draw: draw.random(), read, (BcmaDecideError,), 1)})
        return fuzz.run(5, 1, ["x"])["x"]

    return put


def test_a_few_inputs_of_every_reader():
    found = fuzz.run(A_FEW, 26, list(READERS))
    assert [name for name, each in found.items() if each.tried < 6] == []
    assert {name: each.faults for name, each in found.items() if each.faults} == {}


def test_inputs_are_read_and_refused_both():
    """A run in which nothing is read, or nothing refused, would look at one side only."""
    for name in ("field", "profile YAML", "FHIR bundle", "weights", "own table"):
        found = fuzz.run(300, 27, [name])[name]
        assert found.read, name
        assert found.refused, name


def test_a_number_makes_the_same_input_again():
    for name in READERS:
        assert ascii(fuzz.drawn(name, 3, 1)) == ascii(fuzz.drawn(name, 3, 1)), name


def test_another_error_than_its_own_is_a_fault(reader):
    def read(given):
        raise IndexError(given)

    (cases,) = reader(read).faults.values()
    assert len(cases) == 5
    assert "IndexError" in cases[0]


def test_its_own_error_is_none(reader):
    def read(given):
        raise BcmaDecideError("no")

    assert (reader(read).refused, reader(read).faults) == (5, {})


def test_what_takes_too_long_is_a_fault(reader, monkeypatch):
    monkeypatch.setattr(fuzz, "PATIENCE", 0.05)
    (cases,) = reader(lambda given: time.sleep(5)).faults.values()
    assert "TooSlow" in cases[0]
