"""What weights make of the evidence, in words: neutral, in German too, and nothing of it without weights."""

from __future__ import annotations

import re
from functools import cache

from bcma_decide import compare
from bcma_decide.comparing.compare import load_pooled
from bcma_decide.patient.files import load_example
from bcma_decide.patient.weights import weights_from
from bcma_decide.pooled.criteria import criteria_of
from bcma_decide.render.sheet.html import render_html
from bcma_decide.render.sheet.sheet import Sheet
from bcma_decide.render.words import language
from bcma_decide.render.words import preferences as words
from tests.render.support.reading import DIRECTIVE, GERMAN_DIRECTIVE
from tests.support.cases import for_each

POINTS = ({"criterion": "cr_or_better", "points": 100, "from": 20, "to": 80}, {"criterion": "icans_any", "points": 40})
RANGES = ({"criterion": "orr", "points": [80, 100]}, {"criterion": "infection_g3plus", "points": 60})
ORDER = ({"criterion": "orr", "rank": 1}, {"criterion": "crs_any", "rank": 2})
OPEN = ({"criterion": "orr"}, {"criterion": "infection_g3plus"})
LACKING = ({"criterion": "orr", "points": 100}, {"criterion": "treatment_related_death", "points": 60})
NATURE = ({"criterion": "apheresed_not_infused", "points": 100},)
EVERY = [POINTS, RANGES, ORDER, OPEN, LACKING, NATURE]


@cache
def answered(place):
    stated = weights_from({"criteria": list(EVERY[place])}, criteria_of(load_pooled()))
    return compare(load_example("little-known-70"), weights=stated)


def answer(rows):
    return answered(EVERY.index(rows))


def said(comparison):
    """Everything that is said of the weights."""
    result = comparison.preferences
    texts = [words.heading(), words.lead(result), *result.assumptions]
    for ranking in words.shown_rankings(result, products=True):
        options = words.ranking_options(ranking)
        texts += [words.criterion_text(comparison, line, options) for line in result.criteria]
        texts += [words.first_ranks(comparison, ranking), *words.ranking_texts(comparison, result, ranking)]
    return texts


@for_each("rows", EVERY)
def test_words_are_neutral_in_both_languages(rows):
    assert DIRECTIVE.search("\n".join(said(answer(rows)))) is None
    with language.speaking("de"):
        assert GERMAN_DIRECTIVE.search("\n".join(said(answer(rows)))) is None


def test_german_says_it_in_german():
    with language.speaking("de"):
        texts = said(answer(POINTS))
    assert texts[0] == "Mit den angegebenen Gewichten"
    assert any("auf dem ersten Rang" in text for text in texts)


def test_the_first_rank_is_a_count_of_draws():
    comparison = answer(POINTS)
    ranking = comparison.preferences.rankings[0]
    text = words.first_ranks(comparison, ranking)
    found = re.fullmatch(r"CAR-T ranks first in (\d+) of 100 draws, Bispecific in (\d+)\.", text)
    assert [int(each) for each in found.groups()] == [round(100 * each.ranks[0]) for each in ranking.options]


def test_a_weight_that_would_change_it_is_named_with_what_it_is_now():
    texts = words.turning_texts(answer(POINTS), answer(POINTS).preferences, answer(POINTS).preferences.rankings[0])
    assert any(re.search(r"rose above \d+ % \(now 29 %\): then Bispecific\.", text) for text in texts)


def test_an_option_that_is_not_ranked_is_named_with_its_reason():
    texts = said(answer(LACKING))
    assert any("Not ranked, and no number filled in: Bispecific (Treatment-related death:" in text for text in texts)
    assert any(text.startswith("Fewer than two options have a number") for text in texts)


def test_what_does_not_occur_is_said_so_and_not_as_a_number():
    assert any("Bispecific: does not occur" in text for text in said(answer(NATURE)))


@for_each("audience", ["clinician", "patient"])
def test_a_sheet_without_weights_says_nothing_of_them(audience):
    plain = answer(POINTS).model_copy(update={"preferences": None})
    page = render_html(plain, Sheet(audience=audience))
    assert "tated weights" not in page
    assert 'id="weights"' not in page


def test_the_clinicians_page_has_them_after_the_sheet():
    page = render_html(answer(POINTS), Sheet())
    assert page.index('id="end-second"') < page.index('id="weights"')
    assert "of 100 draws" in page
