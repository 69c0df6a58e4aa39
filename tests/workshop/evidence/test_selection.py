"""Which arm totals are pooled: every rule on a small catalogue, and known facts of the real one."""

from __future__ import annotations

import pytest

from bcma_decide.errors import EvidenceError
from bcma_decide.vocabulary import OUTCOMES
from bcma_decide.workshop.evidence.catalogue import load_catalogue
from bcma_decide.workshop.evidence.counts import agrees, implied_events
from bcma_decide.workshop.evidence.selection import RULES, select
from tests.support.cases import for_each
from tests.workshop.evidence.support.factory import catalogue, row, study


@pytest.fixture(scope="module")
def real():
    return load_catalogue()


def chosen(selection):
    return [r.study for r in selection.rows]


def reasons(selection):
    return {r.study: r.reason for r in selection.left_out}


LEFT_OUT = {
    "a product label repeats the patients of its trials": {
        "record_type": "label",
        "design": "label",
        "pooling": {"role": "context", "reason": "label"},
    },
    "estimates of another meta-analysis are not pooled": {
        "record_type": "meta_analysis",
        "design": "meta_analysis",
        "pooling": {"role": "context", "reason": "review"},
    },
    "the set mixes BCMA with other targets": {"mixed_targets": True},
    "given together with another active drug": {"combination": True},
    "not relapsed or refractory myeloma": {"setting": "not_rrmm"},
    "context: nothing seen": {"pooling": {"role": "context", "reason": "nothing seen"}},
    "splits only: chosen for the trait": {"pooling": {"role": "splits_only", "reason": "chosen for the trait"}},
    "published only: early construct": {"pooling": {"role": "published_only", "reason": "early construct"}},
    "the figure is recalled, not verified": {"outcomes": [row(basis="recalled")]},
    "the count is recalled, not verified": {"outcomes": [row(events_basis="recalled")]},
    "the denominator is recalled, not verified": {"outcomes": [row(n_basis="recalled")]},
    "no count: the denominator is not known": {"outcomes": [row(events=None, n=None, pct=60)]},
    "no count: no whole number of patients gives the printed percentage": {
        "outcomes": [row(events=None, n=61, pct=98.3)]
    },
    "only another data cut or definition of this outcome is printed": {"outcomes": [row(primary=False)]},
    "counted per randomised patient, without a verified count of those never infused": {
        "class_id": "car_t",
        "products": ["cilta-cel"],
        "outcomes": [row(denominator="randomised")],
    },
}


@for_each(("reason", "fields"), LEFT_OUT.items(), ids=LEFT_OUT)
def test_a_row_that_is_left_out_says_why(reason, fields):
    selection = select(catalogue(study("alpha", **fields), study("beta")), "orr")
    assert chosen(selection) == ["beta"]
    assert {"alpha": reason} == reasons(selection)
    assert selection.left_out[0].rule in RULES


def test_published_pooling_admits_early_constructs():
    early = study("alpha", pooling={"role": "published_only", "reason": "early construct"})
    assert chosen(select(catalogue(early), "orr", purpose="published")) == ["alpha"]


def test_recalled_figures_enter_on_request_only_and_stay_marked():
    recalled = study("alpha", outcomes=[row(basis="verified", n_basis="recalled")])
    (found,) = select(catalogue(recalled), "orr", include_unverified=True).rows
    assert found.basis == "recalled"


def test_the_window_of_the_source_meta_analysis():
    studies = catalogue(study("alpha"), study("beta", search_window=False), study("gamma", search_window=None))
    selection = select(studies, "orr", window="source")
    assert chosen(selection) == ["alpha"]
    assert reasons(selection) == {
        "beta": "published after the source meta-analysis' search date",
        "gamma": "unknown whether it appeared by the source meta-analysis' search date",
    }


def test_a_count_is_made_from_the_percentage_only_if_one_fits():
    """45.3 % of 64 is 28.99: 29 patients are 45.3 %."""
    (found,) = select(catalogue(study(outcomes=[row(events=None, n=64, pct=45.3)])), "orr").rows
    assert (found.events, found.n, found.derived) == (29, 64, True)


