"""A text that names a drug, word by word: a drug only as its name with strengths, forms, routes and schedule words.

Every word has to be accounted for. What holds any other word is a remark: a plan, a consent, a collection of cells and
"not given" all name a drug, and none of them is a dose.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from bcma_decide.fhir.reading.datatypes import clip
from bcma_decide.pooled.definitions import Drug
from bcma_decide.pooled.drug_words import DrugWords, Phrase

_NUMBER: Final = r"\d+(?:[.,]\d+)*(?:\s?[x×]\s?10\s?[\^e]?\s?\d+)?"
_TOKEN: Final = re.compile(rf"(?P<number>{_NUMBER}(?:\s?[-–]\s?{_NUMBER})*)|(?P<word>[^\W\d_][^\W_]*)|(?P<mark>[^\s.])")
"""A dot says nothing (Tabl., i.v.); every other mark is a token of its own."""
_MARKS: Final = str.maketrans("", "", "®™")
_TIMES: Final = ("x", "×")
_CLOSING: Final = {"(": ")", "[": "]"}
_LONGEST_NAME: Final = 5
"""Words of the longest name or phrase that is looked for."""
_LONGEST_PHRASE: Final = 9


class Token(NamedTuple):
    """A number, a word or a mark."""

    kind: str
    text: str


class Names(NamedTuple):
    """The drugs a text names and nothing else; both empty where it holds listed words only."""

    drugs: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    """Drugs known by name that say nothing of the myeloma."""


class Remark(NamedTuple):
    """A text that says more than a drug: the first word that is no part of one, what it says, and whom it mentions."""

    word: str
    why: str = ""
    drugs: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """The reason, for people."""
        return f"its text says more than a drug: {clip(self.word)!r}" + (f" ({self.why})" if self.why else "")


class Lexicon(NamedTuple):
    """Names of drugs, folded, and the words that may stand beside them."""

    names: Mapping[str, Drug]
    others: Mapping[str, str]
    words: DrugWords


def read_drug_text(text: str, lexicon: Lexicon) -> Names | Remark:
    """Read a text; what it means that a drug is named nowhere in a remark is for the caller to say."""
    words = lexicon.words
    if len(text) > words.longest_text or ".." in unicodedata.normalize("NFKC", text):
        return _remark([], "...", lexicon, text)
    found = tokens(text)
    sentence = _Sentence(found, lexicon)
    stopped = sentence.read()
    if stopped is not None:
        return _remark(found, stopped, lexicon, text)
    return Names(tuple(dict.fromkeys(sentence.drugs)), tuple(dict.fromkeys(sentence.others)))


def tokens(text: str) -> list[Token]:
    """Numbers, words and marks of a text, without case."""
    plain = unicodedata.normalize("NFKC", text.translate(_MARKS)).casefold()
    return [Token(str(found.lastgroup), found.group()) for found in _TOKEN.finditer(plain)]


def says(text: str, phrases: Collection[Phrase]) -> bool:
    """Whether a text of any length holds one of these phrases, word by word."""
    return next(_occurring([each.text for each in tokens(text) if each.kind != "mark"], phrases), None) is not None


def _occurring(words: Sequence[str], phrases: Collection[Phrase]) -> Iterator[Phrase]:
    first = {phrase[0] for phrase in phrases}
    for start in (place for place, word in enumerate(words) if word in first):
        for length in range(min(_LONGEST_PHRASE, len(words) - start), 0, -1):
            if (phrase := tuple(words[start : start + length])) in phrases:
                yield phrase


def _remark(found: Sequence[Token], stopped: str, lexicon: Lexicon, text: str) -> Remark:
    """The word that says most, else the one that could not be read; with the drugs the text mentions all the same."""
    found = found or tokens(text[:1000])
    listed = lexicon.words.no_dose_phrases
    phrase = next(_occurring([each.text for each in found if each.kind != "mark"], listed), None)
    names = (name for start in range(len(found)) for name, _ in [_name(found, start, lexicon.names)] if name)
    mentioned = [lexicon.names[name].id for name in names if len(name) >= lexicon.words.shortest_mention]
    drugs = tuple(dict.fromkeys(mentioned))
    return Remark(stopped, "", drugs) if phrase is None else Remark(" ".join(phrase), listed[phrase], drugs)


def _name(found: Sequence[Token], start: int, names: Collection[str]) -> tuple[str, int]:
    """The longest name that begins here, folded, and where it ends; hyphens inside do not count.

    Tokens are without case and marks, which is what folding a name takes away.
    """
    best, end = "", start
    if found[start].kind == "mark":
        return best, end
    folded, count, place = "", 0, start
    while place < len(found) and count < _LONGEST_NAME:
        token = found[place]
        if token.kind == "mark" and token.text != "-":
            break
        if token.kind != "mark":
            folded, count = folded + token.text, count + 1
            if folded in names:
                best, end = folded, place + 1
        place += 1
    return best, end


class _Sentence:
    """One pass over the tokens of a text, or of a bracket in it."""

    def __init__(
        self, found: Sequence[Token], lexicon: Lexicon, within: Iterable[str] = (), *, inner: bool = False
    ) -> None:
        self.found, self.lexicon, self.words = found, lexicon, lexicon.words
        self.inner = inner
        self.within = frozenset(within)
        """Drugs already named where a bracket opens: it may only repeat them."""
        self.drugs: list[str] = []
        self.others: list[str] = []
        self.short = ""
        self.only_names = True
        self.joined = True
        self.open = ""
        """The joining or separating mark behind which something has to follow."""

    def read(self) -> str | None:
        """Read to the end; the word where it stopped, or None."""
        place = 0
        while place < len(self.found):
            step = self._name_at(place) or self._bracket_at(place) or self._words_at(place) or self._mark_at(place)
            if not step:
                return self.found[place].text
            place = step
        if self.open or (self.inner and not self.found):
            return self.open or "()"
        if self.short and not (self.only_names and len({*self.drugs, *self.others}) > 1):
            return self.short
        return None

    def _name_at(self, place: int) -> int:
        name, end = _name(self.found, place, self.lexicon.names)
        other, other_end = _name(self.found, place, self.lexicon.others)
        if not name and not other:
            return 0
        if other_end > end:
            name, end, drug, into = other, other_end, self.lexicon.others[other], self.others
        else:
            drug, into = self.lexicon.names[name].id, self.drugs
        known = {*self.drugs, *self.others}
        if (self.within and drug not in self.within) or (known and drug not in known and not self.joined):
            return 0
        if len(name) < self.words.shortest_name:
            self.short = self.short or self.found[place].text
        into.append(drug)
        self.joined, self.open = False, ""
        return self._suffix(drug, end)

    def _suffix(self, drug: str, end: int) -> int:
        hyphen, letters = self._text(end), self._text(end + 1)
        return end + 2 if hyphen == "-" and letters in self.words.suffixes.get(drug, ()) else end

    def _bracket_at(self, place: int) -> int:
        closing = _CLOSING.get(self._text(place))
        inside = [each.text for each in self.found[place + 1 :]]
        if closing is None or closing not in inside:
            return 0
        end = place + 1 + inside.index(closing)
        part = _Sentence(self.found[place + 1 : end], self.lexicon, (*self.drugs, *self.others), inner=True)
        if part.read() is not None or part.short:
            return 0
        self.drugs += part.drugs
        self.others += part.others
        self.only_names, self.open = False, ""
        if part.drugs or part.others:
            self.joined = False
        return end + 1

    def _words_at(self, place: int) -> int:
        end = self._strength(place) or self._counted(place)
        end = end or self._phrase(place, self.words.product_phrases)
        if not end and not self.inner:
            end = self._phrase(place, self.words.schedule_phrases)
            shaped = self.found[place].kind == "word" or self._is_number(place)
            if not end and shaped and self.words.shape.fullmatch(self._text(place)):
                end = place + 1
        if end:
            self.only_names, self.open = False, ""
        return end

    def _strength(self, place: int) -> int:
        """A number above zero with its unit, a number of times, or a number of what is counted."""
        if not self._is_number(place):
            return 0
        if self._text(place + 1) in _TIMES:
            return place + 2
        if self._text(place + 1) == "/" and self._is_number(place + 2):
            return self._strength(place + 2)  # 20/56 mg/m2: the first dose and the others
        end = self._phrase(place + 1, self.words.unit_phrases)
        if not end:
            counted = self._phrase(place + 1, self.words.counted_phrases) if not self.inner else 0
            end = self._phrase(place + 1, self.words.product_phrases)
            if not end or self._text(end) not in self.words.per:
                return end or counted
        while end < len(self.found):
            if further := self._phrase(end, self.words.unit_phrases):
                end = further
                continue
            if self._text(end) not in self.words.per:
                break
            number = end + 1 + self._is_number(end + 1)
            further = self._phrase(number, self.words.unit_phrases)
            if not further:
                break
            end = further
        return end

    def _counted(self, place: int) -> int:
        """``day 1, 8 and 15``, ``C1D1``: what is counted and its numbers."""
        if self.inner or self.found[place].kind != "word":
            return 0
        shaped = self.words.counting_shape.fullmatch(self._text(place)) is not None
        start = place + 1 if shaped else self._phrase(place, self.words.counted_phrases)
        if not start:
            return 0
        zero = self._text(start - 1) in self.words.counted_from_zero and self._text(start).strip("0") == ""
        numbered = self._is_number(start) or (zero and start < len(self.found))
        end = start if shaped else start + numbered
        if end == place or (not shaped and end == start):
            return 0
        while self._text(end) in (*self.words.joined_by, *self.words.separators) and self._is_number(end + 1):
            if self._phrase(end + 2, self.words.unit_phrases):
                break  # the number of a strength
            end += 2
        return end

    def _mark_at(self, place: int) -> int:
        """What joins or separates: between two things, and no two of them in a row but ``, and``."""
        text = self._text(place)
        joins, separates = text in self.words.joined_by, text in self.words.separators
        if not (joins or separates) or place == 0:
            return 0
        if self.open and not (self.open in self.words.separators and self.found[place].kind == "word"):
            return 0
        self.open = text
        self.joined = self.joined or joins
        return place + 1

    def _phrase(self, place: int, phrases: Collection[Phrase]) -> int:
        """Where the longest phrase ends that begins here; hyphens inside do not count."""
        best, place_now = 0, place
        words: list[str] = []
        while place_now < len(self.found) and len(words) < _LONGEST_PHRASE:
            token = self.found[place_now]
            place_now += 1
            if token.text == "-" and words:
                continue
            if token.kind == "mark" and not (token.text == "+" and words) and (words or (token.text,) not in phrases):
                break
            words.append(token.text)
            if tuple(words) in phrases:
                best = place_now
        return best

    def _is_number(self, place: int) -> bool:
        if place >= len(self.found) or self.found[place].kind != "number":
            return False
        return any(each in "123456789" for each in re.split("[x×]", self.found[place].text)[0])

    def _text(self, place: int) -> str:
        return self.found[place].text if 0 <= place < len(self.found) else ""
