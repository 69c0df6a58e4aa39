"""The patient model: trait effects, baselines and the fit that makes the pooled file."""
