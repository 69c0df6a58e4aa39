"""Tables that the live comparison with metafor is made of: drawn ones, and ones that have been trouble before."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

Table = dict[str, Any]
DRAWN: Final = 30
_SEED: Final = 20261130


def tables() -> dict[str, Table]:
    """Every table by name."""
    random = np.random.default_rng(_SEED)
    return {f"drawn {number}": _drawn(random, number) for number in range(1, DRAWN + 1)} | _nasty()


def _drawn(random: np.random.Generator, number: int) -> Table:
    """A table as reviews have them: effects, single arms or two groups in turn, with two moderators and an order."""
    k = int(random.integers(3, 26))
    table: Table = {"order": random.permutation(k).tolist()}
    if number % 3 != 2:
        x1, x2 = random.normal(size=k).round(2), random.integers(0, 2, k)
        x2[:2] = [0, 1]
        if k > 4:
            table |= {"x1": x1.tolist(), "x2": x2.tolist()}
    spread = float(random.choice([0.0, 0.2, 0.8]))
    if number % 3 == 0:
        v = random.lognormal(-3.0, 1.2, k)
        y = random.normal(0.3, np.sqrt(spread**2 + v))
        return table | {"yi": y.round(6).tolist(), "vi": v.round(8).tolist()}
    centre, sizes = float(random.choice([-3.0, -1.0, 0.5, 2.5])), random.integers(8, 300, (2, k))
    rates = 1 / (1 + np.exp(-random.normal(centre, spread, k)))
    events = random.binomial(sizes[0], rates)
    if number % 3 == 1:
        return table | {"events": events.tolist(), "n": sizes[0].tolist()}
    others = random.binomial(sizes[1], 1 / (1 + np.exp(-np.log(rates / (1 - rates)) - 0.4)))
    return {
        "events1": events.tolist(), "n1": sizes[0].tolist(), "events2": others.tolist(), "n2": sizes[1].tolist(),
    }  # fmt: skip


def _effects(yi: list[float], vi: list[float], **more: object) -> Table:
    return {"yi": yi, "vi": vi, "order": list(range(len(yi))), **more}


def _arms(events: list[int], n: list[int], **more: object) -> Table:
    return {"events": events, "n": n, "order": list(range(len(n))), **more}


def _groups(events1: list[int], n1: list[int], events2: list[int], n2: list[int]) -> Table:
    return {"events1": events1, "n1": n1, "events2": events2, "n2": n2}


def _nasty() -> dict[str, Table]:
    random = np.random.default_rng(_SEED + 1)
    k = 300
    wide = random.lognormal(-2.0, 1.0, k)
    near = [0.1, 0.9, 2.2, 2.8, 4.1, 5.3, 5.9, 7.2]
    beside = [3e-4, -1e-4, 2e-4, 0.0, -3e-4, 1e-4, 2e-4, -2e-4]
    return {
        "no events": _arms([0, 0, 0, 0], [10, 25, 40, 7]),
        "all events": _arms([12, 30, 5], [12, 30, 5]),
        "all or nothing": _arms([0, 20, 0, 31], [15, 20, 12, 31]),
        "one with some": _arms([0, 14, 0, 7, 5], [30, 14, 22, 9, 5]),
        "two arms": _arms([3, 18], [20, 25]),
        "extreme logits": _arms([1, 2, 4999, 3, 990], [4000, 9000, 5000, 2500, 1000]),
        "huge and tiny": _arms([500000, 1, 30, 2], [1000000, 3, 61, 2]),
        "rare events": _arms([0, 0, 0, 41, 0, 0, 0, 0, 0, 9], [30, 31, 20, 821, 103, 141, 16, 74, 102, 236]),
        "two that differ": _effects([0.1, 1.9], [0.04, 0.09]),
        "two that agree": _effects([0.1, 0.12], [0.4, 0.9]),
        "identical": _effects([0.5, 0.5, 0.5, 0.5], [0.1, 0.1, 0.1, 0.1]),
        "one effect, other sizes": _effects([0.5, 0.5, 0.5, 0.5], [0.1, 0.2, 0.05, 0.4]),
        "ties": _effects([0.1, 0.1, 0.4, 0.4, 0.4, 0.9, -0.2], [0.02, 0.05, 0.02, 0.05, 0.05, 0.1, 0.1]),
        # Q = 3 at tau2 = 0: PM, EB and DL are on their edge.
        "on the edge": _effects([0.0, 0.0, 2.0, 2.0], [4 / 3, 4 / 3, 4 / 3, 4 / 3]),
        "two peaks": _effects([0.0, 4.0, 0.01, -0.02], [0.01, 1.5, 9.0, 0.0001]),
        "agreeing studies": _effects([0.30, 0.31, 0.29], [0.04, 0.09, 0.02]),
        "an outlier": _effects([0.1, 0.2, 0.15, 0.12, 0.18, 5.0], [0.02, 0.03, 0.01, 0.02, 0.05, 0.03]),
        "very unequal variances": _effects([0.2, 0.7, -0.4, 1.1, 3.0], [0.0001, 0.02, 0.5, 30.0, 1000.0]),
        "large numbers": _effects([1.2e6, 3.4e6, 2.2e6, 0.4e6, 2.9e6], [2e11, 5e11, 1e11, 9e11, 3e11]),
        "small numbers": _effects([1.2e-6, 3.4e-6, 2.2e-6, 0.4e-6, 2.9e-6], [2e-13, 5e-13, 1e-13, 9e-13, 3e-13]),
        "many": _effects(
            random.normal(0.2, np.sqrt(0.09 + wide)).round(6).tolist(), wide.round(8).tolist(),
            x1=random.normal(size=k).round(3).tolist(), x2=random.integers(0, 2, k).tolist(), large=True,
        ),
        "moderators nearly collinear": _effects(
            [0.3, 0.1, 0.8, 0.5, 0.2, 1.1, 0.9, 1.4], [0.05, 0.02, 0.04, 0.1, 0.03, 0.06, 0.02, 0.08],
            x1=near, x2=[value + off for value, off in zip(near, beside, strict=True)],
        ),
        "years and a level of one study": _effects(
            [0.3, 0.1, 0.8, 0.5, 0.2, 1.1], [0.05, 0.02, 0.04, 0.1, 0.03, 0.06],
            x1=[2015, 2016, 2016, 2018, 2021, 2022], x2=[0, 0, 0, 1, 0, 0],
        ),
        "nobody in one study": _groups([0, 3, 2, 5], [100, 100, 50, 80], [0, 9, 6, 11], [100, 100, 50, 80]),
        "nobody in a group": _groups([0, 0, 0], [10, 15, 20], [1, 3, 2], [10, 10, 30]),
        "everybody in one study": _groups([20, 12, 5], [20, 30, 9], [25, 4, 3], [25, 28, 11]),
        "unequal groups, rare": _groups([1, 0, 2, 1], [20, 15, 40, 11], [3, 2, 9, 4], [900, 2100, 4000, 350]),
        "two studies of two groups": _groups([3, 9], [40, 60], [8, 12], [41, 58]),
    }  # fmt: skip
