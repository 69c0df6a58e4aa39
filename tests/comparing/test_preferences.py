"""Weights in an answer: ranks from its own numbers, nothing filled in, no other number changed, the same bytes."""

from __future__ import annotations

import pytest
from scipy.special import logit
from scipy.stats import norm

from bcma_decide.comparing.compare import answer_question, compare, load_pooled
from bcma_decide.comparing.question import Question
from bcma_decide.comparison import result_json
from bcma_decide.errors import WeightsError
from bcma_decide.model.draws import LARGEST_ERROR
from bcma_decide.patient.files import example_names, load_example
from bcma_decide.patient.stated_weights import CriterionWeight, Weights
from bcma_decide.patient.weights import weights_from
from bcma_decide.pooled.criteria import criteria_of
from tests.support.cases import for_each

NAME = "little-known-70"
POINT = 0.01


def weights(*criteria):
    return weights_from({"criteria": list(criteria)}, criteria_of(load_pooled()))


def row(criterion, points=None, ends=None, **more):
    given = {"criterion": criterion, **more}
    if points is not None:
        given["points"] = points
    if ends is not None:
        given |= {"from": ends[0], "to": ends[1]}
    return given


def answer(stated, name=NAME, **how):
    return compare(load_example(name, load_pooled().definitions), weights=stated, pooled=load_pooled(), **how)


def rankings(stated, name=NAME, **how):
    """Of the classes, of the products."""
    return answer(stated, name, **how).preferences.rankings


def outcome_of(comparison, outcome):
    return next(each for each in comparison.outcomes if each.id == outcome)


def test_without_weights_nothing_is_ranked():
    assert answer(None).preferences is None
    assert "preferences" not in Question(patient=load_example(NAME)).written()


def test_weights_change_no_other_number():
    plain, ranked = answer(None), answer(weights(row("orr", 100), row("icans_any", 50)))
    assert result_json(ranked.model_copy(update={"preferences": None})) == result_json(plain)


@for_each("name", example_names(), plain=8)
@for_each("outcome", ["orr", "cr_or_better", "icans_any", "infection_g3plus"])
def test_one_outcome_alone_ranks_as_its_contrast_says(name, outcome):
    """The contrast is by quadrature; a harm is better when it is lower."""
    comparison = answer(weights(row(outcome, 100)), name)
    found = outcome_of(comparison, outcome)
    if found.contrast is None:
        assert comparison.preferences.rankings[0].options == ()
        return
    share = comparison.preferences.rankings[0].options[0].ranks[0]
    higher = found.contrast.probability_first_higher
    assert share == pytest.approx(higher if found.direction == "benefit" else 1 - higher, abs=POINT)


def test_the_share_free_of_progression_ranks_as_its_intervals_say():
    """Two normals on the log-odds scale with the bias of 0.25 between the classes.

    P(first higher) = Phi((a - b) / sqrt(s_a^2 + s_b^2 + 0.25^2)), centre and SD from the printed intervals.
    """
    comparison = answer(weights(row("pfs_12m", 100)))
    ends = {}
    for line in comparison.survival:
        if line.option in ("car_t", "bite") and line.kind == "computed":
            at = next(each for each in line.times if each.month == 12)
            low, high = logit(at.credible)
            ends[line.option] = ((low + high) / 2, (high - low) / (2 * 1.959964))
    (a, s), (b, t) = ends["car_t"], ends["bite"]
    expected = norm.cdf((a - b) / (s**2 + t**2 + 0.25**2) ** 0.5)
    assert comparison.preferences.rankings[0].options[0].ranks[0] == pytest.approx(expected, abs=0.02)


def test_values_by_hand_from_the_printed_numbers():
    """Points 100 and 60: weights 0.625 and 0.375; each value on its own change."""
    stated = weights(row("cr_or_better", 100, (20, 80)), row("infection_g3plus", 60, (60, 20)))
    comparison = answer(stated)
    ranking = comparison.preferences.rankings[0]
    values = []
    for option in ("car_t", "bite"):
        response = 100 * outcome_of(comparison, "cr_or_better").estimates[option].mean
        infection = 100 * outcome_of(comparison, "infection_g3plus").estimates[option].mean
        values.append(100 * (0.625 * (response - 20) / 60 + 0.375 * (60 - infection) / 40))
    assert [each.value for each in ranking.options] == pytest.approx(values, abs=1e-3)
    assert ranking.difference.mean == pytest.approx(values[0] - values[1], abs=1e-3)
    assert ranking.difference.interval[0] < ranking.difference.mean < ranking.difference.interval[1]


