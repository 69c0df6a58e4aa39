"""Short ways to build the parts of a record that stand beside a value, and to look up what became of it."""

from tests.fhir.reading.support.reading import read
from tests.fhir.reading.support.records import LOINC, observation, person, quantity

INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
WOMAN = person(gender="female", birthDate="1958-03-14")


def concept(system, code, display="", text=""):
    coding = {"system": system, "code": code, **({"display": display} if display else {})}
    return {"coding": [coding], **({"text": text} if text else {})}


def loinc(code, display="", text=""):
    return concept(LOINC, code, display, text)


def amount(value, unit, text=None):
    return {**quantity(value, unit), **({"unit": text} if text else {})}


def result(code, value, **more):
    """An observation of a LOINC code with a number, or with what is given as value[x]."""
    code = loinc(code) if isinstance(code, str) else code
    value = (
        value
        if isinstance(value, dict) and any(name.startswith("value") and name != "value" for name in value)
        else {"valueQuantity": value}
    )
    return observation("o1", code, **value, **more)


def coded_result(code, system, answer, display="", text="", **more):
    return observation("o1", code, valueCodeableConcept=concept(system, answer, display, text), **more)


def specimen(kind, name="sp", **more):
    return {"resourceType": "Specimen", "id": name, "type": kind, **more}


def side(code):
    return [concept(INTERPRETATION, code)]


def held(resources, field, patient=WOMAN):
    """Value of a field in the profile, as a number or a word; a span as its two ends."""
    reading = read(*resources, patient=patient)
    value = getattr(reading.patient, field)
    if field in reading.patient.spans:
        return tuple(reading.patient.spans[field])
    if value is None:
        listed = [line for line in reading.ledger.inputs if line.field == field or line.resource not in ("", "Patient")]
        assert listed or reading.ledger.unmapped, "neither used nor listed"
    return getattr(value, "value", value)
