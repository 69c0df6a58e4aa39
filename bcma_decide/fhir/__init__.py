"""FHIR in (a record becomes a profile and its ledger) and out (a comparison becomes a bundle)."""