@for_each(
    ("pct", "n", "events"), [(73, 128, 93), (73.4, 128, 94), (98.3, 61, None), (0, 20, 0), (100, 7, 7), (33.3, 3, 1)]
)
def test_whole_patients_behind_a_percentage(pct, n, events):
    assert events == implied_events(pct, n)


def test_a_percentage_agrees_within_its_printed_precision():
    assert agrees(94, 128, 73.4)
    assert agrees(94, 128, 73)
    assert not agrees(94, 128, 73.5)
    assert not agrees(94, 128, 74)


def test_the_infused_share_of_randomised_patients():
    """29 of 254 randomised were never infused: 225/254 = 0.886 reached the infusion."""
    trial = study(
        class_id="car_t",
        products=["ide-cel"],
        outcomes=[
            row(events=180, n=254, denominator="randomised"),
            row("apheresed_not_infused", 24, 249, denominator="leukapheresed"),
            row("randomised_not_infused", 29, 254, denominator="randomised"),
            row("crs_any", 198, 225),
        ],
    )
    (response,) = select(catalogue(trial), "orr").rows
    assert pytest.approx(225 / 254) == response.infused_share
    (crs,) = select(catalogue(trial), "crs_any").rows
    assert crs.infused_share is None


def test_a_bispecific_has_no_infusion_to_miss():
    (found,) = select(catalogue(study(outcomes=[row(denominator="randomised")])), "orr").rows
    assert found.infused_share is None


def test_published_pooling_takes_rows_per_randomised_patient_as_they_are():
    trial = study(class_id="car_t", products=["ide-cel"], outcomes=[row(denominator="randomised")])
    (found,) = select(catalogue(trial), "orr", purpose="published").rows
    assert found.infused_share is None


def overlapping(name, n, *others, **fields):
    return study(name, outcomes=[row(events=1, n=n)], overlaps_with=list(others), **fields)


def test_of_overlapping_sets_the_largest_is_used():
    selection = select(catalogue(overlapping("alpha", 40, "beta"), overlapping("beta", 60, "alpha")), "orr")
    assert chosen(selection) == ["beta"]
    assert reasons(selection) == {"alpha": "shares patients with beta, which is used (larger: 60 against 40)"}


def test_of_equal_sets_the_longer_followed_is_used():
    alpha = overlapping("alpha", 60, "beta", median_follow_up_months=6)
    beta = overlapping("beta", 60, "alpha", median_follow_up_months=12)
    assert chosen(select(catalogue(alpha, beta), "orr")) == ["beta"]


def test_of_equal_sets_the_first_by_id_is_used():
    assert chosen(select(catalogue(overlapping("beta", 60, "alpha"), overlapping("alpha", 60, "beta")), "orr")) == [
        "alpha"
    ]


def test_overlap_is_resolved_from_the_largest_down():
    """The middle set falls to the large one, so the small set, which only overlaps the middle one, stays."""
    studies = catalogue(
        overlapping("large", 100, "middle"),
        overlapping("middle", 50, "large", "small"),
        overlapping("small", 20, "middle"),
    )
    assert chosen(select(studies, "orr")) == ["large", "small"]


def test_overlap_counts_per_outcome():
    """The large set has no CR row, so the small one is used for CR."""
    large = overlapping("large", 100, "small")
    small = study("small", outcomes=[row(n=50), row("cr_or_better", 10, 50)], overlaps_with=["large"])
    assert chosen(select(catalogue(large, small), "orr")) == ["large"]
    assert chosen(select(catalogue(large, small), "cr_or_better")) == ["small"]


