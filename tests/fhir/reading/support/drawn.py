"""Records, drawn: laboratory values, reports and doses of one patient."""

from hypothesis import strategies as st

from tests.fhir.reading.support.records import (
    LOINC,
    ON,
    RXNORM,
    coded,
    observation,
    quantity,
)
from tests.fhir.reading.support.records import given as dose

CODES = ["718-7", "777-3", "2276-4", "1988-5", "751-8", "89247-1", "2532-0", "98014-4", "5195-3", "11118-7", "0000-0"]
UNITS = ["g/dL", "g/L", "mg/L", "mg/dL", "10*3/uL", "/uL", "ng/mL", "%", "U/L", "", "furlong"]
STATUS = ["final", "final", "final", "amended", "entered-in-error", "registered"]

numbers = st.one_of(st.integers(0, 3000), st.floats(0, 3000, allow_nan=False).map(lambda x: round(x, 2)))
observations = st.builds(
    lambda code, number, unit, days, status, name, comparator: observation(
        f"o{name}", coded(LOINC, code), days=days,
        valueQuantity={**quantity(number, unit), **({"comparator": comparator} if comparator else {})},
    ) | {"status": status},
    st.sampled_from(CODES), numbers, st.sampled_from(UNITS), st.integers(-3, 40), st.sampled_from(STATUS),
    st.integers(0, 10**6), st.sampled_from(["", "", "", "<", ">"]),
)  # fmt: skip
reports = st.builds(
    lambda text, days, name: observation(f"f{name}", coded(LOINC, "98014-4"), days=days, valueString=text),
    st.sampled_from(["del(17p) detected", "del(17p) not detected", "t(4;14) positive", "unclear"]),
    st.integers(0, 40), st.integers(0, 10**6),
)  # fmt: skip
doses = st.builds(
    lambda concept, day, status, name: dose(f"d{name}", concept, day=day, status=status),
    st.sampled_from([coded(RXNORM, "342369"), coded(RXNORM, "2619432"), {"text": "Velcade"}, {"text": "Wonderdrug"}]),
    st.dates(ON.replace(year=2020), ON.replace(year=2027)).map(lambda day: day.isoformat()),
    st.sampled_from(["completed", "not-done", "entered-in-error"]), st.integers(0, 10**6),
)  # fmt: skip
records = st.lists(st.one_of(observations, reports, doses), max_size=14)
