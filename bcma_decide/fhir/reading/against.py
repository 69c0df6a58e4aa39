"""What the words of a resource say against it: a reason, a note or a dosage by which a drug was never given."""

from __future__ import annotations

from itertools import chain
from typing import Final

from bcma_decide.fhir.reading.datatypes import clip
from bcma_decide.fhir.reading.drug_text import says
from bcma_decide.fhir.reading.resource import Resource
from bcma_decide.pooled.drug_words import DrugWords

ORDER: Final = "MedicationRequest"
"""Kind of resource that says what is to be given."""


def against(resource: Resource, words: DrugWords, *, is_trait: bool) -> str:
    """Why a resource whose status counts does not count after all; empty where nothing speaks against it.

    An order is weak evidence. A stopped one counts only with a reason that implies that it had been given, and never
    for a drug whose exposure is a trait by itself (``is_trait``); any doubt in its reason or notes is enough.
    """
    said = (*resource.reasons, *resource.remarks)
    begun = (text for text in resource.reasons if says(text, words.never_begun_phrases))
    given = (text for text in (*said, *resource.dosage) if says(text, words.never_given_phrases))
    if never := next(chain(begun, given), None):
        return f"not given, by its own words: {clip(never)!r}"
    if resource.kind != ORDER:
        return ""
    if doubt := next((text for text in said if says(text, words.doubt_phrases)), None):
        return f"an order, and its words leave open whether it was given: {clip(doubt)!r}"
    ended = any(says(text, words.ended_phrases) for text in resource.reasons)
    if resource.reasons and not ended:
        return f"an order with a reason that is not understood: {clip(resource.reasons[0])!r}"
    if resource.status == "stopped" and not ended:
        return "an order that was stopped; that it was given before is not recorded"
    if resource.status == "stopped" and is_trait:
        return "an order that was stopped does not show by itself that it was given"
    return ""
