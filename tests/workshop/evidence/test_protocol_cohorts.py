"""Contrasts between cohorts of one protocol: on request, with a stated extra variance, never for shared patients."""

from __future__ import annotations

import json

import pytest

from bcma_decide.vocabulary import FAMILIES
from bcma_decide.workshop.evidence.catalogue import load_catalogue
from bcma_decide.workshop.evidence.check import check
from bcma_decide.workshop.evidence.protocol_cohorts import ProtocolCohorts
from bcma_decide.workshop.evidence.selection import select_splits
from tests.workshop.evidence.support.factory import catalogue, evidence_directory, plain_study, row, split, study

PAIR = {
    "id": "x-prior-bcma",
    "trait": "prior_bcma",
    "high": "with",
    "low": "without",
    "outcomes": ["orr"],
    "extra_variance": 0.16,
    "reason": "not allocated",
}
NAIVE = {"prior_bcma": {"n": 0, "of": 165, "basis": "verified", "source": "S1"}}
TREATED = {"prior_bcma": {"n": 40, "of": 40, "basis": "verified", "source": "S1"}}


def cohorts(**change):
    return ProtocolCohorts.model_validate_json(json.dumps({"contrasts": [PAIR | change]}))


def without(**fields):
    content = {"trial": "x", "outcomes": [row(events=104, n=165), row("cr_or_better", 65, 165)], "population": NAIVE}
    return study("without", **content | fields)


def having(**fields):
    content = {"trial": "x", "outcomes": [row(events=21, n=40), row("cr_or_better", 12, 40)], "population": TREATED}
    chosen = {"pooling": {"role": "splits_only", "reason": "all had BCMA therapy"}}
    return study("with", **content | chosen | fields)


def selected(*studies, family="response", pairs=None, **options):
    return select_splits(catalogue(*studies, cohorts=pairs or cohorts()), family, protocol_cohorts=True, **options)


def test_two_cohorts_are_a_contrast_on_request_only():
    studies = catalogue(having(), without(), cohorts=cohorts())
    assert select_splits(studies, "response").contrasts == ()
    (found,) = select_splits(studies, "response", protocol_cohorts=True).contrasts
    assert (found.high_events, found.high_n, found.low_events, found.low_n) == (21, 40, 104, 165)
    assert (found.study, found.other_cohort, found.extra_variance) == ("without", "with", 0.16)
    assert found.outcome == "orr", "complete response is not among the outcomes counted alike"


def test_the_explanation_names_both_cohorts():
    line = "in   without: orr by prior_bcma, 21/40 against 104/165 (against cohort with, extra variance 0.16)"
    assert line in selected(having(), without()).explain()


def test_a_recalled_count_gives_no_contrast_and_a_reason():
    recalled = having(outcomes=[row(events=21, n=40, basis="recalled")])
    selection = selected(recalled, without())
    assert selection.contrasts == ()
    (left,) = selection.left_out
    assert (left.study, left.trait, left.level) == ("without", "prior_bcma", "cohort with")
    assert left.reason == "with: the figure is recalled, not verified"
    (found,) = selected(recalled, without(), include_unverified=True).contrasts
    assert found.basis == "recalled"


def test_another_family_has_nothing_of_the_pair():
    selection = selected(having(), without(), family="crs")
    assert (selection.contrasts, selection.left_out) == ((), ())


def test_patients_counted_in_a_larger_set_are_not_counted_again():
    """The cohort with the trait is part of a larger split of the same trait, which is used."""
    large = study(
        "large",
        outcomes=[],
        overlaps_with=["with"],
        splits=[
            split("prior_bcma", "yes", 60, 150, group="present"),
            split("prior_bcma", "no", 90, 150, group="absent"),
        ],
    )
    (found,) = selected(having(overlaps_with=["large"]), without(), large).contrasts
    assert found.study == "large"


def test_context_studies_bring_no_contrast():
    mixed = having(mixed_targets=True)
    (left,) = selected(mixed, without()).left_out
    assert left.reason == "the set mixes BCMA with other targets"


FILES = {
    "without": plain_study("without", trial="x", population=NAIVE, outcomes=[row(events=104, n=165)]),
    "with": plain_study("with", trial="x", population=TREATED, outcomes=[row(events=21, n=40)]),
}


def problems(tmp_path, change, **studies):
    root = evidence_directory(tmp_path, *(FILES | studies).values())
    (root / "protocol_cohorts.yaml").write_text(json.dumps({"contrasts": [PAIR | change]}), encoding="utf-8")
    return {(p.file, p.field): p.message for p in check(root)}


def test_a_sound_pair(tmp_path):
    assert problems(tmp_path, {}) == {}


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"trait": "prior_bcm"}, "contrasts[0].trait", "prior_bcm is no yes-or-no trait of the model"),
        ({"trait": "age"}, "contrasts[0].trait", "age is no yes-or-no trait of the model"),
        ({"outcomes": ["os"]}, "contrasts[0].outcomes", "os is not an outcome of the model"),
        ({"high": "nobody"}, "contrasts[0].high", "there is no study nobody"),
        ({"extra_variance": 0.0}, "contrasts[0].extra_variance", "Input should be greater than 0"),
        ({"reason": "short"}, "contrasts[0].reason", "String should have at least 10 characters"),
        ({"high": "without", "low": "with"}, "contrasts[0].low", "with does not say that no patient has prior_bcma"),
    ],
)
def test_a_slip_is_named_with_its_field(tmp_path, change, field, message):
    assert problems(tmp_path, change)["protocol_cohorts.yaml", field] == message


def test_cohorts_of_different_trials_are_no_pair(tmp_path):
    found = problems(tmp_path, {}, **{"with": FILES["with"] | {"trial": "y"}})
    assert found["protocol_cohorts.yaml", "contrasts[0].high"] == "with and without are not cohorts of one trial"


# the real evidence


def test_earlier_bcma_therapy_in_two_protocols():
    real = load_catalogue()
    added = set(select_splits(real, "response", protocol_cohorts=True).contrasts)
    added -= set(select_splits(real, "response").contrasts)
    counts = {(c.study, c.high_events, c.high_n, c.low_events, c.low_n) for c in added}
    assert counts == {("majestec-1", 21, 40, 104, 165), ("magnetismm-3-cohort-a", 21, 63, 75, 123)}
    assert {0.16} == {c.extra_variance for c in added}


def test_without_asking_no_contrast_has_an_extra_variance():
    real = load_catalogue()
    for family in FAMILIES:
        assert all(c.extra_variance == 0 for c in select_splits(real, family.id).contrasts)
