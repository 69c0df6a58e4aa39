"""Many drawn myeloma records are read without one misread; what each of them says is known."""

import pytest

from tests.fhir.reading.support.corpus import check_drawn
from tests.fhir.reading.support.myeloma import drawn
from tests.fhir.reading.support.styles import STYLES
from tests.fhir.reading.support.truths import same
from tests.support.cases import for_each


def _nothing_wrong(tally):
    assert not tally.misread, "\n".join(tally.misread)
    assert not tally.must_be_read, "\n".join(tally.must_be_read)
    assert not tally.refused, "\n".join(tally.refused)


@for_each("style", range(len(STYLES)))
def test_a_dozen_records_of_each_style(style):
    _nothing_wrong(check_drawn(range(style, 12 * len(STYLES), len(STYLES))))


@pytest.mark.slow
def test_six_hundred_records_with_fish_drugs_and_stages():
    tally = check_drawn(range(600))
    assert tally.special >= 400
    _nothing_wrong(tally)


def test_the_same_number_is_the_same_record():
    assert drawn(15, 7) == drawn(15, 7)
    assert drawn(15, 7).bundle != drawn(15, 8).bundle


@for_each(
    "held, accepted",
    [(9.1, 9.2), (None, True), (True, None), ([("car_t", 3)], ("car_t", 4)), ([("car_t", 3)], ("adc", 3)),
     ("male", "female"), (["lenalidomide", "teclistamab"], ["lenalidomide"])],
)  # fmt: skip
def test_what_differs_is_seen(held, accepted):
    assert not same(held, accepted)


@for_each(
    "held, accepted", [(9.1, 9.1000000001), (None, None), (False, False), ([("car_t", 3.0)], ("car_t", 3)), (2, 2)]
)
def test_what_agrees_is_seen(held, accepted):
    assert same(held, accepted)
