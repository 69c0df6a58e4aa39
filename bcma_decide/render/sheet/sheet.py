"""The sheet as it is asked for: for whom, in which language, on which paper, with which rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from bcma_decide.errors import Problem, SheetError
from bcma_decide.render.words.language import SOURCE, Audience, languages
from bcma_decide.vocabulary import OUTCOMES, PFS

Paper = Literal["A4", "Letter"]
PAPERS: Final[tuple[Paper, ...]] = ("A4", "Letter")

ICONS_DRAWN: Final = 3
"""Outcomes drawn as icons; more do not fit beside each other."""
PATIENT_ROWS: Final = 6
"""Outcomes on the patient's sheet at most: more do not fit in its larger type."""
ROWS: Final = (*OUTCOMES, PFS)
"""What can be asked for as a row."""
TEXT_LIMIT: Final = 80
"""Signs that fit on a line of the heading."""


@dataclass(frozen=True)
class Sheet:
    """What a sheet looks like; everything on it comes from the comparison.

    ``rows``: outcomes shown, in the order of the comparison; empty for those of the audience. ``icons``: up to three
    of them as 100 icons; empty likewise. ``label``: initials or a record number, only if the user gives it. ``site``:
    the clinic's own line in the heading.
    """

    audience: Audience = "clinician"
    language: str = SOURCE
    paper: Paper = "A4"
    rows: tuple[str, ...] = ()
    icons: tuple[str, ...] = ()
    label: str = ""
    site: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be printed; raises SheetError."""
        problems = [
            Problem(name, f"{outcome!r} is not an outcome", f"one of {', '.join(ROWS)}")
            for name, outcomes in (("rows", self.rows), ("icons", self.icons))
            for outcome in outcomes
            if outcome not in ROWS
        ]
        if len(self.icons) > ICONS_DRAWN:
            problems.append(Problem("icons", f"{len(self.icons)} outcomes", f"at most {ICONS_DRAWN}"))
        asked = dict.fromkeys((*self.rows, *self.icons))
        if self.audience == "patient" and len(asked) > PATIENT_ROWS:
            problems.append(Problem("rows", f"{len(asked)} outcomes", f"at most {PATIENT_ROWS} for the patient"))
        if self.language != SOURCE and self.language not in (known := languages(self.audience)):
            where = f"the sheet for the {self.audience} is not complete in {self.language!r}"
            problems.append(Problem("lang", where, f"one of {', '.join(known)}"))
        problems += [
            Problem(name, f"{len(text)} signs", f"at most {TEXT_LIMIT}")
            for name, text in (("label", self.label), ("site", self.site))
            if len(text) > TEXT_LIMIT
        ]
        if problems:
            raise SheetError("the sheet cannot be written", problems)
