"""Rows of studies that are shown as published: found by their words, and written as one line each."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, Literal

from bcma_decide.errors import closest
from bcma_decide.vocabulary import UNVERIFIED
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence.schema import Identifier, OutcomeRow, Split, Strict, Study, TimeToEvent
from bcma_decide.workshop.evidence.views import survival_text

Row = OutcomeRow | Split | TimeToEvent

YEAR: Final = 12.0


class PublishedRow(Strict):
    """One figure of a study, found by its words; exactly one row has to fit."""

    study: Identifier
    list: Literal["outcomes", "splits", "time_to_event"]
    outcome: Identifier
    """The outcome, or the endpoint of a time to event."""
    trait: Identifier | None = None
    level: str | None = None
    population: str | None = None
    """Of a time to event."""
    source: str | None = None
    """Where it was seen, to tell two cuts of the same figure apart."""

    def found_in(self, study: Study) -> tuple[Row, ...]:
        """Return the rows of the study that fit: primary ones, and any time to event."""
        rows: tuple[Row, ...] = getattr(study, self.list)
        return tuple(row for row in rows if self._fits(row))

    def _fits(self, row: Row) -> bool:
        word = row.endpoint if isinstance(row, TimeToEvent) else row.outcome
        return (
            word == self.outcome
            and (isinstance(row, TimeToEvent) or getattr(row, "primary", True))
            and self.trait in (None, getattr(row, "trait", None))
            and self.level in (None, getattr(row, "level", None))
            and self.population in (None, getattr(row, "population", None))
            and self.source in (None, row.source)
        )


def row_problems(
    rows: Collection[PublishedRow], studies: Mapping[str, Study], class_id: str
) -> Iterator[tuple[str, str, str]]:
    """Field, message and fix of every row that leads nowhere or may not be shown."""
    for place, row in enumerate(rows):
        study = studies.get(row.study)
        if study is None:
            yield f"rows[{place}].study", f"there is no study {row.study}", closest(row.study, list(studies))
            continue
        found = row.found_in(study)
        if len(found) != 1:
            hint = "say which with trait, level, population or source"
            yield f"rows[{place}]", f"{len(found)} primary rows of {row.study} fit", hint
        elif found[0].basis == UNVERIFIED:
            yield f"rows[{place}]", "a recalled figure is not shown as published", ""
        if class_id not in ("any", study.class_id):
            yield f"rows[{place}].study", f"{row.study} is not of class {class_id}", ""


def figure(row: PublishedRow, catalogue: Catalogue) -> dict[str, Any]:
    """Plain data for the pooled file: the row in words, its counts where they are known, and its source.

    The words do not name the study.
    """
    study = catalogue.study(row.study)
    found = row.found_in(study)[0]
    ids = catalogue.vocabulary.ids
    events, n = _counts(found)
    if isinstance(found, TimeToEvent):
        rate = None
        what = f"{ids.endpoints[found.endpoint]}, {found.population}: {survival_text(found)}"
    else:
        rate = events / n if events is not None and n else None if found.pct is None else found.pct / 100.0
        group = f"; {ids.traits[found.trait]} {found.level}" if isinstance(found, Split) else ""
        what = f"{ids.outcomes[found.outcome]}{group}: {_rate_text(events, n, rate)}"
    return {
        "text": what,
        "outcome": row.outcome,
        "events": events,
        "n": n,
        "rate": rate,
        "sources": [f"{study.id}:{found.source}"] if found.source else [],
    }


def with_share(row: PublishedRow, catalogue: Catalogue) -> dict[str, Any]:
    """The same with the share at the landmark nearest to a year, where a time to an event has one."""
    found = row.found_in(catalogue.study(row.study))[0]
    landmarks = found.landmarks if isinstance(found, TimeToEvent) else ()
    nearest = min(landmarks, key=lambda each: abs(each.month - YEAR), default=None)
    share = {} if nearest is None else {"month": nearest.month, "share": nearest.pct / 100.0}
    return figure(row, catalogue) | share


def figure_sources(rows: Collection[PublishedRow], catalogue: Catalogue) -> dict[str, Any]:
    """Citations of the rows, by the key that their figures carry."""
    sources = {}
    for row in rows:
        study = catalogue.study(row.study)
        key = row.found_in(study)[0].source
        if key:
            sources[f"{study.id}:{key}"] = study.sources[key].bedside()
    return sources


def _counts(row: Row) -> tuple[int | None, int | None]:
    """Events and patients; none where either was only recalled."""
    if isinstance(row, TimeToEvent) or UNVERIFIED in (row.events_basis, row.n_basis):
        return None, None
    return row.events, row.n


def _rate_text(events: int | None, n: int | None, rate: float | None) -> str:
    percent = "" if rate is None else f"{100 * rate:.0f} %"
    return f"{events} of {n} ({percent})" if events is not None and n else percent
