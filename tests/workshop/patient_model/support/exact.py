"""The exact model of the baselines for NumPyro: nothing of the fit's own arithmetic, only its inputs.

Counts are binomial around the rate averaged over the arm's virtual patients, every term is normal and both spreads have
their half-normal priors; the spreads are sampled with everything else.
"""

import os

import numpy as np

from bcma_decide.workshop.patient_model.baselines import Arms, Asked, BaselinePrior

CHAINS, WARM_UP, KEPT = 4, 700, 2000


def sampled_levels(arms: Arms, effects: np.ndarray, prior: BaselinePrior, asked: Asked, seed: int) -> dict:
    """Draws of the levels asked for (draws, options) and of the two spreads, with their split R-hat."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import jax
    import numpyro
    import numpyro.distributions as dist
    from numpyro.diagnostics import split_gelman_rubin
    from numpyro.infer import MCMC, NUTS

    numpyro.enable_x64()
    count, products = arms.products.shape
    offsets = arms.patients @ effects
    trial = np.unique(np.array(arms.trials), return_inverse=True)[1]
    spare = np.sqrt(arms.extra_variance + prior.near_row_sd**2 * arms.near)
    product_extra = np.where(arms.offered, 0.0, prior.construct_sd)

    def model():
        tau = numpyro.sample("tau", dist.HalfNormal(prior.study_sd_scale))
        spread = numpyro.sample("spread", dist.HalfNormal(prior.product_sd_scale))
        with numpyro.plate("terms", 4):
            z = numpyro.sample("z", dist.Normal())
        with numpyro.plate("products", products):
            own = numpyro.sample("own", dist.Normal())
            construct = numpyro.sample("construct", dist.Normal())
        with numpyro.plate("arms", count):
            study = numpyro.sample("study", dist.Normal())
            noise = numpyro.sample("noise", dist.Normal())
        with numpyro.plate("trials", int(trial.max()) + 1):
            together = numpyro.sample("together", dist.Normal())
        terms = {
            "level": prior.intercept_sd * z[0],
            "real_world": prior.real_world_mean + prior.real_world_sd * z[1],
            "region": prior.region_sd * z[2],
            "near": prior.near_mean + prior.near_mean_sd * z[3],
        }
        product = spread * own + product_extra * construct
        rho = prior.same_trial_correlation
        u = tau * (np.sqrt(rho) * together[trial] + np.sqrt(1.0 - rho) * study) + spare * noise

        def combined(level, mix, real_world, region, near):
            return (
                level * terms["level"]
                + mix @ product
                + real_world * terms["real_world"]
                + region * terms["region"]
                + near * terms["near"]
            )

        alpha = combined(1.0, arms.products, arms.real_world, arms.region, arms.near) + u
        rate = arms.floor + arms.share * jax.nn.sigmoid(alpha[:, None] + offsets).mean(axis=1)
        numpyro.sample("events", dist.Binomial(arms.total, probs=rate), obs=arms.events)
        numpyro.deterministic(
            "levels", combined(asked.level, asked.products, asked.real_world, asked.region, asked.near)
        )

    sampler = MCMC(
        NUTS(model, target_accept_prob=0.95),
        num_warmup=WARM_UP,
        num_samples=KEPT,
        num_chains=CHAINS,
        chain_method="vectorized",
        progress_bar=False,
    )
    sampler.run(jax.random.PRNGKey(seed))
    chains = sampler.get_samples(group_by_chain=True)
    found = {name: np.asarray(chains[name]) for name in ("levels", "tau", "spread")}
    result = {name: draws.reshape(-1, *draws.shape[2:]) for name, draws in found.items()}
    result["r_hat"] = max(float(np.max(split_gelman_rubin(draws))) for draws in found.values())
    return result
