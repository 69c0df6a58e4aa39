"""Readable text of single figures, for people who look at the evidence."""

from __future__ import annotations

from collections import Counter

from bcma_decide.evidence.check import figures
from bcma_decide.evidence.schema import Interval, OutcomeRow, PopulationFigure, Source, Split, Study, TimeToEvent


def basis_counts(study: Study) -> dict[str, int]:
    """Figures of a study by basis."""
    counts = Counter(figure.basis for _, figure in figures(study))
    return {basis: counts[basis] for basis in ("verified", "derived", "recalled")}


def interval_text(interval: Interval | None) -> str:
    """``4.1 to 6.9``, with an open end left out."""
    if interval is None:
        return ""
    low, high = ("" if end is None else f"{end:g}" for end in interval)
    return f"{low} to {high}".strip()


def count_text(row: OutcomeRow | Split) -> str:
    """``94/128, 73.4 %``."""
    parts = []
    if row.events is not None or row.n is not None:
        parts.append(f"{'?' if row.events is None else row.events}/{'?' if row.n is None else row.n}")
    if row.pct is not None:
        parts.append(f"{row.pct:g} %")
    if row.ci95 is not None:
        parts.append(f"95 % CI {interval_text(row.ci95)}")
    return ", ".join(parts)


def population_text(figure: PopulationFigure) -> str:
    """A baseline figure on one line."""
    parts = []
    if figure.n is not None:
        parts.append(f"{figure.n}/{'?' if figure.of is None else figure.of}")
    elif figure.of is not None:
        parts.append(f"of {figure.of}")
    if figure.pct is not None:
        parts.append(f"{figure.pct:g} %")
    if figure.value is not None:
        parts.append(f"{figure.value:g}" if isinstance(figure.value, float | int) else figure.value)
    if figure.range is not None:
        parts.append(f"range {interval_text(figure.range)}")
    if figure.iqr is not None:
        parts.append(f"IQR {interval_text(figure.iqr)}")
    if figure.sd is not None:
        parts.append(f"SD {figure.sd:g}")
    return ", ".join(parts)


def survival_text(curve: TimeToEvent) -> str:
    """Median and landmarks on one line."""
    parts = []
    if curve.median_months is not None:
        interval = f" ({interval_text(curve.ci95)})" if curve.ci95 else ""
        parts.append(f"median {curve.median_months:g} months{interval}")
    for landmark in curve.landmarks:
        interval = f" ({interval_text(landmark.ci95)})" if landmark.ci95 else ""
        parts.append(f"{landmark.pct:g} % at {landmark.month:g} months{interval}")
    return ", ".join(parts)


def address(source: Source) -> str:
    """Where a source can be looked up."""
    parts = []
    if source.pmid:
        parts.append(f"PMID {source.pmid}")
    if source.doi:
        parts.append(f"doi:{source.doi}")
    if source.url:
        parts.append(source.url)
    return ", ".join(parts) or "no address"
