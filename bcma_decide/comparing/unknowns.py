"""What is not known of a patient, and how far knowing it would move each number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from bcma_decide.behind import Move
from bcma_decide.comparing.published import Withheld
from bcma_decide.comparison import Unknown
from bcma_decide.model.beside import beside
from bcma_decide.model.moves import TraitMove, trait_moves
from bcma_decide.model.numbers import PatientNumbers
from bcma_decide.vocabulary import MODEL_TRAITS, ModelTrait

SMALLEST_MOVE = 0.01
"""An unknown trait that moves a rate by less than one in a hundred is not listed for it."""


def all_unknowns(
    numbers: PatientNumbers,
    withheld: Mapping[tuple[str, str], Withheld],
    survival: Mapping[str, Sequence[tuple[ModelTrait, Move]]],
) -> tuple[Unknown, ...]:
    """Return the unknown traits that any number depends on, the one that moves a number furthest first.

    A number that is withheld is moved by nothing. ``survival``: what they would do to survival, by class.
    """
    used = numbers.pooled.used
    moving: list[bool] = beside(numbers.pooled, "traits used", lambda: np.any(used, axis=(0, 1)).tolist())
    traits = [trait for trait, acts in zip(MODEL_TRAITS, moving, strict=True) if acts]
    traits = [trait for trait in traits if numbers.traits[trait.id].value is None]
    all_moves = trait_moves(numbers, [trait.id for trait in traits])
    unstable = numbers.pooled.assumptions["unstable_move"]
    listed = []
    for trait in traits:
        shown = [move for move in all_moves.get(trait.id, ()) if (move.outcome, move.option) not in withheld]
        moves = [move for move in shown if move.high - move.low >= SMALLEST_MOVE]
        lines = [move_line(move, trait.kind, unstable) for move in moves]
        lines += [move for of_class in survival.values() for known, move in of_class if known == trait]
        # By name where two moves are equal: the order must not hang on how floats were added.
        lines.sort(key=lambda move: (move.low - move.high, move.outcome, move.option))
        listed.append(
            Unknown(
                trait=trait.id,
                label=trait.label,
                needs=numbers.traits[trait.id].how,
                moves=tuple(lines),
            )
        )
    return tuple(sorted(listed, key=lambda unknown: -max((m.high - m.low for m in unknown.moves), default=0.0)))


@lru_cache(maxsize=1024)
def move_line(move: TraitMove, kind: str, unstable: float) -> Move:
    """A move in words; ``kind`` is the trait's, ``unstable`` from where on it is marked."""
    return Move(
        outcome=move.outcome,
        option=move.option,
        low=move.low,
        high=move.high,
        low_when=_when(kind, move.low_value),
        high_when=_when(kind, move.high_value),
        unstable=move.high - move.low >= unstable,
    )


def _when(kind: str, value: float) -> str:
    if kind == "age":
        return f"about {value:.0f} years"
    if kind == "prior_lines":
        return f"about {value:.0f}"
    return "present" if value > 0.5 else "absent"
