"""An analysis as plain data for JSON: on the analysis scale, and the same transformed back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from bcma_decide.version import __version__
from bcma_decide.workshop.meta_analysis.cumulative import Cumulative
from bcma_decide.workshop.meta_analysis.gosh import Gosh
from bcma_decide.workshop.meta_analysis.incidence_rates import PersonTime
from bcma_decide.workshop.meta_analysis.influence import Influence
from bcma_decide.workshop.meta_analysis.pooled import Pooled
from bcma_decide.workshop.meta_analysis.subset_fits import SubsetFits
from bcma_decide.workshop.own_table.analysis import Analysis
from bcma_decide.workshop.own_table.beside import Beside
from bcma_decide.workshop.own_table.layout import ForestLayout
from bcma_decide.workshop.own_table.methods import methods_of
from bcma_decide.workshop.own_table.nested import Nested
from bcma_decide.workshop.own_table.regression import Expected, Regression
from bcma_decide.workshop.own_table.small_studies import SmallStudies
from bcma_decide.workshop.synthesis.groups import Groups
from bcma_decide.workshop.synthesis.studies import Scale, Studies

if TYPE_CHECKING:
    from bcma_decide.workshop.own_table.findings import Findings

__all__ = ["as_document", "plain", "pooled_document"]


def as_document(analysis: Analysis, beside: Beside | None = None) -> dict[str, Any]:
    """The whole analysis; numbers that cannot be known are null, parts that were not made are left out."""
    studies, model = analysis.studies, analysis.model
    beside = beside or Beside(ForestLayout(tuple(range(studies.k))))
    document: dict[str, Any] = {
        "software": f"bcma-decide {__version__}",
        "measure": studies.scale.measure,
        "method": model.method,
        "test": model.test,
        "level": model.level,
        **pooled_document(analysis.result, studies.scale),
        "studies": _studies(analysis, beside.layout),
        "left_out": list(studies.left_out),
        "correction": studies.correction and asdict(studies.correction),
        "remarks": list(analysis.remarks),
        "methods": methods_of(analysis),
    }
    parts: dict[str, Any] = {
        "groups": analysis.groups and _groups(analysis.groups, studies),
        "regression": analysis.regression and _regression(analysis.regression, studies.scale),
        "leave_one_out": analysis.without and _without(analysis.without, studies),
        "influence": analysis.influence and _influence(analysis.influence, studies),
        "cumulative": analysis.cumulative and _cumulative(analysis.cumulative, studies),
        "small_studies": analysis.small_studies and _small_studies(analysis.small_studies),
        "gosh": analysis.gosh and _gosh(analysis.gosh),
        "nested": analysis.nested and _nested(analysis.nested, studies.scale),
        "findings": beside.findings and _findings(beside.findings),
        "selection": beside.flow and asdict(beside.flow) | {"remarks": beside.flow_remarks(analysis)},
    }
    written = plain(document | {name: part for name, part in parts.items() if part is not None})
    assert isinstance(written, dict)  # noqa: S101, RUF100  # as it went in
    return written


def plain(value: object) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Plain Python, without what JSON does not know: NaN becomes null."""
    # NumPy's own floats are Python's too: they come before them.
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    return value


def pooled_document(result: Pooled, scale: Scale) -> dict[str, Any]:
    """A pooled result on the analysis scale, and the same transformed back; numbers may be infinite."""
    written = asdict(result)
    # What is one for the whole stands beside the settings, weights beside their studies.
    for name in ("weights", "level", "k", "test"):
        written.pop(name)
    pooled_by = written.pop("method")
    average_rate = written.pop("average_rate")
    back = {
        "estimate": scale.back(result.estimate),
        "ci": scale.back_interval(result.ci),
        "prediction": scale.back_interval(result.prediction),
    }
    average = {} if average_rate is None else {"average_rate": average_rate}
    return {"k": result.k, "pooled_by": pooled_by, **written, "back_transformed": back | average}


def _findings(findings: Findings) -> dict[str, Any]:
    # Not loaded for a result without them: their limits are read from the evidence.
    from bcma_decide.workshop.own_table.findings import findings_document

    return findings_document(findings)


