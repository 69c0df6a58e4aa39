"""How every field of a profile is asked: one table for template, help texts, questions and forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bcma_decide.patient.field import PANELS, ProfileField, Unit, or_list
from bcma_decide.patient.fields_for_findings import FINDING_FIELDS
from bcma_decide.patient.fields_for_numbers import NUMBER_FIELDS
from bcma_decide.vocabulary import TRAIT_LABELS

if TYPE_CHECKING:
    from bcma_decide.pooled.definitions import Definitions

__all__ = ["FIELDS", "FIELD_LABELS", "PANELS", "ProfileField", "Unit", "definition_text", "in_sentence", "or_list"]

_NAMES: Final = ("Charlson", "Karnofsky", "Guillain", "Anti-HBc", "IgG")
"""Proper names keep their capital letter."""


def in_sentence(label: str) -> str:
    """Write a label inside a sentence: small first letter, abbreviations left alone."""
    return label[:1].lower() + label[1:] if label[1:2].islower() and not label.startswith(_NAMES) else label


def definition_text(field: ProfileField, definitions: Definitions | None) -> str:
    """Say what the field means, with cut-offs and rules where the definitions are at hand."""
    if definitions is None:
        return field.definition
    from bcma_decide.pooled.definitions import wording

    sentences = [field.definition]
    for name in (field.id, *field.rules):
        if name in definitions.by_id:
            words = wording(definitions.by_id[name])
            sentences.append(
                f"{words[0].upper()}{words[1:]}." if name == field.id else f"{TRAIT_LABELS[name]}: {words}."
            )
    if field.id == "refractory_to":
        classes = dict.fromkeys(need.drug_class for count in definitions.drug_counts for need in count.needs)
        lists = (f"{definitions.class_label(c)}: {', '.join(definitions.agents(c))}" for c in classes)
        sentences.append(f"Counted by class: {'; '.join(lists)}.")
    return " ".join(sentence for sentence in sentences if sentence)


_BY_PANEL = sorted((*NUMBER_FIELDS, *FINDING_FIELDS), key=lambda field: PANELS.index(field.panel))

FIELDS: Final[dict[str, ProfileField]] = {field.id: field for field in _BY_PANEL}
FIELD_LABELS: Final[dict[str, str]] = {field.id: field.label for field in _BY_PANEL}
