"""The figures of about thirty profiles are those that were kept: a refactoring moves none of them."""

from tests.golden.figures import FIGURES, differences, drawn
from tests.support.cases import for_each


def test_no_figure_moved():
    kept = FIGURES.read_text(encoding="utf-8").splitlines()
    moved = differences(kept, drawn())
    assert not moved, "\n".join(moved[:20]) + "\nif this was meant: python -m tests.golden.figures, and say why"


@for_each(
    "now",
    [
        [" orr car_t 0.80010 low"],
        [" orr car_t 0.8 moderate"],
        [" orr car_t 0.8 low", " orr bite 0.5 low"],
        [],
        [" orr car_t too_thin"],
    ],
)
def test_what_moved_is_seen(now):
    assert differences([" orr car_t 0.8 low"], now)


def test_the_last_decimal_may_differ_between_processors():
    assert not differences([" orr car_t 0.8 low"], [" orr car_t 0.80001 low"])
