"""Where a trait hardly ever occurs, an interval is narrow, or a quantile has to be found closely."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit, ndtr
from scipy.stats import norm

from bcma_decide.model.normal import mixture_quantiles
from tests.model.support.factory import Level, all_known, ask, model


def test_the_interval_of_the_next_centre_is_never_narrower_than_that_of_the_average():
    """Hardly any spread between centres: both are what the level leaves open."""
    found = ask(model({("orr", "car_t"): Level(0.5, 0.4, tau=1e-6)}), all_known()).rates[0]
    expected = expit(0.5 + np.sqrt(0.4) * norm.ppf([0.025, 0.975]))
    assert expected == pytest.approx(found.credible, abs=1e-5)
    assert found.prediction[0] <= found.credible[0] < found.credible[1] <= found.prediction[1]
    assert expected == pytest.approx(found.prediction, abs=1e-5)


@pytest.mark.parametrize(("means", "sds"), [([0, 1, 2, 3], [1, 1, 1, 1]), ([-2, 0, 0.5, 4], [0.5, 1, 2, 1])])
def test_a_quantile_is_found_to_a_millionth(means, sds):
    """Newton's steps settle far below the width at which the search stops; halving a bracket would not."""
    weights = np.array([0.1, 0.2, 0.3, 0.4])
    probabilities = np.array([0.2, 0.35, 0.5, 0.65, 0.8])
    found = mixture_quantiles(weights[None], np.array([means], float), np.array([sds], float), probabilities)
    exact = [
        brentq(lambda x, p=p: (weights * ndtr((x - np.array(means)) / sds)).sum() - p, -20, 20, xtol=1e-12)
        for p in probabilities
    ]
    assert exact == pytest.approx(found[0], abs=2e-6)
