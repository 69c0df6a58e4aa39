"""Short ways to read a record in a test."""

from bcma_decide.comparing.compare import load_pooled
from bcma_decide.fhir.reading.reader import read_bundle
from tests.fhir.reading.support.records import ON, bundle, person


def read(*resources, on=ON, infer=False, patient=None, **more):
    """Read a bundle of these resources and a patient who says nothing."""
    model = load_pooled()
    record = bundle(patient or person(), *resources, **more)
    return read_bundle(record, model.codes, model.definitions, on, infer=infer)


def lines(reading, field):
    return [line for line in reading.ledger.inputs if line.field == field]


def only(reading, field):
    """The one line of a field."""
    (line,) = lines(reading, field)
    return line


def states(reading, field):
    return [(line.text, line.state) for line in lines(reading, field)]
