"""What giving each product asks of the patient, as figures, in a region on a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from bcma_decide.pooled.in_force import in_force
from bcma_decide.pooled.rule_book import Burden, BurdenValue


def burden_values(
    burden: Burden, holders: Mapping[str, tuple[str, ...]], region: str, on: date
) -> dict[str, BurdenValue]:
    """The value of every product that has one; ``holders``: by product, itself and its class.

    A product's own fact counts before its class's; of several in force, the first of the file.
    """
    holding = [
        each
        for each in burden.values
        if each.region in (None, region) and in_force(each.since, each.until, on) is not False
    ]
    found = {}
    for product, own in holders.items():
        values = [each for holder in own for each in holding if each.holder == holder]
        if values:
            found[product] = values[0]
    return found
