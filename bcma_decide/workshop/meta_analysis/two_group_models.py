"""Odds ratios that vary between studies, from the counts of 2-by-2 tables as they are: no cell is corrected.

    UM.FS  binomial counts of both groups, a log odds of every study's own (fixed), a normal log odds ratio
    UM.RS  the same with normal log odds of the studies
    CM.EL  events of group 1 given those of both groups: noncentral hypergeometric, with a normal log odds ratio
    CM.AL  the same as binomial, which is near enough where events are rare

fitted by maximum likelihood (Stijnen, Hamza and Özdemir 2010; Jackson, Law, Stijnen, Viechtbauer and White 2018). Names
are those of metafor. A study's log odds stand midway between the groups, which share half of a random odds ratio each:
with all of it in one group, the groups would not be treated alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import special

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray, checked_choice, checked_level, refuse
from bcma_decide.workshop.meta_analysis.glmm_profile import likelihood_interval
from bcma_decide.workshop.meta_analysis.heterogeneity import QTest, q_test
from bcma_decide.workshop.meta_analysis.hypergeometric import Hypergeometric
from bcma_decide.workshop.meta_analysis.random_effects import Interval
from bcma_decide.workshop.meta_analysis.two_group_likelihoods import (
    Conditional,
    Likelihood,
    OddsRatios,
    Place,
    RareConditional,
    StudyEffects,
    TwoRandomEffects,
)
from bcma_decide.workshop.meta_analysis.two_group_search import climb
from bcma_decide.workshop.meta_analysis.two_groups import Tables, compare_groups, tables

__all__ = ["EXACT_MODELS", "ExactModel", "ExactOddsRatio", "fit_odds_ratio"]

ExactModel = Literal["UM.FS", "UM.RS", "CM.EL", "CM.AL"]
EXACT_MODELS: Final[tuple[ExactModel, ...]] = get_args(ExactModel)

_NO_SPREAD: Final = 1e-5
"""Standard deviations between studies below this are none."""
_NEARLY: Final = 1e-4
"""Standard errors that the profile likelihood may be off its maximum: it is lower by half their square."""
_STEPS: Final = 400
_SETTLED: Final = 1e-20
"""Squared step of a study's own odds ratio, in its standard errors."""


@dataclass(frozen=True, eq=False)
class ExactOddsRatio:
    """A fitted model of k tables; ``estimate`` is the mean log odds ratio, ``tau2`` the variance about it.

    ``se`` is from the observed information of all parameters together, that of ``tau2`` by the delta method; the latter
    is ``None`` where tau2 is 0, and all about tau2 with one study. ``tau2_ci`` is by profile likelihood, ``None`` where
    it cannot be worked out. ``sigma2`` is the variance of the studies' log odds with UM.RS. ``q`` sets one odds ratio
    for all studies against one for each by the likelihood ratio; ``q_wald`` does so by the studies' own estimates, and
    is ``None`` where one of them is infinite. ``i2`` (a percentage) and ``h2`` set tau2 against the typical variance of
    a log odds ratio with half a patient added to the cells of studies with an empty one, as metafor does.
    ``log_likelihood`` has its constants.
    """

    k: int
    model: ExactModel
    estimate: float
    se: float
    tau2: float | None
    se_tau2: float | None
    tau2_ci: Interval | None
    sigma2: float | None
    i2: float | None
    h2: float | None
    q: QTest
    q_wald: QTest | None
    log_likelihood: float


