"""Readable text of single figures, for people who look at the evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from bcma_decide.workshop.evidence.figures import figures
from bcma_decide.workshop.evidence.reviews import Vocabulary
from bcma_decide.workshop.evidence.schema import (
    AdjustedEffect,
    Figure,
    Interval,
    Kinetic,
    OutcomeRow,
    PopulationFigure,
    Source,
    Split,
    Study,
    TimeToEvent,
)


@dataclass(frozen=True)
class Line:
    """One figure, ready to print."""

    label: str
    figure: str
    basis: str
    source: str
    note: str


@dataclass(frozen=True)
class Block:
    """The figures of one kind."""

    title: str
    lines: tuple[Line, ...]


def blocks(study: Study, words: Vocabulary) -> tuple[Block, ...]:
    """Every figure of a study under a heading of its kind; kinds without figures are left out."""

    def outcome(word: str) -> str:
        return words.outcomes.get(word) or words.endpoints.get(word, word)

    def trait(word: str) -> str:
        return words.traits.get(word, word)

    found = (
        _block(
            "Patients",
            ((words.population.get(k, k), population_text(f), f) for k, f in study.population.items()),
        ),
        _block(
            "Outcomes",
            ((outcome(r.outcome) + _how(r), count_text(r), r) for r in study.outcomes),
        ),
        _block(
            "By trait",
            ((f"{outcome(s.outcome)}: {trait(s.trait)}, {s.level}", count_text(s), s) for s in study.splits),
        ),
        _block(
            "Effects",
            ((f"{outcome(e.outcome)}: {trait(e.trait)}, {e.contrast}", effect_text(e), e) for e in study.effects),
        ),
        _block(
            "Time to event",
            ((f"{outcome(t.endpoint)}, {t.population}", survival_text(t), t) for t in study.time_to_event),
        ),
        _block("Timing", ((words.kinetics.get(k.what, k.what), timing_text(k), k) for k in study.kinetics)),
        _block(
            "Other treatments",
            (
                (
                    f"{a.arm}: {outcome(a.outcome or '')}".rstrip(": "),
                    comparator_text(a.events, a.n, a.pct),
                    a,
                )
                for a in study.comparator_arms
            ),
        ),
        _block(
            "Indirect comparisons",
            (
                (
                    f"{outcome(c.outcome)}, against {c.comparator}",
                    f"{c.measure} {c.value:g} {interval_text(c.ci95)}",
                    c,
                )
                for c in study.indirect_comparisons
            ),
        ),
        _block(
            "Pooled estimates",
            ((p.what, f"{_number(p.value)} {interval_text(p.ci95)}".strip(), p) for p in study.pooled_estimates),
        ),
        _block(
            "Regulatory",
            (
                (
                    r.item,
                    "; ".join(filter(None, [r.value, r.approval, r.indication, r.boxed_warning, r.rems, r.warnings])),
                    r,
                )
                for r in study.regulatory
            ),
        ),
    )
    return tuple(block for block in found if block.lines)


def _how(row: OutcomeRow) -> str:
    """Return how the outcome was defined, where the row says so, and a star where it is not the primary row."""
    return ("" if row.definition is None else f" ({row.definition})") + ("" if row.primary else " *")


def _block(title: str, rows: Iterable[tuple[str, str, Figure]]) -> Block:
    lines = (Line(label, text, figure.basis, figure.source or "", figure.note) for label, text, figure in rows)
    return Block(title, tuple(lines))


def effect_text(effect: AdjustedEffect) -> str:
    """``HR 1.5, 95 % CI 1.1 to 2.2``."""
    text = f"{effect.measure} {'' if effect.value is None else _number(effect.value)}".strip()
    return f"{text}, 95 % CI {interval_text(effect.ci95)}" if effect.ci95 else text


def timing_text(kinetic: Kinetic) -> str:
    """Median and spread on one line."""
    middle = kinetic.median if kinetic.median is not None else kinetic.value
    parts = ["" if middle is None else f"{middle:g}"]
    if kinetic.range is not None:
        parts.append(f"range {interval_text(kinetic.range)}")
    if kinetic.iqr is not None:
        parts.append(f"IQR {interval_text(kinetic.iqr)}")
    return ", ".join(filter(None, parts))


def comparator_text(events: int | None, n: int | None, pct: float | None) -> str:
    """Count and percentage of another treatment."""
    count = "" if n is None else f"{'?' if events is None else events}/{n}"
    return ", ".join(filter(None, [count, "" if pct is None else f"{pct:g} %"]))


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


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
    """Write a baseline figure on one line."""
    parts = []
    if figure.n is not None:
        parts.append(f"{figure.n}/{'?' if figure.of is None else figure.of}")
    elif figure.of is not None:
        parts.append(f"of {figure.of}")
    if figure.pct is not None:
        parts.append(f"{figure.pct:g} %")
    if figure.value is not None:
        parts.append(_number(figure.value))
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
        interval = f" ({_months_text(*curve.ci95)})" if curve.ci95 else ""
        parts.append(f"median {curve.median_months:g} months{interval}")
    for landmark in curve.landmarks:
        interval = f" ({interval_text(landmark.ci95)})" if landmark.ci95 else ""
        parts.append(f"{landmark.pct:g} % at {landmark.month:g} months{interval}")
    return ", ".join(parts)


def _months_text(low: float | None, high: float | None) -> str:
    """``7.9 to not reached``: an end of a median that lies past the follow-up."""
    first, last = ("not reached" if end is None else f"{end:g}" for end in (low, high))
    return f"{first} to {last}"


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
