"""One line on heterogeneity and one on the test between groups, as figures print them."""

from __future__ import annotations

from bcma_decide.workshop.meta_analysis.heterogeneity import QTest
from bcma_decide.workshop.meta_analysis.pooled import Pooled
from bcma_decide.workshop.plots.numbers import number_text, p_text

__all__ = ["between_line", "heterogeneity_line"]


def heterogeneity_line(result: Pooled) -> str:
    """``tau2 0.12, I2 45 %, Q 23.10 (df 12), p 0.0271``: what is known of it, nothing for one study.

    A tau2 that is assumed is none that was found.
    """
    found = result.tau2 is not None and result.method not in ("EE", "MH", "PETO")
    parts = [f"tau2 {number_text(result.tau2, 3)}"] if found else []
    if result.i2 is not None:
        parts.append(f"I2 {result.i2:.0f} %")
    if result.q is not None and result.q_p is not None and result.q_df > 0:
        parts.append(f"Q {result.q:.2f} (df {result.q_df}), p {p_text(result.q_p)}")
    return ", ".join(parts)


def between_line(by: str, test: QTest | None) -> str:
    """The test between groups of a column, with a tau2 of each group's own; nothing where there is none."""
    if test is None:
        return ""
    return f"Test between groups ({by}): Q {test.q:.2f} (df {test.df}), p {p_text(test.p)}"
