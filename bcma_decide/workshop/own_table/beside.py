"""What a report has beside the analysis itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bcma_decide.workshop.own_table.analysis import Analysis
from bcma_decide.workshop.own_table.layout import ForestLayout

# Loaded by who asks for them: they read evidence and YAML, which an everyday result does not need.
if TYPE_CHECKING:
    from bcma_decide.workshop.own_table.findings import Findings
    from bcma_decide.workshop.own_table.selection_flow import SelectionFlow

__all__ = ["Beside"]


@dataclass(frozen=True)
class Beside:
    """How the forest is laid out; findings and the selection of studies if they were asked for."""

    layout: ForestLayout
    findings: Findings | None = None
    flow: SelectionFlow | None = None

    def flow_remarks(self, analysis: Analysis) -> tuple[str, ...]:
        """That the selection ends with another number of studies than are pooled, where it does."""
        pooled = analysis.studies.k if analysis.nested is None else analysis.nested.studies
        if self.flow is None or self.flow.studies == pooled:
            return ()
        return (f"The flow ends with {self.flow.studies} studies; {pooled} are pooled here.",)
