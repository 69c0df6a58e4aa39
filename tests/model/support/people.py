"""Virtual patients like one patient, and their own rates."""

from bcma_decide.model.alike import acting_values, patients_alike
from bcma_decide.model.survival import shares_by_patient
from bcma_decide.vocabulary import CLASSES


def people_like(found, family):
    """Alike in what is known of the patient and acts in a family."""
    return patients_alike(found.pooled, acting_values(found, family), (family,))


def share_at(found, option, people, month):
    """Mean share of an option that is free of progression at a month."""
    class_id = next(each.class_id for each in found.pooled.options if each.id == option)
    shares = shares_by_patient(found.pooled, found.setting, CLASSES.index(class_id), people, (month,))
    return shares[option][0] @ people.weight
