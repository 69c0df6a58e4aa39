"""The page and the stored document: well formed, closed to the network, the same from what was stored."""

from __future__ import annotations

import re

import pytest
from justhtml import JustHTML

from bcma_decide.errors import EvidenceError, NoEvidenceError
from bcma_decide.pooled.location import evidence_directory
from bcma_decide.workshop.validation.aims import aims
from bcma_decide.workshop.validation.bootstrap import difference
from bcma_decide.workshop.validation.history import load_history
from bcma_decide.workshop.validation.page import validation_page
from bcma_decide.workshop.validation.predictors import BASELINES, LABELS
from bcma_decide.workshop.validation.scores import summarise
from bcma_decide.workshop.validation.shapes import BandResult, Group, OwnData, OwnRow, Stamp, Validation
from bcma_decide.workshop.validation.stored import read_stored, stored_text
from tests.workshop.validation.support.rows import predicted, row

HISTORY = load_history(evidence_directory())


def said(observed):
    """Every predictor too high, the model by one point and the others by five to seven."""
    ends = ((0.1, 0.3), (0.05, 0.5), (0.0, 0.9))
    return {
        name: predicted(observed + off, log_score=2.0 + off, winkler=0.4 + off, ends=ends)
        for off, name in zip((0.01, 0.05, 0.06, 0.07), LABELS, strict=True)
    }


def scored(rows):
    return tuple(summarise(rows, name) for name in LABELS)


def small(pooled_hash="b" * 64) -> Validation:
    """Four arms of two outcomes, where the model is nearer than the others."""
    rows = tuple(
        row(f"study-{place}", events, 40, outcome=outcome, **said(events / 40))
        for place, (outcome, events) in enumerate([("orr", 24), ("orr", 30), ("orr", 27), ("crs_any", 12)])
    )
    group = {each.study: place for place, each in enumerate(rows)}
    overall = Group(
        by="overall", label="all arm totals", studies=4, summaries=tuple(summarise(rows, n) for n in LABELS)
    )
    by_outcome = Group(by="outcome", label="Response <b>, CAR-T", studies=3, summaries=scored(rows[:3]))
    differences = tuple(difference(rows, group, name) for name in BASELINES)
    groups = (overall, by_outcome)
    return Validation(
        stamp=Stamp(
            evidence_hash="a" * 64,
            evidence_date="2026-11-22",
            evidence_version="2026.11",
            pooled_hash=pooled_hash,
            software_version="1",
        ),
        rows=rows,
        groups=groups,
        differences=differences,
        aims=tuple(aims(groups, differences)),
        own_data=(
            OwnData(
                product="x",
                label="Product",
                outcome="icans_any",
                design="real_world",
                patients=200,
                own=0.28,
                own_interval=(0.25, 0.31),
                predicted=0.2,
                agrees=False,
                outside_interval=True,
                rows=(OwnRow(study="large", events=56, n=200, predicted=0.2),),
            ),
        ),
        bands=(
            BandResult(
                id="one",
                said="Product, response",
                value=0.5,
                wanted="60 to 70",
                inside=False,
                published="65 of 100",
                reason="a table is missing",
            ),
        ),
    )


def document(text):
    return JustHTML(text, strict=True, sanitize=False)


def test_the_page_is_well_formed_loads_nothing_and_escapes_words():
    text = validation_page(small(), HISTORY)
    document(text)
    assert "default-src 'none'" in text
    assert not re.search(r"<script|\ssrc=|url\(|@import|<link", text)
    assert "Response &lt;b&gt;, CAR-T" in text


def test_scores_stand_there_as_they_were_stored():
    """The model is off by one point on every arm: mean error 1.0, the others 5.0, 6.0 and 7.0; log scores 2.010 on."""
    text = document(validation_page(small(), HISTORY)).to_text()
    flat = " ".join(text.split())
    assert "patient model 4 1.0 +1.0" in flat
    assert "class, REML 4 5.0 +5.0" in flat
    assert "0.040 0.040 to 0.040" in flat  # class REML minus model
    assert "56/200, 20.0 %" in flat
    assert "a table is missing" in flat


def test_there_is_a_calibration_plot_of_every_predictor_and_of_each_family_with_rows():
    text = validation_page(small(), HISTORY)
    assert text.count('class="plot calibration"') == len(LABELS) + 2
    assert text.count('class="study"') == 4 * len(LABELS) + 4


def test_what_is_stored_gives_the_same_page_again():
    first = small()
    again = Validation.model_validate_json(stored_text(first))
    assert again == first
    assert validation_page(again, HISTORY) == validation_page(first, HISTORY)


def test_every_variant_tried_stands_on_the_page_with_what_became_of_it():
    text = " ".join(document(validation_page(small(), HISTORY)).to_text().split())
    for tried in (*HISTORY.totals, *HISTORY.contrasts):
        assert tried.variant in text
    assert "not kept" in text


def test_neutral_words_only():
    text = document(validation_page(small(), HISTORY)).to_text()
    assert not re.search(r"\b(should|best|recommended|safe)\b", text, re.IGNORECASE)


def test_a_stored_run_of_other_numbers_is_refused(tmp_path):
    (tmp_path / "pooled.json").write_text('{"pooled_hash":"' + "c" * 64 + '",\n')
    with pytest.raises(NoEvidenceError, match="missing"):
        read_stored(tmp_path)
    (tmp_path / "validation.json").write_text(stored_text(small()))
    with pytest.raises(EvidenceError, match="another pooled file"):
        read_stored(tmp_path)
    (tmp_path / "validation.json").write_text("{}")
    with pytest.raises(EvidenceError, match="shape"):
        read_stored(tmp_path)
    (tmp_path / "validation.json").write_text(stored_text(small("c" * 64)))
    assert read_stored(tmp_path) == small("c" * 64)


def test_aims_by_hand():
    """Gains of .04 to .06 are below every aim; Winkler .41 of .45 is .911; all four arms are inside 95 of 100."""
    found = {aim.text: aim for aim in small().aims}
    assert [aim.met for text, aim in found.items() if text.startswith("log score")] == [False, False, False]
    [winkler] = [aim for text, aim in found.items() if "Winkler" in text and "class" in text]
    assert winkler.reached.startswith("0.911")
    assert not winkler.met
    [behind] = [aim for text, aim in found.items() if text.startswith("nowhere")]
    assert (behind.reached, behind.met) == ("nowhere", True)
