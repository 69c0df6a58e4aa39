"""Lists of words and phrases in texts: the longest counts, whatever the letter case and punctuation."""

import pytest

from bcma_decide.errors import EvidenceError
from bcma_decide.pooled.agreement import Agreement
from bcma_decide.pooled.wording import Lexicon, words_of
from tests.support.cases import for_each

WORDS = Lexicon(
    (
        ("hemoglobin", "own"),
        ("hemoglobin A1c", "other"),
        ("urin*", "urine"),
        ("*kreatinin", "creatinine"),
        ("r/o", "doubt"),
        ("?", "doubt"),
        ("not detected", "no"),
        ("detected", "yes"),
    )
)


@for_each(
    ("text", "meanings"),
    [
        ("Hemoglobin", ["own"]),
        ("HEMOGLOBIN-A1C (HPLC)", ["other"]),
        ("hemoglobin, a 1c", ["own"]),
        ("Random URINE; hemoglobin", ["urine", "own"]),
        ("Serumkreatinin", ["creatinine"]),
        ("kreatinine", []),
        ("R/O anaemia?", ["doubt", "doubt"]),
        ("Not detected", ["no"]),
        ("not yet detected", ["yes"]),
        ("", []),
    ],
)
def test_the_longest_entry_at_each_place_counts(text, meanings):
    assert [hit.meaning for hit in WORDS.hits(words_of(text))] == meanings


def test_a_hit_tells_its_place():
    (hit,) = WORDS.hits(words_of("was not detected"))
    assert (hit.start, hit.length, hit.entry) == (1, 2, "not detected")


@for_each(
    ("text", "words"),
    [
        ("C-reactive Protein (hs), mg/L?", ("c", "reactive", "protein", "hs", "mg", "l", "?")),
        ("60% of cells", ("60%", "of", "cells")),
        ("β2_Mikroglobulin", ("β2", "mikroglobulin")),
        ("ＥＣＯＧ", ("ecog",)),
    ],
)
def test_a_text_as_words(text, words):
    assert words_of(text) == words


@pytest.mark.parametrize("plain", [{}, {"members": [{"id": "x"}]}])
def test_a_book_in_another_shape_is_refused(plain):
    with pytest.raises(EvidenceError, match=r"codes\.agreement: not in the expected shape"):
        Agreement.from_dict(plain)
