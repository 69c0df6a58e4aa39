"""Odds ratios from exact counts: the maximum of the likelihood by brute force, metafor's, and published figures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special, stats
from scipy.stats.contingency import odds_ratio

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.hypergeometric import Hypergeometric
from bcma_decide.workshop.meta_analysis.two_group_models import EXACT_MODELS, fit_odds_ratio
from bcma_decide.workshop.meta_analysis.two_groups import tables
from tests.support.cases import for_each
from tests.support.examples import examples
from tests.workshop.meta_analysis.support.reference import results, rows

COLUMNS = {"bcg": ("tpos", "n1", "cpos", "n2"), "nielweise2007": ("ai", "n1i", "ci", "n2i")}
TABLES = {name: [np.array([float(row[c]) for row in rows(name)]) for c in columns] for name, columns in COLUMNS.items()}
NIELWEISE = TABLES["nielweise2007"]
TELLING = [each[(NIELWEISE[0] + NIELWEISE[2]) > 0] for each in NIELWEISE]
FEW = [np.array(each) for each in ([3, 0, 8, 2], [40, 25, 30, 60], [7, 3, 6, 9], [42, 30, 28, 55])]
few_examples = examples(12)

U = np.linspace(-10, 10, 4001)
PHI = stats.norm.logpdf(U) + np.log(U[1] - U[0])
"""The trapezoidal rule over a standard normal, for integrals by brute force."""


def conditional(theta, tau, *counts):
    """Log-likelihood of CM.EL: every way to share out the events, from scipy's central hypergeometric."""
    whole = 0.0
    for a, n1, c, n2 in zip(*(np.asarray(each, dtype=int) for each in counts), strict=True):
        ways = np.arange(max(0, a + c - n2), min(n1, a + c) + 1)
        central = stats.hypergeom.logpmf(ways, n1 + n2, n1, a + c)
        x = theta + tau * U
        given_all = special.logsumexp(central[:, None] + np.outer(ways, x), axis=0)
        whole += special.logsumexp(central[ways == a] + a * x - given_all + PHI)
    return whole


def of_arms(a, n1, c, n2, level, x):
    return stats.binom.logpmf(a, n1, special.expit(level + x / 2)) + stats.binom.logpmf(
        c, n2, special.expit(level - x / 2)
    )


def fixed_studies(theta, tau, *counts):
    """Log-likelihood of UM.FS: each study's log odds by a search of its own."""
    whole = 0.0
    for a, n1, c, n2 in zip(*counts, strict=True):

        def less(level, a=a, n1=n1, c=c, n2=n2):
            return -special.logsumexp(of_arms(a, n1, c, n2, level, theta + tau * U) + PHI)

        middle = special.logit((a + c) / (n1 + n2))
        whole -= optimize.minimize_scalar(
            less, bounds=(middle - 4, middle + 4), method="bounded", options={"xatol": 1e-9}
        ).fun
    return whole


def random_studies(alpha, theta, sigma, tau, *counts):
    """Log-likelihood of UM.RS by the trapezoidal rule in two directions."""
    z = np.linspace(-7, 7, 121)
    weight = stats.norm.logpdf(z) + np.log(z[1] - z[0])
    level, x = alpha + sigma * z[:, None], theta + tau * z
    both = weight[:, None] + weight
    return sum(special.logsumexp(of_arms(*each, level, x) + both) for each in zip(*counts, strict=True))


@pytest.mark.parametrize(("model", "likelihood"), [("CM.EL", conditional), ("UM.FS", fixed_studies)])
@pytest.mark.parametrize("counts", [TELLING, FEW], ids=["nielweise2007", "few"])
def test_the_estimate_is_the_maximum_of_the_likelihood_by_brute_force(model, likelihood, counts):
    """Higher than all about it by half the squared distance in standard errors, and of the height that is told."""
    fit = fit_odds_ratio(*counts, model, profile=False)
    at, tau = fit.estimate, fit.tau2**0.5
    top = likelihood(at, tau, *counts)
    assert fit.log_likelihood == pytest.approx(top, abs=1e-7)
    for step in (-0.05, 0.05):
        assert likelihood(at + step, tau, *counts) < top
        assert likelihood(at, abs(tau + step), *counts) < top
    slope = (likelihood(at + 1e-3, tau, *counts) - likelihood(at - 1e-3, tau, *counts)) / 2e-3
    assert slope == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("counts", [TELLING, FEW], ids=["nielweise2007", "few"])
