"""Rows of arm totals by hand."""

from bcma_decide.workshop.evidence.totals import SelectedRow


def selected(study, outcome, events, n, **changes) -> SelectedRow:
    fields = {
        "study": study,
        "arm": None,
        "outcome": outcome,
        "class_id": "car_t",
        "products": ("ide-cel",),
        "design": "interventional",
        "events": events,
        "n": n,
        "derived": False,
        "follow_up_months": 12.0,
        "denominator": None,
        "basis": "verified",
        "source": "S1",
        "infused_share": None,
        "trial": None,
    }
    return SelectedRow(**{**fields, **changes})
