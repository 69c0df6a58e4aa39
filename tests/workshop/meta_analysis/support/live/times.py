"""CPU time of a fit beside metafor, PyMARE and statsmodels, for ten to ten thousand studies, in one run."""

from __future__ import annotations

import json
import os
import subprocess
import warnings
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from bcma_decide.workshop.meta_analysis.pooling import pool
from tests.benchmarks.timing import Work, least_cpu
from tests.benchmarks.workshop import effects
from tests.support.places import ROOT

FILE: Final = ROOT / "tests" / "reference" / "times.json"
SIZES: Final = (10, 100, 1_000, 10_000)
METHODS: Final = ("DL", "PM", "REML")
# metafor's matrices have a row and a column for every study: 800 MB each for ten thousand.
METAFOR: Final = """
suppressMessages({library(metafor); library(jsonlite)}); options(warn = -1)
files <- commandArgs(TRUE); given <- fromJSON(files[1]); out <- list()
taken <- function(f, times) {
  begun <- proc.time(); for (i in seq_len(times)) f()
  used <- proc.time() - begun; (used[1] + used[2]) / times }
for (k in names(given)) { y <- given[[k]]$y; v <- given[[k]]$v; times <- if (length(y) <= 100) 20 else 1
  if (length(y) <= 1000) for (m in c("DL", "PM", "REML")) {
    fit <- function() rma(y, v, method = m); if (times > 1) fit()
    out[[paste(m, k)]] <- unname(min(replicate(if (times > 1) 5 else 2, taken(fit, times)))) } }
write(toJSON(out, digits = NA, auto_unbox = TRUE), files[2])
"""


def measured(folder: Path, seconds: float) -> dict[str, Any]:
    """CPU seconds by fit and program, the versions, and the load of the machine before and after."""
    begun = os.getloadavg()[0]
    taken: dict[str, dict[str, float]] = {}
    for k in SIZES:
        y, v = effects(k)
        for method in METHODS:
            works = {"bcma-decide": _ours(y, v, method), **_peers(y, v, method)}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for work in works.values():
                    work()
                taken[f"{method} {k}"] = least_cpu(works, seconds)
    for name, each in _metafor(folder).items():
        taken[name]["metafor"] = each
    packages = [name for name in ("pymare", "statsmodels") if find_spec(name)]
    return {
        "load": [begun, os.getloadavg()[0]],
        "versions": {name: version(name) for name in packages},
        "seconds": {name: {who: float(f"{s:.3g}") for who, s in each.items()} for name, each in taken.items()},
    }


def _ours(y: np.ndarray, v: np.ndarray, method: Any) -> Work:
    return lambda: pool(y, v, method=method)


def _peers(y: np.ndarray, v: np.ndarray, method: str) -> dict[str, Work]:
    found: dict[str, Work] = {}
    if find_spec("pymare") and method != "PM":
        from pymare import Dataset
        from pymare.estimators import DerSimonianLaird, VarianceBasedLikelihoodEstimator

        data = Dataset(y[:, None], v[:, None])
        make: Callable[[], Any] = DerSimonianLaird
        if method == "REML":
            make = lambda: VarianceBasedLikelihoodEstimator(method="REML")  # noqa: E731

        def whole() -> None:
            result = make().fit_dataset(data).summary()
            result.get_fe_stats()
            result.get_heterogeneity_stats()

        found["PyMARE"] = whole
    if find_spec("statsmodels") and method != "REML":
        from statsmodels.stats.meta_analysis import combine_effects

        named = {"DL": "dl", "PM": "iterated"}[method]
        found["statsmodels"] = lambda: combine_effects(y, v, method_re=named, atol=1e-12)
    return found


def _metafor(folder: Path) -> dict[str, float]:
    script, asked, said = folder / "times.R", folder / "given.json", folder / "times.json"
    script.write_text(METAFOR, encoding="utf-8")
    given = {str(k): dict(zip(("y", "v"), (each.tolist() for each in effects(k)), strict=True)) for k in SIZES}
    asked.write_text(json.dumps(given), encoding="utf-8")
    subprocess.run(["Rscript", "--vanilla", script, asked, said], check=True, timeout=3600)
    found: dict[str, float] = json.loads(said.read_text(encoding="utf-8"))
    return found
