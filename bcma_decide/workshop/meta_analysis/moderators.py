"""From named columns of study characteristics to a design matrix, and new values coded the same way."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from numbers import Real

import numpy as np

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.weighted_regression import dependent_column

__all__ = ["INTERCEPT", "DroppedRow", "Factor", "Moderators", "Value", "code_new", "level_name", "moderators"]

Value = float | str | None
INTERCEPT = "intercept"


@dataclass(frozen=True)
class Factor:
    """A moderator of named levels: ``levels[0]`` is the reference, every other level has a column of its own.

    ``numeric``: the levels are numbers.
    """

    name: str
    levels: tuple[str, ...]
    numeric: bool = False


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
    ``name=level``, a product as ``one:other``. ``rows`` (k) are the rows used, counted from 0; ``dropped`` the others.
    ``terms`` are the moderators in order: the name of a numeric one, or a `Factor`; ``interactions`` the moderators of
    each interaction.
    """

    matrix: FloatArray
    names: tuple[str, ...]
    rows: tuple[int, ...]
    dropped: tuple[DroppedRow, ...]
    terms: tuple[str | Factor, ...]
    interactions: tuple[tuple[str, ...], ...] = ()


def moderators(
    columns: Mapping[str, Sequence[Value]],
    *,
    interactions: Sequence[Sequence[str]] = (),
    factors: Collection[str] = (),
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
    interactions : sequence of sequences of str, optional
        Moderators whose products enter beside them. One of three needs those of each two of them beside it.
    factors : collection of str, optional
        Columns of numbers that are names of groups, in the order of the numbers.
    reference : mapping of str to str, optional
        Reference level of factors.
    studies : sequence of str of length n, optional
        Names of the studies, for the rows left out; otherwise they are called ``row 0`` and so on.

    Raises
    ------
    SynthesisError
        Naming the column: lengths differ, a value is neither number nor text or not finite, numbers and texts are
        mixed, all rows used have the same value, a stated reference does not occur, an interaction is of a moderator
        that is not there or stands alone, a column follows from those before it (for interactions with the combination
        that no study has), or the rows used are not more than the coefficients.
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
    columns = {name: _grouped(values) if name in factors else values for name, values in columns.items()}
    terms = tuple(
        _term(name, values, rows, (reference or {}).get(name), by_number=name in factors)
        for name, values in columns.items()
    )
    crossed = _checked_interactions(columns, interactions)
    sources = _sources(terms, crossed)
    labels = (INTERCEPT, *(label for source in sources for label in _product_labels(source)))
    if len(rows) <= len(labels):
        raise SynthesisError(
            f"{len(rows)} studies have a value of {', '.join(columns)}, too few for {len(labels)} coefficients "
            f"({', '.join(labels)}): leave a moderator out"
        )
    used = {name: [values[row] for row in rows] for name, values in columns.items()}
    matrix = _coded(sources, used, len(rows))
    # Judged about the mean: the year 2019 to 2024 is, beside a column of ones, constant to three digits, yet
    # informative.
    dependent = dependent_column(_centred(matrix))
    if dependent is not None:
        owner = [source for source in sources for _ in _product_labels(source)][dependent - 1]
        if len(owner) > 1 and (gap := _gap(owner, used)):
            raise SynthesisError(gap)
        raise SynthesisError(
            f"moderator {labels[dependent]} follows from those before it ({', '.join(labels[:dependent])}), "
            f"so their effects cannot be told apart: leave one out"
        )
    dropped = tuple(DroppedRow(row, names[row], missing) for row, missing in gaps.items())
    return Moderators(matrix, labels, rows, dropped, terms, crossed)


def level_name(value: str) -> str:
    """The name of a level that is a number, however it is written: *2.50* and *2.5* are one; another text as it is."""
    try:
        return f"{float(value):.15g}"
    except ValueError:
        return value


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
    return _coded(_sources(design.terms, design.interactions), values, size)


def _grouped(values: Sequence[Value]) -> Sequence[Value]:
    """Numbers as names of levels."""
    if any(isinstance(value, str) for value in values):
        return values
    return [None if value is None else f"{value:.15g}" for value in values]


def _checked_interactions(
    columns: Mapping[str, Sequence[Value]], interactions: Sequence[Sequence[str]]
) -> tuple[tuple[str, ...], ...]:
    """Each once, the shorter first, its moderators in the order of the columns."""
    order = list(columns)
    for each in interactions:
        if stranger := next((name for name in each if name not in columns), None):
            raise SynthesisError(
                f"the interaction {':'.join(each)} needs {stranger} beside it: write {'*'.join(each)} for both"
            )
        if len(set(each)) != len(each) or len(each) < 2:
            raise SynthesisError(f"the interaction {':'.join(each)} needs two different moderators or more")
    crossed = dict.fromkeys(
        tuple(sorted(each, key=order.index)) for each in sorted(interactions, key=lambda each: len(each))
    )
    for each in crossed:
        for size in range(2, len(each)):
            if any(part not in crossed for part in combinations(each, size)):
                raise SynthesisError(
                    f"the interaction {':'.join(each)} needs those of its parts beside it: write {'*'.join(each)}"
                )
    return tuple(crossed)


def _gap(owner: tuple[str | Factor, ...], used: Mapping[str, Sequence[Value]]) -> str | None:
    """Which combination of an interaction no study has, or in which its number does not vary, in words."""
    factors = [term for term in owner if isinstance(term, Factor)]
    numbers = [term for term in owner if isinstance(term, str)]
    name = ":".join(term if isinstance(term, str) else term.name for term in owner)
    met: dict[tuple[Value, ...], list[tuple[Value, ...]]] = {}
    for row in range(len(next(iter(used.values())))):
        at = tuple(used[factor.name][row] for factor in factors)
        met.setdefault(at, []).append(tuple(used[number][row] for number in numbers))
    for levels in product(*(factor.levels for factor in factors)):
        where = " and ".join(f"{factor.name}={level}" for factor, level in zip(factors, levels, strict=True))
        if levels not in met:
            return (
                f"no study has {where}, so the interaction {name} cannot be estimated: leave it out, or give levels "
                "that belong together one name"
            )
        if len(numbers) == 1 and factors and len(set(met[levels])) == 1:
            return (
                f"{numbers[0]} is {met[levels][0][0]:g} in every study with {where}, so the interaction {name} cannot "
                "be estimated: leave it out"
            )
    return None


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


def _term(
    name: str, values: Sequence[Value], rows: Sequence[int], reference: str | None, *, by_number: bool
) -> str | Factor:
    """Kind of a column, once it is known to vary over the rows used."""
    used = [values[row] for row in rows]
    texts = {value for value in used if isinstance(value, str)}
    numeric = by_number and all(_is_number(text) for text in texts)
    levels = sorted(texts, key=float) if numeric else sorted(texts)
    if len(levels) == 0:
        for row, value in zip(rows, used, strict=True):
            _number(name, row, value)
        if reference is not None:
            raise SynthesisError(
                f"{name} is a column of numbers and has no reference level {reference!r}: name it among the factors "
                f"(--factor {name})"
            )
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
    first = levels[0] if reference is None else level_name(reference) if numeric else reference
    if first not in levels:
        raise SynthesisError(f"the reference level of {name} is {first!r}, but its levels are {', '.join(levels)}")
    return Factor(name, (first, *(level for level in levels if level != first)), numeric)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _number(name: str, row: int, value: Value) -> None:
    if not isinstance(value, Real) or not math.isfinite(value):
        raise SynthesisError(f"{name}[{row}] is {value!r}, but must be a finite number (None where it is missing)")


def _labels(term: str | Factor) -> tuple[str, ...]:
    return (term,) if isinstance(term, str) else tuple(f"{term.name}={level}" for level in term.levels[1:])


def _sources(
    terms: Sequence[str | Factor], interactions: Sequence[Sequence[str]]
) -> tuple[tuple[str | Factor, ...], ...]:
    """What columns are made of: each moderator by itself, then those of each interaction."""
    of = {term if isinstance(term, str) else term.name: term for term in terms}
    return (*((term,) for term in terms), *(tuple(of[name] for name in each) for each in interactions))


def _product_labels(source: Sequence[str | Factor]) -> Iterator[str]:
    # The first moderator's levels change fastest, as in R.
    for labels in product(*(_labels(term) for term in reversed(source))):
        yield ":".join(reversed(labels))


def _coded(sources: Sequence[Sequence[str | Factor]], values: Mapping[str, Sequence[Value]], size: int) -> FloatArray:
    def alone(term: str | Factor) -> list[FloatArray]:
        if isinstance(term, str):
            return [np.array(values[term], dtype=np.float64)]
        return [np.array([value == level for value in values[term.name]], np.float64) for level in term.levels[1:]]

    parts = [np.ones(size)]
    for source in sources:
        for factors in product(*(alone(term) for term in reversed(source))):
            column = factors[-1]
            for other in reversed(factors[:-1]):
                column = column * other
            parts.append(column)
    return np.column_stack(parts)


def _centred(matrix: FloatArray) -> FloatArray:
    """The same column space with every column but the intercept about its mean, so that its origin hides nothing."""
    return np.column_stack([matrix[:, :1], matrix[:, 1:] - matrix[:, 1:].mean(axis=0)])
