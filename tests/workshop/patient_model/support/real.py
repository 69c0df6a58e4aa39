"""The shipped evidence, read and prepared once in a process."""

from functools import cache

from bcma_decide.pooled.location import evidence_directory
from bcma_decide.vocabulary import FAMILIES
from bcma_decide.workshop.patient_model.contrasts import FamilyContrasts, family_contrasts
from bcma_decide.workshop.patient_model.family_fit import FamilyEffects, fit_family
from bcma_decide.workshop.patient_model.inputs import load_inputs
from bcma_decide.workshop.patient_model.preparation import Inputs, Workshop, prepare

FAMILY = {family.id: family for family in FAMILIES}


@cache
def inputs() -> Inputs:
    return load_inputs(evidence_directory())


@cache
def workshop() -> Workshop:
    return prepare(inputs())


@cache
def contrasts(family: str) -> FamilyContrasts:
    return family_contrasts(inputs(), workshop(), FAMILY[family])


@cache
def effects(family: str) -> FamilyEffects:
    return fit_family(inputs().assumptions, workshop(), FAMILY[family], contrasts(family).contrasts)
