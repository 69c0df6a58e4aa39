"""Pooling and the fit: beside the packages of the field, and how the time grows with the studies."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from bcma_decide.workshop.meta_analysis.cumulative import cumulative
from bcma_decide.workshop.meta_analysis.glmm import fit_binomial_normal
from bcma_decide.workshop.meta_analysis.leave_one_out import leave_one_out
from bcma_decide.workshop.meta_analysis.pooling import pool
from tests.benchmarks.timing import Work, cpu_of, least_cpu, program
from tests.support.places import ROOT

SIZES = (14, 500)
GROWING = (10, 100, 1_000, 10_000)
METAFOR = """
suppressMessages(library(metafor)); suppressMessages(library(jsonlite))
args <- commandArgs(TRUE); given <- fromJSON(args[1]); out <- list(version = as.character(packageVersion("metafor")))
least <- function(f) { f(); best <- Inf; used <- 0; n <- 0
  while (n < 3 || used < 2) { t <- system.time(for (i in 1:5) f(), gcFirst = FALSE)
    used <- used + t[1] + t[2]; n <- n + 1; if (t[1] + t[2] > 0) best <- min(best, (t[1] + t[2]) / 5) }
  unname(best) }
for (k in names(given)) { y <- given[[k]]$y; v <- given[[k]]$v
  for (m in c("DL", "PM", "REML"))
    out[[paste("pool", m, k)]] <- c(least(function() rma(y, v, method = m)), rma(y, v, method = m)$tau2)
  if (length(y) < 100) { fit <- rma(y, v)
    out[[paste("leave-one-out REML", k)]] <- c(least(function() leave1out(fit)), fit$tau2) } }
