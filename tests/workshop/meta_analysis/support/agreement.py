"""The page of agreement, from the data of the tests: ``python -m tests.workshop.meta_analysis.support.agreement``.

``--live`` first compares with metafor anew (R with metafor, lme4 and jsonlite; minutes), ``--times`` measures beside
metafor, PyMARE and statsmodels where they are installed; both keep what they find in ``tests/reference``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.support.places import ROOT
from tests.workshop.meta_analysis.support.disagreements import known
from tests.workshop.meta_analysis.support.live import summary, times
from tests.workshop.meta_analysis.support.live.comparison import TOLERANCES, compared, metafor
from tests.workshop.meta_analysis.support.live.ours import answer
from tests.workshop.meta_analysis.support.live.tables import DRAWN, tables
from tests.workshop.meta_analysis.support.nested_tables import nested_tables
from tests.workshop.meta_analysis.support.peers import cases, pymare
from tests.workshop.meta_analysis.support.reference import NAMES, effect_sets, relative_tolerance

PAGE: Final = ROOT / "bcma_decide" / "guide" / "agreement.md"
AGAIN: Final = "run: python -m tests.workshop.meta_analysis.support.agreement"
BLOCKS: Final = {
    "effects": "effects and variances of studies, every measure",
    "pool": "pooled effect: 11 estimators of tau2, 4 tests, intervals, predictions, I2, H2, Q",
    "q_profile": "Q-profile intervals of tau2, I2 and H2",
    "regression": "meta-regression: coefficients, errors, QM, QE, R2",
    "diagnostics": "leaving one out, influence",
    "asymmetry": "Egger, Begg, trim and fill, Henmi and Copas",
    "cumulative": "adding one study after another",
    "glmm": "binomial-normal model (rma.glmm, 25 points)",
    "glmm_mods": "the same with moderators",
    "mh": "Mantel-Haenszel",
    "peto": "Peto",
}
OF: Final = {"live": "live", "pymare": "PyMARE's reference", "choice": "by choice"}


def main() -> None:
    """Compare and measure where it is asked for, and write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.workshop.meta_analysis.support.agreement", description=__doc__
    )
    parser.add_argument("--live", action="store_true", help="compare with metafor anew")
    parser.add_argument("--times", action="store_true", help="measure anew, on a machine with nothing else to do")
    parser.add_argument("--seconds", type=float, default=1.0, help="CPU seconds for each fit")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if asked.live:
            given = tables()
            theirs = metafor(given, Path(folder))
            outcome = compared(given, {name: answer(table) for name, table in given.items()}, theirs["answers"])
            _keep(summary.FILE, summary.of(outcome, theirs["versions"]))
        if asked.times:
            _keep(times.FILE, times.measured(Path(folder), asked.seconds))
    PAGE.write_text(page(), encoding="utf-8")


def _keep(file: Path, found: dict[str, Any]) -> None:
    file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def page() -> str:
    """The whole page as Markdown."""
    return "\n".join([*_compared(), *_live(), *_differences(), *_times()]) + "\n"


