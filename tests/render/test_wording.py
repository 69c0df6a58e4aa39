"""Numbers to words: what every face prints."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.comparison import Estimate, RiskDifference
from bcma_decide.render.words import wording
from tests.render.support.factory import contrast, estimate
from tests.support.cases import for_each

probabilities = st.floats(0, 1)
shares = st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=1, max_size=30).filter(lambda s: sum(s) > 1e-6)


@for_each(
    ("expected", "probability"),
    [
        ("84 of 100", 0.84),
        ("84 of 100", 0.8449),
        ("85 of 100", 0.845),
        ("29 of 100", 0.285),
        ("1 of 100", 0.005),
        ("fewer than 1 of 100", 0.00499),
        ("fewer than 1 of 100", 0.0),
        ("99 of 100", 0.9949),
        ("more than 99 of 100", 0.995),
        ("more than 99 of 100", 1.0),
    ],
)
def test_a_natural_frequency_is_never_0_or_100(expected, probability):
    assert expected == wording.of_100(probability)


def test_an_interval_has_no_brackets():
    assert wording.interval((0.7, 0.88)) == "70 to 88"
    assert wording.interval((0.001, 0.999)) == "<1 to >99"


def test_a_difference_always_has_its_sign():
    value = RiskDifference(mean=0.12, interval=(-0.03, 0.27))
    assert wording.difference(value) == "+12 (−3 to +27) of 100"
    assert wording.signed(0.004) == "+<1"
    assert wording.signed(-0.004) == "−<1"
    assert wording.signed(0.0) == "±0"


def test_probability_stands_as_word_and_number():
    assert wording.probability_higher(0.88, "CAR-T") == "CAR-T higher: 88 %"
    assert wording.probability_phrase(0.88, "CAR-T", "low") == "CAR-T higher: 88 % (likely)"
    assert wording.probability_phrase(0.88, "CAR-T", "very low") == "CAR-T higher: 88 %"
    assert wording.likelihood(0.5) == "about as likely as not"


def test_a_share_that_was_rounded_away_is_not_nothing():
    assert [wording.share(points) for points in (34, 0)] == ["34 %", "<1 %"]


def test_follow_up():
    assert [wording.follow_up(months) for months in (None, 0.4, 1.2, 17.4)] == [
        "follow-up not reported",
        "under 1 month",
        "1 month",
        "17 months",
    ]


def test_odds_ratios_keep_two_digits_and_do_not_overflow():
    assert wording.odds_ratio(math.log(0.27), (math.log(0.15), math.log(0.49))) == "0.27 (0.15 to 0.49)"
    assert wording.odds_ratio_alone(1e6) == ">99"
    assert wording.odds_ratio_alone(-1e6) == "<0.01"


@pytest.mark.parametrize("level", ["very low", "low", "moderate", "high"])
def test_a_sentence_is_as_strong_as_its_certainty(level):
    verb = {
        "very low": "very uncertain",
        "low": "may respond",
        "moderate": "probably respond",
        "high": " respond",
    }
    one = wording.estimate_sentence(estimate(0.6, 0.4, level), "CAR-T", "respond")
    two = wording.contrast_sentence(contrast(0.1, (-0.1, 0.3), 0.8, level), "CAR-T", "the bispecific", "respond")
    assert verb[level] in one
    assert verb[level] in two
    assert ("may " in one) == (level == "low")
    assert ("probably" in two) == (level == "moderate")


def test_states_are_words_with_their_reason():
    assert wording.state_with_reason(Estimate(state="too_thin", reason="one study")) == "too few studies: one study"
    assert wording.state(Estimate(state="not_applicable")) == "does not apply"
    assert wording.state(Estimate(state="no_evidence")) == "not reported"


def test_a_number_without_an_interval_is_not_shown():
    assert wording.state(Estimate(state="estimated", mean=0.4)) == "no number"


def test_control_and_bidirectional_characters_do_not_reach_the_reader():
    assert wording.visible("a\x1b[31m\u202eb\tc\nd\x00") == "a[31mb c d"


@given(shares)
def test_parts_sum_to_100_and_stay_within_one(values):
    parts = wording.parts_of_100(values)
    assert sum(parts) == 100
    total = math.fsum(values)
    assert all(abs(part - 100 * value / total) < 1 + 1e-6 for part, value in zip(parts, values, strict=True))


@pytest.mark.parametrize("values", [[], [0.0, 0.0]])
def test_nothing_cannot_be_parted(values):
    with pytest.raises(ValueError, match="positive"):
        wording.parts_of_100(values)


@given(probabilities, probabilities)
def test_rounding_is_monotone(first, second):
    def rank(probability):
        return {"<1": 0, ">99": 100}.get(wording.short_count(probability)) or int(
            wording.short_count(probability).strip("<>")
        )

    low, high = sorted((first, second))
    assert wording.whole(100 * low) <= wording.whole(100 * high)
    if wording.short_count(low) != "<1":
        assert rank(low) <= rank(high)


@given(probabilities, probabilities)
def test_an_interval_names_both_ends(first, second):
    low, high = sorted((first, second))
    assert wording.interval((low, high)).split(" to ") == [
        wording.short_count(low),
        wording.short_count(high),
    ]


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_a_signed_interval_names_both_ends(first, second):
    low, high = sorted((first, second))
    ends = wording.signed_interval((low, high)).split(" to ")
    assert ends == [wording.signed(low), wording.signed(high)]
    assert all(end[0] in "+−±" for end in ends)


@given(st.floats(-1e6, 1e6))
def test_rounding_is_to_the_nearest_and_symmetric(value):
    assert abs(wording.whole(value) - value) <= 0.5 + 1e-6
    assert wording.whole(-value) == -wording.whole(value)
