"""The words a text of a drug may hold, and those that say it was no dose: plain values, and ready for looking up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from bcma_decide.pooled.score_book import rows_of

Phrase = tuple[str, ...]
"""Words in a row."""


class NoDose(NamedTuple):
    """Words that say it was no dose, and what they say."""

    why: str
    words: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DrugWords:
    """All of them, as the evidence lists them."""

    suffixes: Mapping[str, tuple[str, ...]]
    """Four letters behind a name, by drug."""
    shortest_name: int
    """Letters a name needs to stand beside other words."""
    shortest_mention: int
    """Letters of a name that is looked for in a remark."""
    longest_text: int
    units: tuple[str, ...]
    per: tuple[str, ...]
    forms: tuple[str, ...]
    routes: tuple[str, ...]
    makers: tuple[str, ...]
    schedule: tuple[str, ...]
    counted: tuple[str, ...]
    counted_from_zero: tuple[str, ...]
    shapes: tuple[str, ...]
    counting_shapes: tuple[str, ...]
    joined_by: tuple[str, ...]
    separators: tuple[str, ...]
    no_dose: tuple[NoDose, ...]
    never_given: tuple[str, ...]
    never_begun: tuple[str, ...]
    doubt: tuple[str, ...]
    ended: tuple[str, ...]

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> DrugWords:
        """Build from plain data; raises KeyError or TypeError where it has not the shape."""
        values: dict[str, Any] = {name: tuple(each) if isinstance(each, list) else each for name, each in plain.items()}
        values["suffixes"] = {drug: tuple(each) for drug, each in plain["suffixes"].items()}
        values["no_dose"] = rows_of(NoDose, plain["no_dose"])
        return cls(**values)

    @cached_property
    def unit_phrases(self) -> frozenset[Phrase]:
        """Units."""
        return _phrases(self.units)

    @cached_property
    def product_phrases(self) -> frozenset[Phrase]:
        """What says how a product looks, where it goes, and whose it is: forms, routes and makers."""
        return _phrases((*self.forms, *self.routes, *self.makers))

    @cached_property
    def schedule_phrases(self) -> frozenset[Phrase]:
        """When it is given."""
        return _phrases(self.schedule)

    @cached_property
    def counted_phrases(self) -> frozenset[Phrase]:
        """What a number may follow."""
        return _phrases(self.counted)

    @cached_property
    def shape(self) -> re.Pattern[str]:
        """Words that hold a number."""
        return re.compile("|".join(self.shapes))

    @cached_property
    def counting_shape(self) -> re.Pattern[str]:
        """Words that hold a number and may be followed by more of them."""
        return re.compile("|".join(self.counting_shapes))

    @cached_property
    def no_dose_phrases(self) -> Mapping[Phrase, str]:
        """What each word says that says it was no dose."""
        return {phrase: row.why for row in self.no_dose for phrase in _phrases(row.words)}

    @cached_property
    def never_given_phrases(self) -> frozenset[Phrase]:
        """What says that a drug was never given."""
        return _phrases(self.never_given)

    @cached_property
    def never_begun_phrases(self) -> frozenset[Phrase]:
        """What says so where it is the reason for an end."""
        return _phrases((*self.never_given, *self.never_begun))

    @cached_property
    def doubt_phrases(self) -> frozenset[Phrase]:
        """What makes it doubtful that an order was carried out."""
        return _phrases(self.doubt)

    @cached_property
    def ended_phrases(self) -> frozenset[Phrase]:
        """What says that a therapy ended after it had begun."""
        return _phrases(self.ended)


def _phrases(words: Iterable[str]) -> frozenset[Phrase]:
    return frozenset(tuple(each.split()) for each in words)
