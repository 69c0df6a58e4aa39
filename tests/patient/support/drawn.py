"""Values of every kind of field, drawn."""

from hypothesis import strategies as st

WRITTEN = {
    "whole": lambda field: st.integers(int(field.low), int(field.high)),
    "yes_no": lambda field: st.sampled_from(["yes", "no"]),
    "stage": lambda field: st.sampled_from(["I", "II", "III"]),
    "choice": lambda field: st.sampled_from([word for name, words in field.choices for word in (name, *words)]),
    "drugs": lambda field: st.lists(st.sampled_from(["Revlimid", "dara", "velcade", "ide-cel"]), max_size=3),
    "courses": lambda field: st.lists(st.sampled_from(["adc:3", "CAR-T:7.5", "bispecific"]), max_size=2),
    "quantity": lambda field: st.builds(
        lambda part, unit: {"value": field.low + part * (field.high - field.low), "unit": unit},
        st.floats(0, 1), st.just(field.unit),
    ) | st.sampled_from(["never"] if field.never else ["unknown"]),
}  # fmt: skip