def _compared() -> Iterator[str]:
    expected = [number for case in cases() for value in case.expected.values() for number in _listed(value)]
    by = Counter(case.source.split()[0] for case in cases())
    pooled = sum(len(tests) for each in effect_sets().values() for tests in each["pool"].values())
    nested = sum(len(table.fits) for table in nested_tables())
    yield from (
        "# What agrees with metafor, meta and lme4, and what does not, and why",
        "",
        "Of `bcma-decide meta` and the library under it. This page is written by",
        "`python -m tests.workshop.meta_analysis.support.agreement` from the data of the tests, which fail where a",
        "number is another; how to use the command is in [a table of your own](own-table.md).",
        "",
        "| compared with | how much | within, relatively | by the tests |",
        "|---|---|---|---|",
        f"| stored answers of metafor 3.8-1, meta 8.2-1 and lme4 1.1-31 (R 4.2.2) | {len(NAMES)} tables, "
        f"{len(effect_sets())} sets of effects, {pooled} pooled fits and what follows, {nested} nested models | "
        f"{relative_tolerance('', 'DL'):g}; {relative_tolerance('', 'REML'):g} where tau2 is searched for; 1e-4 to "
        "lme4 and profile likelihoods | every change |",
        f"| what the tests of other programs expect: {by['metafor']} cases of metafor's, {by['statsmodels']} of "
        f"statsmodels' | {len(cases())} commands, {len(expected)} numbers | half of the last digit they print | every "
        "change |",
        f"| PyMARE's reference: metafor 4.6.0 on {len(pymare()['designs'])} designs | {len(pymare()['cases'])} fits | "
        "1e-9; 2e-4 where metafor stops at its own limit | every change |",
        f"| metafor, live: {DRAWN} drawn tables and {len(tables()) - DRAWN} that are trouble (no events, all events, "
        "two studies, ties, identical studies, tau2 on its edge, several peaks, extreme rates, moderators nearly "
        f"collinear, hundreds of studies) | {sum(_found()['compared'].values()):,} numbers | below | every night |",
    )


def _found() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(summary.FILE.read_text(encoding="utf-8"))
    return found


def _live() -> Iterator[str]:
    found = _found()
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    yield from (
        "",
        "## Live, number by number",
        "",
        f"{versions}; metafor's iterations run to 1e-12 of the variances. The largest difference",
        "is that of the numbers that count as equal; those that do not are in the next section. What is below 1e-11 of",
        "the unit of the table counts as nothing: a tau2 of 0 and one that rounding leaves are the same.",
        "",
        "| part | numbers | largest difference, relatively |",
        "|---|---:|---:|",
    )
    for block, told in BLOCKS.items():
        largest = found["largest"].get(block, 0.0)
        yield f"| {told} | {found['compared'][block]:,} | {f'{largest:.0e}' if largest else 'none'} |"
    loosest = max(tolerance for _, tolerance in TOLERANCES)
    yield from (
        "",
        f"What may lie between the two is from 1e-12 (effects) to {loosest:g} (the binomial-normal model, which lme4",
        "searches to about 1e-4); `tests/workshop/meta_analysis/support/live/comparison.py` lists it part by part.",
    )


def _differences() -> Iterator[str]:
    yield from (
        "",
        "## What does not agree, and why",
        "",
        "| compared | where | why |",
        "|---|---|---|",
    )
    for each in known():
        places = ", ".join(f"`{place}`" if each.of != "choice" else place for place in each.where)
        yield f"| {OF[each.of]} | {places} | {' '.join(each.reason.split())} |"


def _times() -> Iterator[str]:
    yield from ("", "## Time", "")
    if not times.FILE.exists():
        yield from (
            "Not measured yet on a machine with nothing else to do: `pip install pymare statsmodels`, R with metafor,",
            "and `python -m tests.workshop.meta_analysis.support.agreement --times` write them here.",
        )
        return
    found = json.loads(times.FILE.read_text(encoding="utf-8"))
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    load = " to ".join(f"{each:.1f}" for each in found["load"])
    yield from (
        f"CPU milliseconds of one fit with everything it gives, least of several turns in one run, at load {load}:",
        f"{versions}, metafor as above.",
        "bcma-decide gives intervals of tau2, I2 and H2 and the prediction interval too, statsmodels the estimate.",
        "metafor's matrices have a row and a column for every study, 800 MB each for ten thousand.",
        "",
        "| fit | studies | bcma-decide | metafor | PyMARE | statsmodels |",
        "|---|---:|---:|---:|---:|---:|",
    )
    for name, taken in found["seconds"].items():
        method, k = name.split()
        cells = [
            _milliseconds(taken[who]) if who in taken else "-"
            for who in ("bcma-decide", "metafor", "PyMARE", "statsmodels")
        ]
        yield f"| {method} | {int(k):,} | {' | '.join(cells)} |"


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:,.0f}" if seconds >= 0.1 else f"{1000 * seconds:.3g}"


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


if __name__ == "__main__":
    main()
