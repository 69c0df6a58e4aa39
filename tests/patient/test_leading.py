"""The questions asked first are those that move the numbers most."""

from bcma_decide.comparing.compare import compare
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.leading import FOLLOW_UP, LEADING
from bcma_decide.patient.profile import Patient
from bcma_decide.render.words import arrange

STANDS_FOR = {"refractory_to": "triple_class_refractory"}
"""The drugs are asked; what follows from them moves the numbers."""
WITHHOLDS = "plasma_cell_leukemia"
"""A rare disease whose presence takes numbers away instead of moving them."""
SPANS = {
    "age": ("50", "80"),
    "prior_lines": ("2", "6"),
    "refractory_to": ("lenalidomide", "lenalidomide, bortezomib, daratumumab"),
    "prior_bcma_courses": ("car_t:12", "bispecific:3"),
}
"""Answers as they come where the ends of what may be answered are no patient's; elsewhere the ends themselves."""


def answers(field):
    if field.id in SPANS:
        return SPANS[field.id]
    if field.kind == "yes_no":
        return "yes", "no"
    if field.kind == "choice":
        return [name for name, _ in field.choices]
    if field.kind == "drugs":
        return ["lenalidomide"]
    return f"{field.low:g} {field.unit}", f"{field.high:g} {field.unit}"


def means(**values):
    comparison = compare(Patient(**values))
    classes = arrange.class_options(comparison)
    return [
        estimate.mean
        for outcome in arrange.outcomes_with_survival(comparison)
        for estimate in (arrange.estimate_of(outcome, option) for option in classes)
        if estimate.mean is not None
    ]


def movement(field):
    """The widest span of any number of a class over the answers to one field, all else unknown."""
    every = [means(), *(means(**{field.id: answer}) for answer in answers(field))]
    counts = {len(each) for each in every}
    assert len(counts) == 1  # no answer withholds a number
    return max(max(numbers) - min(numbers) for numbers in zip(*every, strict=True))


def test_no_eight_fields_move_the_numbers_more():
    moved = {f.id: movement(f) for f in FIELDS.values() if not f.findings_only and f.id != WITHHOLDS}
    leading = [STANDS_FOR.get(name, name) for name in LEADING]
    said = {trait for name in leading for trait in FIELDS[name].feeds}
    others = {
        name: span
        for name, span in moved.items()
        if name not in (*leading, *LEADING, *FOLLOW_UP.values()) and not set(FIELDS[name].feeds) <= said
    }
    assert len(LEADING) == len(set(LEADING)) == 8
    assert min(moved[name] for name in leading) > max(others.values())


def test_one_field_speaks_for_what_it_settles():
    """Deletions and translocations follow high-risk cytogenetics, and each moves less than the whole of it."""
    for part in ("del_17p", "t_4_14", "t_14_16"):
        assert movement(FIELDS[part]) < movement(FIELDS["high_risk_cytogenetics"])


def test_what_follows_is_a_field_of_the_same_kind():
    for name, following in FOLLOW_UP.items():
        assert name in LEADING
        assert FIELDS[following].panel == FIELDS[name].panel
