"""Whether small studies differ from large ones: every test the studies allow, in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.begg_test import RankTest, begg_test
from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.egger_test import AsymmetryTest, egger_test, peters_test
from bcma_decide.workshop.meta_analysis.henmi_copas import HenmiCopas, henmi_copas
from bcma_decide.workshop.meta_analysis.small_study_remarks import small_study_remarks
from bcma_decide.workshop.meta_analysis.trim_and_fill import TrimAndFill, trim_and_fill
from bcma_decide.workshop.synthesis.model import PoolingMethod
from bcma_decide.workshop.synthesis.studies import Studies

__all__ = ["SmallStudies", "small_studies"]

TestResult = TypeVar("TestResult")


@dataclass(frozen=True)
class SmallStudies:
    """The tests; one that these studies do not allow (all of one size, say) is ``None``, its reason among remarks."""

    egger: AsymmetryTest | None
    peters: AsymmetryTest | None
    begg: RankTest | None
    trim_and_fill: TrimAndFill | None
    henmi_copas: HenmiCopas | None
    remarks: tuple[str, ...]


def small_studies(studies: Studies, model: PoolingMethod) -> SmallStudies:
    """Test at least three studies for asymmetry; Peters's test needs counts."""
    y, v, proportions, level = studies.yi, studies.vi, studies.scale.proportion, model.level
    remarks = list(small_study_remarks(studies.k, proportions=proportions))

    # A test that these studies do not allow must not cost the reader the other four.
    def tried(name: str, test: Callable[[], TestResult]) -> TestResult | None:
        try:
            return test()
        except SynthesisError as error:
            remarks.append(f"{name} could not be made: {error.message}.")
            return None

    counted = _counted(studies)
    return SmallStudies(
        egger=tried("Egger's test", lambda: egger_test(y, v, method=model.weighted, level=level)),
        peters=None if counted is None else tried("Peters's test", lambda: peters_test(y, *counted, level=level)),
        begg=tried("Begg's test", lambda: begg_test(y, v)),
        trim_and_fill=tried(
            "Trim and fill",
            lambda: trim_and_fill(y, v, method=model.weighted, test=model.mean_test, level=level),
        ),
        henmi_copas=tried("Henmi and Copas's interval", lambda: henmi_copas(y, v, level=level)),
        remarks=tuple(remarks),
    )


def _counted(studies: Studies) -> tuple[FloatArray, FloatArray] | None:
    """Events and patients of each study, both groups together where two are compared."""
    if studies.groups is not None:
        return studies.groups.events1 + studies.groups.events2, studies.groups.total1 + studies.groups.total2
    if studies.events is not None and studies.total is not None:
        return studies.events, studies.total
    return None
