"""The README's picture is what the program prints today."""

import os

from bcma_decide import compare
from bcma_decide.patient.files import load_example
from bcma_decide.render.terminal.picture import terminal_picture
from tests.support.places import REPORTS

EXAMPLE = "extramedullary-66-high-risk"
ROWS = ("orr", "cr_or_better", "crs_any", "infection_g3plus")
PICTURE = REPORTS / "terminal.svg"


FINDINGS = ("blood-counts.car-hematotox-high", "disease-features", "infection.active-infection", "fitness")


def drawn() -> str:
    """A part of the view: some rows, some findings, no practical facts and scores; all of it would fill pages."""
    whole = compare(load_example(EXAMPLE), name=EXAMPLE)
    findings = tuple(finding for finding in whole.findings if finding.id.startswith(FINDINGS))
    part = whole.model_copy(update={"findings": findings, "practice": (), "scores": ()})
    return terminal_picture(part, width=100, outcomes=ROWS)


def test_the_picture_is_current():
    """Set BCMA_DECIDE_REDRAW to draw it anew, then look at it."""
    if os.environ.get("BCMA_DECIDE_REDRAW"):
        PICTURE.write_text(drawn(), encoding="utf-8")
    assert PICTURE.read_text(encoding="utf-8") == drawn()
