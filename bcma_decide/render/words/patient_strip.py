"""The patient in one line: what the numbers rest on, as known, and what of it is not."""

from __future__ import annotations

from bcma_decide.comparison import Comparison
from bcma_decide.render.words.language import gettext as _
from bcma_decide.render.words.language import ngettext

Value = bool | float | None
"""Of a trait; None where it is not known."""


def patient_strip(comparison: Comparison) -> str:
    """``66 y, 4 lines, EMD yes, high risk, penta-refractory, BCMA naive``; what is not known has a question mark."""
    values = {line.trait: line.value for line in comparison.profile.traits}
    parts = [
        _age(values.get("age")),
        _lines(values.get("prior_lines")),
        _three_ways(values.get("extramedullary_disease"), _("EMD yes"), _("EMD no"), _("EMD ?")),
        _three_ways(values.get("high_risk_cytogenetics"), _("high risk"), _("no high risk"), _("risk ?")),
        _refractory(values.get("triple_class_refractory"), values.get("penta_drug_refractory")),
        _three_ways(values.get("prior_bcma"), _("BCMA before"), _("BCMA naive"), _("BCMA ?")),
    ]
    for trait, words in (
        ("frail", _("frail")),
        ("ecog_ge_2", _("ECOG 2+")),
        ("renal_impairment", _("kidney impaired")),
        ("plasma_cell_leukemia", _("plasma cell leukaemia")),
    ):
        if values.get(trait) is True:
            parts.append(words)
    return ", ".join(parts)


def _age(value: Value) -> str:
    return _("age ?") if value is None else _("{n} y").format(n=f"{value:g}")


def _lines(value: Value) -> str:
    if value is None:
        return _("lines ?")
    count = int(value)
    return ngettext("{n} line", "{n} lines", count).format(n=count)


def _three_ways(value: Value, yes: str, no: str, unknown: str) -> str:
    return unknown if value is None else yes if value else no


def _refractory(triple: Value, penta: Value) -> str:
    if penta is True:
        return _("penta-refractory")
    return _three_ways(triple, _("triple-refractory"), _("not triple-refractory"), _("refractory ?"))