def test_two_random_effects_reach_the_maximum_by_brute_force(counts):
    """The height, and slopes of nothing in every parameter that is not at its edge of 0."""
    fit = fit_odds_ratio(*counts, "UM.RS", profile=False)
    # The mean of the studies' log odds is not told: where the likelihood is highest given the others.
    rest = (fit.estimate, fit.sigma2**0.5, fit.tau2**0.5)
    found = optimize.minimize_scalar(
        lambda alpha: -random_studies(alpha, *rest, *counts), bracket=(-4, -1), options={"xtol": 1e-7}
    )
    assert fit.log_likelihood == pytest.approx(-found.fun, abs=1e-7)
    for parameter in range(3):
        ends = []
        for step in (-1e-3, 1e-3):
            moved = np.array(rest)
            moved[parameter] += step
            ends.append(random_studies(found.x, *moved, *counts))
        assert (ends[1] - ends[0]) / 2e-3 == pytest.approx(0, abs=1e-4), parameter


@pytest.mark.parametrize("counts", [TELLING, FEW], ids=["nielweise2007", "few"])
def test_the_interval_of_tau2_is_where_the_likelihood_has_fallen_by_half_of_3_84(counts):
    fit = fit_odds_ratio(*counts, "CM.EL")
    top = conditional(fit.estimate, fit.tau2**0.5, *counts)
    for end in fit.tau2_ci:
        found = optimize.minimize_scalar(lambda x, tau=end**0.5: -conditional(x, tau, *counts), bracket=(-2, 0))
        fallen = 2 * (top + found.fun)
        assert fallen < 3.841459 if end == 0 else fallen == pytest.approx(3.841459, abs=1e-3)


def test_published_figures():
    """Stijnen, Hamza and Özdemir (2010), table III, as in metafor's tests: conditional logistic, exact and not."""
    exact, near = (fit_odds_ratio(*NIELWEISE, model, profile=False) for model in ("CM.EL", "CM.AL"))
    assert [round(each, 3) for each in (exact.estimate, exact.se)] == [-1.353, 0.351]
    assert round(exact.tau2**0.5, 2) == 0.83
    assert [round(each, 3) for each in (near.estimate, near.se)] == [-1.303, 0.339]
    assert round(near.tau2**0.5, 2) == 0.78
    assert exact.k == near.k == 17


ROUGH = {"UM.FS": 1e-3, "CM.AL": 1e-4, "UM.RS": 0.03}
"""rma.glmm stops at 7 points of quadrature, and at 1 with two random effects (Laplace)."""


@for_each("model", ROUGH)
@for_each("name", TABLES)
def test_fits_are_those_of_metafor(name, model):
    """Its own precision allows no better; metafor drops the study without events from UM.RS too."""
    counts = TELLING if name == "nielweise2007" else TABLES[name]
    found, theirs = fit_odds_ratio(*counts, model, profile=False), results(name)["GLMM_OR"][model]
    rel = ROUGH[model]
    assert found.k == theirs["k"]
    assert (found.estimate, found.se, found.tau2) == pytest.approx(
        (theirs["beta"], theirs["se"], theirs["tau2"]), rel=rel
    )
    assert (found.i2, found.h2) == pytest.approx((theirs["I2"], theirs["H2"]), rel=rel)
    assert found.q.q == pytest.approx(theirs["QE_LRT"], rel=1e-4)
    assert found.q.df == theirs["QE_df"]
    if found.q_wald is not None:
        assert found.q_wald.q == pytest.approx(theirs["QE_Wald"], rel=1e-5)


def test_wald_q_is_told_only_where_every_study_has_an_odds_ratio():
    assert fit_odds_ratio(*TABLES["bcg"], "CM.EL", profile=False).q_wald is not None
    assert fit_odds_ratio(*NIELWEISE, "CM.EL", profile=False).q_wald is None


