"""The guide's table of traits and styles of record is drawn from records, and nothing a style says goes silently.

``BCMA_DECIDE_REDRAW=1 python -m pytest tests/fhir/reading/test_styles_of_records.py`` writes the table anew.
"""

import os
from importlib.resources import files
from pathlib import Path
from random import Random

import pytest

from tests.fhir.reading.support.records import bundle, condition, person
from tests.fhir.reading.support.styles import CHANGE, STYLES, TRAITS, Draw
from tests.fhir.reading.support.truths import held_of, read, same
from tests.support.cases import for_each

GUIDE = Path(str(files("bcma_decide") / "guide" / "records.md"))
HEAD = "| trait | " + " | ".join(STYLES) + " |"
DRAWS = 8


def readings(trait, style):
    """Every way this style has to say the trait: the reading, and whether it holds the value."""
    for number in range(DRAWS):
        values = (True, False) if trait.field in {*CHANGE, "hbsag"} else (trait.value,)
        for value in values:
            resources = trait.resources(style, Draw(Random(number)), value)
            if resources is None:
                return
            reading = read(
                bundle(person(), *([] if trait.field == "myeloma" else [condition("mm", "x", "y")]), *resources)
            )
            yield reading, _holds(reading, trait, value)


def _holds(reading, trait, value):
    if trait.field == "myeloma":
        return reading.has_myeloma is True
    held = held_of(reading, trait.field)
    if trait.field == "received":
        return bool(held)
    return same(held, (trait.course, value) if trait.course else value)


def cell(trait, style):
    found = [right for _, right in readings(trait, style)]
    if not found:
        return "–"
    return "read" if all(found) else "some" if any(found) else "listed"


def table():
    lines = [HEAD, "|---" * (len(STYLES) + 1) + "|"]
    lines += [f"| {each.label} | " + " | ".join(cell(each, style) for style in STYLES) + " |" for each in TRAITS]
    return "\n".join(lines) + "\n"


def held_by(guide):
    start = guide.index(HEAD)
    return guide[start : guide.index("\n\n", start) + 1]


@pytest.fixture(scope="module")
def drawn():
    made = table()
    if os.environ.get("BCMA_DECIDE_REDRAW") == "1":
        guide = GUIDE.read_text(encoding="utf-8")
        GUIDE.write_text(guide.replace(held_by(guide), made), encoding="utf-8")
    return made


def test_the_table_of_the_guide_is_what_the_reader_does(drawn):
    assert held_by(GUIDE.read_text(encoding="utf-8")) == drawn, "BCMA_DECIDE_REDRAW=1 writes it anew"


@for_each("style", STYLES)
def test_what_is_not_read_is_listed(style):
    """In the ledger, or among what is not understood; never neither."""
    for trait in TRAITS:
        for reading, right in readings(trait, style):
            lines = [line for line in reading.ledger.inputs if line.field == trait.field]
            assert right or lines or reading.ledger.unmapped, (trait.label, style)


@for_each("style", STYLES)
def test_a_value_is_never_another_one(style):
    for trait in TRAITS:
        for reading, right in readings(trait, style):
            if not right and trait.field != "myeloma":
                assert held_of(reading, trait.field) is None, (trait.label, style)
