"""How studies are pooled: the words that are asked in, and what they mean to the synthesis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from bcma_decide.workshop.meta_analysis.heterogeneity import Method as Tau2Method
from bcma_decide.workshop.meta_analysis.pooled import PredictionDf
from bcma_decide.workshop.meta_analysis.pooled_rates import RARE, usual_method
from bcma_decide.workshop.meta_analysis.pooling import MeanTest
from bcma_decide.workshop.meta_analysis.two_group_models import EXACT_MODELS, ExactModel
from bcma_decide.workshop.synthesis.studies import PROPORTIONS, Studies

__all__ = ["METHODS", "TESTS", "Method", "PoolingMethod", "TestName", "exact_words", "usual_model"]

Method = Literal[Tau2Method, "GLMM", ExactModel, "MH", "PETO"]
TestName = Literal["z", "t", "knha", "knha-floored", "kenward-roger"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)
TESTS: Final[dict[TestName, MeanTest]] = {
    "z": "z", "t": "t", "knha": "knapp_hartung", "knha-floored": "floored_knapp_hartung",
    "kenward-roger": "kenward_roger",
}  # fmt: skip


@dataclass(frozen=True)
class PoolingMethod:
    """How studies are pooled: estimator of tau2 (or the binomial-normal model, or summed tables), test, intervals.

    ``why`` says in words why it is this method where nobody asked for one.
    """

    method: Method = "REML"
    test: TestName = "z"
    level: float = 0.95
    prediction: PredictionDf = "k-2"
    why: str = ""

    @property
    def weighted(self) -> Tau2Method:
        """The estimator of tau2 for what needs inverse variances: REML stands beside models of exact counts.

        Beside summed tables it is EE, which takes one effect for all studies as they do.
        """
        match self.method:
            case "GLMM" | "UM.FS" | "UM.RS" | "CM.EL" | "CM.AL":
                return "REML"
            case "MH" | "PETO":
                return "EE"
            case _:
                return self.method

    @property
    def has_weights(self) -> bool:
        """Whether studies are weighted by their inverse variances."""
        return self.method == self.weighted

    @property
    def sums_tables(self) -> bool:
        """Whether 2-by-2 tables are summed before they are divided (Mantel-Haenszel, Peto)."""
        return self.method in ("MH", "PETO")

    @property
    def is_exact(self) -> bool:
        """Whether counts are taken as they are, by maximum likelihood: of single arms or of two groups."""
        return self.method == "GLMM" or self.method in EXACT_MODELS

    @property
    def within_studies(self) -> bool:
        """Whether two groups are compared within each study alone, with nothing taken of the studies' own rates."""
        return self.method in ("UM.FS", "CM.EL", "CM.AL")

    @property
    def mean_test(self) -> MeanTest:
        """The test as the synthesis names it."""
        return TESTS[self.test]

    def by(self, method: Method) -> PoolingMethod:
        """The same by another method; its test is the normal one where the method has no other."""
        return replace(self, method=method, test=self.test if method == self.method else "z", why="")


def exact_words(studies: Studies, model: PoolingMethod) -> tuple[str, str]:
    """A model of exact counts in words, and the scale of the weighted model that stands beside it."""
    if studies.rates is not None:
        return "the Poisson-normal model", "on the log scale"
    if model.method == "GLMM":
        return "the binomial-normal model", "on the logit scale"
    return model.method, "of log odds ratios"


def usual_model(studies: Studies, test: TestName) -> tuple[Method, str]:
    """How studies are pooled unless a method is asked for, and why in words.

    The binomial-normal model where the outcome is rare, or nearly always there; else REML.
    """
    if studies.events is None or studies.total is None:
        return "REML", ""
    measure = PROPORTIONS[studies.scale.measure]
    method = usual_method(studies.events, studies.total, measure=measure, test=TESTS[test])
    fits = method == "GLMM"
    if not fits and usual_method(studies.events, studies.total, measure=measure) == "REML":
        return "REML", ""
    had, all_patients = studies.events.sum(), studies.total.sum()
    share, whose = (had, "had") if 2 * had <= all_patients else (all_patients - had, "did not have")
    said = (
        f"{share:.0f} of {all_patients:.0f} patients ({100 * share / all_patients:.2g} %) {whose} the event, which is "
        f"rare (below {100 * RARE:g} %)"
    )
    if fits:
        return "GLMM", (
            f"{said}: pooled by GLMM, the binomial-normal model, where no method was asked for; --method REML pools by "
            "inverse variances"
        )
    return "REML", (
        f"{said}: pooled by REML all the same, as --test {test} goes with weighted methods; --method GLMM with "
        "--test z or t takes the counts as they are"
    )
