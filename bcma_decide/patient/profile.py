"""The profile: everything known of one patient. Unknown is a value of its own, never absent or normal."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, PlainSerializer, ValidationInfo, model_validator

from bcma_decide.errors import Problem, ProfileError
from bcma_decide.logic import Span
from bcma_decide.patient.entry import Between, read_entry
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.reading import Course, Quantity
from bcma_decide.pooled.definitions import Definitions

CANNOT: Final = "the profile cannot be used"


def _written(value: Quantity) -> object:
    """As it can be read again; *never* is no number."""
    return str(value) if value.value == inf else {"value": value.value, "unit": value.unit}


YesNo = bool | None
Whole = int | None
StageNumber = int | None
ChosenWord = str | None
Amount = Annotated[Quantity | None, PlainSerializer(_written, return_type=object, when_used="unless-none")]
DrugNames = tuple[str, ...]
Courses = tuple[Course, ...]
_OF_READING: Final = ("between", "read_as")
"""What reading adds to the fields of the table."""


class Patient(BaseModel):
    """What is known of one patient; every field may be left out, None, ``"unknown"`` or ``"?"``.

    Laboratory values, weights and times carry their unit, as text or as ``{"value": 850, "unit": "ng/mL"}``.

    Raises
    ------
    ProfileError
        With every problem of the profile, each naming its field and how to mend it.

    Examples
    --------
    >>> patient = Patient(age=71, high_risk_cytogenetics="yes", ferritin="850 ug/L")
    >>> patient.high_risk_cytogenetics, str(patient.ferritin), patient.frail
    (True, '850 ng/mL', None)
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    age: Whole = None
    sex: ChosenWord = None
    weight: Amount = None
    ecog: Whole = None
    karnofsky: Whole = None
    charlson: Whole = None
    frail: YesNo = None
    high_risk_cytogenetics: YesNo = None
    del_17p: YesNo = None
    t_4_14: YesNo = None
    t_14_16: YesNo = None
    gain_1q: YesNo = None
    extramedullary_disease: YesNo = None
    plasma_cell_leukemia: YesNo = None
    iss: StageNumber = None
    r_iss: StageNumber = None
    beta2_microglobulin: Amount = None
    albumin: Amount = None
    ldh: Amount = None
    ldh_upper_limit: Amount = None
    marrow_plasma_cells: Amount = None
    rapid_progression: YesNo = None
    high_disease_burden: YesNo = None
    prior_lines: Whole = None
    refractory_to: DrugNames = ()
    exposed_to: DrugNames = ()
    naive_to: DrugNames = ()
    received: DrugNames = ()
    triple_class_refractory: YesNo = None
    penta_drug_refractory: YesNo = None
    prior_bcma: YesNo = None
    prior_bcma_courses: Courses = ()
    prior_t_cell_redirection: YesNo = None
    progression_on_last_therapy: YesNo = None
    progression_on_bcma: YesNo = None
    weeks_since_last_therapy: Amount = None
    recent_alkylator: YesNo = None
    renal_impairment: YesNo = None
    creatinine: Amount = None
    creatinine_clearance: Amount = None
    egfr: Amount = None
    dialysis: YesNo = None
    ferritin: Amount = None
    crp: Amount = None
    neutrophils: Amount = None
    hemoglobin: Amount = None
    platelets: Amount = None
    lymphocytes: Amount = None
    lymphopenia: YesNo = None
    ferritin_raised: YesNo = None
    active_infection: YesNo = None
    active_inflammation: YesNo = None
    earlier_infections: YesNo = None
    life_threatening_infection: YesNo = None
    severe_bacterial_infections: Whole = None
    igg: Amount = None
    hbsag: YesNo = None
    anti_hbc: YesNo = None
    hcv_antibody: YesNo = None
    hiv: YesNo = None
    live_vaccine: Amount = None
    lvef: Amount = None
    atrial_fibrillation: YesNo = None
    antiplatelet: YesNo = None
    abnormal_cardiac_findings: YesNo = None
    oxygen_saturation: Amount = None
    ast_alt: Amount = None
    liver_disease: YesNo = None
    inadequate_organ_function: YesNo = None
    cns_myeloma: YesNo = None
    movement_disorder: YesNo = None
    severe_neuropathy: YesNo = None
    seizure_stroke_memory: YesNo = None
    hypersensitivity: YesNo = None
    pregnancy: YesNo = None
    second_cancer_risk: YesNo = None
    mds: YesNo = None
    active_gvhd: YesNo = None
    immunosuppressants: YesNo = None
    anticoagulation_fixed: YesNo = None
    unresolved_adverse_event: YesNo = None
    too_unfit_for_car_t: YesNo = None
    caregiver: YesNo = None
    weeks_near_centre: Amount = None
    weeks_without_driving: Amount = None
    monitoring_possible: YesNo = None
    visits_possible: YesNo = None

    between: tuple[Between, ...] = ()
    """Numbers of which only two ends are known; their fields are None."""
    read_as: tuple[str, ...] = ()
    """What was read by interpretation, and how."""

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, given: object, handler: ModelWrapValidatorHandler[Patient], info: ValidationInfo) -> Patient:
        if not isinstance(given, Mapping):
            return handler(given)
        kept = {name: given[name] for name in _OF_READING if name in given}
        values = {name: value for name, value in given.items() if name not in kept}
        entry = read_entry(values, info.context if isinstance(info.context, Definitions) else None)
        if entry.problems:
            raise ProfileError(CANNOT, entry.problems)
        return handler(
            {
                **entry.values,
                "between": (*kept.get("between", ()), *entry.between),
                "read_as": (*kept.get("read_as", ()), *entry.read_as),
            }
        )

    @classmethod
    def read(cls, values: Mapping[str, Any], definitions: Definitions | None = None) -> Patient:
        """Build from plain data, with the drug names of the given definitions (default: the shipped ones).

        Raises
        ------
        ProfileError
            With every problem found.
        """
        own = [
            Problem(name, "is not a field of the profile", "see the template") for name in _OF_READING if name in values
        ]
        if own:
            raise ProfileError(CANNOT, own)
        return cls.model_validate(dict(values), context=definitions)

    def given(self) -> dict[str, Any]:
        """Return the fields that are known, in the order of the table; of a span its two ends."""
        spans = self.spans
        known = {name: getattr(self, name) for name in FIELDS}
        return {name: spans.get(name) if value is None else value for name, value in known.items()
                if (name in spans if value is None else value != ())}  # fmt: skip

    @property
    def spans(self) -> dict[str, Span]:
        """Numbers of which only two ends are known, by field, in its unit."""
        return {each.field: each.span for each in self.between}
