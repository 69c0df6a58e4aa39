"""The rules of the sentence, one by one: expected words are written by hand."""

from __future__ import annotations

import pytest

from bcma_decide import Patient, compare
from bcma_decide.comparison import Apart
from bcma_decide.render.words import tell_apart

LABEL = {"c": "cilta-cel", "i": "ide-cel", "t": "teclistamab", "e": "elranatamab"}
CLASS = {"c": "car_t", "i": "car_t", "t": "bite", "e": "bite"}


@pytest.mark.parametrize(
    ("compared", "pairs", "words"),
    [
        ("cite", ["ci", "ct", "ce"], "cilta-cel above the others"),
        ("cite", ["ci", "ti", "ei"], "ide-cel below the others"),
        ("cite", ["ct", "ce", "it", "ie"], "CAR-T above bispecifics"),
        ("cite", ["tc", "ec", "ti", "ei"], "bispecifics above CAR-T"),
        ("cite", ["ct", "ce"], "cilta-cel above teclistamab and elranatamab"),
        ("cite", ["ct", "it"], "cilta-cel and ide-cel above teclistamab"),
        ("cite", ["ct", "ie"], "cilta-cel above teclistamab, ide-cel above elranatamab"),
        # above everything, and more is told apart than that: every pair is said
        ("cit", ["ci", "ct", "it"], "cilta-cel above ide-cel and teclistamab, ide-cel above teclistamab"),
        ("ct", ["ct"], "cilta-cel above teclistamab"),
        ("ct", ["tc"], "teclistamab above cilta-cel"),
    ],
)
def test_a_phrase_says_every_pair_and_no_other(compared, pairs, words):
    assert tell_apart.phrase(list(compared), [(pair[0], pair[1]) for pair in pairs], LABEL, CLASS) == words


def apart(outcome, *pairs):
    return Apart(outcome=outcome, compared=("cilta-cel", "ide-cel", "teclistamab"), pairs=pairs)


def said(*found, shown=("cilta-cel", "ide-cel", "teclistamab")):
    comparison = compare(Patient(age=70)).model_copy(update={"apart": found})
    return " ".join(tell_apart.sentences(comparison, shown))


ABOVE = (("cilta-cel", "ide-cel"), ("cilta-cel", "teclistamab"))


def test_outcomes_with_the_same_words_are_named_together_and_what_is_not_told_apart_last():
    assert said(apart("infection_g3plus"), apart("orr", *ABOVE), apart("cr_or_better", *ABOVE)) == (
        "What the data can tell apart: response and CR: cilta-cel above the others. Not: infection grade 3+."
    )


def test_nothing_told_apart_is_said_as_such():
    assert said(apart("orr"), apart("crs_g3plus")) == (
        "The data cannot tell the products apart for response and CRS grade 3+."
    )


def test_a_product_that_is_not_shown_is_not_spoken_of():
    assert said(apart("orr", *ABOVE), shown=("cilta-cel", "teclistamab")) == (
        "What the data can tell apart: response: cilta-cel above teclistamab."
    )
    assert said(apart("orr", *ABOVE), shown=("cilta-cel",)) == ""
