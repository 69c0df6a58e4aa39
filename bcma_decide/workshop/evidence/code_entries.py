"""How one code stands in ``evidence/codes/*.yaml``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bcma_decide.pooled.codes import CodeBasis
from bcma_decide.workshop.evidence.schema import Strict

SystemId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
CodeText = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9./:-]*$")]
FieldId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class CodeEntry(Strict):
    """One code and how it is known."""

    system: SystemId
    code: CodeText
    basis: CodeBasis
    text: str = ""
    source: str | None = None
    note: str = ""
    not_used: str = ""


class AnswerEntry(Strict):
    """A coded result."""

    system: SystemId
    code: CodeText
    value: str
    basis: CodeBasis
    source: str | None = None


CodeEntries = Annotated[tuple[CodeEntry, ...], Field(min_length=1)]
