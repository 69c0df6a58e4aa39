"""The profile: everything known of one patient. Unknown is a value of its own, never absent or normal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ModelWrapValidatorHandler,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from bcma_decide.errors import Problem, ProfileError, closest, quote
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.reading import (
    Course,
    Quantity,
    is_unknown,
    read_choice,
    read_courses,
    read_drugs,
    read_quantity,
    read_stage,
    read_whole,
    read_yes_no,
)
from bcma_decide.pooled.definitions import Definitions, shipped_definitions

_READERS = {
    "whole": read_whole,
    "yes_no": read_yes_no,
    "stage": read_stage,
    "choice": read_choice,
    "quantity": read_quantity,
}


def _name(info: ValidationInfo) -> str:
    return str(info.field_name)


def _read_plain(value: object, info: ValidationInfo) -> object:
    field = FIELDS[_name(info)]
    return _READERS[field.kind](field, value)


def _read_drugs(value: object, info: ValidationInfo) -> tuple[str, ...]:
    if is_unknown(value) or value in ([], ()):
        return ()
    definitions = info.context if isinstance(info.context, Definitions) else shipped_definitions()
    return read_drugs(FIELDS[_name(info)], value, definitions)


def _read_courses(value: object, info: ValidationInfo) -> tuple[Course, ...]:
    return read_courses(FIELDS[_name(info)], value)


def _written(value: Quantity) -> object:
    """As it can be read again; *never* is no number."""
    return str(value) if value.value == inf else {"value": value.value, "unit": value.unit}


YesNo = Annotated[bool | None, BeforeValidator(_read_plain)]
Whole = Annotated[int | None, BeforeValidator(_read_plain)]
StageNumber = Annotated[int | None, BeforeValidator(_read_plain)]
ChosenWord = Annotated[str | None, BeforeValidator(_read_plain)]
Amount = Annotated[
    Quantity | None,
    BeforeValidator(_read_plain),
    PlainSerializer(_written, return_type=object, when_used="unless-none"),
]
DrugNames = Annotated[tuple[str, ...], BeforeValidator(_read_drugs)]
Courses = Annotated[tuple[Course, ...], BeforeValidator(_read_courses)]


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

    @model_validator(mode="wrap")
    @classmethod
    def _explain(cls, values: object, handler: ModelWrapValidatorHandler[Patient]) -> Patient:
        try:
            return handler(values)
        except ValidationError as error:
            raise ProfileError("the profile cannot be used", list(_problems(error))) from None

    @classmethod
    def read(cls, values: Mapping[str, Any], definitions: Definitions | None = None) -> Patient:
        """Build from plain data, with the drug names of the given definitions (default: the shipped ones).

        Raises
        ------
        ProfileError
            With every problem found.
        """
        return cls.model_validate(dict(values), context=definitions)

    def given(self) -> dict[str, Any]:
        """Return the fields that are known, in the order of the table."""
        return {name: value for name in FIELDS if (value := getattr(self, name)) is not None and value != ()}


def _problems(error: ValidationError) -> Iterator[Problem]:
    for one in error.errors(include_url=False):
        name = ".".join(str(part) for part in one["loc"])
        cause = one.get("ctx", {}).get("error")
        faults = getattr(cause, "faults", None)
        if faults is not None:
            yield from (Problem(name + fault.at, fault.message, fault.fix) for fault in faults)
        elif one["type"] == "extra_forbidden":
            shown = name if name.isprintable() and 0 < len(name) <= 60 else quote(name)
            yield Problem(shown, "is not a field of the profile", closest(name, list(FIELDS)) or "see the template")
        else:
            yield Problem(name, one["msg"])
