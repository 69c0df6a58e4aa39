"""Every figure of a study, with the path of its field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bcma_decide.workshop.evidence.schema import Figure, OutcomeRow, Split, Study


def figures(study: Study) -> Iterator[tuple[str, Figure]]:
    """Every figure of a study with its field path."""
    for key, figure in study.population.items():
        yield f"population.{key}", figure
    lists: tuple[tuple[str, Sequence[Figure]], ...] = (
        ("outcomes", study.outcomes),
        ("splits", study.splits),
        ("effects", study.effects),
        ("time_to_event", study.time_to_event),
        ("kinetics", study.kinetics),
        ("arms", study.arms),
        ("comparator_arms", study.comparator_arms),
        ("indirect_comparisons", study.indirect_comparisons),
        ("pooled_estimates", study.pooled_estimates),
        ("regulatory", study.regulatory),
    )
    for name, rows in lists:
        for index, row in enumerate(rows):
            yield f"{name}[{index}]", row


def counted_rows(study: Study) -> Iterator[tuple[str, OutcomeRow | Split]]:
    """Outcome rows and splits with their field path."""
    for index, row in enumerate(study.outcomes):
        yield f"outcomes[{index}]", row
    for index, split in enumerate(study.splits):
        yield f"splits[{index}]", split
