"""Reading from a FHIR server that a caller names, guarded."""