@pytest.mark.parametrize("counts", [(3, 12, 2, 10), (0, 4, 2, 5), (800, 3000, 500, 2500)])
def test_the_conditional_likelihood_is_fishers(counts):
    """Of scipy, also where the sum is cut to the terms that weigh."""
    a, n1, c, n2 = counts
    x = np.array([[-3.0, -0.4, 0.0, 1.7, 6.0]])
    value, first, second = Hypergeometric(tables([a], [n1], [c], [n2])).at(x)
    for column, each in enumerate(x[0]):
        theirs = stats.nchypergeom_fisher(n1 + n2, n1, a + c, np.exp(each))
        mean, variance = (float(part) for part in theirs.stats())
        assert first[0, column] == pytest.approx(a - mean, rel=1e-9, abs=1e-9)
        assert -second[0, column] == pytest.approx(variance, rel=1e-7)
        if theirs.pmf(a) > 1e-200:
            assert value[0, column] == pytest.approx(theirs.logpmf(a), rel=1e-9, abs=1e-9)


def test_one_study_is_itself():
    """With UM its own log odds ratio, log(3/9) - log(2/8); with CM.EL Fisher's, of scipy. Nothing is known of tau2."""
    for model in ("UM.FS", "UM.RS"):
        found = fit_odds_ratio([3], [12], [2], [10], model)
        assert found.estimate == pytest.approx(np.log(3 / 9) - np.log(2 / 8), rel=1e-9)
        assert (found.k, found.tau2, found.tau2_ci, found.q.p) == (1, None, None, None)
    found = fit_odds_ratio([3], [12], [2], [10], "CM.EL")
    assert np.exp(found.estimate) == pytest.approx(odds_ratio([[3, 9], [2, 8]]).statistic, rel=1e-6)


@for_each("model", EXACT_MODELS)
def test_many_patients_give_what_weights_give(model):
    """Ten studies of some 100,000 patients and 1 % with the event: close to the mean of their log odds ratios."""
    n1, n2 = np.arange(90_000, 110_000, 2_000), np.arange(110_000, 90_000, -2_000)
    half = 0.05 + 0.05 * np.arange(-4.5, 5)
    a, c = np.round(n1 * special.expit(-4.65 + half)), np.round(n2 * special.expit(-4.65 - half))
    found = fit_odds_ratio(a, n1, c, n2, model, profile=False)
    y = special.logit(a / n1) - special.logit(c / n2)
    rare = 0.02 if model == "CM.AL" else 0.002
    assert found.estimate == pytest.approx(y.mean(), abs=rare)
    assert found.tau2**0.5 == pytest.approx(y.std(), rel=0.05)


@for_each(
    ("counts", "message"),
    [
        pytest.param(([0, 4], [9, 4], [0, 5], [8, 5]), "no study has both events and other", id="alike"),
        pytest.param(([0, 0], [9, 9], [1, 2], [9, 9]), "on the same side: the odds ratio is infinite", id="one-side"),
        pytest.param(([0, 3], [9, 9], [2, 0], [9, 9]), "tau2 has no finite estimate", id="both-sides"),
        pytest.param(([0.5, 3], [9, 9], [2, 1], [9, 9]), "no counts", id="no-counts"),
    ],
)
def test_tables_without_a_finite_answer_are_refused(counts, message):
    with pytest.raises(SynthesisError, match=message):
        fit_odds_ratio(*counts, "CM.EL")


ARM = st.integers(2, 60).flatmap(lambda n: st.tuples(st.integers(1, n - 1), st.just(n)))


@few_examples
@given(st.lists(st.tuples(ARM, ARM), min_size=2, max_size=5), st.sampled_from(["UM.FS", "UM.RS", "CM.EL"]))
def test_swapping_groups_or_outcomes_changes_the_sign(studies, model):
    """And the order of studies changes nothing."""
    (a, n1), (c, n2) = (np.array(group).T for group in zip(*studies, strict=True))
    one = fit_odds_ratio(a, n1, c, n2, model, profile=False)
    swapped = fit_odds_ratio(c, n2, a, n1, model, profile=False)
    turned = fit_odds_ratio(n1 - a, n1, n2 - c, n2, model, profile=False)
    backwards = fit_odds_ratio(a[::-1], n1[::-1], c[::-1], n2[::-1], model, profile=False)
    for other, sign in ((swapped, -1), (turned, -1), (backwards, 1)):
        assert sign * other.estimate == pytest.approx(one.estimate, abs=1e-5)
        assert other.tau2 == pytest.approx(one.tau2, abs=1e-5)
        assert other.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-7)
