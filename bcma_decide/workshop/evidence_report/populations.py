"""Who was treated: the baseline figures of every study, with what nobody reported as a value of its own."""

from __future__ import annotations

from bcma_decide.vocabulary import MODEL_TRAITS, ModelTrait
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence.schema import PopulationFigure, Study
from bcma_decide.workshop.evidence.views import population_text
from bcma_decide.workshop.evidence_report.words import NOT_REPORTED, RECALLED
from bcma_decide.workshop.patient_model.margins import POPULATION_KEYS
from bcma_decide.workshop.plots.page import Section, Table

__all__ = ["figure_of", "is_recalled", "population_section"]


def population_section(catalogue: Catalogue) -> Section:
    """Every study by the traits of the model, its other figures at the end; and how many report each trait."""
    titles = ("Study", *(_title(trait) for trait in MODEL_TRAITS), "Other figures")
    rows = tuple(_row(study, catalogue) for study in catalogue.studies)
    reports = tuple(
        (
            _title(trait),
            str(_reporting(catalogue, trait, recalled=False)),
            str(_reporting(catalogue, trait, recalled=True)),
        )
        for trait in MODEL_TRAITS
    )
    said = (
        "Figures as the sources print them: count of patients, percentage, or median with its range. A figure marked "
        f"{RECALLED} was not seen in a source and is used nowhere. Where a study prints nothing the cell says "
        f"{NOT_REPORTED}: nothing is filled in."
    )
    return Section(
        "Patients of the studies",
        (said,),
        (
            Table("Baseline figures by study", titles, rows, words=True, large=True),
            Table(
                f"Studies that report each trait, of {len(catalogue.studies)}",
                ("Trait", "verified or derived", RECALLED),
                reports,
            ),
        ),
    )


def figure_of(study: Study, trait: ModelTrait) -> PopulationFigure | None:
    """The study's own figure of a trait."""
    keys = POPULATION_KEYS.get(trait.id, (trait.id,))
    return next((study.population[key] for key in keys if key in study.population), None)


def is_recalled(figure: PopulationFigure) -> bool:
    """Whether any part of a figure was not seen in a source."""
    return "recalled" in (figure.basis, figure.events_basis, figure.n_basis)


def _title(trait: ModelTrait) -> str:
    return f"{trait.label}, median" if trait.kind != "binary" else trait.label


def _reporting(catalogue: Catalogue, trait: ModelTrait, *, recalled: bool) -> int:
    found = (figure_of(study, trait) for study in catalogue.studies)
    return sum(figure is not None and is_recalled(figure) == recalled for figure in found)


def _row(study: Study, catalogue: Catalogue) -> tuple[str, ...]:
    shown = {key for trait in MODEL_TRAITS for key in POPULATION_KEYS.get(trait.id, (trait.id,))}
    labels = catalogue.vocabulary.ids.population
    others = (
        f"{labels.get(key, key)}: {_text(figure)}" for key, figure in study.population.items() if key not in shown
    )
    cells = (_text(figure_of(study, trait)) for trait in MODEL_TRAITS)
    return (study.id, *cells, "; ".join(others) or "none")


def _text(figure: PopulationFigure | None) -> str:
    if figure is None:
        return NOT_REPORTED
    text = population_text(figure) or NOT_REPORTED
    return f"{text} ({RECALLED})" if is_recalled(figure) else text
