"""What this package says of a table, in the shape of ``metafor.R``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.begg_test import begg_test
from bcma_decide.workshop.meta_analysis.cumulative import cumulative
from bcma_decide.workshop.meta_analysis.effect_sizes import effect_sizes
from bcma_decide.workshop.meta_analysis.egger_test import egger_test
from bcma_decide.workshop.meta_analysis.glmm import fit_binomial_normal
from bcma_decide.workshop.meta_analysis.henmi_copas import henmi_copas
from bcma_decide.workshop.meta_analysis.influence import influence
from bcma_decide.workshop.meta_analysis.leave_one_out import leave_one_out
from bcma_decide.workshop.meta_analysis.meta_regression import meta_regression
from bcma_decide.workshop.meta_analysis.moderators import moderators
from bcma_decide.workshop.meta_analysis.pooled_tables import mantel_haenszel, peto
from bcma_decide.workshop.meta_analysis.pooling import pool
from bcma_decide.workshop.meta_analysis.trim_and_fill import trim_and_fill
from bcma_decide.workshop.meta_analysis.two_groups import compare_groups
from tests.workshop.meta_analysis.support.live.tables import Table
from tests.workshop.meta_analysis.support.reference import MEASURE_LETTERS, METHOD_LETTERS, TEST_LETTERS

Answer = dict[str, Any]


def answer(table: Table) -> Answer:
    """Everything that is compared; a part that is refused is ``{"error": message}``."""
    if "events1" in table:
        return _groups(table)
    found: Answer = {}
    y, v = (np.array(table[name], dtype=float) if name in table else None for name in ("yi", "vi"))
    design = None if "x1" not in table else moderators({"x1": table["x1"], "x2": table["x2"]})
    if "events" in table:
        events, n = table["events"], table["n"]
        sets = {letters: effect_sizes(events, n, measure) for letters, measure in MEASURE_LETTERS.items()}
        found["effects"] = {letters: {"yi": each.yi, "vi": each.vi} for letters, each in sets.items()}
        y, v = sets["PLO"].yi, sets["PLO"].vi
        found["glmm"] = _tried(lambda: _exact(events, n, None))
        if design is not None:
            found["glmm_mods"] = _tried(lambda: _exact(events, n, design))
    found["pool"] = _pooled(y, v)
    found["q_profile"] = _tried(lambda: _profiled(y, v))
    if design is not None:
        found["regression"] = {method: _tried(partial(_regressed, y, v, design, method)) for method in METHOD_LETTERS}
    if y.size > 2 and "large" not in table:
        found["diagnostics"] = {method: _tried(partial(_diagnosed, y, v, method)) for method in ("DL", "REML")}
        found["asymmetry"] = _asymmetry(y, v)
        found["cumulative"] = _tried(lambda: _added(y, v, table["order"]))
    return found


def _tried(work: Callable[[], Answer]) -> Answer:
    try:
        return work()
    except SynthesisError as error:
        return {"error": str(error)}


def _pooled(y: np.ndarray, v: np.ndarray) -> Answer:
    def by(method: str) -> Answer:
        per: Answer = {}
        for letters, test in TEST_LETTERS.items():
            fit = pool(y, v, method=method, test=test)
            per[letters] = {"beta": fit.estimate, "se": fit.se, "stat": fit.statistic, "pval": fit.p, "ci": fit.ci}
            for df in ("k-1", "k-2"):
                beyond = pool(y, v, method=method, test=test, prediction_df=df).prediction
                if beyond is not None:
                    per[letters][f"prediction_{df}"] = beyond
            if letters == "z" and method != "EE":
                per["z"]["prediction_normal"] = pool(y, v, method=method, prediction_df="normal").prediction
        return per | {
            "tau2": fit.tau2, "se_tau2": fit.se_tau2, "i2": fit.i2, "h2": fit.h2, "q": fit.q, "q_p": fit.q_p,
        }  # fmt: skip

    return {method: _tried(partial(by, method)) for method in METHOD_LETTERS}


def _profiled(y: np.ndarray, v: np.ndarray) -> Answer:
    fit = pool(y, v, method="DL")
    return {"tau2": fit.tau2_ci, "i2": fit.i2_ci, "h2": fit.h2_ci}


def _diagnosed(y: np.ndarray, v: np.ndarray, method: str) -> Answer:
    out, of = leave_one_out(y, v, method=method), influence(y, v, method=method)
    without = ("estimate", "se", "tau2", "q", "i2", "h2")
    measures = ("rstudent", "dffits", "cook_d", "cov_r", "tau2_del", "q_del", "hat", "dfbetas")
    return {
        "without": {name: getattr(out, name) for name in without},
        "influence": {name: getattr(of, name) for name in measures},
    }


def _asymmetry(y: np.ndarray, v: np.ndarray) -> Answer:
    def egger() -> Answer:
        test = egger_test(y, v)
        return {"stat": test.statistic, "p": test.p, "limit": test.limit}

    def classical() -> Answer:
        test = egger_test(y, v, model="classical")
        return {"stat": test.statistic, "p": test.p}

    def begg() -> Answer:
        test = begg_test(y, v)
        return {"tau": test.tau, "p": test.p}

    def trimmed() -> Answer:
        filled = trim_and_fill(y, v)
        pooled = filled.pooled
        return {
            "missing": filled.missing, "side": filled.side, "estimate": pooled.estimate, "se": pooled.se,
            "tau2": pooled.tau2,
        }  # fmt: skip

    def bound() -> Answer:
        found = henmi_copas(y, v)
        return {"estimate": found.estimate, "se": found.se, "half_width": (found.ci[1] - found.ci[0]) / 2}

    parts = {"egger": egger, "egger_classical": classical, "begg": begg, "trim_and_fill": trimmed, "henmi_copas": bound}
    return {name: _tried(part) for name, part in parts.items()}


def _regressed(y: np.ndarray, v: np.ndarray, design: Any, method: str) -> Answer:
    per: Answer = {}
    for letters, test in TEST_LETTERS.items():
        fit = meta_regression(y, v, design, method=method, test=test)
        per[letters] = {
            "beta": fit.estimates,
            "se": [each.se for each in fit.coefficients],
            "pval": [each.p for each in fit.coefficients],
            "qm": fit.moderator_test.statistic,
            "qm_p": fit.moderator_test.p,
        }
    return per | {"tau2": fit.tau2, "i2": fit.i2, "q": fit.q.q, "r2": fit.r2}


def _added(y: np.ndarray, v: np.ndarray, order: list[int]) -> Answer:
    fits = cumulative(y, v, order).fits
    # One study has no tau2; metafor says 0.
    return {"estimate": fits.estimate, "se": fits.se, "tau2": np.nan_to_num(fits.tau2)}


def _exact(events: list[int], n: list[int], design: Any) -> Answer:
    fit = fit_binomial_normal(events, n, None if design is None else design.matrix)
    return {
        "beta": fit.coefficients.estimate,
        "se": fit.coefficients.se,
        "tau2": fit.tau2,
        "q": fit.q_likelihood_ratio.q,
        "q_p": fit.q_likelihood_ratio.p,
        "wald": fit.q_wald.q,
    }


def _groups(table: Table) -> Answer:
    counts = [table[name] for name in ("events1", "n1", "events2", "n2")]

    def summed(fit: Any) -> Answer:
        return {"beta": fit.estimate, "se": fit.se, "ci": fit.ci, "q": fit.q.q, "q_p": fit.q.p}

    def summed_by(measure: Any) -> Answer:
        return summed(mantel_haenszel(*counts, measure))

    found: Answer = {}
    for measure in ("OR", "RR", "RD"):
        effects = compare_groups(*counts, measure)
        found[measure] = {
            "effects": {"yi": effects.yi, "vi": effects.vi},
            "pool": _pooled(effects.yi, effects.vi),
            "mh": _tried(partial(summed_by, measure)),
        }
    found["peto"] = _tried(lambda: summed(peto(*counts)))
    return found
