"""Patients drawn at random over all fields of a profile, the same for the same seed."""

from random import Random

from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.definitions import shipped_definitions

DRUGS = [drug.id for drug in shipped_definitions().drugs if drug.drug_class != "other"]
HEADINGS = ("refractory_to", "exposed_to", "naive_to")


def drawn_patients(count, seed):
    """``count`` patients, from hardly known to known in every field."""
    random = Random(seed)
    for _ in range(count):
        known = random.random()
        values = {
            field.id: _value(field, random)
            for field in FIELDS.values()
            if field.kind != "drugs" and random.random() < known
        }
        for drug in DRUGS:
            if random.random() < known:
                values.setdefault(random.choice(HEADINGS), []).append(drug)
        yield Patient(**values)


def _value(field, random):
    if field.kind == "yes_no":
        return random.random() < 0.5
    if field.kind == "choice":
        return random.choice([name for name, _ in field.choices])
    if field.kind == "courses":
        return random.choices(["adc:3", "car_t:7", "bispecific:2"], k=random.randint(1, 2))
    if field.kind == "quantity":
        return {"value": random.uniform(field.low, field.high), "unit": field.unit}
    low, high = (1, 3) if field.kind == "stage" else (int(field.low), int(field.high))
    return random.randint(low, high)
