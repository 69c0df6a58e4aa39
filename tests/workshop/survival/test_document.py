"""How far the curves in the pooled file reach."""

import pytest

from bcma_decide.workshop.survival.document import survival_block
from bcma_decide.workshop.survival.fit import fit_survival
from tests.workshop.patient_model.support.real import inputs, workshop

OPTIONS = [
    {"id": option, "class_id": class_id}
    for option, class_id in (
        ("car_t", "car_t"), ("cilta-cel", "car_t"), ("ide-cel", "car_t"),
        ("bite", "bite"), ("teclistamab", "bite"), ("elranatamab", "bite"), ("linvoseltamab", "bite"),
    )
]  # fmt: skip


@pytest.fixture(scope="module")
def ends():
    block = survival_block(fit_survival(inputs(), workshop()), inputs().assumptions, OPTIONS)
    return {option: entry.get("end_of_follow_up") for option, entry in block["options"].items()}


def test_a_product_is_known_to_the_end_of_its_longest_curve(ends):
    """CARTITUDE-1: median 34.9 months; MagnetisMM-3: 33.9 months of follow-up."""
    assert ends["cilta-cel"] == pytest.approx(34.9)
    assert ends["elranatamab"] == pytest.approx(33.9)


def test_an_average_of_products_is_known_as_far_as_each_of_them(ends):
    assert ends["car_t"] == ends["ide-cel"] < ends["cilta-cel"]
    assert ends["bite"] == ends["teclistamab"] < ends["elranatamab"]
    assert ends["linvoseltamab"] is None