cat(toJSON(out, digits = 15, auto_unbox = TRUE))
"""


def effects(k: int) -> tuple[np.ndarray, np.ndarray]:
    """Effects of k studies with variances that differ, the same each time."""
    generator = np.random.default_rng(7)
    v = generator.gamma(2.0, 0.1, k)
    return generator.standard_normal(k) * np.sqrt(v + 0.2), v


def counts(k: int) -> tuple[np.ndarray, np.ndarray]:
    """Events and patients of k studies."""
    generator = np.random.default_rng(7)
    total = generator.integers(20, 400, k)
    return generator.binomial(total, 1 / (1 + np.exp(-0.8 - 0.5 * generator.standard_normal(k)))), total


def pooling_works() -> dict[str, tuple[Work, float]]:
    """Ours, by the name peers have it under, with the tau2 found."""
    works: dict[str, tuple[Work, float]] = {}
    for k in SIZES:
        y, v = effects(k)
        for method in ("DL", "PM", "REML"):
            works[f"pool {method} {k}"] = (_pooling(y, v, method), float(pool(y, v, method=method).tau2 or 0.0))
    y, v = effects(SIZES[0])
    works[f"leave-one-out REML {SIZES[0]}"] = (lambda: leave_one_out(y, v), float(pool(y, v).tau2 or 0.0))
    return works


def _pooling(y: np.ndarray, v: np.ndarray, method: Any) -> Work:
    return lambda: pool(y, v, method=method)


def peers(seconds: float) -> dict[str, dict[str, float]]:
    """For each fit, CPU time of every package over ours, and the relative difference of tau2."""
    ours = pooling_works()
    found: dict[str, dict[str, float]] = {name: {} for name in ours}
    for package, works in (("PyMARE", _pymare()), ("statsmodels", _statsmodels())):
        for name, (work, tau2) in works.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                work()
                taken = least_cpu({"ours": ours[name][0], "theirs": work}, seconds)
                found[name][package] = taken["theirs"] / taken["ours"]
                found[name][f"{package}, tau2 differs by"] = abs(tau2() / ours[name][1] - 1.0)
    for name, (taken_by_r, tau2_of_r) in _metafor().items():
        taken = least_cpu({"ours": ours[name][0]}, seconds)
        found[name]["metafor"] = taken_by_r / taken["ours"]
        found[name]["metafor, tau2 differs by"] = abs(tau2_of_r / ours[name][1] - 1.0)
    return found


def _pymare() -> dict[str, tuple[Work, Callable[[], float]]]:
    if not find_spec("pymare"):
        return {}
    from pymare import Dataset
    from pymare.estimators import DerSimonianLaird, VarianceBasedLikelihoodEstimator

    works: dict[str, tuple[Work, Callable[[], float]]] = {}
    for k in SIZES:
        y, v = effects(k)
        data = Dataset(y[:, None], v[:, None])

        def fitted(make: Callable[[], Any], data: Any = data) -> Any:
            result = make().fit_dataset(data).summary()
            result.get_fe_stats()
            result.get_heterogeneity_stats()
            return result

        for method, make in (
            ("DL", DerSimonianLaird),
            ("REML", lambda: VarianceBasedLikelihoodEstimator(method="REML")),
        ):
            works[f"pool {method} {k}"] = (
                lambda make=make, fitted=fitted: fitted(make),
                lambda make=make, fitted=fitted: float(np.ravel(fitted(make).tau2)[0]),
            )
    return works


def _statsmodels() -> dict[str, tuple[Work, Callable[[], float]]]:
    if not find_spec("statsmodels"):
        return {}
    from statsmodels.stats.meta_analysis import combine_effects

    works: dict[str, tuple[Work, Callable[[], float]]] = {}
    for k in SIZES:
        y, v = effects(k)
        for method, theirs in (("DL", "dl"), ("PM", "iterated")):
            works[f"pool {method} {k}"] = (
                lambda y=y, v=v, m=theirs: combine_effects(y, v, method_re=m, atol=1e-12),
                lambda y=y, v=v, m=theirs: float(combine_effects(y, v, method_re=m, atol=1e-12).tau2),
            )
    return works


def _metafor() -> dict[str, tuple[float, float]]:
    """CPU seconds and tau2 by fit, from R where it and its packages are installed."""
    if not shutil.which("Rscript"):
        return {}
    given = {str(k): dict(zip(("y", "v"), (each.tolist() for each in effects(k)), strict=True)) for k in SIZES}
    with tempfile.TemporaryDirectory() as folder:
        script, data = Path(folder) / "metafor.R", Path(folder) / "given.json"
        script.write_text(METAFOR, encoding="utf-8")
        data.write_text(json.dumps(given), encoding="utf-8")
        done = subprocess.run(["Rscript", str(script), str(data)], capture_output=True, text=True, check=False)
    if done.returncode:
        return {}
    found = json.loads(done.stdout)
    del found["version"]
    return {name: (taken, tau2) for name, (taken, tau2) in found.items()}


def growth(seconds: float) -> dict[str, dict[str, float]]:
    """CPU seconds for k studies, and the exponent from each size to the next: 1 is linear, 2 quadratic."""
    works = {
        "pooling, REML": lambda k: _once(pool, *effects(k)),
        "leave-one-out, REML": lambda k: _once(leave_one_out, *effects(k)),
        "cumulative, REML": lambda k: _once(cumulative, *effects(k), np.arange(k)),
        "binomial-normal model": lambda k: _once(fit_binomial_normal, *counts(k)),
        "everything of meta --json": _whole_table,
    }
    found = {}
    for name, made in works.items():
        taken = [least_cpu({"": made(k)}, seconds, fewest=2)[""] for k in GROWING]
        steps = [float(np.log10(after / before)) for before, after in pairwise(taken)]
        found[name] = {
            **{f"{k} studies, s": each for k, each in zip(GROWING, taken, strict=True)},
            **{f"exponent to {k}": each for k, each in zip(GROWING[1:], steps, strict=True)},
        }
    return found


def _once(function: Callable[..., Any], *arguments: Any) -> Work:
    return lambda: function(*arguments)


def _whole_table(k: int) -> Work:
    """Pooled, left out, added in order, by group and moderator, tests of asymmetry, as JSON."""
    from bcma_decide.workshop.meta_analysis.study_table import read_table
    from bcma_decide.workshop.own_table.analysis import AnalysisOptions, analyse
    from bcma_decide.workshop.own_table.document import as_document
    from bcma_decide.workshop.own_table.model_terms import Terms
    from bcma_decide.workshop.own_table.reading import read_studies
    from bcma_decide.workshop.synthesis.model import PoolingMethod

    rows = ["study,events,n,year,design"]
    rows += [f"s{n},{e},{t},{2000 + n % 20},{'ab'[n % 2]}" for n, (e, t) in enumerate(zip(*counts(k), strict=True))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_text("\n".join(rows), encoding="utf-8")
        table = read_table(path, {})
    studies = read_studies(table, "logit")
    options = AnalysisOptions(model=PoolingMethod(), by="design", terms=Terms(("design",)), order="year")
    return lambda: json.dumps(as_document(analyse(table, studies, options)))


def fit_works() -> dict[str, Work]:
    """Pieces of the fit that a guard can afford."""
    from bcma_decide.pooled.location import evidence_directory
    from bcma_decide.vocabulary import FAMILIES
    from bcma_decide.workshop.patient_model.contrasts import family_contrasts
    from bcma_decide.workshop.patient_model.family_fit import fit_family
    from bcma_decide.workshop.patient_model.inputs import load_inputs
    from bcma_decide.workshop.patient_model.preparation import prepare

    inputs = load_inputs(evidence_directory(None))
    workshop = prepare(inputs)
    response = FAMILIES[0]
    contrasts = family_contrasts(inputs, workshop, response).contrasts
    return {"trait effects of response": lambda: fit_family(inputs.assumptions, workshop, response, contrasts)}


def commands(*, whole: bool) -> dict[str, float]:
    """CPU seconds of ``evidence build`` and, with ``whole``, CPU and wall seconds of ``evidence validate``."""
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "pooled.json"
        taken, _ = cpu_of(program("evidence", "build", "--output", str(built)))
        found = {
            "evidence build, CPU s": taken,
            "pooled.json is the committed one": float(
                built.read_bytes() == (ROOT / "evidence/pooled.json").read_bytes()
            ),
        }
    if whole:
        begun = time.monotonic()
        taken, printed = cpu_of(program("evidence", "validate", "--json", "--jobs", "2"))
        found["evidence validate --jobs 2, CPU s"] = taken
        found["evidence validate --jobs 2, wall s"] = time.monotonic() - begun
        found["validation.json is the committed one"] = float(
            printed == (ROOT / "evidence/validation.json").read_text(encoding="utf-8")
        )
    return found


def guarded() -> dict[str, Work]:
    """Works of this room that the guard holds to their committed ratio."""
    y, v = effects(1_000)
    fourteen = effects(14)
    return {
        "pool REML, 14 studies, 20 times": lambda: [pool(*fourteen) for _ in range(20)],
        "leave-one-out REML, 1,000 studies": lambda: leave_one_out(y, v),
        **fit_works(),
    }
