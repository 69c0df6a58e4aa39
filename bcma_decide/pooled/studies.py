"""The studies behind the numbers, over all outcomes: the same for every patient, so made once with the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bcma_decide.comparison import StudyEntry
from bcma_decide.vocabulary import CLASSES, OUTCOMES


def all_studies(provenance: Mapping[str, Any]) -> tuple[StudyEntry, ...]:
    """Every study behind the numbers of a class, with the outcomes it counts for, in the order of their outcomes.

    Parameters
    ----------
    provenance
        By outcome, as the pooled file has it.
    """
    rows: dict[tuple[str, str], list[tuple[str, Mapping[str, Any]]]] = {}
    for outcome in OUTCOMES:
        for row in provenance[outcome]["studies"]:
            rows.setdefault((row["option"], row["study"]), []).append((outcome, row))
    return tuple(
        StudyEntry(
            study=study,
            name=found[0][1]["name"],
            class_id=found[0][1]["option"],
            design=found[0][1]["design"],
            n=max(row["n"] for _, row in found),
            follow_up_months=max(filter(None, (row["follow_up_months"] for _, row in found)), default=None),
            outcomes=tuple(outcome for outcome, _ in found),
            sources=tuple(dict.fromkeys(row["source"] for _, row in found)),
        )
        for (_, study), found in sorted(rows.items(), key=lambda each: CLASSES.index(each[0][0]))
    )
