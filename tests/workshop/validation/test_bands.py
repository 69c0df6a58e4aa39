"""Published figures of a product's own patients against the numbers that a user gets."""

from __future__ import annotations

import re
from functools import cache

import pytest

from bcma_decide import load_model
from bcma_decide.errors import EvidenceError
from bcma_decide.pooled.location import evidence_directory
from bcma_decide.workshop.evidence.catalogue import load_catalogue
from bcma_decide.workshop.validation.bands import FILE, held_to, load_bands
from tests.support.cases import for_each

COUNT = re.compile(r"([a-z][a-z0-9-]+) (\d+)/(\d+)")
BANDS = load_bands(evidence_directory())


@cache
def catalogue():
    return load_catalogue()


@cache
def results():
    return {result.id: result for result in held_to(BANDS, load_model())}


@for_each("band", BANDS, ids=lambda band: band.id)
def test_every_number_is_inside_its_band_or_has_its_reason(band):
    found = results()[band.id]
    assert found.inside or found.reason, f"{found.value} is not in {found.wanted}; published: {found.published}"


@for_each("band", [band for band in BANDS if band.reason], ids=lambda band: band.id)
def test_a_reason_names_a_study_of_the_evidence_or_a_table_that_is_missing(band):
    studies = {study.id for study in catalogue().studies}
    named = [word for word in re.findall(r"[a-z][a-z0-9-]+", band.reason) if word in studies]
    assert named or "table" in band.reason


@for_each("band", [band for band in BANDS if COUNT.search(band.published)], ids=lambda band: band.id)
def test_published_counts_stand_in_the_evidence(band):
    """Those that name a study by its id; a count from a rounded percentage may be one off."""
    for study, events, n in COUNT.findall(band.published):
        if study not in {each.id for each in catalogue().studies}:
            continue
        of = catalogue().study(study)
        counts = {(row.events, row.n) for row in (*of.outcomes, *of.splits)}
        near = any(total == int(n) and count is not None and abs(count - int(events)) <= 1 for count, total in counts)
        assert near, f"{study} has no row {events}/{n}"


def test_studies_named_are_in_the_evidence():
    known = {study.id for study in catalogue().studies}
    assert {study for band in BANDS for study in band.studies} <= known


def test_there_are_bands_of_every_kind():
    assert len(BANDS) >= 28
    for kind in ("band", "difference", "width", "number", "or_number"):
        assert any(getattr(band, kind) is not None for band in BANDS), kind


@for_each(
    "written, said",
    [
        ("outcome: orr", "give exactly one"),
        ("outcome: orr\n    band: [0.1, 0.2]\n    width: [0.1, 0.2]", "give exactly one"),
        ("outcome: orr\n    difference: [0.1, 0.2]", "needs the other profile"),
        ("outcome: nothing\n    band: [0.1, 0.2]", "unknown outcome"),
    ],
)
def test_a_band_that_asks_nothing_or_two_things_is_refused(tmp_path, written, said):
    text = f"bands:\n  - id: x\n    setting: trial\n    profile: {{age: 60}}\n    option: car_t\n    {written}\n"
    (tmp_path / FILE).write_text(text + "    published: 'one of two'\n")
    with pytest.raises(EvidenceError, match=said):
        load_bands(tmp_path)
