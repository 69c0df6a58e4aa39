"""JSON of every shape under the names that are read, for tests that put junk everywhere."""

from hypothesis import strategies as st

# every element that is read, at each level; the names a mutation puts junk under
ELEMENTS = (
    "id", "subject", "patient", "status", "intent", "verificationStatus", "clinicalStatus", "authoredOn", "birthDate",
    "effectivePeriod", "effectiveDateTime", "component", "contained", "medicationCodeableConcept", "code", "gender",
    "medicationReference", "doNotPerform", "conclusion", "note", "deceasedBoolean", "deceasedDateTime", "valueQuantity",
    "valueCodeableConcept", "valueInteger", "valueBoolean", "valueString", "valuePeriod", "dataAbsentReason",
    "referenceRange",
)  # fmt: skip
INNER = ("coding", "system", "code", "display", "text", "value", "unit", "comparator", "start", "end", "reference",
         "high", "type", "resourceType", "id")  # fmt: skip
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["#", "2026-02-30"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(INNER + ELEMENTS), inner, max_size=4),
    max_leaves=15,
)
