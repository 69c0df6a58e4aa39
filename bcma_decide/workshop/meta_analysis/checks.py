"""What every input of the synthesis has to be, and the errors that name the row that is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from bcma_decide.errors import SynthesisError

__all__ = [
    "FloatArray",
    "checked_choice",
    "checked_counts",
    "checked_groups",
    "checked_level",
    "checked_vector",
    "refuse",
]

FloatArray = npt.NDArray[np.float64]


def checked_vector(values: npt.ArrayLike, name: str) -> FloatArray:
    """Values as a non-empty, finite, one-dimensional float array.

    Parameters
    ----------
    values : array_like, shape (k,)
    name : str
        What the values are called in the error message.

    Raises
    ------
    SynthesisError
        If the values are not numbers, not one-dimensional, empty, or not all finite.
    """
    try:
        vector = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise SynthesisError(f"{name} must be numbers: {error}") from error
    if vector.ndim != 1:
        raise SynthesisError(f"{name} must have one dimension, not {vector.ndim}")
    if vector.size == 0:
        raise SynthesisError(f"{name} is empty: there is nothing to pool")
    refuse(~np.isfinite(vector), lambda i: f"{name}[{i}] is {vector[i]}, which is not a finite number")
    return vector


def checked_counts(events: npt.ArrayLike, total: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Events and totals as float arrays with ``0 <= events <= total`` and ``total > 0`` in every row.

    Parameters
    ----------
    events, total : array_like, shape (k,)

    Raises
    ------
    SynthesisError
        Naming the first row that breaks a rule, counted from 0.
    """
    e, n = checked_vector(events, "events"), checked_vector(total, "total")
    if e.size != n.size:
        raise SynthesisError(f"events has {e.size} rows but total has {n.size}")
    refuse(n <= 0, lambda i: f"total[{i}] is {n[i]:g}, but a study needs at least one patient")
    refuse(e < 0, lambda i: f"events[{i}] is {e[i]:g}, but a count cannot be negative")
    refuse(e > n, lambda i: f"events[{i}] is {e[i]:g}, more than total[{i}] = {n[i]:g}")
    return e, n


def refuse(bad: npt.NDArray[np.bool_], message: Callable[[int], str]) -> None:
    """Raise SynthesisError with the message for the first row that is bad."""
    if bad.any():
        raise SynthesisError(message(int(np.argmax(bad))))


def checked_level(level: float) -> float:
    """Return ``level`` if it is a probability strictly between 0 and 1, else raise SynthesisError."""
    if not 0 < level < 1:
        raise SynthesisError(f"level is {level}, but must lie between 0 and 1, for example 0.95")
    return level


def checked_choice(name: str, value: object, allowed: Sequence[str]) -> None:
    """Raise SynthesisError if the value is not one of those allowed."""
    if value not in allowed:
        raise SynthesisError(f"{name} is {value!r}, but must be one of {', '.join(allowed)}")


def checked_groups(groups: Sequence[str], size: int) -> list[str]:
    """The groups in order of first appearance; every one of ``size`` studies needs the name of its group.

    Raises
    ------
    SynthesisError
        If there are more or fewer rows, or naming the first row without a group.
    """
    if len(groups) != size:
        raise SynthesisError(f"groups has {len(groups)} rows but there are {size} studies")
    for row, label in enumerate(groups):
        if not isinstance(label, str) or not label:
            raise SynthesisError(f"groups[{row}] is {label!r}, but every study needs the name of its group")
    return list(dict.fromkeys(groups))
