"""A FHIR record becomes a profile and a ledger of what was used and what was not."""
