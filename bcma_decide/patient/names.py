"""What fields are also called: short options, keys of files, the words of a laboratory's list in English and German.

A name belongs to one field only, and names what the field holds: a word that may mean another quantity stands nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from bcma_decide.patient.fields import FIELDS

LABS: Final = "labs"
"""Key under which a pasted list of laboratory lines stands."""

ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "weight": ("wt",),
    "karnofsky": ("kps",),
    "charlson": ("cci",),
    "high_risk_cytogenetics": ("cytogenetics", "fish", "high-risk"),
    "del_17p": ("del17p",),
    "t_4_14": ("t414",),
    "t_14_16": ("t1416",),
    "gain_1q": ("gain1q",),
    "extramedullary_disease": ("emd",),
    "plasma_cell_leukemia": ("pcl",),
    "r_iss": ("riss",),
    "beta2_microglobulin": ("b2m",),
    "albumin": ("alb",),
    "ldh_upper_limit": ("ldh-uln",),
    "marrow_plasma_cells": ("bmpc",),
    "prior_lines": ("lines",),
    "refractory_to": ("refractory",),
    "exposed_to": ("exposed",),
    "naive_to": ("naive",),
    "prior_bcma_courses": ("bcma",),
    "creatinine": ("crea",),
    "creatinine_clearance": ("crcl",),
    "egfr": ("gfr",),
    "neutrophils": ("anc",),
    "hemoglobin": ("hb", "hgb"),
    "platelets": ("plt",),
    "lymphocytes": ("alc",),
    "hcv_antibody": ("hcv",),
    "lvef": ("ef",),
    "oxygen_saturation": ("spo2",),
}
"""Short names by field; each is an option of the command line and a key of files."""

CALLED: Final[Mapping[str, tuple[str, ...]]] = {
    "age": ("Alter",),
    "sex": ("Geschlecht", "gender"),
    "weight": ("body weight", "Gewicht", "Körpergewicht"),
    "ecog": ("ECOG PS", "ECOG-Status", "performance status"),
    "karnofsky": ("Karnofsky-Index", "Karnofsky performance status"),
    "del_17p": ("del(17p)",),
    "t_4_14": ("t(4;14)",),
    "t_14_16": ("t(14;16)",),
    "gain_1q": ("gain(1q)", "amp(1q)", "amp1q"),
    "beta2_microglobulin": (
        "beta-2 microglobulin",
        "Beta-2-Mikroglobulin",
        "β2-Mikroglobulin",
        "β2-microglobulin",
        "ß2-Mikroglobulin",
        "β2m",
        "B2-Mikroglobulin",
    ),
    "ldh": ("lactate dehydrogenase", "Laktatdehydrogenase", "LD"),
    "creatinine": ("Kreatinin", "Krea", "serum creatinine", "SCr"),
    "creatinine_clearance": ("Kreatinin-Clearance", "CrCl", "ClCr", "creatinine clearance", "Krea-Clearance"),
    "egfr": (
        "eGFR",
        "GFR",
        "eGFR CKD-EPI",
        "GFR CKD-EPI",
        "GFR nach CKD-EPI",
        "eGFR nach CKD-EPI",
        "glomeruläre Filtrationsrate",
    ),
    "crp": ("C-reactive protein", "C-reaktives Protein"),
    "neutrophils": (
        "neutrophil count",
        "absolute neutrophil count",
        "neutrophils absolute",
        "Neutrophile",
        "Neutrophile absolut",
        "Neutrophile abs.",
        "neutrophils abs.",
        "Granulozyten",
        "neut",
        "neuts",
        "neutros",
    ),
    "hemoglobin": ("haemoglobin", "Hämoglobin", "Haemoglobin"),
    "platelets": ("platelet count", "Thrombozyten", "Thrombos", "Thrombo", "plts", "PLT count"),
    "lymphocytes": (
        "lymphocyte count",
        "absolute lymphocyte count",
        "Lymphozyten",
        "Lymphozyten absolut",
        "Lymphozyten abs.",
        "lymphocytes abs.",
        "lymphs",
    ),
    "igg": ("Immunglobulin G", "immunoglobulin G"),
    "lvef": ("ejection fraction", "Ejektionsfraktion"),
    "oxygen_saturation": ("O2 saturation", "Sauerstoffsättigung", "oxygen sat", "sats"),
    "ast_alt": (
        "AST",
        "ALT",
        "ASAT",
        "ALAT",
        "GOT",
        "GPT",
        "AST (GOT)",
        "ALT (GPT)",
        "GOT (AST)",
        "GPT (ALT)",
        "GOT (ASAT)",
        "GPT (ALAT)",
        "SGOT",
        "SGPT",
    ),
    "prior_lines": ("prior lines of therapy", "Therapielinien", "Vortherapien", "lines of therapy"),
}
"""Other words by field, for keys of files and lines of a list."""

_ALIKE: Final = 0.75
_SHORT: Final = 4
_ALIKE_SHORT: Final = 0.85
_NEARER: Final = 0.05
_LONGEST: Final = 60


def field_of(name: str) -> str | None:
    """The field a name stands for, None where it is none."""
    return by_name().get(fold_name(name))


def fold_name(name: str) -> str:
    """A name without case, spaces, dashes, underscores and full stops."""
    from bcma_decide.patient.numerals import plain_text

    plain = plain_text(name).casefold().replace("ß", "ss")
    return "".join(each for each in plain if each.isalnum() or each in "();")


@cache
def by_name() -> Mapping[str, str]:
    """The field of every folded name."""
    return {
        fold_name(name): field.id
        for field in FIELDS.values()
        for name in (field.id, field.label, field.option, *ALIASES.get(field.id, ()), *CALLED.get(field.id, ()))
    }


def nearest_name(name: str, known: Mapping[str, str] | None = None) -> str:
    """The one known name that a misspelt one is close to; empty where none is, or where several are.

    Names of few letters are near to many others: they have to agree nearly whole, and one that is itself the name of
    another thing is never suggested for it. Names of one field count once.

    Parameters
    ----------
    name
        As written.
    known
        Names to choose among, each with what it is answered by; default those of the fields, answered by their id.
    """
    from difflib import SequenceMatcher

    if len(name) > _LONGEST:
        return ""
    meanings = by_name() if known is None else {fold_name(each): answer for each, answer in known.items()}
    folded = fold_name(name)
    alike: dict[str, float] = {}
    for each, meaning in meanings.items():
        share = SequenceMatcher(None, folded, each).ratio()
        if share >= (_ALIKE_SHORT if min(len(folded), len(each)) <= _SHORT else _ALIKE):
            alike[meaning] = max(share, alike.get(meaning, 0.0))
    ranked = sorted(alike.items(), key=lambda item: -item[1])
    if not ranked or (len(ranked) > 1 and ranked[0][1] - ranked[1][1] < _NEARER):
        return ""
    return ranked[0][0]
