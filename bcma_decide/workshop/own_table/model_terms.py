"""Moderators as they are asked for, and their design matrix."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import isfinite
from typing import Final

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis import study_table
from bcma_decide.workshop.meta_analysis.moderators import Factor, Moderators, level_name, moderators
from bcma_decide.workshop.meta_analysis.study_table import StudyTable
from bcma_decide.workshop.synthesis.studies import Studies

__all__ = ["NO_TERMS", "Terms", "design_of", "place_of"]


@dataclass(frozen=True)
class Terms:
    """Columns to regress on.

    ``mods`` are names of columns, interactions ``a:b``, or ``a*b`` for the columns and their interactions. ``factors``
    are columns whose numbers are names of groups; ``references`` the level that others are compared with.
    """

    mods: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    references: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every name that stands in a term, whether or not the table has such a column."""
        return tuple(
            name.strip() for each in self.mods for part in each.split("*") for name in (each, *part.split(":"))
        )

    def __bool__(self) -> bool:
        return bool(self.mods)


NO_TERMS: Final = Terms()


def design_of(table: StudyTable, studies: Studies, terms: Terms) -> Moderators:
    """Design matrix of the moderators; a study without a value of one is left out and named.

    Raises
    ------
    SynthesisError
        For a column that is missing, named twice or cannot be used, an interaction without its columns, or an option
        that names another column than those of ``--mods``.
    """
    names, interactions = _split(terms.mods, table.columns)
    for option, each in (("--factor", terms.factors), ("--reference", terms.references)):
        if stranger := next((name for name in each if name not in names), None):
            raise SynthesisError(f"{option} names {stranger!r}; it goes with columns of --mods: {', '.join(names)}")
    columns = {
        name: (study_table.grouping if name in terms.factors else study_table.moderator)(table, name) for name in names
    }
    return moderators(
        columns,
        interactions=interactions,
        factors=terms.factors,
        reference=terms.references,
        studies=studies.labels,
    )


def _split(mods: Sequence[str], columns: Collection[str]) -> tuple[list[str], list[tuple[str, ...]]]:
    """Names of columns, and those of each interaction."""
    names: list[str] = []
    interactions: list[tuple[str, ...]] = []
    spread: list[str] = []
    for each in mods:
        # A column that has such a sign in its name is that column.
        parts = [part.strip() for part in each.split("*")]
        if each in columns or (len(parts) == 1 and ":" not in each):
            if each in names:
                raise SynthesisError(f"--mods names {each!r} twice")
            names.append(each)
        elif len(parts) == 1:
            interactions.append(tuple(part.strip() for part in each.split(":")))
        else:
            spread += parts
            interactions += [some for size in range(2, len(parts) + 1) for some in combinations(parts, size)]
    if not all(part for each in interactions for part in each):
        raise SynthesisError("--mods has an interaction without a name on one side: write a:b or a*b")
    if interactions and not (names or spread):
        alone = ":".join(interactions[0])
        raise SynthesisError(
            f"--mods has the interaction {alone} without its columns: write {alone.replace(':', '*')}, or "
            f"{','.join((*interactions[0], alone))}"
        )
    return list(dict.fromkeys([*names, *spread])), interactions


def place_of(design: Moderators, values: Mapping[str, str]) -> dict[str, float | str]:
    """Values of the moderators as numbers and levels; raises SynthesisError for one missing, unknown or no number."""
    terms = {term if isinstance(term, str) else term.name: term for term in design.terms}
    if set(values) != set(terms):
        raise SynthesisError(f"--at gives {', '.join(values)}; it needs a value of each of {', '.join(terms)}")
    place: dict[str, float | str] = {}
    for name, value in values.items():
        term = terms[name]
        try:
            if isinstance(term, Factor):
                place[name] = level_name(value) if term.numeric else value
                if place[name] not in term.levels:
                    raise SynthesisError(f"--at {name}={value}: the studies had {', '.join(term.levels)}")
            else:
                place[name] = _number(value)
        except ValueError:
            raise SynthesisError(f"--at {name}={value}: {name} is a numeric moderator, give a number") from None
    return place


def _number(text: str) -> float:
    """A finite number; raises ValueError for another text."""
    value = float(text)
    if not isfinite(value):
        raise ValueError(text)
    return value
