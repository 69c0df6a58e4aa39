"""Certainty of a pooled table after GRADE, by rules whose limits stand in the evidence with their sources.

Carried over from the calculator's rules (`bcma_decide.model.certainty`) are the steps that lower; raising for many
patients of many studies that agree is not, because that limit was set on this project's own studies. What no rule can
see in a table is left to the reviewer and said to be.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np
from pydantic import ValidationError

from bcma_decide.errors import EvidenceError, Problem
from bcma_decide.model.certainty import LEVELS
from bcma_decide.strict.yaml import read_yaml
from bcma_decide.vocabulary import Certainty
from bcma_decide.workshop.evidence.assumptions import Assumption, CertaintyLimits, load_assumptions
from bcma_decide.workshop.evidence.schema import Strict
from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.random_effects import Interval
from bcma_decide.workshop.own_table.analysis import Analysis
from bcma_decide.workshop.own_table.layout import ForestLayout
from bcma_decide.workshop.plots.axis import printed
from bcma_decide.workshop.plots.numbers import p_text
from bcma_decide.workshop.plots.values import interval_text

__all__ = ["DESIGNS", "CertaintyRating", "Design", "Limits", "load_limits", "rated"]

Design = Literal["randomised", "observational"]
DESIGNS: Final[tuple[Design, ...]] = get_args(Design)
FILE: Final = "certainty_of_tables.yaml"
_OVERALL: Final = "overall"
_REVIEWER: Final = (
    "indirectness (whether patients, treatments and outcomes are those of the question)",
    "publication bias (the funnel plot and the tests of small studies do not settle it)",
)


class TableLimits(Strict):
    """The limits of certainty_of_tables.yaml."""

    high_risk_share: Assumption
    substantial_i2: Assumption
    considerable_i2: Assumption
    heterogeneity_p: Assumption
    appreciable_lower: Assumption
    appreciable_higher: Assumption
    few_events: Assumption


@dataclass(frozen=True)
class Limits:
    """Those of tables, and those of the calculator that hold here too."""

    table: TableLimits
    shared: CertaintyLimits

    def rows(self, used: frozenset[str]) -> list[tuple[str, float, str, str]]:
        """Name, value, reason and source of the limits that were looked at."""
        both = {**dict(self.shared), **dict(self.table)}
        return [(name, each.value, each.reason, each.source) for name, each in both.items() if name in used]


@dataclass(frozen=True)
class CertaintyRating:
    """The level with what made it, what could not be judged, and the names of the limits that were looked at."""

    level: Certainty
    reasons: tuple[str, ...]
    open: tuple[str, ...]
    limits: frozenset[str]


def load_limits(directory: Path) -> Limits:
    """Read the limits; raises EvidenceError with every field that does not fit."""
    path = directory / FILE
    try:
        table = TableLimits.model_validate_json(json.dumps(read_yaml(path)))
    except ValidationError as error:
        problems = [Problem(".".join(map(str, item["loc"])), item["msg"], file=path.name) for item in error.errors()]
        raise EvidenceError(f"{path.name} does not follow its schema", problems) from error
    return Limits(table, load_assumptions(directory).certainty)


def rated(analysis: Analysis, layout: ForestLayout, limits: Limits, design: Design | None) -> CertaintyRating:
    """Rate the pooled result of all studies.

    Parameters
    ----------
    analysis
    layout
        For its judgements of bias.
    limits
    design
        Of the studies; ``None`` where nobody said: they count as observational.
    """
    rules = _Rules(analysis, limits)
    rules.start(design)
    rules.risk_of_bias(layout)
    rules.inconsistency()
    rules.imprecision()
    if design != "randomised":
        rules.large_effect()
    rules.open += _REVIEWER
    return CertaintyRating(
        LEVELS[max(0, min(rules.level, 3))], tuple(rules.reasons), tuple(rules.open), frozenset(rules.used)
    )


class _Rules:
    """The rules one after the other; each adds its reason, or says that it cannot be judged."""

    def __init__(self, analysis: Analysis, limits: Limits) -> None:
        self.analysis, self.studies, self.result = analysis, analysis.studies, analysis.result
        self.scale, self.limits = analysis.studies.scale, limits
        self.level = 0
        self.reasons: list[str] = []
        self.open: list[str] = []
        self.used: set[str] = set()

    def limit(self, name: str) -> float:
        """The value of a limit, which is listed beside the result from now on."""
        self.used.add(name)
        one: Assumption = getattr(self.limits.table, name, None) or getattr(self.limits.shared, name)
        return float(one.value)

    def down(self, why: str) -> None:
        self.level -= 1
        self.reasons.append(f"down for {why}")

    @property
    def ci(self) -> Interval:
        return self.scale.back_interval(self.result.ci) or self.result.ci

    @property
    def prediction(self) -> Interval | None:
        return self.scale.back_interval(self.result.prediction)

    def start(self, design: Design | None) -> None:
        """High for randomised studies, low for others (Balshem et al. 2011)."""
        if design == "randomised":
            self.level = LEVELS.index("high")
            self.reasons.append("start at high: randomised, as the reviewer says")
            return
        self.level = LEVELS.index("low")
        what = "observational, as the reviewer says" if design else "no design was given, it counts as observational"
        if self.scale.proportion:
            what = "single arms, without a comparison inside the studies"
        self.reasons.append(f"start at low: {what}")

    def risk_of_bias(self, layout: ForestLayout) -> None:
        """Most of the weight from studies at high risk lowers it."""
        if not layout.domains:
            self.open.append("risk of bias (--rob names the columns of its domains)")
            return
        overall = [place for place, name in enumerate(layout.domains) if name.casefold() == _OVERALL]
        judged = [tuple(row[place] for place in overall) if overall else row for row in layout.bias]
        weights, what = self._weights()
        share = float(weights[["high" in row for row in judged]].sum() / weights.sum())
        said = f"{100 * share:.0f} % of the {what} from studies at high risk"
        if share > self.limit("high_risk_share"):
            self.down(f"risk of bias: {said}")
        else:
            self.reasons.append(f"not lowered for risk of bias: {said}")
        if missing := sum(not any(row) for row in judged):
            self.open.append(f"risk of bias of {missing} of {self.studies.k} studies (no judgement in the table)")

    def _weights(self) -> tuple[FloatArray, str]:
        """What each study counts, and in words: its weight, without one its patients, without those one."""
        if self.result.weights is not None:
            return np.asarray(self.result.weights), "weight is"
        if self.studies.sizes is not None:
            return self.studies.sizes, "patients are"
        return np.ones(self.studies.k), "studies are"

    def inconsistency(self) -> None:
        """Rates: the width of the prediction interval. Others: I2 and where the prediction interval reaches.

        Either way heterogeneity has to be shown: of few studies a prediction interval is wide however alike they are.
        """
        i2, p, none = self.result.i2, self.result.q_p, self.scale.no_effect
        if self.scale.proportion and self.prediction is None:
            self.open.append("inconsistency (there is no prediction interval)")
            return
        if i2 is None or p is None:
            self.open.append("inconsistency (this method gives no I2)")
            return
        if p >= self.limit("heterogeneity_p"):
            return
        if self.scale.proportion and self.prediction is not None:
            width = self.prediction[1] - self.prediction[0]
            if width > self.limit("inconsistency_width"):
                self.down(
                    f"inconsistency: the prediction interval is {100 * width:.0f} points wide, p of Q {p_text(p)}"
                )
            return
        said = f"I2 {i2:.0f} %, p of Q {p_text(p)}"
        if i2 >= self.limit("considerable_i2"):
            self.down(f"inconsistency: {said}")
        elif (
            i2 >= self.limit("substantial_i2")
            and none is not None
            and self.prediction is not None
            and _holds(self.prediction, none)
            and not _holds(self.ci, none)
        ):
            self.down(f"inconsistency: {said}, and the prediction interval reaches beyond no effect")

    def imprecision(self) -> None:
        """One step however many of its signs are there."""
        signs = list(self._width_signs())
        if signs:
            self.down(f"imprecision: {', '.join(signs)}")

    def _width_signs(self) -> list[str]:
        low, high = self.ci
        unit, sizes = self.scale.measure, self.studies.sizes
        signs = []
        if self.scale.kind == "ratio":
            less, more = self.limit("appreciable_lower"), self.limit("appreciable_higher")
            if _holds(self.ci, 1.0) and (low <= less or high >= more):
                signs.append(f"the interval {interval_text('ratio', low, high)} holds no effect and an appreciable one")
        elif self.scale.proportion or unit == "RD":
            if high - low > self.limit("imprecision_width"):
                signs.append(f"interval {100 * (high - low):.0f} points wide")
        else:
            self.open.append("imprecision (nobody says how much of this effect matters)")
            return []
        if self.studies.groups is not None:
            events = float((self.studies.groups.events1 + self.studies.groups.events2).sum())
            if events < self.limit("few_events"):
                signs.append(f"{events:.0f} events")
        elif sizes is not None and sizes.sum() < self.limit("few_patients") and high - low > self.limit("narrow_width"):
            signs.append(f"{sizes.sum():.0f} patients")
        return signs

    def large_effect(self) -> None:
        """The end nearer to 1 has to pass the limit, and nothing may have lowered it before (GRADE guidelines 9)."""
        if self.scale.kind != "ratio" or any(reason.startswith("down") for reason in self.reasons):
            return
        low, high = self.ci
        large = self.limit("large_effect_odds_ratio")
        if low > large or high < 1 / large:
            self.level += 1
            said = f"{printed('ratio', low)} to {printed('ratio', high)}"
            self.reasons.append(f"up for a large effect: the whole interval, {said}, lies beyond it")


def _holds(ends: Interval, value: float) -> bool:
    return ends[0] <= value <= ends[1]
