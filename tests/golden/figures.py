"""The figures of comparisons as lines of text, compared number by number.

``python -m tests.golden.figures`` redraws the file, which only a change may do that says which numbers moved and why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from bcma_decide import Comparison
from bcma_decide.time_course import Survival
from tests.golden.profiles import comparisons

FIGURES = Path(__file__).parent / "figures.txt"
TOLERANCE = 2e-5
"""What rounding may move between processors."""


def lines_of(name: str, comparison: Comparison, usual: frozenset[str]) -> Iterator[str]:
    """Estimates, contrasts, moves, findings, labels and scores of one profile, a line each.

    ``usual`` are the findings of the first profile, of which nothing is known: of them only what is missing is written.
    """
    yield f"profile {name}"
    for outcome in comparison.outcomes:
        for option, estimate in outcome.estimates.items():
            if estimate.median is None:
                yield f" {outcome.id} {option} {estimate.state}"
                continue
            decision = estimate.from_decision
            numbers = [estimate.median, estimate.mean, *(estimate.credible or ()), *(estimate.prediction or ())]
            numbers += [decision.mean, *decision.credible] if decision else []
            yield f" {outcome.id} {option} {written(numbers)} {(estimate.certainty or '').replace(' ', '-')}"
        if outcome.contrast:
            pair = outcome.contrast
            bare = pair.without_bias_term
            numbers = [pair.risk_difference.mean, *pair.risk_difference.interval, pair.probability_first_higher]
            numbers += [pair.tipping_point_log_or, bare.risk_difference.mean, *bare.risk_difference.interval]
            yield f" {outcome.id} contrast {written([*numbers, bare.probability_first_higher])}"
    for _, rows in groupby(comparison.survival, key=lambda row: (row.option, row.endpoint, row.kind)):
        yield from _survival(next(rows))
    for way in comparison.ways:
        if way.infused and way.states:
            last = way.states[-1]
            numbers = [way.infused.mean, *(way.infused.credible or ()), last.not_infused, last.free]
            yield f" way {way.option} {written(numbers)}"
    for unknown in comparison.unknowns:
        for outcome_id, moves in groupby(unknown.moves, key=lambda move: move.outcome):
            ends = " ".join(f"{move.option} {written([move.low, move.high])}" for move in moves)
            yield f" unknown {unknown.trait} {outcome_id} {ends}"
    found = findings_of(comparison)
    yield from (f" finding {finding}" for finding in sorted(found - usual))
    yield from (f" without {finding}" for finding in sorted(usual - found))
    for product, label in comparison.indications.items():
        items = " ".join(item.state for item in label.items)
        yield f" label {product} {label.state} of {items}"
        for other in label.other_regimens:
            yield f" label {product} {other.regimen.replace(' ', '-')} {other.state}"
    for score in comparison.scores:
        if score.low is not None and score.high is not None:
            yield f" score {score.id} {written([score.low, score.high])} {(score.group or 'open').replace(' ', '-')}"


def _survival(row: Survival) -> Iterator[str]:
    """A computed row by month, with what its clock from the decision says; of published ones, which stands first."""
    if row.kind == "published":
        yield f" published {row.option} {row.endpoint} {','.join(row.sources)}"
        return
    if row.state != "estimated":
        yield f" pfs {row.option} {row.state}"
        return
    for clock, figures in (("infusion", row), ("decision", row.from_decision)):
        for time in figures.times if figures else ():
            numbers = [time.mean, *(time.credible or ()), *(time.prediction or ())]
            yield f" pfs {row.option} {clock} {time.month:g} {written(number or 0.0 for number in numbers)}"
    if row.median_months and row.median_months.value:
        yield f" pfs {row.option} median {written([row.median_months.value])}"


def findings_of(comparison: Comparison) -> frozenset[str]:
    """Id, option, rank and state of every finding."""
    return frozenset(
        f"{finding.id} {','.join(finding.applies_to.values()) or 'profile'} {finding.severity} {finding.state}"
        for finding in comparison.findings
    )


def written(numbers: Iterable[float]) -> str:
    """Numbers to five decimals: what the sixth is depends on the processor."""
    return " ".join(f"{number:.5f}".lstrip("0").rstrip("0").rstrip(".") or "0" for number in numbers)


def differences(kept: list[str], now: list[str]) -> list[str]:
    """What is not as it was: lines that came or went, and lines in which a number moved beyond the tolerance."""
    found = []
    for before, after in zip(kept, now, strict=False):
        if before != after and not _near(before.split(), after.split()):
            found.append(f"was:{before}\nnow:{after}")
    if len(kept) != len(now):
        found.append(f"{len(kept)} lines were kept, {len(now)} are there now")
    return found


def _near(before: list[str], after: list[str]) -> bool:
    return len(before) == len(after) and all(map(_same, before, after))


def _same(before: str, after: str) -> bool:
    try:
        return abs(float(before) - float(after)) <= TOLERANCE
    except ValueError:
        return before == after


def drawn() -> list[str]:
    """The lines of all profiles as they are today."""
    lines: list[str] = []
    usual: frozenset[str] = frozenset()
    for name, comparison in comparisons():
        lines += lines_of(name, comparison, usual)
        usual = usual or findings_of(comparison)
    return lines


if __name__ == "__main__":
    FIGURES.write_text("\n".join(drawn()) + "\n", encoding="utf-8")