def test_the_weight_that_changes_the_first_rank_by_hand():
    """Two criteria: equal where w a1 + (1 - w) a2 = w b1 + (1 - w) b2, w = (a2 - b2) / ((a2 - b2) - (a1 - b1))."""
    stated = weights(row("cr_or_better", 100, (0, 100)), row("icans_any", 40, (40, 0)))
    comparison = answer(stated)
    response, nerves = (
        [100 * outcome_of(comparison, name).estimates[option].mean for option in ("car_t", "bite")]
        for name in ("cr_or_better", "icans_any")
    )
    first, second = (response[0] - response[1]) / 100, (nerves[1] - nerves[0]) / 40
    expected = second / (second - first)
    turning = {each.criterion: each for each in comparison.preferences.rankings[0].turnings}
    assert turning["cr_or_better"].below.weight == pytest.approx(expected, abs=1e-4)
    assert turning["icans_any"].above.weight == pytest.approx(1 - expected, abs=1e-4)
    assert turning["icans_any"].above.option == "bite"
    assert turning["cr_or_better"].above is None


def test_with_the_weights_at_that_point_the_averages_are_equal():
    stated = weights(row("cr_or_better", 100, (0, 100)), row("icans_any", 40, (40, 0)))
    below = rankings(stated)[0].turnings[0].below.weight
    moved = weights(row("cr_or_better", 100 * below, (0, 100)), row("icans_any", 100 * (1 - below), (40, 0)))
    one, other = rankings(moved)[0].options
    assert one.value == pytest.approx(other.value, abs=1e-3)


def test_ranks_of_every_option_and_of_every_rank_add_up_to_one():
    for ranking in rankings(weights(row("orr", 100), row("icans_any", [20, 60]), row("crs_any", 30))):
        shares = [each.ranks for each in ranking.options]
        assert [sum(each) for each in shares] == pytest.approx([1] * len(shares), abs=1e-5)
        assert [sum(each) for each in zip(*shares, strict=True)] == pytest.approx([1] * len(shares), abs=1e-5)


def test_an_option_without_a_number_is_not_ranked_and_says_why():
    """Treatment-related death: no study of a bispecific antibody has a usable count."""
    classes, products = rankings(weights(row("orr", 100), row("treatment_related_death", 80, (10, 0))))
    assert classes.options == ()
    assert [each.option for each in classes.not_ranked] == ["bite"]
    assert classes.not_ranked[0].reasons == ("Treatment-related death: no study with a usable count",)
    assert [each.option for each in products.options] == ["cilta-cel", "ide-cel"]
    assert {each.option for each in products.not_ranked} == {"teclistamab", "elranatamab", "linvoseltamab"}


def test_a_withheld_number_is_not_ranked():
    """A second bispecific antibody right after progression on one has no response here (limits.yaml)."""
    from bcma_decide import Patient

    patient = Patient(age=70, prior_bcma_courses="bispecific:2", progression_on_bcma="yes")
    comparison = compare(patient, weights=weights(row("orr", 100)), pooled=load_pooled())
    assert outcome_of(comparison, "orr").estimates["bite"].state == "withheld"
    ranking = comparison.preferences.rankings[0]
    assert ranking.options == ()
    assert [each.option for each in ranking.not_ranked] == ["bite"]
    assert outcome_of(comparison, "orr").estimates["bite"].reason in ranking.not_ranked[0].reasons[0]


def test_a_criterion_of_no_points_takes_no_option_away():
    with_it = rankings(weights(row("orr", 100), row("treatment_related_death", 0, (10, 0))))
    without = rankings(weights(row("orr", 100)))
    assert with_it == without


def test_what_cannot_happen_by_nature_counts_as_none():
    """Nobody fails to reach an infusion that a bispecific antibody does not have."""
    preferences = answer(weights(row("apheresed_not_infused", 100))).preferences
    line = preferences.criteria[0]
    assert (line.measured["bite"].mean, line.measured["bite"].kind) == (0, "by_nature")
    assert preferences.rankings[0].options[1].ranks[0] == 1
    assert any("Apheresis done" in each for each in preferences.assumptions)