def test_an_arm_shares_patients_only_with_sets_of_its_product():
    two_arms = study(
        "both",
        class_id="car_t",
        products=["ide-cel", "cilta-cel"],
        arms=[{"arm": "ide", "product": "ide-cel", "basis": "verified", "source": "S1"}],
        outcomes=[row(n=300, arm="ide")],
        overlaps_with=["cilta", "ide"],
    )
    cilta = overlapping("cilta", 200, "both", class_id="car_t", products=["cilta-cel"])
    ide = overlapping("ide", 100, "both", class_id="car_t", products=["ide-cel"])
    selection = select(catalogue(two_arms, cilta, ide), "orr")
    assert chosen(selection) == ["both", "cilta"]
    assert selection.rows[0].products == ("ide-cel",)


def test_the_follow_up_of_the_row_goes_before_the_study_s():
    one = study(outcomes=[row(follow_up_months=22.8)], median_follow_up_months=14.1)
    other = study(median_follow_up_months=14.1)
    assert select(catalogue(one), "orr").rows[0].follow_up_months == 22.8
    assert select(catalogue(other), "orr").rows[0].follow_up_months == 14.1


def test_an_unknown_outcome_is_an_error_with_a_suggestion():
    with pytest.raises(EvidenceError, match="did you mean crs_any"):
        select(catalogue(study()), "crs_anny")


def test_the_explanation_lists_what_is_in_and_what_is_out():
    selection = select(catalogue(study("alpha"), study("beta", combination=True)), "orr")
    assert selection.explain() == (
        "orr: rows selected 1, left out 1",
        "in   alpha: 30/50",
        "out  beta: given together with another active drug",
    )


# the real evidence


def test_the_largest_us_teclistamab_cohort_is_used_once(real):
    selection = select(real, "orr")
    assert "us-mmic-tec-razzo-2025" in chosen(selection)
    assert not {"us-mmic-tec-385", "dima-2024-us-tec", "mohan-2024-us-tec"} & set(chosen(selection))


def test_no_label_review_combination_or_mixed_set_is_pooled(real):
    never = {s.id for s in real.studies if s.record_type != "study" or s.mixed_targets or s.combination}
    for outcome in OUTCOMES:
        assert not never & set(chosen(select(real, outcome)))


def test_no_recalled_figure_is_pooled(real):
    for outcome in OUTCOMES:
        assert {"recalled"} & {r.basis for r in select(real, outcome).rows} == set()


def test_no_two_selected_rows_share_patients(real):
    studies = {s.id: s for s in real.studies}
    for outcome in OUTCOMES:
        rows = select(real, outcome, purpose="published").rows
        for r in rows:
            clash = {o.study for o in rows if o.study in studies[r.study].overlaps_with}
            assert all(not set(r.products) & set(o.products) for o in rows if o.study in clash), (
                outcome,
                r.study,
                clash,
            )


def test_legend_2_is_counted_once(real):
    assert {"legend-2"} == {s for s in chosen(select(real, "orr")) if s.startswith("legend-2")}


def test_phase_three_car_t_responses_carry_the_share_that_was_infused(real):
    shares = {r.study: r.infused_share for r in select(real, "orr").rows if r.infused_share is not None}
    assert {"cartitude-4": pytest.approx(176 / 208), "karmma-3": pytest.approx(225 / 254)} == shares


def test_cilta_cel_keeps_its_own_apheresis_count_beside_the_two_product_cohort(real):
    assert {"us-mmic-cilta-cel-2025", "hansen-2025-cilta-vs-ide"} <= set(chosen(select(real, "apheresed_not_infused")))


def test_early_constructs_are_in_published_pooling_only(real):
    assert "nci-car-bcma" in chosen(select(real, "orr", purpose="published"))
    assert "nci-car-bcma" not in chosen(select(real, "orr"))


def test_every_row_of_an_outcome_is_either_in_or_out_with_a_reason(real):
    for outcome in OUTCOMES:
        selection = select(real, outcome)
        seen = set(chosen(selection)) | set(reasons(selection))
        assert {s.id for s in real.studies if any(r.outcome == outcome for r in s.outcomes)} == seen
        assert all(r.reason for r in selection.left_out)
