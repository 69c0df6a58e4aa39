"""From named columns of study characteristics to a design matrix, and new values coded the same way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.weighted_regression import dependent_column

__all__ = ["INTERCEPT", "DroppedRow", "Factor", "Moderators", "Value", "code_new", "moderators"]

Value = float | str | None
INTERCEPT = "intercept"


@dataclass(frozen=True)
class Factor:
    """A moderator of named levels: ``levels[0]`` is the reference, every other level has a column of its own."""

    name: str
    levels: tuple[str, ...]


@dataclass(frozen=True)
class DroppedRow:
    """A row left out: its place counted from 0, the study's name, and the moderators it has no value of."""

    row: int
    study: str
    missing: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Moderators:
    """A design matrix and how it was made.

    ``matrix`` (k, p) has an intercept first; ``names`` (p) name its columns, a level of a factor as
    ``name=level``. ``rows`` (k) are the rows used, counted from 0; ``dropped`` the others. ``terms`` are the
    moderators in order: the name of a numeric one, or a `Factor`.
    """

    matrix: FloatArray
    names: tuple[str, ...]
    rows: tuple[int, ...]
    dropped: tuple[DroppedRow, ...]
    terms: tuple[str | Factor, ...]


def moderators(
    columns: Mapping[str, Sequence[Value]],
    *,
    reference: Mapping[str, str] | None = None,
    studies: Sequence[str] | None = None,
) -> Moderators:
    """Design matrix of an intercept and the moderators named.

    A column of numbers enters as it is. A column of texts is a factor with one 0/1 column for each level but the
    reference, which is the first level in sorted order unless another is stated. Rows without a value (``None``) in
    any column are left out and named in the result.

    Parameters
    ----------
    columns : mapping of str to sequence, all of length n
        One value per study: a number, a text, or ``None`` where it is missing.
    reference : mapping of str to str, optional
        Reference level of factors.
    studies : sequence of str of length n, optional
        Names of the studies, for the rows left out; otherwise they are called ``row 0`` and so on.

    Raises
    ------
    SynthesisError
        Naming the column: lengths differ, a value is neither number nor text or not finite, numbers and texts are
        mixed, all rows used have the same value, a stated reference does not occur, a column follows from those
        before it, or the rows used are not more than the coefficients.
    """
    if not columns:
        raise SynthesisError("no moderator is named: a mean without moderators is what pool() gives")
    size = len(next(iter(columns.values())))
    names = [f"row {row}" for row in range(size)] if studies is None else list(studies)
    for name, values in [*columns.items(), ("studies", names)]:
        if len(values) != size:
            raise SynthesisError(f"{name} has {len(values)} rows, but {next(iter(columns))} has {size}")
    gaps = {
        row: missing
        for row in range(size)
        if (missing := tuple(name for name, values in columns.items() if values[row] is None))
    }
    rows = tuple(row for row in range(size) if row not in gaps)
    _checked_references(columns, reference or {})
    terms = tuple(_term(name, values, rows, (reference or {}).get(name)) for name, values in columns.items())
    labels = (INTERCEPT, *(label for term in terms for label in _labels(term)))
    if len(rows) <= len(labels):
        raise SynthesisError(
            f"{len(rows)} studies have a value of {', '.join(columns)}, too few for {len(labels)} coefficients "
            f"({', '.join(labels)}): leave a moderator out"
        )
    matrix = _coded(terms, {name: [values[row] for row in rows] for name, values in columns.items()}, len(rows))
    # Judged about the mean: the year 2019 to 2024 is, beside a column of ones, constant to three digits, yet
    # informative.
    dependent = dependent_column(_centred(matrix))
    if dependent is not None:
        raise SynthesisError(
            f"moderator {labels[dependent]} follows from those before it ({', '.join(labels[:dependent])}), "
            f"so their effects cannot be told apart: leave one out"
        )
    dropped = tuple(DroppedRow(row, names[row], missing) for row, missing in gaps.items())
    return Moderators(matrix, labels, rows, dropped, terms)


