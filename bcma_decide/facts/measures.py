"""The numbers of a profile as spans: given, or worked out from other fields by a published formula or table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import exp, hypot, log
from typing import Final, NamedTuple

from bcma_decide.logic import Span
from bcma_decide.patient.fields import FIELD_LABELS, FIELDS, in_sentence
from bcma_decide.patient.profile import Patient
from bcma_decide.patient.reading import ROMAN, Quantity
from bcma_decide.pooled.score_book import Conversion, Formula, FormulaKind, ScoreBook

NUMERIC: Final = tuple(field.id for field in FIELDS.values() if field.kind in ("whole", "stage", "quantity"))
INPUTS: Final = ("age", "weight", "creatinine")


class KnownNumber(NamedTuple):
    """A number as far as it is known, how it is written, and from which fields it comes."""

    span: Span
    text: str
    how: str
    fields: tuple[str, ...]
    missing: tuple[str, ...] = ()
    """What would make a span a number."""

    @property
    def shown(self) -> str:
        """The number, and where it comes from unless it was given."""
        return f"{self.text} ({self.how})" if self.how else self.text


def measures(patient: Patient, scores: ScoreBook) -> dict[str, KnownNumber]:
    """Every number that is known or can be worked out; a value that was given is never replaced."""
    found = given_numbers(patient)
    for conversion in scores.conversions:
        if (looked_up := converted_score(conversion, found)) is not None:
            found.setdefault(conversion.gives, looked_up)
    for formula in scores.formulas:
        measure = computed(formula, patient, found)
        if measure is not None:
            found.setdefault(formula.gives, measure)
    return found


def given_numbers(patient: Patient) -> dict[str, KnownNumber]:
    """Every number that was given."""
    return {name: given for name in NUMERIC if (given := _given(patient, name)) is not None}


def _given(patient: Patient, name: str) -> KnownNumber | None:
    value: Quantity | int | None = getattr(patient, name)
    if value is None:
        return None
    if isinstance(value, Quantity):
        return KnownNumber(Span.of(value.value), str(value), "", (name,))
    field = FIELDS[name]
    unit = "" if name in ("prior_lines", "karnofsky", "charlson") else field.unit  # the label says what is counted
    text = ROMAN[value] if field.kind == "stage" else f"{value} {unit if value != 1 else unit.removesuffix('s')}"
    return KnownNumber(Span.of(value), text.strip(), "", (name,))


def measure_text(span: Span, unit: str) -> str:
    """Write a number that was worked out: three digits, or its two ends."""
    low, high = f"{span.low:.3g}", f"{span.high:.3g}"
    return f"{low if low == high else f'{low} to {high}'} {unit}".strip()


def converted_score(conversion: Conversion, known: Mapping[str, KnownNumber]) -> KnownNumber | None:
    """Look a number up in the table between two scales; of a number that is not in it nothing follows."""
    taken = known.get(conversion.takes)
    if taken is None:
        return None
    for row in conversion.rows:
        if taken.span.exact and taken.span.low in row.where:
            how = f"from {in_sentence(FIELD_LABELS[conversion.takes])} {taken.text}"
            return KnownNumber(Span.of(row.value), f"{row.value:g}", how, taken.fields)
    return None


def formula_inputs(formula: Formula) -> tuple[str, ...]:
    """Fields a formula cannot do without; the sex may be unknown and then gives two ends."""
    return INPUTS if formula.kind == "cockcroft_gault" else ("age", "creatinine")


def computed(formula: Formula, patient: Patient, known: Mapping[str, KnownNumber]) -> KnownNumber | None:
    """Work a formula out where its inputs are known; of creatinine under dialysis nothing follows."""
    inputs = formula_inputs(formula)
    if patient.dialysis or not all(name in known for name in inputs):
        return None
    numbers = {name: known[name].span.low for name in inputs}
    sexes = (True, False) if patient.sex is None else (patient.sex == "female",)
    results = sorted(_FORMULAS[formula.kind](formula.constants, numbers, female) for female in sexes)
    span = Span(results[0], results[-1])
    named = [in_sentence(FIELD_LABELS[name]) for name in inputs]
    how = f"{formula.about.name} from {', '.join(named)}" + (" and sex" if patient.sex else "; sex not known")
    fields = (*inputs, "sex") if patient.sex else inputs
    missing = () if patient.sex else ("sex",)
    return KnownNumber(span, measure_text(span, FIELDS[formula.gives].unit), how, fields, missing)


def measured_log_sd(
    name: str, measure: KnownNumber, known: Mapping[str, KnownNumber], scores: ScoreBook, by_field: Mapping[str, float]
) -> float | None:
    """Standard deviation of the logarithm of a number, from the laboratory variation of what it was measured as.

    A given number has its own, in ``by_field``; one that a formula gives has that of its inputs, each times its
    elasticity (the delta method; Oehlert GW. Am Stat 1992;46:27-29). None for what does not vary, such as a count.
    """
    if measure.fields == (name,):
        return by_field.get(name)
    formula = next((formula for formula in scores.formulas if formula.gives == name), None)
    if formula is None:
        return None
    numbers = {field: known[field].span.low for field in formula_inputs(formula)}
    varying = [field for field in numbers if field in by_field]
    return hypot(*(_elasticity(formula, numbers, field) * by_field[field] for field in varying)) if varying else None


_SMALL_STEP = 1e-4


def _elasticity(formula: Formula, numbers: Mapping[str, float], field: str) -> float:
    """By how many percent the formula's value moves with one percent of an input; the sex moves it by little."""
    ends = [{**numbers, field: numbers[field] * exp(sign * _SMALL_STEP)} for sign in (1.0, -1.0)]
    high, low = (_FORMULAS[formula.kind](formula.constants, end, False) for end in ends)
    return log(high / low) / (2.0 * _SMALL_STEP)


def cockcroft_gault(constants: Mapping[str, float], given: Mapping[str, float], female: bool) -> float:
    """Creatinine clearance in mL/min, not indexed to body surface, actual weight.

    Cockcroft DW, Gault MH. Nephron 1976;16:31-41: (140 - age) weight / (72 creatinine), less in women; age in years,
    weight in kg, creatinine in mg/dL.
    """
    clearance = (constants["age_limit"] - given["age"]) * given["weight"] / (constants["divisor"] * given["creatinine"])
    return clearance * constants["female_factor"] if female else clearance


def ckd_epi_2021(constants: Mapping[str, float], given: Mapping[str, float], female: bool) -> float:
    """Estimated glomerular filtration rate in mL/min/1.73 m2, without race.

    Inker LA et al. N Engl J Med 2021;385:1737-1749: scale min(creatinine/kappa, 1)^alpha max(creatinine/kappa, 1)^beta
    base^age, more in women; creatinine in mg/dL, kappa and alpha by sex.
    """
    sex = "female" if female else "male"
    ratio = given["creatinine"] / constants[f"kappa_{sex}"]
    rate = constants["scale"] * min(ratio, 1.0) ** constants[f"alpha_{sex}"] * max(ratio, 1.0) ** constants["beta"]
    rate *= float(constants["age_base"] ** given["age"])
    return float(rate * constants["female_factor"] if female else rate)


_FORMULAS: Final[Mapping[FormulaKind, Callable[[Mapping[str, float], Mapping[str, float], bool], float]]] = {
    "cockcroft_gault": cockcroft_gault,
    "ckd_epi_2021": ckd_epi_2021,
}
