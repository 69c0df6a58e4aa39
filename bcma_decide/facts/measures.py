"""The numbers of a profile as spans: given, or worked out from other fields by a published formula or table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from math import exp, hypot, log
from typing import Final, NamedTuple

from bcma_decide.logic import Span
from bcma_decide.patient.fields import FIELD_LABELS, FIELDS, in_sentence
from bcma_decide.patient.profile import Patient
from bcma_decide.patient.quantities import span_text
from bcma_decide.patient.reading import ROMAN, Quantity
from bcma_decide.pooled.score_book import Conversion, Formula, FormulaKind, ScoreBook

NUMERIC: Final = tuple(field.id for field in FIELDS.values() if field.kind in ("whole", "stage", "quantity"))
CREATININE: Final = "creatinine"
RATE: Final = "egfr"
IN_SENTENCE: Final = {name: in_sentence(label) for name, label in FIELD_LABELS.items()}
"""Labels of the fields as they stand inside a sentence."""
INPUTS: Final = ("age", "weight", CREATININE)


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


def given_number(patient: Patient, spans: Mapping[str, Span], name: str) -> KnownNumber | None:
    """A number as it was given; ``spans`` are those of the patient."""
    value: Quantity | int | None = getattr(patient, name)
    if value is None:
        span = spans.get(name)
        return span and KnownNumber(span, span_text(FIELDS[name], span), "", (name,), (IN_SENTENCE[name],))
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


def converted_score(conversion: Conversion, taken: KnownNumber | None) -> KnownNumber | None:
    """Look a number up in the table between two scales; of a number that is not in it nothing follows."""
    if taken is None:
        return None
    for row in conversion.rows:
        if all(end in row.where for end in taken.span):
            how = f"from {IN_SENTENCE[conversion.takes]} {taken.text}"
            return KnownNumber(Span.of(row.value), f"{row.value:g}", how, taken.fields)
    return None


def formula_inputs(formula: Formula) -> tuple[str, ...]:
    """Fields a formula cannot do without; the sex may be unknown and then gives two ends."""
    return INPUTS if formula.kind == "cockcroft_gault" else ("age", "creatinine")


Numbers = Callable[[str], KnownNumber | None]
"""Looks a number of the profile up."""


def computed(formula: Formula, patient: Patient, number: Numbers, scores: ScoreBook) -> KnownNumber | None:
    """Work a formula out where its inputs are known; of creatinine under dialysis nothing follows.

    A weight that is not known lies between two ends, and so does what follows from it. In place of a creatinine that
    is not known, that behind a given rate of filtration counts.
    """
    inputs = formula_inputs(formula)
    known = _known_inputs(formula, inputs, number)
    behind = _behind(formula, inputs, known, scores)
    spans = {name: each.span for name, each in known.items()}
    span = _span(formula, inputs, spans, behind, patient.sex, dialysis=bool(patient.dialysis))
    if span is None:
        return None
    field = FIELDS[formula.gives]
    assumed = [name for name in inputs if name not in known and name in formula.where_missing]
    sources = tuple(RATE if name == CREATININE and behind else name for name in inputs if name not in assumed)
    named = [IN_SENTENCE[name] for name in inputs if name in known]
    if behind:
        named.append(f"the creatinine behind an {FIELD_LABELS[RATE]} of {known[RATE].text}")
    how = f"{formula.about.name} from {', '.join(named)}" + (" and sex" if patient.sex else "; sex not known")
    for name in assumed:
        ends = span_text(FIELDS[name], Span(*formula.where_missing[name]))
        how += f"; {IN_SENTENCE[name]} not known, taken as {ends}"
    fields = (*sources, "sex") if patient.sex else sources
    spread = (IN_SENTENCE[name] for name in sources if not known[name].span.exact)
    missing = (*(IN_SENTENCE[name] for name in assumed), *spread, *(() if patient.sex else ("sex",)))
    return KnownNumber(span, measure_text(span, field.unit), how, fields, missing)


def formula_span(
    formula: Formula, spans: Mapping[str, Span], sex: str | None, scores: ScoreBook, *, dialysis: bool
) -> Span | None:
    """What a formula gives of numbers that were given, ``spans`` by field: `computed` without its text."""
    inputs = formula_inputs(formula)
    known = {name: spans[name] for name in _names_known(formula, inputs, CREATININE in spans) if name in spans}
    return _span(formula, inputs, known, _behind(formula, inputs, known, scores), sex, dialysis=dialysis)


def _span(
    formula: Formula,
    inputs: tuple[str, ...],
    known: Mapping[str, Span],
    behind: Formula | None,
    sex: str | None,
    *,
    dialysis: bool,
) -> Span | None:
    assumed = [name for name in inputs if name not in known and name in formula.where_missing]
    if dialysis or not all(name in known or name in assumed or (name == CREATININE and behind) for name in inputs):
        return None
    if len(assumed) == len(inputs):
        return None
    sexes = (True, False) if sex is None else (sex == "female",)
    # every formula rises or falls with each input throughout, so that its ends lie at ends of the inputs
    results = sorted(
        _FORMULAS[formula.kind](formula.constants, ends, female)
        for female in sexes
        for ends in _corners(formula, inputs, known, behind, female)
    )
    if not (assumed or behind):
        return Span(results[0], results[-1])
    field = FIELDS[formula.gives]  # an end that was assumed may lead beyond what anyone has
    return Span(max(results[0], field.low), min(results[-1], field.high))


def _names_known(formula: Formula, inputs: tuple[str, ...], has_creatinine: bool) -> tuple[str, ...]:
    """The inputs, and the rate that may stand for one."""
    return inputs if formula.gives == RATE or has_creatinine else (*inputs, RATE)


def _known_inputs(formula: Formula, inputs: tuple[str, ...], number: Numbers) -> dict[str, KnownNumber]:
    """What is known of the inputs of a formula, and the rate that may stand for one."""
    names = _names_known(formula, inputs, number(CREATININE) is not None)
    return {name: known for name in names if (known := number(name)) is not None}


def _behind(
    formula: Formula, inputs: tuple[str, ...], known: Mapping[str, object], scores: ScoreBook
) -> Formula | None:
    """The formula by which a given rate of filtration leads back to the creatinine that is not known."""
    if formula.gives == RATE or CREATININE not in inputs or CREATININE in known or RATE not in known:
        return None
    return next((each for each in scores.formulas if each.gives == RATE), None)


def _corners(
    formula: Formula,
    inputs: tuple[str, ...],
    known: Mapping[str, Span],
    behind: Formula | None,
    female: bool,
) -> Iterator[dict[str, float]]:
    """Every way of taking an end of each input; a creatinine worked back belongs to the age it was worked back with."""
    own = [name for name in inputs if not (name == CREATININE and behind)]
    spans = [known[name] if name in known else Span(*formula.where_missing[name]) for name in own]
    for ends in product(*map(set, spans)):
        corner = dict(zip(own, ends, strict=True))
        if behind is None:
            yield corner
            continue
        for rate in set(known[RATE]):
            yield {**corner, CREATININE: creatinine_behind(behind.constants, rate, corner["age"], female)}


def measured_log_sd(
    name: str, measure: KnownNumber, number: Numbers, scores: ScoreBook, by_field: Mapping[str, float]
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
    spans = {name: each.span for name, each in _known_inputs(formula, formula_inputs(formula), number).items()}
    return formula_log_sd(formula, spans, scores, by_field)


def formula_log_sd(
    formula: Formula, spans: Mapping[str, Span], scores: ScoreBook, by_field: Mapping[str, float]
) -> float | None:
    """That of what a formula gives of numbers that were given, ``spans`` by field."""
    inputs = formula_inputs(formula)
    known = {name: spans[name] for name in _names_known(formula, inputs, CREATININE in spans) if name in spans}
    numbers = next(_corners(formula, inputs, known, _behind(formula, inputs, known, scores), False))
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


def creatinine_behind(constants: Mapping[str, float], rate: float, age: float, female: bool) -> float:
    """Creatinine in mg/dL at which CKD-EPI 2021 gives a rate of filtration: its inverse, which is exact.

    The formula falls throughout with creatinine, by one power below kappa and another above.
    """
    sex = "female" if female else "male"
    at_kappa = ckd_epi_2021(constants, {"creatinine": constants[f"kappa_{sex}"], "age": age}, female)
    power = constants[f"alpha_{sex}"] if rate > at_kappa else constants["beta"]
    return float(constants[f"kappa_{sex}"] * (rate / at_kappa) ** (1.0 / power))


_FORMULAS: Final[Mapping[FormulaKind, Callable[[Mapping[str, float], Mapping[str, float], bool], float]]] = {
    "cockcroft_gault": cockcroft_gault,
    "ckd_epi_2021": ckd_epi_2021,
}
