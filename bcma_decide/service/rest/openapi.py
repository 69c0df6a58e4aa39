"""The parts of the OpenAPI description that the routes do not give by themselves: bodies and working examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.files import describe_example, example_names, example_path, read_values
from bcma_decide.patient.names import LABS
from bcma_decide.service.rest.media import FHIR
from bcma_decide.value import Value, schemas_of

_SCHEMAS: Final = "#/components/schemas/"

_KINDS: Final[dict[str, dict[str, Any]]] = {
    "whole": {"type": ["integer", "string", "null"]},
    "yes_no": {"type": ["boolean", "string", "null"]},
    "stage": {"type": ["integer", "string", "null"]},
    "choice": {"type": ["string", "null"]},
    "quantity": {"type": ["string", "object", "number", "null"]},
    "drugs": {"type": ["array", "string", "null"], "items": {"type": "string"}},
    "courses": {"type": ["array", "string", "null"]},
}

_PATIENT: Final = {"resourceType": "Patient", "id": "1", "birthDate": "1955-03-01", "gender": "female"}
_MYELOMA: Final = {"resourceType": "Condition", "id": "mm", "code": {"text": "Multiple myeloma"}}


def comparison_body(shape: type[BaseModel]) -> dict[str, Any]:
    """Describe the two bodies of a comparison: the request, and a FHIR Bundle alone."""
    examples = {**comparison_examples(), "record": {"record": record_example(), "date": "2026-11-26"}}
    described = body_of(shape, examples)
    described["requestBody"]["content"][FHIR] = {
        "schema": record_schema(),
        "examples": {"record": {"value": record_example()}},
    }
    return described


def body_of(shape: type[BaseModel], examples: Mapping[str, object]) -> dict[str, Any]:
    """Describe a JSON body by its shape, with named examples."""
    schema = shape.model_json_schema(ref_template=_SCHEMAS + "{model}")
    schema.pop("$defs", None)
    named = {name: {"value": value} for name, value in examples.items()}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema, "examples": named}}}}


def shared_schemas(*shapes: type[BaseModel]) -> dict[str, Any]:
    """Parts that the shapes refer to, by name."""
    found: dict[str, Any] = {}
    for shape in shapes:
        found |= shape.model_json_schema(ref_template=_SCHEMAS + "{model}").get("$defs", {})
    return found


def json_of(shape: type[Value]) -> dict[str, Any]:
    """Describe a JSON answer by its shape, which stands among the shared schemas."""
    return {"application/json": {"schema": {"$ref": f"{_SCHEMAS}{shape.__name__}"}}}


def answer_schemas(*shapes: type[Value]) -> dict[str, Any]:
    """The shapes of answers and their parts, by name."""
    return schemas_of(*shapes, place=_SCHEMAS)


def profile_schema() -> dict[str, Any]:
    """The profile field by field, as people and forms may write it."""
    properties = {
        field.id: {
            **_KINDS[field.kind],
            "description": f"{field.label}: {field.answer}.",
            **({"examples": [field.example]} if field.example else {}),
        }
        for field in FIELDS.values()
    }
    properties[LABS] = {"type": ["string", "null"], "description": "A pasted list of laboratory values, one a line."}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def record_schema() -> dict[str, Any]:
    """A FHIR Bundle, as far as it is told here."""
    return {
        "type": "object",
        "description": "A FHIR R4 Bundle of one patient. What is old, without a unit, contradictory or under an "
        "unchecked code is listed in profile.inputs of the answer and not used.",
        "properties": {"resourceType": {"const": "Bundle"}},
        "required": ["resourceType"],
    }


def record_example() -> dict[str, Any]:
    """A record small enough to read: the patient, the disease, one measurement."""
    about = {"subject": {"reference": "Patient/1"}}
    hemoglobin = {
        "resourceType": "Observation",
        "id": "hb",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}], "text": "Hemoglobin"},
        "effectiveDateTime": "2026-11-22",
        "valueQuantity": {"value": 9.8, "unit": "g/dL", "system": "http://unitsofmeasure.org", "code": "g/dL"},
        **about,
    }
    resources = [_PATIENT, {**_MYELOMA, **about}, hemoglobin]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in resources]}


def comparison_examples() -> dict[str, Any]:
    """The shipped examples as bodies."""
    return {name: {"profile": read_values(example_path(name))} for name in example_names() if describe_example(name)}


def hooks_examples() -> dict[str, Any]:
    """A call of the first service, small enough to read."""
    condition = {**_MYELOMA, "subject": {"reference": "Patient/1"}}
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": condition}]}
    return {
        "patient-view": {
            "hook": "patient-view",
            "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "context": {"userId": "Practitioner/1", "patientId": "1"},
            "prefetch": {"patient": _PATIENT, "conditions": bundle},
        }
    }
