"""The profile: everything known of one patient. Unknown is a value of its own, never absent or normal."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, Final, Literal, Self

from msgspec import ValidationError, convert, json

from bcma_decide.errors import Problem, ProfileError
from bcma_decide.logic import Span
from bcma_decide.patient.entry import Between, read_entry
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.reading import Course, Quantity
from bcma_decide.pooled.definitions import Definitions

CANNOT: Final = "the profile cannot be used"
_OF_READING: Final = ("between", "read_as")
"""What reading adds to the fields of the table."""
_UNKNOWN: Final[Mapping[str, object]] = {
    **{field.id: () if field.kind in ("drugs", "courses") else None for field in FIELDS.values()},
    **dict.fromkeys(_OF_READING, ()),
}

YesNo = bool | None
Whole = int | None
StageNumber = int | None
ChosenWord = str | None
Amount = Quantity | None
DrugNames = tuple[str, ...]
Courses = tuple[Course, ...]


class Patient:
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

    __slots__ = tuple(_UNKNOWN)

    age: Whole
    sex: ChosenWord
    weight: Amount
    ecog: Whole
    karnofsky: Whole
    charlson: Whole
    frail: YesNo
    high_risk_cytogenetics: YesNo
    del_17p: YesNo
    t_4_14: YesNo
    t_14_16: YesNo
    gain_1q: YesNo
    extramedullary_disease: YesNo
    plasma_cell_leukemia: YesNo
    iss: StageNumber
    r_iss: StageNumber
    beta2_microglobulin: Amount
    albumin: Amount
    ldh: Amount
    ldh_upper_limit: Amount
    marrow_plasma_cells: Amount
    rapid_progression: YesNo
    high_disease_burden: YesNo
    prior_lines: Whole
    refractory_to: DrugNames
    exposed_to: DrugNames
    naive_to: DrugNames
    received: DrugNames
    triple_class_refractory: YesNo
    penta_drug_refractory: YesNo
    prior_bcma: YesNo
    prior_bcma_courses: Courses
    prior_t_cell_redirection: YesNo
    progression_on_last_therapy: YesNo
    progression_on_bcma: YesNo
    weeks_since_last_therapy: Amount
    recent_alkylator: YesNo
    renal_impairment: YesNo
    creatinine: Amount
    creatinine_clearance: Amount
    egfr: Amount
    dialysis: YesNo
    ferritin: Amount
    crp: Amount
    neutrophils: Amount
    hemoglobin: Amount
    platelets: Amount
    lymphocytes: Amount
    lymphopenia: YesNo
    ferritin_raised: YesNo
    active_infection: YesNo
    active_inflammation: YesNo
    earlier_infections: YesNo
    life_threatening_infection: YesNo
    severe_bacterial_infections: Whole
    igg: Amount
    hbsag: YesNo
    anti_hbc: YesNo
    hcv_antibody: YesNo
    hiv: YesNo
    live_vaccine: Amount
    lvef: Amount
    atrial_fibrillation: YesNo
    antiplatelet: YesNo
    abnormal_cardiac_findings: YesNo
    oxygen_saturation: Amount
    ast_alt: Amount
    liver_disease: YesNo
    inadequate_organ_function: YesNo
    cns_myeloma: YesNo
    movement_disorder: YesNo
    severe_neuropathy: YesNo
    seizure_stroke_memory: YesNo
    hypersensitivity: YesNo
    pregnancy: YesNo
    second_cancer_risk: YesNo
    mds: YesNo
    active_gvhd: YesNo
    immunosuppressants: YesNo
    anticoagulation_fixed: YesNo
    unresolved_adverse_event: YesNo
    too_unfit_for_car_t: YesNo
    caregiver: YesNo
    weeks_near_centre: Amount
    weeks_without_driving: Amount
    monitoring_possible: YesNo
    visits_possible: YesNo

    between: tuple[Between, ...]
    """Numbers of which only two ends are known; their fields are None."""
    read_as: tuple[str, ...]
    """What was read by interpretation, and how."""

    def __init__(self, **given: object) -> None:
        self._fill(_read(given, None))

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
        return cls.model_validate(values, context=definitions)

    @classmethod
    def model_validate(cls, values: object, *, context: Definitions | None = None) -> Patient:
        """Read what :meth:`model_dump` gave; raises ProfileError, or ValueError where it gave something else."""
        if not isinstance(values, Mapping) or not all(isinstance(name, str) for name in values):
            raise ValueError("is not the fields of a profile")
        return cls._of(_read(values, context))

    @classmethod
    def model_validate_json(cls, text: str | bytes) -> Patient:
        """Read what :meth:`model_dump_json` gave; raises ProfileError, or ValueError where it gave something else."""
        return cls.model_validate(json.decode(text))

    @classmethod
    def model_construct(cls, **values: object) -> Patient:
        """A profile of values that were read before, unchecked."""
        return cls._of(values)

    def model_copy(self, *, update: Mapping[str, object] | None = None) -> Patient:
        """The same, with other values of some fields as they are."""
        return self._of({**self._values(), **(update or {})})

    def model_dump(
        self, *, mode: Literal["python", "json"] = "python", exclude_defaults: bool = False
    ) -> dict[str, Any]:
        """The fields as plain data that can be read again; without those that are unknown if so asked."""
        found = {
            name: _plain(value)
            for name, value in self._values().items()
            if not (exclude_defaults and value == _UNKNOWN[name])
        }
        plain: dict[str, Any] = json.decode(json.encode(found)) if mode == "json" else found
        return plain

    def model_dump_json(self) -> str:
        """The fields as JSON."""
        return json.encode(self.model_dump()).decode()

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a profile is frozen: {name} is not set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a profile is frozen: {name} is not deleted")

    def __eq__(self, other: object) -> bool:
        return self._values() == other._values() if isinstance(other, Patient) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self._values().values()))

    def __repr__(self) -> str:
        known = (f"{name}={value!r}" for name, value in self._values().items() if value != _UNKNOWN[name])
        return f"Patient({', '.join(known)})"

    def __reduce__(self) -> tuple[object, tuple[dict[str, object]]]:
        return self._of, (self._values(),)

    def _values(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in _UNKNOWN}

    @classmethod
    def _of(cls, values: Mapping[str, object]) -> Self:
        made = cls.__new__(cls)
        made._fill(values)
        return made

    def _fill(self, values: Mapping[str, object]) -> None:
        for name in _UNKNOWN:
            object.__setattr__(self, name, values.get(name, _UNKNOWN[name]))

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


def _read(given: Mapping[str, object], definitions: Definitions | None) -> dict[str, object]:
    """The values of the fields; raises ProfileError."""
    kept = {name: given[name] for name in _OF_READING if name in given}
    entry = read_entry({name: value for name, value in given.items() if name not in kept}, definitions)
    problems = [*entry.problems]
    before: dict[str, tuple[Any, ...]] = dict.fromkeys(_OF_READING, ())
    for name, kind in zip(_OF_READING, (tuple[Between, ...], tuple[str, ...]), strict=True):
        try:
            before[name] = convert(kept.get(name, ()), kind)
        except ValidationError as error:
            problems.append(Problem(name, f"is not what reading writes there: {error}", "leave it out"))
    if problems:
        raise ProfileError(CANNOT, problems)
    return {
        **entry.values,
        "between": (*before["between"], *(Between(name, float(low), float(high)) for name, low, high in entry.between)),
        "read_as": (*before["read_as"], *entry.read_as),
    }


def _plain(value: object) -> object:
    """A value as it can be read again: *never* is no number, a list and what is in it stay lists."""
    match value:
        case Quantity(value=number):
            return str(value) if number == inf else {"value": number, "unit": value.unit}
        case Course(kind=kind, months_since=months):
            return {"kind": kind, "months_since": months}
        case Between():
            return tuple(value)
        case tuple():
            return tuple(_plain(each) for each in value)
    return value
