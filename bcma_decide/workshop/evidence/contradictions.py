"""What ``evidence/contradictions.yaml`` may say, and the checks a type cannot make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from bcma_decide.patient.fields import FIELDS
from bcma_decide.pooled.conditions import IsKnown, Score, leaves, to_plain
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.workshop.evidence.conditions import ConditionEntry, naming_problems
from bcma_decide.workshop.evidence.schema import Strict, Text

FILE = "contradictions.yaml"

PairName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]


class ContradictionEntry(Strict):
    """Answers that cannot all be true; *assumed* is a limit of what is possible at all, argued for in ``reason``."""

    id: PairName
    when: ConditionEntry
    context: list[str] = Field(default_factory=list)
    because: str = ""
    basis: Literal["verified", "derived", "assumed"]
    sources: list[str] = Field(default_factory=list)
    reason: Text


class ContradictionsFile(Strict):
    """The whole file; its sources are those of the definitions and the scores."""

    contradictions: Annotated[list[ContradictionEntry], Field(min_length=1)]

    def bedside(self) -> list[dict[str, Any]]:
        """Plain data for the pooled file."""
        return [
            {"id": one.id, "when": to_plain(one.when.condition()), "context": one.context, "because": one.because}
            for one in self.contradictions
        ]


def contradiction_problems(
    checked: ContradictionsFile, definitions: Definitions, sources: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Names and sources that nothing has, and conditions that say nothing of an input: (entry, message)."""
    counts = Counter(one.id for one in checked.contradictions)
    yield from ((name, "stands there twice") for name, count in counts.items() if count > 1)
    for one in checked.contradictions:
        condition = one.when.condition()
        yield from ((one.id, message) for message in naming_problems(condition, definitions))
        for leaf in leaves(condition):
            if isinstance(leaf, (Score, IsKnown)):
                yield one.id, "speaks of what is worked out, or of what is not known: inputs contradict each other"
            elif getattr(leaf, "trait", "age") not in FIELDS:
                yield one.id, f"{getattr(leaf, 'trait', '')!r} is not a field of the profile"
        yield from ((one.id, f"{name!r} is not a field of the profile") for name in one.context if name not in FIELDS)
        if one.basis == "verified" and not one.sources:
            yield one.id, "is verified and cites nothing"
        for name in one.sources:
            if name not in sources:
                yield one.id, f"source {name!r} is listed neither with the definitions nor with the scores"
