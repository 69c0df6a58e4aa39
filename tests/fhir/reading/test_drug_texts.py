"""Texts of drugs: what is a drug, what names one and is no dose, and what is none, each through a whole record."""

from hypothesis import given as drawn
from hypothesis import strategies as st

from bcma_decide.comparing.compare import load_pooled
from bcma_decide.fhir.reading.drug_text import Lexicon, Names, Remark, read_drug_text
from tests.fhir.reading.support.drug_texts import DRUGS, NO_DOSE, NO_DRUG
from tests.fhir.reading.support.reading import lines, read
from tests.fhir.reading.support.records import RXNORM, coded, given
from tests.support.cases import for_each
from tests.support.examples import examples

KINDS = ("MedicationAdministration", "MedicationStatement", "Procedure")


@for_each(("text", "drugs"), DRUGS.items())
def test_a_name_with_strength_form_route_and_schedule_is_a_drug(text, drugs):
    for kind in KINDS:
        assert set(read(given("d", {"text": text}, kind=kind)).patient.received) == set(drugs)


@for_each("text", NO_DOSE)
def test_a_text_that_says_more_is_shown_with_the_reason_and_not_used(text):
    for kind in KINDS:
        reading = read(given("d", {"text": text}, kind=kind))
        assert reading.values == {}
        assert [line.state for line in lines(reading, "received")] == ["not_usable"]
        assert all(line.note for line in lines(reading, "received"))


@for_each("text", [text for text in NO_DRUG if text])
def test_a_text_without_a_drug_is_listed_or_not_needed(text):
    reading = read(given("d", {"text": text}))
    assert reading.values == {}
    assert reading.ledger.unmapped or reading.ledger.not_needed


@for_each("text", NO_DOSE)
def test_such_a_text_is_not_used_beside_a_code_of_the_drug(text):
    assert read(given("d", coded(RXNORM, "2619432", text))).values == {}


# Properties


def reading_of(text):
    pooled = load_pooled()
    return read_drug_text(
        text, Lexicon(pooled.definitions.drug_names, pooled.codes.other_names, pooled.codes.drug_words)
    )


def listed_words():
    """Every word of every list that may stand beside a name, and every word of a name."""
    pooled = load_pooled()
    words, names = pooled.codes.drug_words, pooled.definitions.drugs
    lists = (words.units, words.per, words.forms, words.routes, words.schedule, words.counted, words.joined_by,
             words.separators, *words.suffixes.values())  # fmt: skip
    named = [name for drug in names for name in (drug.id, *drug.names)]
    others = [name for drug in pooled.codes.other_drugs for name in (drug.text, *drug.names)]
    return {
        word.casefold()
        for each in (*lists, named, others)
        for entry in each
        for word in entry.replace("-", " ").split()
    }


WORDS = st.from_regex(r"[a-zäöüß]{3,12}", fullmatch=True) | st.sampled_from(
    [
        "not",
        "no",
        "never",
        "without",
        "wife",
        "planned",
        "nicht",
        "keine",
        "geplant",
        "consent",
        "denied",
        "allergy",
        "?",
        "!",
    ]
)


@examples(400)
@drawn(st.sampled_from(sorted(DRUGS)), WORDS, st.integers(0, 40))
def test_any_word_that_is_not_listed_makes_a_drug_a_remark(text, word, place):
    parts = text.split()
    parts.insert(place % (len(parts) + 1), word)
    if word not in listed_words():
        assert isinstance(reading_of(" ".join(parts)), Remark)


@examples(200)
@drawn(st.sampled_from(sorted(DRUGS)), st.sampled_from(sorted(DRUGS)))
def test_two_texts_joined_name_what_both_name(one, other):
    joined = reading_of(f"{one} + {other}")
    if isinstance(joined, Names):
        assert set(joined.drugs) == {*DRUGS[one], *DRUGS[other]}


@examples(300)
@drawn(st.text(max_size=60))
def test_no_text_at_all_breaks_the_reader(text):
    assert isinstance(reading_of(text), Names | Remark)


@examples(200)
@drawn(st.sampled_from(sorted(DRUGS)), st.integers(1, 30))
def test_a_text_that_was_cut_off_is_a_remark(text, length):
    assert isinstance(reading_of(f"{text[:length]}..."), Remark)
    assert isinstance(reading_of(f"{text[:length]}…"), Remark)


def test_a_long_text_is_a_remark():
    assert isinstance(reading_of("teclistamab " + "injection " * 40), Remark)
