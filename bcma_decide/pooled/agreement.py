"""What may stand beside a code without contradicting it: words, specimens, methods, notes and bounds of a result.

They stand in ``evidence/codes/agreement.yaml`` and reach the bedside inside the pooled file. They only ever take a
result away: nothing is read from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple

from bcma_decide.errors import EvidenceError
from bcma_decide.pooled.score_book import rows_of
from bcma_decide.pooled.wording import Lexicon, words_of

Key = tuple[str, str]
"""System and code."""


class Named(NamedTuple):
    """A code and what it names; none that was never seen."""

    system: str
    code: str
    text: str
    basis: Literal["verified", "secondary"]

    @property
    def key(self) -> Key:
        """System and code."""
        return self.system, self.code


class Member(NamedTuple):
    """One of several things that exclude each other: how it is written, and its codes."""

    kind: str
    """Set it belongs to: *specimen*, *analyte* and so on."""
    id: str
    words: tuple[str, ...]
    codes: tuple[Named, ...] = ()


class Accepted(NamedTuple):
    """Members a field accepts; where one of their set is named, one of ``needs`` has to be among them."""

    field: str
    accepts: tuple[str, ...]
    needs: tuple[str, ...] = ()


class Narrowed(NamedTuple):
    """A code that accepts fewer members of a set than its field does."""

    system: str
    code: str
    kind: str
    accepts: tuple[str, ...]


class NoteRule(NamedTuple):
    """Words of a note after which a result is not used; of these fields, or of any."""

    words: tuple[str, ...]
    fields: tuple[str, ...] = ()


class Population(NamedTuple):
    """For whom a range of the normal is."""

    id: str
    words: tuple[str, ...]
    codes: tuple[Named, ...] = ()


class Plausible(NamedTuple):
    """Ends of what a field can be; in one of its units as written, or in its own."""

    field: str
    reason: str
    unit: str = ""
    at_least: float = 0.0
    at_most: float | None = None
    or_zero: bool = False

    def holds(self, value: float) -> bool:
        """Whether a value lies inside."""
        if self.or_zero and value == 0:
            return True
        return value >= self.at_least and (self.at_most is None or value <= self.at_most)


WORDED: Final = ("yes", "no", "doubt")
SEXES: Final = ("female", "male", "silent")
SIDES: Final = ("high", "low", "normal", "positive", "negative", "doubt", "silent")


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """All of it."""

    members: tuple[Member, ...]
    fields: tuple[Accepted, ...]
    codes: tuple[Narrowed, ...]
    notes: tuple[NoteRule, ...]
    negations: tuple[str, ...]
    results: Mapping[str, tuple[str, ...]]
    sides: Mapping[str, tuple[str, ...]]
    populations: tuple[Population, ...]
    plausible: tuple[Plausible, ...]
    stage_groups: tuple[Named, ...]
    stage_words: tuple[str, ...]
    score_words: frozenset[str]
    """Words that may stand before the number of a performance status."""
    grades: Mapping[str, Mapping[str, tuple[tuple[str, ...], ...]]]
    """Words by which a scale describes its grades, by field and number."""
    sexes: Mapping[str, tuple[str, ...]]
    """Codes of sexes: *female*, *male*, and those that say nothing (*silent*)."""

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Agreement:
        """Build from the pooled file's ``codes.agreement``.

        Raises
        ------
        EvidenceError
            When it has not the expected shape.
        """
        try:
            return cls(
                members=tuple(
                    Member(**{**row, "words": tuple(row["words"]), "codes": rows_of(Named, row["codes"])})
                    for row in plain["members"]
                ),
                fields=rows_of(Accepted, plain["fields"]),
                codes=rows_of(Narrowed, plain["codes"]),
                notes=rows_of(NoteRule, plain["notes"]),
                negations=tuple(plain["negations"]),
                results={name: tuple(plain["results"][name]) for name in WORDED},
                sides={name: tuple(plain["sides"][name]) for name in SIDES},
                populations=tuple(
                    Population(row["id"], tuple(row["words"]), rows_of(Named, row["codes"]))
                    for row in plain["populations"]
                ),
                plausible=rows_of(Plausible, plain["plausible"]),
                stage_groups=rows_of(Named, plain["stage_groups"]),
                stage_words=tuple(plain["stage_words"]),
                score_words=frozenset(plain["score_words"]),
                grades={
                    field: {number: tuple(map(words_of, texts)) for number, texts in by_number.items()}
                    for field, by_number in plain["grades"].items()
                },
                sexes={name: tuple(plain["sexes"][name]) for name in SEXES},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise EvidenceError(
                f"codes.agreement: not in the expected shape ({error!r}); rebuild the pooled evidence file"
            ) from error

    @cached_property
    def lexicon(self) -> Lexicon[Member]:
        """The words of all members."""
        return Lexicon((word, member) for member in self.members for word in member.words)

    @cached_property
    def by_code(self) -> Mapping[Key, Member]:
        """Members by their codes."""
        return {code.key: member for member in self.members for code in member.codes}

    @cached_property
    def accepted(self) -> Mapping[str, Accepted]:
        """What each field accepts."""
        return {row.field: row for row in self.fields}

    @cached_property
    def narrowed(self) -> Mapping[Key, Narrowed]:
        """What single codes accept."""
        return {(row.system, row.code): row for row in self.codes}

    @cached_property
    def note_words(self) -> Lexicon[NoteRule | None]:
        """The words of notes, and the negations as None."""
        return Lexicon(
            (*((word, rule) for rule in self.notes for word in rule.words), *((word, None) for word in self.negations))
        )

    @cached_property
    def result_words(self) -> Lexicon[str]:
        """Words of results, and what they say: *yes*, *no* or *doubt*."""
        return Lexicon((word, name) for name, words in self.results.items() for word in words)

    @cached_property
    def side_of(self) -> Mapping[str, str]:
        """Codes and words beside a result, letter case aside, and the side they name; *silent* for none."""
        return {word.casefold(): name for name, words in self.sides.items() for word in words}

    @cached_property
    def sex_of(self) -> Mapping[str, str]:
        """Codes of sexes, letter case aside, and what they say."""
        return {code.casefold(): name for name, codes in self.sexes.items() for code in codes}

    @cached_property
    def population_words(self) -> Mapping[str, str]:
        """Words of a range, as they are compared, and for whom they are."""
        return {word.casefold(): each.id for each in self.populations for word in each.words}

    @cached_property
    def population_codes(self) -> Mapping[Key, str]:
        """Codes of a range and for whom they are."""
        return {code.key: each.id for each in self.populations for code in each.codes}

    @cached_property
    def stage_group_of(self) -> Mapping[Key, Named]:
        """Codes of stages whose system has to be said beside them."""
        return {code.key: code for code in self.stage_groups}

    @cached_property
    def stage_lexicon(self) -> Lexicon[str]:
        """Words that may stand around the number of a stage."""
        return Lexicon((word, word) for word in self.stage_words)

    def bounds_of(self, field: str) -> Iterator[Plausible]:
        """The bounds of a field."""
        return (row for row in self.plausible if row.field == field)