def _studies(analysis: Analysis, layout: ForestLayout) -> list[dict[str, Any]]:
    studies = analysis.studies
    estimate, low, high = studies.with_intervals(analysis.model.level)
    weights = analysis.result.weights or (None,) * studies.k
    rows: list[dict[str, Any]] = []
    for row, label in enumerate(studies.labels):
        one: dict[str, Any] = {"study": label, "yi": studies.yi[row], "vi": studies.vi[row]}
        if studies.events is not None and studies.total is not None:
            one |= {"events": studies.events[row], "n": studies.total[row]}
        if studies.groups is not None:
            counted = studies.groups
            one |= {"events1": counted.events1[row], "n1": counted.total1[row]}
            one |= {"events2": counted.events2[row], "n2": counted.total2[row]}
        if isinstance(studies.rates, PersonTime):
            one |= {"events": studies.rates.events[row], "time": studies.rates.time[row]}
        elif studies.rates is not None:
            first, second = studies.rates.first, studies.rates.second
            one |= {"events1": first.events[row], "time1": first.time[row]}
            one |= {"events2": second.events[row], "time2": second.time[row]}
        one |= {"estimate": estimate[row], "ci": (low[row], high[row]), "weight": weights[row]}
        if layout.columns:
            one["shown"] = dict(zip(layout.columns, layout.cells[row], strict=True))
        if layout.domains:
            one["risk_of_bias"] = dict(zip(layout.domains, layout.bias[row], strict=True))
        rows.append(one)
    return rows


def _groups(groups: Groups, studies: Studies) -> dict[str, Any]:
    return {
        "by": groups.by,
        "groups": [
            {
                "group": group.name,
                **(
                    {"k": len(group.rows), "estimate": None, "se": None, "ci": None}
                    if group.result is None
                    else pooled_document(group.result, studies.scale)
                ),
                "note": group.note,
                "studies": [studies.labels[row] for row in group.rows],
            }
            for group in groups.groups
        ],
        "between": groups.between and asdict(groups.between),
        "between_common_tau2": groups.between_common and asdict(groups.between_common),
        "left_out_of_between": list(groups.left_out),
    }


def _regression(regression: Regression, scale: Scale) -> dict[str, Any]:
    whole = asdict(regression) | {"expected": _expected(regression.expected, scale)}
    line, values = whole.pop("line"), whole.pop("values")
    del values
    named = {"names", "rows", "statistic", "df1", "df2", "p", "q", "q_df", "q_p"}
    return {
        "moderators": {"qm": regression.statistic, "df1": regression.df1, "df2": regression.df2, "p": regression.p},
        "qe": regression.q,
        "qe_df": regression.q_df,
        "qe_p": regression.q_p,
        "k": len(regression.rows),
        **{name: part for name, part in whole.items() if name not in named},
        **({} if line is None else {"line": line}),
    }


def _nested(nested: Nested, scale: Scale) -> dict[str, Any]:
    whole = asdict(nested) | {"expected": _expected(nested.expected, scale)}
    if nested.moderators is None:
        for name in ("moderators", "dropped", "expected"):
            whole.pop(name)
    return whole


def _expected(expected: Sequence[Expected], scale: Scale) -> list[dict[str, Any]]:
    return [
        {
            **asdict(each),
            "back_transformed": {
                "estimate": scale.back(each.estimate),
                "ci": scale.back_interval(each.ci),
                "prediction": scale.back_interval(each.prediction),
            },
        }
        for each in expected
    ]


def _fits(fits: SubsetFits) -> list[dict[str, Any]]:
    """One mapping for each subset."""
    columns = {name: values.tolist() for name, values in vars(fits).items() if name != "se_normal"}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _without(fits: SubsetFits, studies: Studies) -> list[dict[str, Any]]:
    return [{"left_out": label, **fit} for label, fit in zip(studies.labels, _fits(fits), strict=True)]


def _cumulative(steps: Cumulative, studies: Studies) -> list[dict[str, Any]]:
    return [
        {"added": studies.labels[row], **fit} for row, fit in zip(steps.added.tolist(), _fits(steps.fits), strict=True)
    ]


def _influence(diagnostics: Influence, studies: Studies) -> list[dict[str, Any]]:
    columns = {
        name: values.tolist() if isinstance(values, np.ndarray) else values
        for name, values in vars(diagnostics).items()
    }
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    return [{"study": label, **row} for label, row in zip(studies.labels, rows, strict=True)]


def _small_studies(tests: SmallStudies) -> dict[str, Any]:
    parts = {name: part for name, part in vars(tests).items() if part is not None and name != "remarks"}
    written = {
        name: {key: value for key, value in asdict(part).items() if key != "remarks"} for name, part in parts.items()
    }
    return {**written, "remarks": list(tests.remarks)}


def _gosh(subsets: Gosh) -> dict[str, Any]:
    """The distribution over subsets; every one of them would be too much."""
    # One study has no I2, which is nan there: hence nanquantile below.
    quantiles = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
    return {
        "subsets": subsets.fits.k.size,
        "complete": subsets.complete,
        "quantiles": list(quantiles),
        "estimate": np.quantile(subsets.fits.estimate, quantiles),
        "i2": np.nanquantile(subsets.fits.i2, quantiles),
    }
