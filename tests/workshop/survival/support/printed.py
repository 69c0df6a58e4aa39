"""Studies as papers would print them: a Kaplan-Meier curve of drawn times, its landmarks and its median."""

import numpy as np

from bcma_decide.workshop.survival.levels import Setting, StudyCurve
from bcma_decide.workshop.survival.points import Points, log_time

LANDMARKS = (6.0, 12.0, 18.0)


def kaplan_meier(times, followed):
    """Event times and survival just after them; all of ``times`` (patients,) censored at ``followed``."""
    order = np.argsort(np.minimum(times, followed))
    seen = np.minimum(times, followed)[order]
    event = (times <= followed)[order]
    at_risk = np.arange(seen.size, 0, -1)
    share = np.cumprod(np.where(event, 1.0 - 1.0 / at_risk, 1.0))
    return seen[event], share[event]


def at(curve, month):
    """Survival of a Kaplan-Meier curve at a month."""
    times, share = curve
    before = np.searchsorted(times, month, side="right")
    return float(share[before - 1]) if before else 1.0


def printed_study(draw, rng, n, products, offset, real_world=0.0):
    """A study of ``n`` patients whose log odds lie ``offset`` off: landmarks that are reached, and the median.

    ``draw`` (uniforms, offset) gives times. Everybody is followed for 12 to 30 months.
    """
    times = draw(rng.uniform(size=n), offset)
    followed = rng.uniform(12.0, 30.0, size=n)
    curve = kaplan_meier(times, followed)
    months = [month for month in LANDMARKS if 0.02 < at(curve, month) < 0.98]
    level = [np.log(at(curve, month) / (1.0 - at(curve, month))) for month in months]
    below = np.flatnonzero(curve[1] <= 0.5)
    if below.size:
        months.append(float(curve[0][below[0]]))
        level.append(0.0)
    order = np.argsort(months)
    share = 1.0 / (1.0 + np.exp(-np.array(level)[order]))
    more, fewer = np.maximum.outer(share, share), np.minimum.outer(share, share)
    covariance = 1.2 / (n * more * (1.0 - fewer)) + 0.01 * np.eye(share.size)
    return StudyCurve(
        points=Points(np.array([log_time(months[i]) for i in order]), np.array(level)[order], covariance, ()),
        products=products,
        setting=Setting(real_world=real_world),
        trial=str(rng.integers(1 << 40)),
        patients=np.zeros((1, 1)),
        extra_variance=0.0,
    )