def code_new(design: Moderators, values: Mapping[str, Sequence[Value]]) -> FloatArray:
    """Rows of the design matrix for new moderator values, coded as the studies were; shape (m, p).

    Parameters
    ----------
    design : Moderators
    values : mapping of str to sequence, all of length m
        Every moderator of the design, and no other.

    Raises
    ------
    SynthesisError
        Naming the moderator that is missing, unknown, of another length or kind, or has a level no study had.
    """
    known = {term if isinstance(term, str) else term.name: term for term in design.terms}
    for name in known:
        if name not in values:
            raise SynthesisError(f"a prediction needs a value of every moderator: {name} is missing")
    size = len(next(iter(values.values())))
    for name, column in values.items():
        if name not in known:
            raise SynthesisError(f"{name} is not a moderator of this model, which has {', '.join(known)}")
        if len(column) != size:
            raise SynthesisError(f"{name} has {len(column)} rows, but {next(iter(values))} has {size}")
        _checked_new(known[name], column)
    return _coded(design.terms, values, size)


def _checked_references(columns: Mapping[str, Sequence[Value]], reference: Mapping[str, str]) -> None:
    for name in reference:
        if name not in columns:
            raise SynthesisError(f"reference names {name}, which is not one of the moderators {', '.join(columns)}")


def _checked_new(term: str | Factor, column: Sequence[Value]) -> None:
    for row, value in enumerate(column):
        if isinstance(term, str):
            _number(term, row, value)
        elif value not in term.levels:
            raise SynthesisError(f"{term.name}[{row}] is {value!r}, but the studies had {', '.join(term.levels)}")


def _term(name: str, values: Sequence[Value], rows: Sequence[int], reference: str | None) -> str | Factor:
    """Kind of a column, once it is known to vary over the rows used."""
    used = [values[row] for row in rows]
    levels = sorted({value for value in used if isinstance(value, str)})
    if len(levels) == 0:
        for row, value in zip(rows, used, strict=True):
            _number(name, row, value)
        if reference is not None:
            raise SynthesisError(f"{name} is a column of numbers and has no reference level {reference!r}")
    elif not all(isinstance(value, str) for value in used):
        row = next(row for row in rows if not isinstance(values[row], str))
        raise SynthesisError(f"{name}[{row}] is {values[row]!r}, but other rows of {name} are texts")
    elif "" in levels:
        row = next(row for row in rows if values[row] == "")
        raise SynthesisError(f"{name}[{row}] is an empty text: use None where the value is missing")
    if len(set(used)) == 1:
        raise SynthesisError(
            f"moderator {name} is {used[0]!r} in every study used, so its effect cannot be told from the intercept: "
            f"leave it out"
        )
    if not levels:
        return name
    first = levels[0] if reference is None else reference
    if first not in levels:
        raise SynthesisError(f"the reference level of {name} is {first!r}, but its levels are {', '.join(levels)}")
    return Factor(name, (first, *(level for level in levels if level != first)))


def _number(name: str, row: int, value: Value) -> None:
    if not isinstance(value, Real) or not math.isfinite(value):
        raise SynthesisError(f"{name}[{row}] is {value!r}, but must be a finite number (None where it is missing)")


def _labels(term: str | Factor) -> tuple[str, ...]:
    return (term,) if isinstance(term, str) else tuple(f"{term.name}={level}" for level in term.levels[1:])


def _coded(terms: Sequence[str | Factor], values: Mapping[str, Sequence[Value]], size: int) -> FloatArray:
    parts: list[Sequence[Value] | Sequence[bool]] = [[1.0] * size]
    for term in terms:
        if isinstance(term, str):
            parts.append(values[term])
        else:
            parts.extend([value == level for value in values[term.name]] for level in term.levels[1:])
    return np.array(parts, dtype=np.float64).T


def _centred(matrix: FloatArray) -> FloatArray:
    """The same column space with every column but the intercept about its mean, so that its origin hides nothing."""
    return np.column_stack([matrix[:, :1], matrix[:, 1:] - matrix[:, 1:].mean(axis=0)])
