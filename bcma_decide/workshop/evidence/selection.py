"""What is pooled: arm totals of one outcome and contrasts inside studies, with a reason for what is not."""

from __future__ import annotations

from bcma_decide.workshop.evidence.eligibility import Purpose, Window
from bcma_decide.workshop.evidence.splits import LevelBounds, SplitContrast, SplitLeftOut, SplitSelection, select_splits
from bcma_decide.workshop.evidence.totals import RULES, LeftOut, SelectedRow, Selection, SelectionRule, select

__all__ = [
    "RULES",
    "LeftOut",
    "LevelBounds",
    "Purpose",
    "SelectedRow",
    "Selection",
    "SelectionRule",
    "SplitContrast",
    "SplitLeftOut",
    "SplitSelection",
    "Window",
    "select",
    "select_splits",
]
