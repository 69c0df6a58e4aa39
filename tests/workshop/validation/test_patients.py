"""Single patients: the area by hand, the table as it is read, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from bcma_decide import load_model
from bcma_decide.errors import ProfileError
from bcma_decide.workshop.validation.patients import area, read_patients, score_patients
from tests.support.cases import for_each


def test_the_area_by_hand():
    """Events at 0.9 and 0.4, others at 0.4 and 0.1: pairs 1, 1, 1/2 and 1 of four, 3.5 / 4."""
    assert area(np.array([0.9, 0.4, 0.4, 0.1]), np.array([1.0, 1.0, 0.0, 0.0])) == pytest.approx(3.5 / 4)
    assert area(np.array([0.9, 0.4]), np.array([1.0, 1.0])) is None


def table(tmp_path, *lines):
    path = tmp_path / "patients.csv"
    path.write_text("\n".join(("option,orr,cr_or_better,age,extramedullary_disease", *lines)) + "\n")
    return path


def test_patients_are_scored_by_their_own_number_and_by_the_products(tmp_path):
    """The responder is without extramedullary disease, the other with it: the product's rate is the same for both."""
    path = table(tmp_path, "cilta-cel,1,,64,no", "cilta-cel,0,0,,yes")
    scores = score_patients(read_patients(path, load_model()), load_model())
    found = {(each.outcome, each.predictor): each for each in scores}
    own, product = found["orr", "this patient"], found["orr", "the product alone"]
    assert (own.patients, own.events) == (2, 1)
    assert own.auc == 1.0
    assert product.auc == 0.5
    assert own.brier < product.brier
    assert found["cr_or_better", "this patient"].patients == 1
    assert found["cr_or_better", "this patient"].auc is None


@for_each(
    "line, said",
    [
        ("nothing,1,,64,no", "'nothing' is not an option"),
        ("cilta-cel,yes,,64,no", "'yes' is not 1, 0 or empty"),
        ("cilta-cel,1,,400,no", "age"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path, line, said):
    with pytest.raises(ProfileError, match=said) as refused:
        read_patients(table(tmp_path, "cilta-cel,1,,64,no", line), load_model())
    assert "patients.csv:3" in str(refused.value)


def test_a_table_without_patients_or_without_a_file_is_refused(tmp_path):
    with pytest.raises(ProfileError, match="holds no patient"):
        read_patients(table(tmp_path), load_model())
    with pytest.raises(ProfileError, match="cannot be read"):
        read_patients(tmp_path / "missing.csv", load_model())
