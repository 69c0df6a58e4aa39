"""The figures of the source meta-analysis beside this project's, and what could explain where they differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bcma_decide.vocabulary import CLASS_LABELS
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence.reviews import PooledRow
from bcma_decide.workshop.evidence.selection import SelectedRow, Window, select
from bcma_decide.workshop.evidence_report.published import PooledGroup, pool_rows
from bcma_decide.workshop.evidence_report.words import outcome_label, points, pooled_text, row_label
from bcma_decide.workshop.plots.page import Section, Table
from bcma_decide.workshop.synthesis.model import Method

__all__ = ["Compared", "beside_the_source", "source_section"]

_COLUMNS: Final[tuple[tuple[Method, Window], ...]] = (
    ("DL", "source"), ("REML", "source"), ("DL", "all"), ("REML", "all"),
)  # fmt: skip
_TITLES: Final[dict[Window, str]] = {"source": "source window", "all": "all studies"}


@dataclass(frozen=True)
class Compared:
    """One figure of the source (a fraction), and this project's pooled rates by method and window."""

    row: PooledRow
    outcome: str
    group: str
    source: float
    ours: dict[tuple[Method, Window], PooledGroup]


def beside_the_source(catalogue: Catalogue) -> Iterator[Compared]:
    """Every pooled rate the source prints, beside ours of the same outcome, class and number of targets."""
    for row in catalogue.source_meta_analysis.pooled:
        if row.pct is None or row.class_id not in CLASS_LABELS:
            continue
        for outcome in row.outcomes:
            name = CLASS_LABELS[row.class_id][0] + (", dual target" if row.dual_target else "")
            ours = {}
            for method, window in _COLUMNS:
                rows = _rows(catalogue, row, outcome, window)
                if rows:
                    ours[method, window] = pool_rows(name, rows, method)
            yield Compared(row, outcome, name, row.pct / 100, ours)


def _rows(
    catalogue: Catalogue, row: PooledRow, outcome: str, window: Window, *, unverified: bool = False
) -> list[SelectedRow]:
    selection = select(catalogue, outcome, purpose="published", window=window, include_unverified=unverified)
    return [
        each
        for each in selection.rows
        if each.class_id == row.class_id
        if not row.dual_target or len(catalogue.study(each.study).targets) > 1
    ]


def source_section(catalogue: Catalogue) -> Section:
    """Two tables: the figures side by side, and how ours moves when one thing about the studies is changed."""
    source = catalogue.source_meta_analysis
    facts = {fact.item: fact for fact in source.facts}
    said = [f"{source.title}. {source.journal}."]
    if (included := facts.get("included")) is not None:
        said.append(f"It pooled {included.studies} studies with {included.patients} patients.")
    if (search := facts.get("search")) is not None:
        said.append(f"Last date searched: {search.value}; the source window holds what was published by then.")
    said.append(f"Not public: {', '.join(source.not_found)}. So the two sets of studies cannot be matched one by one.")
    pairs = tuple(beside_the_source(catalogue))
    titles = (
        "Outcome", "group", "source, percent", *(f"{method}, {_TITLES[window]}" for method, window in _COLUMNS),
        "studies (window / all)",
    )  # fmt: skip
    return Section(
        "Beside the source meta-analysis",
        (" ".join(said), _HOW),
        (
            Table(
                "Pooled rates, percent with 95 % interval",
                titles,
                tuple(_row(catalogue, pair) for pair in pairs),
                large=True,
            ),
            Table(
                "Reasons for differences: our DL rate in the source window, with one thing changed",
                ("Outcome", "group", "change", "studies", "pooled, percent (95 % interval)", "minus source, points"),
                tuple(line for pair in pairs for line in _reasons(catalogue, pair)),
                words=True,
                large=True,
            ),
        ),
    )


_HOW: Final = (
    "DL is the estimator of the source. Reasons are looked for by changing one thing at a time: leaving out the one "
    "study that brings the rate nearest to the source's, the early constructs and dose escalations, or the rows "
    "counted per patient randomised or leukapheresed; and adding the figures that are recalled, not verified."
)


def _row(catalogue: Catalogue, pair: Compared) -> tuple[str, ...]:
    cells = (pooled_text(pair.ours[key]) if key in pair.ours else "no study" for key in _COLUMNS)
    counts = (str(pair.ours["DL", window].k) if ("DL", window) in pair.ours else "0" for window in _TITLES)
    return (outcome_label(catalogue, pair.outcome), pair.group, f"{100 * pair.source:g}", *cells, " / ".join(counts))


def _reasons(catalogue: Catalogue, pair: Compared) -> Iterator[tuple[str, ...]]:
    rows = _rows(catalogue, pair.row, pair.outcome, "source")
    if not rows:
        return
    label = outcome_label(catalogue, pair.outcome)
    for change, changed in (("as it is", rows), *_changes(catalogue, pair, rows)):
        group = pool_rows(pair.group, changed, "DL")
        yield label, pair.group, change, str(group.k), pooled_text(group), points(group.estimate - pair.source)


def _changes(
    catalogue: Catalogue, pair: Compared, rows: Sequence[SelectedRow]
) -> Iterator[tuple[str, Sequence[SelectedRow]]]:
    """Other sets of rows, each with what was changed; those that change nothing are left out."""
    if len(rows) > 2:
        without = [[other for other in rows if other != row] for row in rows]
        gaps = [abs(pool_rows(pair.group, each, "DL").estimate - pair.source) for each in without]
        place = min(range(len(rows)), key=lambda each: (gaps[each], each))
        yield f"without {row_label(catalogue.study(rows[place].study), rows[place].arm)}", without[place]
    early = [row for row in rows if catalogue.study(row.study).pooling.role == "published_only"]
    yield from _left_out(rows, early, "early constructs and dose escalations")
    decided = [row for row in rows if row.denominator in ("randomised", "leukapheresed")]
    yield from _left_out(rows, decided, "rows per patient randomised or leukapheresed")
    recalled = _rows(catalogue, pair.row, pair.outcome, "source", unverified=True)
    if recalled != list(rows):
        yield "with recalled figures", recalled


def _left_out(
    rows: Sequence[SelectedRow], out: Sequence[SelectedRow], what: str
) -> Iterator[tuple[str, Sequence[SelectedRow]]]:
    if out and len(out) < len(rows):
        yield f"without {what} ({', '.join(row.study for row in out)})", [row for row in rows if row not in out]