def fit_odds_ratio(
    events1: npt.ArrayLike,
    total1: npt.ArrayLike,
    events2: npt.ArrayLike,
    total2: npt.ArrayLike,
    model: ExactModel = "UM.FS",
    *,
    level: float = 0.95,
    profile: bool = True,
) -> ExactOddsRatio:
    """Fit one of the models by maximum likelihood.

    Integrals over random effects are refined until the maximum stays (see `two_group_search`). The estimate is the
    higher of the inner maximum and the model with tau = 0.

    Parameters
    ----------
    events1, total1, events2, total2 : array_like, shape (k,)
        Whole numbers. Studies in which nobody, or everybody, had the event in both groups tell nothing within
        themselves, and are not counted but with UM.RS.
    model : {"UM.FS", "UM.RS", "CM.EL", "CM.AL"}
    level : float
        Of the interval of tau2.
    profile
        Whether to work it out, which takes some twenty fits.

    Raises
    ------
    SynthesisError
        If the counts are not valid or not whole, no study tells anything, the estimate is infinite, or the search does
        not settle.
    """
    checked_choice("model", model, EXACT_MODELS)
    checked_level(level)
    t = tables(events1, total1, events2, total2)
    counts = np.array(list(vars(t).values()))
    refuse((counts != np.floor(counts)).any(axis=0), lambda i: f"study {i} has {counts[:, i]}, which are no counts")
    _refuse_endless(t, model)
    if model != "UM.RS":
        t = _rows(t, ~t.alike)
    # Crude values, to start from and to set tau2 against.
    crude = compare_groups(t.events1, t.total1, t.events2, t.total2)
    likelihood = _likelihood(t, model, crude.yi)
    theta, state = likelihood.start()
    spread = theta.size - 1
    spreads = list(range(theta.size // 2, theta.size))
    others = list(range(spread))
    flat = theta.copy()
    flat[spread] = 0.0
    common = climb(likelihood, flat, state, others, spreads)
    best, k = common, t.total1.size
    if k > 1:
        inner = climb(likelihood, theta, state, [*others, spread], spreads)
        if abs(inner.theta[spread]) > _NO_SPREAD and inner.log_likelihood > common.log_likelihood:
            best = inner
    tau = abs(float(best.theta[spread]))
    moving = [*others, spread] if best is not common else others
    covariance = np.linalg.inv(best.information[np.ix_(moving, moving)])
    mean = spread // 2

    def height_at(at: float) -> float:
        if at == 0:
            return common.log_likelihood
        held = best.theta.copy()
        held[spread] = at
        return climb(likelihood, held, best.state, others, spreads, stays=_NEARLY).log_likelihood

    ends = None
    if profile and k > 1:
        try:
            ends = likelihood_interval(height_at, tau, best.log_likelihood, level)
        except SynthesisError:
            # A handful of events hardly tell one large spread from another, and the integrals get too hard first.
            ends = None
    i2, h2 = _shares(tau**2, crude.vi) if k > 1 else (None, None)
    return ExactOddsRatio(
        k=k,
        model=model,
        estimate=float(best.theta[mean]),
        se=float(np.sqrt(covariance[mean, mean])),
        tau2=tau**2 if k > 1 else None,
        se_tau2=None if best is common else 2 * tau * float(np.sqrt(covariance[-1, -1])),
        tau2_ci=None if ends is None else (ends[0] ** 2, ends[1] ** 2),
        sigma2=float(best.theta[2] ** 2) if model == "UM.RS" else None,
        i2=i2,
        h2=h2,
        q=_likelihood_ratio(t, model, common, crude.yi),
        q_wald=_wald(t, model, crude.yi),
        log_likelihood=best.log_likelihood + _constant(t, model),
    )


def _rows(t: Tables, kept: npt.NDArray[np.bool_]) -> Tables:
    return Tables(t.events1[kept], t.others1[kept], t.events2[kept], t.others2[kept])


def _refuse_endless(t: Tables, model: ExactModel) -> None:
    """Refuse tables that have no finite estimate of the odds ratio or of tau2."""
    told = _rows(t, ~t.alike)
    least, most = _ends(told, model)
    if not told.total1.size:
        raise SynthesisError("no study has both events and other patients: nothing can be said about the two groups")
    remedy = "take --method REML, which adds half a patient to empty cells"
    if (least | most).all() and (not least.any() or not most.any()):
        raise SynthesisError(f"every study has an empty cell on the same side: the odds ratio is infinite; {remedy}")
    if (least | most).all() and model != "UM.RS":
        raise SynthesisError(f"every study has an empty cell: tau2 has no finite estimate; {remedy}, or MH")


def _ends(t: Tables, model: ExactModel) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Studies whose own odds ratio is 0, and infinite, (k,) each."""
    if model == "CM.AL":
        return t.events1 == 0, t.events2 == 0
    return (t.events1 == 0) | (t.others2 == 0), (t.events2 == 0) | (t.others1 == 0)


def _likelihood(t: Tables, model: ExactModel, crude: FloatArray) -> Likelihood:
    match model:
        case "UM.FS":
            return StudyEffects(t, crude, _log_odds(t), own=(1, 1), effect=(0.5, -0.5))
        case "UM.RS":
            return TwoRandomEffects(t, crude, _log_odds(t))
        case "CM.EL":
            return Conditional(Hypergeometric(t), crude)
        case "CM.AL":
            return Conditional(RareConditional(t), crude)


def _log_odds(t: Tables) -> FloatArray:
    """Crude log odds of the studies, midway between the groups."""
    return np.asarray(
        (np.log((t.events1 + 0.5) / (t.others1 + 0.5)) + np.log((t.events2 + 0.5) / (t.others2 + 0.5))) / 2
    )


def _constant(t: Tables, model: ExactModel) -> float:
    """Logarithms of binomial coefficients, which the unconditional models leave out."""
    if model not in ("UM.FS", "UM.RS"):
        return 0.0
    groups = ((t.events1, t.others1), (t.events2, t.others2))
    return float(-sum((np.log1p(e + o) + special.betaln(o + 1, e + 1)).sum() for e, o in groups))


def _shares(tau2: float, variances: FloatArray) -> tuple[float, float]:
    """I2 and H2 with the typical variance of Higgins and Thompson (2002)."""
    w = 1 / variances
    typical = (w.size - 1) / float(w.sum() - w @ w / w.sum())
    return 100 * tau2 / (tau2 + typical), 1 + tau2 / typical


def _likelihood_ratio(t: Tables, model: ExactModel, common: Place, crude: FloatArray) -> QTest:
    """One odds ratio for all studies against one for each.

    With UM.RS each study has an odds ratio of its own beside normal log odds of group 2, as in metafor.
    """
    if model == "UM.RS":
        group2 = np.log((t.events2 + 0.5) / (t.others2 + 0.5))
        apart = StudyEffects(t, group2, crude, own=(1, 0), effect=(1, 1))
        theta, state = apart.start()
        highest = climb(apart, theta, state, [0, 1], [1]).log_likelihood
    elif model == "UM.FS":
        groups = ((t.events1, t.others1), (t.events2, t.others2))
        highest = float(sum((special.xlogy(e, e / (e + o)) + special.xlogy(o, o / (e + o))).sum() for e, o in groups))
    else:
        # A table at an end of what its margins allow is certain at an infinite odds ratio: log-likelihood 0.
        inside = ~np.logical_or(*_ends(t, model))
        highest = float(_own_odds_ratios(_rows(t, inside), model, crude[inside])[0].sum()) if inside.any() else 0.0
    return q_test(max(0.0, 2 * (highest - common.log_likelihood)), crude.size - 1)


def _wald(t: Tables, model: ExactModel, crude: FloatArray) -> QTest | None:
    """Cochran's Q of the studies' own estimates with their own information."""
    if model == "UM.RS" or np.logical_or(*_ends(t, model)).any():
        return None
    if model == "UM.FS":
        y, w = crude, 1 / (1 / t.events1 + 1 / t.others1 + 1 / t.events2 + 1 / t.others2)
    else:
        _, y, w = _own_odds_ratios(t, model, crude)
    return q_test(float(w @ np.square(y - w @ y / w.sum())), y.size - 1)


def _own_odds_ratios(t: Tables, model: ExactModel, crude: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Highest log-likelihood of each study, its log odds ratio there and the information of it, (k,) each."""
    effects: OddsRatios = Hypergeometric(t) if model == "CM.EL" else RareConditional(t)
    x = crude
    for _ in range(_STEPS):
        value, first, second = (each[:, 0] for each in effects.at(x[:, None]))
        newton = first / -second
        # Shortened as in `quadrature.modes`: the third derivative is bounded by the second.
        x = x + np.copysign(np.log1p(np.abs(newton)), newton)
        if float((newton * first).max()) < _SETTLED:
            return value, x, -second
    raise SynthesisError(f"a study's own odds ratio was not found in {_STEPS} steps; check the counts")
