"""The patient in one line: what the numbers rest on, as known, and what of it is not."""

from __future__ import annotations

from bcma_decide.comparison import Comparison, TraitLine
from bcma_decide.render.words.language import gettext as _
from bcma_decide.render.words.language import ngettext


def patient_strip(comparison: Comparison) -> str:
    """``66 y, 4 lines, EMD yes, high risk, penta-refractory, BCMA naive``; what is not known has a question mark."""
    traits = {line.trait: line for line in comparison.profile.traits}
    parts = [
        _age(traits["age"]),
        _lines(traits["prior_lines"]),
        _three_ways(traits["extramedullary_disease"], _("EMD yes"), _("EMD no"), _("EMD ?")),
        _three_ways(traits["high_risk_cytogenetics"], _("high risk"), _("no high risk"), _("risk ?")),
        _refractory(traits["triple_class_refractory"], traits["penta_drug_refractory"]),
        _three_ways(traits["prior_bcma"], _("BCMA before"), _("BCMA naive"), _("BCMA ?")),
    ]
    for trait, words in (
        ("frail", _("frail")),
        ("ecog_ge_2", _("ECOG 2+")),
        ("renal_impairment", _("kidney impaired")),
        ("plasma_cell_leukemia", _("plasma cell leukaemia")),
    ):
        if traits[trait].value is True:
            parts.append(words)
    return ", ".join(parts)


def _age(line: TraitLine) -> str:
    return _("age ?") if line.value is None else _("{n} y").format(n=f"{line.value:g}")


def _lines(line: TraitLine) -> str:
    if line.value is None:
        return _("lines ?")
    count = int(line.value)
    return ngettext("{n} line", "{n} lines", count).format(n=count)


def _three_ways(line: TraitLine, yes: str, no: str, unknown: str) -> str:
    return unknown if line.value is None else yes if line.value else no


def _refractory(triple: TraitLine, penta: TraitLine) -> str:
    if penta.value is True:
        return _("penta-refractory")
    return _three_ways(triple, _("triple-refractory"), _("not triple-refractory"), _("refractory ?"))
