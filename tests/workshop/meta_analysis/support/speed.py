"""Time of a warm fit beside PyMARE's and statsmodels' on the same inputs.

Run as ``python -m tests.workshop.meta_analysis.support.speed``; needs ``pip install pymare statsmodels``.
Each call is timed alone after three untimed ones; the median of up to 200 calls or 3 seconds is printed.
PyMARE's call is its whole result: estimate, errors, heterogeneity. statsmodels' is the bare estimate.
"""

import statistics
import time
import warnings

import numpy as np
import pymare
from pymare.estimators import DerSimonianLaird, VarianceBasedLikelihoodEstimator
from statsmodels.stats.meta_analysis import combine_effects

from bcma_decide.workshop.meta_analysis.glmm import fit_binomial_normal
from bcma_decide.workshop.meta_analysis.leave_one_out import leave_one_out
from bcma_decide.workshop.meta_analysis.meta_regression import meta_regression
from bcma_decide.workshop.meta_analysis.moderators import moderators
from bcma_decide.workshop.meta_analysis.pooling import pool

SIZES = (10, 100, 1_000, 10_000)
LEFT_OUT = 1_000
"""Studies up to which leaving each out is timed: its time grows with their square."""


def median_ms(function, most=200, seconds=3.0):
    """Median time of a call."""
    for _ in range(3):
        function()
    taken, begun = [], time.perf_counter()
    while len(taken) < most and time.perf_counter() - begun < seconds:
        start = time.perf_counter()
        function()
        taken.append(time.perf_counter() - start)
    return 1000 * statistics.median(taken)


def pymare_fit(estimator, y, v, X=None):
    """PyMARE's whole result."""
    data = pymare.Dataset(y, v) if X is None else pymare.Dataset(y, v, X, add_intercept=True)
    result = estimator.fit_dataset(data).summary()
    result.get_fe_stats()
    result.get_heterogeneity_stats()
    result.get_re_stats()


def calls(k, generator):
    """Name of each fit, and how ours, PyMARE's and statsmodels' are called on k made-up studies."""
    n = generator.integers(20, 200, k)
    events = generator.binomial(n, 1 / (1 + np.exp(-generator.normal(0.5, 0.6, k))))
    y = np.log((events + 0.5) / (n - events + 0.5))
    v = 1 / (events + 0.5) + 1 / (n - events + 0.5)
    x = generator.normal(size=k)
    design = moderators({"x": x.tolist()})
    reml = VarianceBasedLikelihoodEstimator(method="REML")
    columns = x[:, None]
    return (
        ("pool DL", lambda: pool(y, v, method="DL"), lambda: pymare_fit(DerSimonianLaird(), y, v),
         lambda: combine_effects(y, v, method_re="chi2")),
        ("pool REML", lambda: pool(y, v), lambda: pymare_fit(reml, y, v), None),
        ("meta-regression DL", lambda: meta_regression(y, v, design, method="DL"),
         lambda: pymare_fit(DerSimonianLaird(), y, v, columns), None),
        ("meta-regression REML", lambda: meta_regression(y, v, design), lambda: pymare_fit(reml, y, v, columns), None),
        ("leave one out REML", (lambda: leave_one_out(y, v)) if k <= LEFT_OUT else None, None, None),
        ("GLMM", lambda: fit_binomial_normal(events, n), None, None),
    )  # fmt: skip


def main():
    """Print one line for each fit and size."""
    warnings.simplefilter("ignore")
    generator = np.random.default_rng(0)
    print(f"{'fit':<28}{'k':>8}{'ours ms':>10}{'PyMARE':>10}{'statsmodels':>13}")
    for k in SIZES:
        for name, *timed in calls(k, generator):
            cells = ["-" if call is None else f"{median_ms(call):.3g}" for call in timed]
            print(f"{name:<28}{k:>8}{cells[0]:>10}{cells[1]:>10}{cells[2]:>13}", flush=True)


if __name__ == "__main__":
    main()
