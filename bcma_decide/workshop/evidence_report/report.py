"""The page itself: heading, sections in their order, and where the numbers come from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from bcma_decide.version import __version__
from bcma_decide.vocabulary import INTENDED_USE
from bcma_decide.workshop.evidence.assumptions import load_assumptions
from bcma_decide.workshop.evidence.catalogue import load_catalogue
from bcma_decide.workshop.evidence_report.accounts import account_for
from bcma_decide.workshop.evidence_report.flow import flow_section
from bcma_decide.workshop.evidence_report.outcomes import outcome_section
from bcma_decide.workshop.evidence_report.populations import population_section
from bcma_decide.workshop.evidence_report.recalled import recalled_section
from bcma_decide.workshop.evidence_report.regression import regression_section
from bcma_decide.workshop.evidence_report.source import source_section
from bcma_decide.workshop.evidence_report.studies import study_section
from bcma_decide.workshop.plots.page import ReportPage, render_page

__all__ = ["TITLE", "evidence_report"]

TITLE: Final = "The evidence on BCMA CAR-T cells and BCMAxCD3 bispecific antibodies"


def evidence_report(directory: Path, progress: Callable[[str], None] = lambda _: None) -> str:
    """Write the page about the evidence in a directory. Same evidence, same bytes: its date is that of the evidence.

    Parameters
    ----------
    directory
        Of the evidence files.
    progress
        Told each part as it begins.

    Raises
    ------
    EvidenceError
        If a file is missing or does not follow its schema.
    SynthesisError
        If an estimator does not converge.
    """
    progress("reading the evidence")
    catalogue, assumptions = load_catalogue(directory), load_assumptions(directory)
    progress("accounting for every row")
    accounts = account_for(catalogue)
    sections = (
        flow_section(catalogue, accounts),
        outcome_section(catalogue, accounts, progress),
        regression_section(catalogue, accounts, progress),
        source_section(catalogue),
        study_section(catalogue, accounts),
        population_section(catalogue),
        recalled_section(catalogue, accounts, progress),
    )
    lead = (
        INTENDED_USE,
        f"Evidence of {assumptions.evidence_date}, version {assumptions.version}; bcma-decide {__version__}; "
        f"hash of the evidence files {catalogue.hash}.",
        "Pooled here are published rates, as a meta-analysis of proportions does it. A patient's comparison comes from "
        "another model, fitted to the same evidence.",
    )
    foot = (
        "Written by: bcma-decide evidence report. The same numbers: bcma-decide evidence pool; what is pooled and what "
        "is not: bcma-decide evidence selected --published.",
    )
    return render_page(ReportPage(TITLE, sections, lead, foot, contents=True))
