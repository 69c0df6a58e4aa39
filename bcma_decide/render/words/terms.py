"""The model's own words in the language spoken: classes, outcomes, time windows, traits and their values, burdens.

A comparison holds them in English, as every face in English and every record has them. Texts of the evidence (findings,
labels, practical facts, notes, citations) have one language and are left as they are.
"""

from __future__ import annotations

import re
from typing import Final

from bcma_decide.comparison import Comparison, TraitLine
from bcma_decide.render.words.language import gettext, ngettext


def marked(text: str) -> str:
    """Mark a text for the catalogue; it is translated where it is used."""
    return text


TERMS: Final = frozenset(
    (
        marked(
            "For haematologists: to inform, not to direct. Not for urgent decisions. Not a medical device; research "
            "and education. Numbers come from published groups of patients, compared across studies without "
            "randomisation; a person may differ."
        ),
        marked("CAR-T"),
        marked("Bispecific"),
        marked("BCMA CAR-T cells"),
        marked("BCMAxCD3 bispecific antibodies"),
        marked("Response (PR or better)"),
        marked("VGPR or better"),
        marked("CR or better"),
        marked("CRS, any grade"),
        marked("CRS, grade 3 or higher"),
        marked("ICANS, any grade"),
        marked("ICANS, grade 3 or higher"),
        marked("Infection, any grade"),
        marked("Infection, grade 3 or higher"),
        marked("Neutropenia, grade 3 or higher"),
        marked("Anaemia, grade 3 or higher"),
        marked("Thrombocytopenia, grade 3 or higher"),
        marked("Hypogammaglobulinaemia"),
        marked("Delayed neurotoxicity"),
        marked("Treatment-related death"),
        marked("Non-relapse mortality"),
        marked("Second cancer"),
        marked("Apheresis done, infusion not reached"),
        marked("respond"),
        marked("reach at least a very good partial response"),
        marked("reach a complete response"),
        marked("have cytokine release syndrome"),
        marked("have severe cytokine release syndrome"),
        marked("have immune-effector-cell neurotoxicity"),
        marked("have severe immune-effector-cell neurotoxicity"),
        marked("have an infection"),
        marked("have a severe infection"),
        marked("have severe neutropenia"),
        marked("have severe anaemia"),
        marked("have severe thrombocytopenia"),
        marked("have low immunoglobulins"),
        marked("have delayed neurotoxicity (movement disorder, cranial nerve palsy, neuropathy)"),
        marked("die of the treatment"),
        marked("die without relapse or progression of the myeloma, of whatever cause"),
        marked("have a second cancer"),
        marked("do not reach the infusion after apheresis"),
        marked("confirmed response at any time in the study"),
        marked("first weeks"),
        marked("over the follow-up of the studies"),
        marked("on treatment"),
        marked("from apheresis to infusion"),
        marked("Age"),
        marked("Prior lines"),
        marked("High-risk cytogenetics"),
        marked("Extramedullary disease"),
        marked("Earlier BCMA therapy"),
        marked("Earlier T-cell redirection"),
        marked("Triple-class refractory"),
        marked("Penta-drug refractory"),
        marked("ISS stage III"),
        marked("R-ISS stage III"),
        marked("Frail"),
        marked("ECOG 2 or worse"),
        marked("Renal impairment"),
        marked("High marrow plasma cells"),
        marked("Plasma cell leukaemia"),
        marked("High ferritin"),
        marked("CAR-HEMATOTOX high"),
        marked("Stay and monitoring"),
        marked("Dosing visits"),
        marked("Driving"),
        marked("Kidney and lymphodepletion"),
        marked("Lymphodepletion"),
        marked("Collection to infusion"),
        marked("yes"),
        marked("no"),
        marked("unknown"),
        marked("present"),
        marked("absent"),
    )
)


def term(text: str) -> str:
    """One of these words in the language spoken; any other text as it is."""
    return gettext(text) if text in TERMS else text


def spoken(comparison: Comparison) -> Comparison:
    """The comparison with the model's own words in the language spoken; numbers and everything else as they are."""
    return comparison.model_copy(
        update={
            "intended_use": term(comparison.intended_use),
            "options": tuple(
                option.model_copy(update={"label": term(option.label), "long_label": term(option.long_label)})
                for option in comparison.options
            ),
            "outcomes": tuple(
                outcome.model_copy(
                    update={
                        "label": term(outcome.label),
                        "plain": term(outcome.plain),
                        "horizon": term(outcome.horizon),
                    }
                )
                for outcome in comparison.outcomes
            ),
            "profile": comparison.profile.model_copy(
                update={"traits": tuple(_trait(line) for line in comparison.profile.traits)}
            ),
            "unknowns": tuple(
                unknown.model_copy(
                    update={
                        "label": term(unknown.label),
                        "moves": tuple(
                            move.model_copy(update={"low_when": term(move.low_when), "high_when": term(move.high_when)})
                            for move in unknown.moves
                        ),
                    }
                )
                for unknown in comparison.unknowns
            ),
        }
    )


def _trait(line: TraitLine) -> TraitLine:
    years = re.fullmatch(r"(\d+) years", line.text)
    text = ngettext("{n} year", "{n} years", int(years[1])).format(n=years[1]) if years else term(line.text)
    return line.model_copy(update={"label": term(line.label), "text": text})
