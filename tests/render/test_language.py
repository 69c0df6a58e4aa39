"""Languages: the catalogue is current and complete, and numbers and dates follow the language."""

import os
import re
from string import Formatter

import pytest

from bcma_decide.errors import SheetError
from bcma_decide.render.sheet.sheet import Sheet
from bcma_decide.render.words import language, wording
from tests.render.support import catalogue
from tests.render.support.reading import GERMAN_DIRECTIVE
from tests.support.cases import for_each

CODES = [catalogue.code_of(path) for path in catalogue.translations()]


def fields(text):
    """Names of the placeholders of a message, of either kind."""
    named = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    return named | set(re.findall(r"%\((\w+)\)s", text))


def forms(value):
    return [value] if isinstance(value, str) else list(value)


@pytest.fixture(scope="module", autouse=True)
def redrawn():
    if os.environ.get("BCMA_DECIDE_REDRAW") == "1":
        catalogue.redraw()


def test_the_template_holds_the_messages_of_the_sources():
    assert catalogue.messages(catalogue.read(catalogue.TEMPLATE)) == catalogue.messages(catalogue.extracted())


@pytest.mark.parametrize("path", catalogue.translations(), ids=catalogue.code_of)
def test_a_translation_holds_the_messages_of_the_template_and_no_other(path):
    template = catalogue.messages(catalogue.read(catalogue.TEMPLATE))
    translation = catalogue.read(path, catalogue.code_of(path))
    assert catalogue.messages(translation) == template
    assert not translation.obsolete


@pytest.mark.parametrize("path", catalogue.translations(), ids=catalogue.code_of)
def test_a_translation_keeps_every_placeholder(path):
    for message in catalogue.read(path, catalogue.code_of(path)):
        if message.id and language._complete(message.string):
            asked = set().union(*map(fields, forms(message.id)))
            for form in forms(message.string):
                assert fields(form) == asked, message.id


@pytest.mark.parametrize("path", catalogue.translations(), ids=catalogue.code_of)
def test_a_translation_ends_its_sentences_as_the_message_does(path):
    for message in catalogue.read(path, catalogue.code_of(path)):
        if isinstance(message.id, str) and message.id and message.string:
            ends = (message.id[-1], message.string[-1])
            assert ends[0] == ends[1] or not set(ends) & set(".?:!"), message.id


def test_german_is_complete_for_the_patient():
    assert language.untranslated("de", "patient") == ()
    assert language.languages("patient") == ("en", "de")


def test_german_has_its_two_plural_forms():
    text = (language.LOCALES / "de" / "LC_MESSAGES" / "sheet.po").read_text(encoding="utf-8")
    assert '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"' in text
    with language.speaking("de"):
        assert [wording.follow_up(months) for months in (1, 2)] == ["1 Monat", "2 Monate"]


def test_german_holds_no_directive_word():
    for message in catalogue.read(language.LOCALES / "de" / "LC_MESSAGES" / "sheet.po", "de"):
        for form in forms(message.string):
            assert GERMAN_DIRECTIVE.search(form) is None, form


@for_each("text", ["Die beste Wahl", "Wir empfehlen das", "Sie sollten", "ist sicher", "bewährte Mittel"])
def test_the_german_directive_words_are_found(text):
    assert GERMAN_DIRECTIVE.search(text)
    assert GERMAN_DIRECTIVE.search("Wir sind sehr unsicher.") is None


def test_a_catalogue_that_leaves_a_message_open_is_not_offered(tmp_path, monkeypatch):
    path = tmp_path / "xx" / "LC_MESSAGES" / "sheet.po"
    path.parent.mkdir(parents=True)
    path.write_text('#: templates/patient.html.j2\nmsgid "a"\nmsgstr ""\n', encoding="utf-8")
    monkeypatch.setattr(language, "LOCALES", tmp_path)
    monkeypatch.setattr(language, "_catalogue", language._catalogue.__wrapped__)
    monkeypatch.setattr("babel.core.Locale.parse", lambda *_, **__: None)
    assert language.untranslated("xx", "patient") == ("a",)
    assert language.untranslated("xx", "clinician") == ()
    assert language.languages("patient") == ("en",)


def test_a_language_without_its_sheet_is_refused_with_those_there_are():
    with pytest.raises(SheetError) as refused:
        Sheet(audience="patient", language="fr")
    assert "en, de" in str(refused.value)


def test_numbers_and_dates_follow_the_language():
    assert (language.number(2698), language.day("2026-11-22")) == ("2,698", "22 November 2026")
    with language.speaking("de"):
        assert (language.number(2698), language.day("2026-11-22")) == ("2.698", "22. November 2026")
        assert language.number(0.5) == "0,5"
    assert language.number(0.5) == "0.5"


@pytest.mark.parametrize("text", ["2026-11", "", "yesterday"])
def test_what_is_not_a_whole_date_stays(text):
    assert language.day(text) == text


def test_the_language_ends_with_its_block_even_after_an_error():
    def fail():
        with language.speaking("de"):
            raise ValueError("on the way")

    with pytest.raises(ValueError, match="on the way"):
        fail()
    assert wording.of_100(0.65) == "65 of 100"
