"""Whether every id a study uses stands in the vocabulary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from bcma_decide.workshop.evidence.catalogue import Kind, Words
from bcma_decide.workshop.evidence.figures import counted_rows
from bcma_decide.workshop.evidence.schema import Study

Found = Iterator[tuple[str, str, str]]
"""Field, message and fix of problems within one study."""


def unknown_words(study: Study, words: Words) -> Found:
    """Every id stands in the vocabulary."""
    used: dict[Kind, list[tuple[str, str | None]]] = defaultdict(list)
    used["regions"].append(("region", study.region))
    used["products"] += [(f"products[{i}]", product) for i, product in enumerate(study.products)]
    used["products"] += [(f"arms[{i}].product", arm.product) for i, arm in enumerate(study.arms)]
    used["population"] += [(f"population.{key}", key) for key in study.population]
    used["outcomes"] += [(f"{field}.outcome", row.outcome) for field, row in counted_rows(study)]
    used["traits"] += [(f"splits[{i}].trait", split.trait) for i, split in enumerate(study.splits)]
    used["traits"] += [(f"effects[{i}].trait", effect.trait) for i, effect in enumerate(study.effects)]
    used["endpoints"] += [(f"time_to_event[{i}].endpoint", t.endpoint) for i, t in enumerate(study.time_to_event)]
    used["traits"] += [(f"time_to_event[{i}].trait", t.trait) for i, t in enumerate(study.time_to_event)]
    used["kinetics"] += [(f"kinetics[{i}].what", kinetic.what) for i, kinetic in enumerate(study.kinetics)]
    for kind, places in used.items():
        for field, word in places:
            if word is not None and word not in words.known(kind):
                yield field, f"{word} is not one of the {kind}", words.suggestion(kind, word)
    for i, effect in enumerate(study.effects):
        yield from unknown_outcome(f"effects[{i}].outcome", effect.outcome, words)
    for i, comparison in enumerate(study.indirect_comparisons):
        yield from unknown_outcome(f"indirect_comparisons[{i}].outcome", comparison.outcome, words)
    for i, arm in enumerate(study.comparator_arms):
        if arm.outcome is not None:
            yield from unknown_outcome(f"comparator_arms[{i}].outcome", arm.outcome, words)


def unknown_outcome(field: str, word: str, words: Words) -> Found:
    """Look for a word among the outcomes and the time-to-event endpoints."""
    if word not in words.known("outcomes") and word not in words.known("endpoints"):
        yield field, f"{word} is not one of the outcomes or endpoints", words.suggestion("outcomes", word)
