"""Registries drawn at random, as large as asked for; the same for the same seed."""

import numpy as np
import pyarrow as pa

YES_NO = (
    "high_risk_cytogenetics",
    "extramedullary_disease",
    "prior_bcma",
    "frail",
    "triple_class_refractory",
    "active_infection",
    "plasma_cell_leukemia",
)
NUMBERS = {
    "age": (65.0, 9.0, 0),
    "prior_lines": (4.0, 1.5, 0),
    "ecog": (1.0, 0.8, 0),
    "creatinine [mg/dL]": (1.2, 0.4, 2),
    "weight [kg]": (75.0, 12.0, 0),
    "hemoglobin [g/dL]": (10.5, 1.6, 1),
    "platelets [10^9/L]": (140.0, 60.0, 0),
    "neutrophils [10^9/L]": (2.5, 1.2, 1),
    "ferritin [ng/mL]": (700.0, 500.0, 0),
    "crp [mg/L]": (8.0, 8.0, 1),
}
"""Mean, standard deviation and decimals."""
LEAST = {"age": 40.0, "prior_lines": 1.0, "ecog": 0.0}


def registry(rows, seed, *, different=None, known=0.6):
    """A table of so many patients, of whom each thing is known with some chance.

    ``different``: how many of them differ; the others repeat these.
    """
    random = np.random.default_rng(seed)
    count = different or rows
    columns = {}
    for name in YES_NO:
        columns[name] = _column(random, np.where(random.random(count) < 0.4, "yes", "no"), known)
    columns["sex"] = _column(random, np.where(random.random(count) < 0.5, "female", "male"), known)
    for name, (mean, spread, decimals) in NUMBERS.items():
        drawn = np.maximum(random.normal(mean, spread, count), LEAST.get(name, mean / 10.0)).round(decimals)
        drawn = np.minimum(drawn, 4.0) if name == "ecog" else drawn
        columns[name] = _column(random, np.array([f"{value:.{decimals}f}" for value in drawn]), known)
    table = pa.table(columns)
    if different:
        table = table.take(pa.array(random.integers(0, different, rows)))
    return table.add_column(0, "id", pa.array([str(number) for number in range(rows)]))


def _column(random, values, known):
    return pa.array(values.tolist(), pa.string(), mask=random.random(len(values)) >= known)
