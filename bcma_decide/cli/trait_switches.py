"""``bcma-decide evidence todo --traits``: which traits act, under which priors, and what would switch one on."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bcma_decide.cli.output import print_json, say
from bcma_decide.vocabulary import CLASS_LABELS, FAMILIES, TRAIT_LABELS, ClassId

if TYPE_CHECKING:
    from bcma_decide.workshop.validation.trait_switches import Switch, Switches

FAMILY_LABELS = {family.id: family.label for family in FAMILIES}


def show_trait_switches(evidence: Path | None, limit: int, *, as_json: bool) -> None:
    """Print the acting traits and, of each family and class, the trait nearest to acting; JSON has every trait."""
    from bcma_decide.pooled.location import evidence_directory
    from bcma_decide.workshop.patient_model.inputs import load_inputs
    from bcma_decide.workshop.validation.trait_switches import nearest, trait_switches

    found = trait_switches(load_inputs(evidence_directory(evidence)))
    if as_json:
        print_json(
            {"acting": [row._asdict() for row in _acting(found)], "off": [asdict(switch) for switch in found.off]}
        )
        return
    say("Traits that move numbers, and what halved or doubled priors change:")
    for row in _acting(found):
        if row.acting or row.halved or row.doubled:
            say(f"  {_where(row.family, row.class_id)}: {_named(row.acting) or 'none'}")
            say(f"    halved: {_change(row.acting, row.halved)}")
            say(f"    doubled: {_change(row.acting, row.doubled)}")
    say("\nNearest to acting, and the studies that would do it (two equal groups each):")
    for switch in nearest(found.off)[:limit]:
        say(f"  {_where(switch.family, switch.class_id)}: {_line(switch)}")


class ActingRow(NamedTuple):
    """Traits that act in one family and class under three sets of priors."""

    family: str
    class_id: ClassId
    acting: tuple[str, ...]
    halved: tuple[str, ...]
    doubled: tuple[str, ...]


def _acting(found: Switches) -> Iterator[ActingRow]:
    for (family, class_id), traits in found.acting.items():
        place = family, class_id
        yield ActingRow(family, class_id, traits, found.halved[place], found.doubled[place])


def _where(family: str, class_id: ClassId) -> str:
    return f"{FAMILY_LABELS[family]}, {CLASS_LABELS[class_id][0]}"


def _named(traits: Collection[str]) -> str:
    return ", ".join(TRAIT_LABELS[trait] for trait in traits)


def _change(stated: Collection[str], other: Collection[str]) -> str:
    gone = [trait for trait in stated if trait not in other]
    new = [trait for trait in other if trait not in stated]
    parts = [*([f"without {_named(gone)}"] if gone else []), *([f"also {_named(new)}"] if new else [])]
    return "; ".join(parts) or "the same"


def _line(switch: Switch) -> str:
    """``Frail: has 1.5 of 9.1; 3 studies of 120 patients``."""
    has = f"{TRAIT_LABELS[switch.trait]}: has {switch.information:.1f} of {switch.needed:.1f}"
    if switch.studies is None:
        return f"{has}; no study of the class counts this outcome yet"
    return f"{has}; {switch.studies} {'study' if switch.studies == 1 else 'studies'} of {switch.patients} patients"
