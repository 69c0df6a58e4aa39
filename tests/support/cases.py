"""One test for a table of cases: every case is tried, and each that fails is named.

A parametrized test costs its collection in every worker and its own setup and report for each case; a table of many
quick cases is one test instead, with the same assertions.
"""

import inspect
from collections.abc import Iterable
from random import Random

import pytest

from tests.support.examples import PROFILE

SHOWN = 40
"""So many failing cases are named; the traceback is that of the first."""


class Looped:
    """Marks a function that loops; holds what it loops over, so that tables can be crossed."""

    def __init__(self, function, rows):
        self.function, self.rows = function, rows


def for_each(names, values, ids=None, plain=None):
    """Like ``pytest.mark.parametrize``, in one test; two above each other are crossed.

    With ``plain`` the README's command tries so many of the cases, CI twice as many, and the nightly run every one:
    for tables and crossings of one kind of case. They are the same ones every time.

    Fixtures are made once for all cases: what a case writes into ``tmp_path`` is there for the next.
    """
    names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    rows = [_row(names, value, number, ids) for number, value in enumerate(values)]
    if not rows:
        raise ValueError(f"no cases of {', '.join(names)}")

    def decorate(function):
        inner = getattr(function, "looped", Looped(function, [("", {})]))
        crossed = [("-".join(filter(None, (a, b))), one | two) for b, two in rows for a, one in inner.rows]
        return _looping(Looped(inner.function, crossed if plain is None else several(crossed, plain)))

    return decorate


def several(rows, plain):
    """So many of the rows in the plain profile, in their order; twice as many in CI, all at night."""
    rows = list(rows)
    most = len(rows) if PROFILE == "nightly" else min(len(rows), plain * (2 if PROFILE == "ci" else 1))
    return [rows[place] for place in sorted(Random(most).sample(range(len(rows)), most))]


def _row(names, value, number, ids):
    """Label and values of one case; an id is taken from where ``parametrize`` would take it."""
    given = None
    if hasattr(value, "values") and hasattr(value, "marks"):  # pytest.param
        if value.marks:
            raise ValueError("a case with a mark of its own needs a test of its own")
        value, given = value.values, value.id
    elif len(names) == 1:
        value = (value,)
    value = tuple(value)
    if len(value) != len(names):
        raise ValueError(f"{len(names)} names, but {len(value)} values: {value!r}")
    if given is None and callable(ids):
        given = "-".join(str(ids(each)) for each in value)
    elif given is None and isinstance(ids, Iterable):
        given = str(list(ids)[number])
    plain = (str, int, float, bool, type(None))
    label = given or "-".join(
        str(each) if isinstance(each, plain) else f"{name}{number}" for name, each in zip(names, value, strict=True)
    )
    return label, dict(zip(names, value, strict=True))


def _looping(looped):
    function, rows = looped.function, looped.rows

    def loop(*instance, **fixtures):
        __tracebackhide__ = True
        failed = []
        for label, values in rows:
            try:
                function(*instance, **values, **fixtures)
            except (Exception, pytest.fail.Exception) as error:
                failed.append((label, error))
        if failed:
            lines = [f"{label}: {type(error).__name__}: {_first_lines(error)}" for label, error in failed[:SHOWN]]
            more = [f"... and {len(failed) - SHOWN} more"] if len(failed) > SHOWN else []
            summary = "\n".join([f"{len(failed)} of {len(rows)} cases fail", *lines, *more])
            raise AssertionError(summary) from failed[0][1]

    signature = inspect.signature(function)
    kept = [each for name, each in signature.parameters.items() if name not in rows[0][1]]
    loop.__signature__ = signature.replace(
        parameters=[each.replace(kind=inspect.Parameter.KEYWORD_ONLY) if each.name != "self" else each for each in kept]
    )
    for name in ("__name__", "__qualname__", "__doc__", "__module__"):
        setattr(loop, name, getattr(function, name))
    loop.pytestmark = list(getattr(function, "pytestmark", []))
    loop.looped = looped
    loop.draws = getattr(function, "is_hypothesis_test", False)
    return loop


def _first_lines(error):
    return " | ".join(str(error).strip().splitlines()[:3])[:300]
