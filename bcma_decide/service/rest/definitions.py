"""``GET /fhir/StructureDefinition``: what the extensions mean that stand in the FHIR resources written here."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse

from bcma_decide.fhir.writing.definitions import structure_definitions
from bcma_decide.service.http.problems import Refusal
from bcma_decide.service.rest.media import FHIR

DEFINITIONS: Final = "/fhir/StructureDefinition"
"""Open to everybody, as ``/guide`` is: nothing there is of a patient, and who resolves an address brings no token."""


def definitions_router() -> APIRouter:
    """Build the search and the read."""
    router = APIRouter(tags=["FHIR"])

    @router.get(DEFINITIONS, summary="StructureDefinitions of the extensions")
    async def search(
        url: Annotated[str | None, Query(description="Address of the extension; all without.")] = None,
    ) -> JSONResponse:
        """Find definitions, as a Bundle."""
        found = [each for each in _definitions().values() if url in (None, each["url"])]
        entries = [{"resource": each, "search": {"mode": "match"}} for each in found]
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
        return JSONResponse(bundle | ({"entry": entries} if entries else {}), media_type=FHIR)

    @router.get(f"{DEFINITIONS}/{{name}}", summary="One StructureDefinition")
    async def read(name: str) -> JSONResponse:
        """Return the definition of an extension."""
        if name not in _definitions():
            raise Refusal(404, "there is no such definition")
        return JSONResponse(_definitions()[name], media_type=FHIR)

    return router


@cache
def _definitions() -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in structure_definitions()}
