"""A comparison as FHIR R4 resources, one kind to a module; `bundle` puts them together."""
