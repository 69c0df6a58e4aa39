"""How the page shows a comparison: what is chosen and says nothing of a patient, so that an address may hold it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bcma_decide.render.sheet.sheet import ROWS, Paper, Sheet
from bcma_decide.render.words.language import SOURCE, Audience
from bcma_decide.service.http.bodies import read_shape
from bcma_decide.service.service import Service
from bcma_decide.spellings import iso_day
from bcma_decide.time_course import Clock
from bcma_decide.vocabulary import EXPLAINED, Design


def _is_a_day(text: str) -> str:
    try:
        iso_day(text)
    except ValueError:
        raise ValueError("is not a day of the calendar, as in 2026-11-30") from None
    return text


def _is_explained(text: str) -> str:
    if text and text not in EXPLAINED:
        raise ValueError("is not an outcome that can be explained")
    return text


class ViewOptions(BaseModel):
    """Whose results, labels and paper; ``date`` is the day labels are judged on, ``clock`` what is counted from.

    ``order``: whether both therapies are shown one after the other; ``explain``: the outcome whose number is explained.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    setting: Design
    region: str = Field(max_length=40)
    date: Annotated[str, AfterValidator(_is_a_day)]
    clock: Clock = "infusion"
    audience: Audience = "clinician"
    paper: Paper = "A4"
    lang: str = Field(default=SOURCE, max_length=20)
    rows: tuple[str, ...] = Field(default=(), max_length=len(ROWS))
    order: bool = False
    explain: Annotated[str, AfterValidator(_is_explained)] = Field(default="", max_length=40)

    def sheet(self) -> Sheet:
        """The sheet asked for; raises SheetError."""
        return Sheet(audience=self.audience, language=self.lang, paper=self.paper, rows=self.rows)

    def query(self) -> str:
        """As the query of an address that chooses the same; the day is left out, since it may be one of a visit."""
        chosen = self.model_dump(exclude={"date"})
        return urlencode(chosen | {"order": "true" if self.order else ""}, doseq=True)


NAMES: Final = frozenset(ViewOptions.model_fields)
LABELS: Final = {
    "setting": "Setting",
    "region": "Region",
    "date": "As of",
    "clock": "Counted from",
    "audience": "Sheet for",
    "paper": "Paper",
    "lang": "Language",
    "rows": "Rows",
    "order": "Order of therapies",
    "explain": "Explain",
}


def usual_view(service: Service) -> ViewOptions:
    """What is shown until something else is chosen."""
    settings = service.settings
    return ViewOptions(setting=settings.setting, region=settings.region, date=service.today().isoformat())


def read_view(given: Mapping[str, Sequence[str]], usual: ViewOptions) -> ViewOptions:
    """Read the options; what is not given, or empty, is as usual. Raises Refusal (422) with every problem."""
    found: dict[str, Any] = usual.model_dump()
    for name, values in given.items():
        if name == "rows":
            found[name] = tuple(values)
        elif len(values) > 1:
            found[name] = tuple(values)  # the shape says what is wrong with it
        elif values[0].strip():
            found[name] = values[0].strip()
    return read_shape(ViewOptions, found, 422, "the page cannot be shown as asked for")