def test_a_product_without_rows_of_its_own_is_marked():
    line = answer(weights(row("icans_any", 100))).preferences.criteria[0]
    estimates = outcome_of(answer(None), "icans_any").estimates
    assert {option: each.further_product for option, each in line.measured.items()} == {
        option: each.further_product for option, each in estimates.items()
    }


def test_burdens_are_facts_and_a_class_has_the_average_of_its_products():
    """KarMMa-3 49 days and CARTITUDE-4 44: 7 and 6.29 weeks, average 6.64; of 8 weeks to none, weight 1."""
    preferences = answer(weights(row("weeks_to_infusion", 100, (8, 0)))).preferences
    line = preferences.criteria[0]
    assert line.measured["car_t"].mean == pytest.approx((49 / 7 + 44 / 7) / 2, abs=1e-4)
    assert line.measured["car_t"].interval is None
    first, second = preferences.rankings[0].options
    assert (first.ranks, second.ranks) == ((0, 1), (1, 0))
    assert first.value == pytest.approx(100 * (8 - 93 / 14) / 8, abs=1e-3)


def test_a_burden_without_a_figure_in_the_region_is_not_filled_in():
    """The EU text of linvoseltamab on visits was not seen: neither it nor its class has a figure there."""
    classes, products = rankings(weights(row("dosing_visits", 100, (5, 0))), region="EU")
    assert classes.not_ranked[0].option == "bite"
    assert [each.option for each in products.not_ranked] == ["linvoseltamab"]


def test_an_order_of_two_ranks_as_weights_between_a_half_and_one():
    """Averages 3/4 and 1/4; the first change always counts more."""
    preferences = answer(weights(row("orr", rank=1), row("icans_any", rank=2))).preferences
    assert [line.weight for line in preferences.criteria] == pytest.approx([0.75, 0.25], abs=0.005)
    assert preferences.criteria[0].weight_interval == pytest.approx((0.5125, 0.9875), abs=0.005)


def test_open_weights_have_central_weights_and_no_turning():
    """No one has said a weight that could change."""
    ranking = rankings(weights(row("orr"), row("infection_g3plus")))[0]
    assert ranking.turnings == ()
    car_t, bite = ranking.options
    assert sum(car_t.central_weights.values()) == pytest.approx(1, abs=1e-5)
    assert car_t.central_weights["orr"] > bite.central_weights["orr"] or car_t.ranks[0] > 1 - POINT
    assert 0 < car_t.confidence <= 1


def test_exact_points_have_no_central_weights():
    for each in rankings(weights(row("orr", 100)))[0].options:
        assert each.central_weights is None
        assert each.confidence is None


def test_narrow_ranges_come_to_the_same_as_their_middle():
    exact = rankings(weights(row("orr", 100), row("icans_any", 50)))[0]
    narrow = rankings(weights(row("orr", 100), row("icans_any", [49.9, 50.1])))[0]
    for one, other in zip(exact.options, narrow.options, strict=True):
        assert one.ranks == pytest.approx(other.ranks, abs=LARGEST_ERROR)
        assert one.value == pytest.approx(other.value, abs=0.1)


def test_the_order_of_the_criteria_changes_nothing():
    one = rankings(weights(row("orr", 100), row("icans_any", [20, 60]), row("crs_any", 10)))
    other = rankings(weights(row("crs_any", 10), row("icans_any", [20, 60]), row("orr", 100)))
    for first, second in zip(one, other, strict=True):
        for left, right in zip(first.options, second.options, strict=True):
            assert left.ranks == pytest.approx(right.ranks, abs=1e-4)
            assert left.value == pytest.approx(right.value, abs=1e-4)


def test_the_same_question_gives_the_same_bytes():
    stated = weights(row("pfs_12m", 100), row("orr", [20, 60]), row("weeks_to_infusion", 10, (8, 0)))
    asked = Question(patient=load_example(NAME), weights=stated)
    again = Question.read(asked.written(), load_pooled().definitions)
    assert again == asked
    assert result_json(answer_question(asked, load_pooled())) == result_json(answer_question(again, load_pooled()))


def test_weights_of_another_evidence_are_refused():
    """A program that builds weights by itself is checked too."""
    stated = Weights(criteria=(CriterionWeight(criterion="nothing_of_it", points=100),))
    with pytest.raises(WeightsError, match="cannot be given a weight"):
        answer(stated)
