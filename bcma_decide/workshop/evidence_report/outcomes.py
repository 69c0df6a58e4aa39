"""Every outcome that can be pooled: forest plot and pooled rates by class, by REML and by the binomial-normal model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from bcma_decide.errors import SynthesisError
from bcma_decide.vocabulary import CLASS_LABELS, OUTCOMES
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence.selection import SelectedRow
from bcma_decide.workshop.evidence_report.accounts import Accounts
from bcma_decide.workshop.evidence_report.forest import forest_of
from bcma_decide.workshop.evidence_report.published import PooledGroup, PublishedPooling, pool_outcome, pool_rows
from bcma_decide.workshop.evidence_report.words import outcome_label, percent_interval, pooled_text
from bcma_decide.workshop.meta_analysis.heterogeneity import QTest
from bcma_decide.workshop.plots.forest import forest
from bcma_decide.workshop.plots.numbers import NOTHING, ends_text, number_text, p_text
from bcma_decide.workshop.plots.page import Drawing, Section, Table
from bcma_decide.workshop.synthesis.model import Method

__all__ = ["outcome_section", "poolable"]

_METHODS: Final[tuple[Method, ...]] = ("REML", "GLMM")
_TITLES: Final = (
    "Class", "Method", "studies", "patients", "events", "pooled, percent (95 % interval)", "next study, percent",
    "tau2 (95 % interval)", "I2, percent", "Q (df)", "p of Q",
)  # fmt: skip
_CAPTION: Final = (
    "Squares are studies with exact intervals, their areas the weight within the class; diamonds are pooled rates "
    "(REML), the lines below them where a next study is expected."
)


def poolable(accounts: Accounts) -> Iterator[str]:
    """Outcomes with two studies or more of one class: those of the model first, then in the order of the vocabulary."""
    found = [
        outcome
        for outcome, selection in accounts.selections.items()
        if any(sum(row.class_id == class_id for row in selection.rows) > 1 for class_id in CLASS_LABELS)
    ]
    yield from sorted(found, key=lambda outcome: outcome not in OUTCOMES)


def outcome_section(catalogue: Catalogue, accounts: Accounts, progress: Callable[[str], None]) -> Section:
    """A part for every outcome."""
    said = (
        "Rates are pooled on the logit scale within each class, with random effects between studies. REML weighs "
        "studies by their inverse variances, with half a patient added to both cells of studies where one is empty; "
        "GLMM is the binomial-normal model, which needs no such addition and is the one to trust where events are "
        "rare. Both give the rate of the typical study. A next study is expected within the prediction interval.",
        "The test between classes compares studies of different patients without randomisation: it says whether the "
        "published rates differ by more than chance, not that one treatment does more than the other.",
    )
    parts = []
    for outcome in poolable(accounts):
        progress(outcome_label(catalogue, outcome))
        parts.append(_part(outcome, catalogue))
    return Section("Pooled outcomes", said, parts=tuple(parts))


def _part(outcome: str, catalogue: Catalogue) -> Section:
    label = outcome_label(catalogue, outcome)
    pooling = pool_outcome(catalogue, outcome, method="REML")
    return Section(
        label,
        tuple(_said(pooling)),
        (Table(f"{label}: pooled rates", _TITLES, tuple(_rows(pooling)), large=True),),
        (Drawing(forest(forest_of(pooling, catalogue, f"{label}, by class")), f"{label}. {_CAPTION}"),),
    )


def _said(pooling: PublishedPooling) -> Iterator[str]:
    if pooling.between is not None:
        yield f"Between classes: {q_text(pooling.between)}."
    derived = [row.study for row in pooling.selection.rows if row.derived]
    if derived:
        yield f"Counts worked out from a printed percentage: {', '.join(derived)}."
    per_decision = [f"{row.study} ({row.denominator})" for row in pooling.selection.rows if _from_decision(row)]
    if per_decision:
        yield f"Counted per patient randomised or leukapheresed, not per patient treated: {', '.join(per_decision)}."


def _from_decision(row: SelectedRow) -> bool:
    return row.denominator in ("randomised", "leukapheresed")


def q_text(test: QTest) -> str:
    """``Q 5.1 (df 1), p 0.0238``."""
    return f"Q {number_text(test.q)} (df {test.df}), p {p_text(test.p)}"


def _rows(pooling: PublishedPooling) -> Iterator[tuple[str, ...]]:
    for group in pooling.groups:
        if group.k == 1:
            yield (*_head(group, "one study"), pooled_text(group), *[NOTHING] * 5)
            continue
        for method in _METHODS:
            yield from _row(group, pooling, method)


def _row(group: PooledGroup, pooling: PublishedPooling, method: Method) -> Iterator[tuple[str, ...]]:
    if method != pooling.model.method:
        wanted = {(row.study, row.arm) for row in group.rows}
        rows = [row for row in pooling.selection.rows if (row.study, row.arm) in wanted]
        try:
            group = pool_rows(group.group, rows, method)
        except SynthesisError:
            yield (*_head(group, method), "no finite estimate", *[NOTHING] * 5)
            return
    result = group.result
    tau2 = number_text(result.tau2, 3) + ("" if result.tau2_ci is None else f" ({ends_text(result.tau2_ci, 3)})")
    yield (
        *_head(group, method),
        pooled_text(group),
        percent_interval(group.prediction),
        tau2,
        NOTHING if result.i2 is None else f"{result.i2:.0f}",
        NOTHING if result.q is None else f"{number_text(result.q)} ({result.q_df})",
        p_text(result.q_p),
    )


def _head(group: PooledGroup, method: str) -> tuple[str, ...]:
    return (group.group, method, str(group.k), str(group.patients), str(group.events))
