"""A comparison as FHIR R4 resources, one kind to a module; :mod:`bcma_decide.clinic.fhir_out` puts them together."""
