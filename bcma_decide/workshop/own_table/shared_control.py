"""Rows of one study that compare with the same control group: their effects are correlated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bcma_decide.errors import Problem
from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.continuity import HALF_A_PATIENT
from bcma_decide.workshop.meta_analysis.incidence_rates import RatePairs
from bcma_decide.workshop.meta_analysis.shared_controls import covariance, of_controls, of_controls_in_time
from bcma_decide.workshop.meta_analysis.study_table import StudyTable, column
from bcma_decide.workshop.meta_analysis.table_file import listed, refused
from bcma_decide.workshop.meta_analysis.two_groups import Tables
from bcma_decide.workshop.synthesis.studies import GROUPS, Studies

__all__ = ["rows_of_shared_controls", "with_shared_controls"]


def with_shared_controls(table: StudyTable, studies: Studies) -> Studies:
    """Studies of two groups with the covariance of rows that share a control, each row with a name of its own.

    Rows of one name share it where their second groups have the same counts, and the same name in a column ``control``
    if there is one.

    Raises
    ------
    SynthesisError
        When a name stands on several lines that share no control, or a named control has other counts elsewhere.
    """
    # Lines of the table: some rows of it may be left out.
    place = studies.rows or tuple(range(studies.k))
    rows_of: dict[str, list[int]] = {}
    for row, name in enumerate(studies.labels):
        rows_of.setdefault(name, []).append(row)
    if len(rows_of) == studies.k:
        return studies
    controls = _controls(studies)
    named = column(table, "control")
    problems = _contradictions(table, studies, controls, named, place)
    keys = [
        (name, table.columns[named][place[row]] if named else "", *controls[row])
        for row, name in enumerate(studies.labels)
    ]
    problems += [
        Problem(
            f"column {column(table, 'study')}",
            f"{name!r} stands on {listed([table.lines[place[row]] for row in rows])}, with different second groups",
            "name each row apart; or pool arms of one study with --nested COLUMN",
        )
        for name, rows in rows_of.items()
        if any(keys.count(keys[row]) < len(rows) and keys.count(keys[row]) == 1 for row in rows)
    ]
    if problems:
        raise refused(table.file, problems)
    parts = (
        of_controls_in_time(studies.rates)
        if isinstance(studies.rates, RatePairs)
        else of_controls(_tables(studies), GROUPS[studies.scale.measure], studies.correction or HALF_A_PATIENT)
    )
    several = {name: rows for name, rows in rows_of.items() if len(rows) > 1}
    where = "; ".join(f"{name}, {listed([table.lines[place[row]] for row in rows])}" for name, rows in several.items())
    said = (
        f"Rows of one study share their control group ({where}): the {studies.k} comparisons of {len(rows_of)} studies "
        "are pooled with the covariance that this makes, by generalised least squares (Gleser and Olkin 2009)."
    )
    labels = list(studies.labels)
    for name, rows in several.items():
        for number, row in enumerate(rows, start=1):
            labels[row] = f"{name} ({number})"
    return replace(
        studies,
        labels=tuple(labels),
        covariance=covariance(studies.vi, parts, keys),
        remarks=(*studies.remarks, said),
    )


def rows_of_shared_controls(names: Sequence[str], studies: Studies) -> list[int]:
    """Rows of one study, by the names given, whose second groups have the same counts."""
    if studies.groups is None and not isinstance(studies.rates, RatePairs):
        return []
    keys = list(zip(names, _controls(studies), strict=True))
    return [row for row, key in enumerate(keys) if keys.count(key) > 1]


def _tables(studies: Studies) -> Tables:
    assert studies.groups is not None  # noqa: S101, RUF100  # studies of two groups are the only ones looked at
    return studies.groups


def _controls(studies: Studies) -> list[tuple[float, float]]:
    """Events of the second group, and its patients or its time."""
    if isinstance(studies.rates, RatePairs):
        second: tuple[FloatArray, FloatArray] = (studies.rates.second.events, studies.rates.second.time)
    else:
        second = (_tables(studies).events2, _tables(studies).total2)
    return list(zip(*(np.asarray(each).tolist() for each in second), strict=True))


def _contradictions(
    table: StudyTable,
    studies: Studies,
    controls: Sequence[tuple[float, float]],
    named: str | None,
    place: Sequence[int],
) -> list[Problem]:
    """Rows of a study whose control has the same name and other counts."""
    if named is None:
        return []
    first: dict[tuple[str, str], int] = {}
    problems = []
    for row, name in enumerate(studies.labels):
        cell = table.columns[named][place[row]]
        if not cell:
            continue
        before = first.setdefault((name, cell), row)
        if controls[before] != controls[row]:
            (c, n), (e, m) = controls[before], controls[row]
            problems.append(
                Problem(
                    f"line {table.lines[place[row]]}, column {named}",
                    f"{cell!r} of {name!r} has {e:g} of {m:g} here and {c:g} of {n:g} on line "
                    f"{table.lines[place[before]]}",
                    "mend one of them, or give the groups two names",
                )
            )
    return problems
