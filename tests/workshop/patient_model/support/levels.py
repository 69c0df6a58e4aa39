"""The fit of one class at one threshold, and its levels read at once."""

from bcma_decide.workshop.patient_model.baselines import node_levels, read_levels


def fit_baselines(arms, effects, prior, asked, tau_points=16, product_points=6):
    """Levels of all options of one class at one threshold."""
    return read_levels(node_levels(arms, effects, prior, tau_points, product_points), arms, prior, asked)
