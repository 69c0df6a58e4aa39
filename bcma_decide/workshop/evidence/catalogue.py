"""All evidence files read into one typed, frozen value with a hash of their content."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bcma_decide.errors import EvidenceError, Problem
from bcma_decide.pooled.location import STUDIES, evidence_directory
from bcma_decide.strict.yaml import read_yaml
from bcma_decide.workshop.evidence.outcome_definitions import FILE as OUTCOME_DEFINITIONS
from bcma_decide.workshop.evidence.outcome_definitions import OutcomeDefinitionsFile
from bcma_decide.workshop.evidence.protocol_cohorts import FILE as PROTOCOL_COHORTS
from bcma_decide.workshop.evidence.protocol_cohorts import ProtocolCohorts
from bcma_decide.workshop.evidence.reviews import (
    AdjustedEffectsFile,
    OtherMetaAnalysesFile,
    ProductEntry,
    SourceMetaAnalysisFile,
    Vocabulary,
)
from bcma_decide.workshop.evidence.schema import Study

Shape = TypeVar("Shape", bound=BaseModel)
Kind = Literal["outcomes", "endpoints", "traits", "population", "kinetics", "regions", "products"]

ADJUSTED_EFFECTS: Final = "adjusted_effects.yaml"
OTHER_META_ANALYSES: Final = "other_meta_analyses.yaml"
SOURCE_META_ANALYSIS: Final = "source_meta_analysis.yaml"
VOCABULARY: Final = "vocabulary.yaml"
DATA_SUFFIXES: Final = (".yaml", ".yml", ".json", ".csv")
BUILT: Final = frozenset({"pooled.json", "validation.json"})
"""Files made from the evidence, so no part of its hash."""
ABOUT: Final = frozenset({"certainty_of_tables.yaml", "published_bands.yaml", "validation_history.yaml"})
"""Files that judge the numbers, or those of a table of one's own, and are behind none: no part of its hash either."""


@dataclass(frozen=True)
class Words:
    """The ids the evidence may use."""

    ids: Vocabulary

    def known(self, kind: Kind) -> Iterable[str]:
        """Return all ids of one kind."""
        words: dict[str, Any] = getattr(self.ids, kind)
        return words.keys()

    def suggestion(self, kind: Kind, word: str) -> str:
        """*did you mean ...*, or nothing when no id is near."""
        near = difflib.get_close_matches(word, list(self.known(kind)), n=1)
        return f"did you mean {near[0]}?" if near else ""

    def require(self, kind: Kind, word: str) -> None:
        """Raise an :class:`EvidenceError` unless ``word`` is an id of this kind."""
        if word not in self.known(kind):
            problem = Problem(field=word, message=f"is not one of the {kind}", fix=self.suggestion(kind, word))
            raise EvidenceError(f"unknown id among the {kind}", [problem])

    def product(self, product: str) -> ProductEntry:
        """How a product is printed."""
        self.require("products", product)
        return self.ids.products[product]


@dataclass(frozen=True)
class Catalogue:
    """Everything the evidence files say."""

    studies: tuple[Study, ...]
    """Sorted by id."""
    adjusted_effects: AdjustedEffectsFile
    other_meta_analyses: OtherMetaAnalysesFile
    source_meta_analysis: SourceMetaAnalysisFile
    vocabulary: Words
    hash: str
    """SHA-256 over the content of all evidence data files but the pooled one."""
    outcome_definitions: OutcomeDefinitionsFile
    protocol_cohorts: ProtocolCohorts

    def study(self, study: str) -> Study:
        """Return one study, or raise an :class:`EvidenceError` that suggests the nearest id."""
        for candidate in self.studies:
            if candidate.id == study:
                return candidate
        near = difflib.get_close_matches(study, [s.id for s in self.studies], n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise EvidenceError(f"no study {study!r} in the evidence{hint}")


def load_catalogue(directory: Path | None = None) -> Catalogue:
    """Read all evidence files.

    Raises
    ------
    EvidenceError
        If any file cannot be read or does not follow the schema; all such problems of all files are listed.
    """
    root = evidence_directory(directory)
    catalogue, problems = read_catalogue(root)
    if catalogue is None:
        raise EvidenceError(f"{len(problems)} problems in the evidence", problems)
    return catalogue


def read_catalogue(root: Path) -> tuple[Catalogue | None, tuple[Problem, ...]]:
    """Return the catalogue under ``root``, or every reading and schema problem of all its files."""
    problems: list[Problem] = []
    if not (root / STUDIES).is_dir():
        return None, (Problem(str(root), f"has no {STUDIES}/ folder", "name the directory of the evidence files"),)
    studies = [_read_study(path, root, problems) for path in sorted((root / STUDIES).glob("*.yaml"))]
    effects = read_shape(root / ADJUSTED_EFFECTS, AdjustedEffectsFile, root, problems)
    others = read_shape(root / OTHER_META_ANALYSES, OtherMetaAnalysesFile, root, problems)
    source = read_shape(root / SOURCE_META_ANALYSIS, SourceMetaAnalysisFile, root, problems)
    words = read_shape(root / VOCABULARY, Vocabulary, root, problems)
    defined = read_shape(root / OUTCOME_DEFINITIONS, OutcomeDefinitionsFile, root, problems)
    cohorts = read_shape(root / PROTOCOL_COHORTS, ProtocolCohorts, root, problems)
    if problems or effects is None or others is None or source is None or words is None:
        return None, tuple(problems)
    if defined is None or cohorts is None:
        return None, tuple(problems)
    return (
        Catalogue(
            studies=tuple(sorted((s for s in studies if s is not None), key=lambda s: s.id)),
            adjusted_effects=effects,
            other_meta_analyses=others,
            source_meta_analysis=source,
            vocabulary=Words(words),
            hash=evidence_hash(root),
            outcome_definitions=defined,
            protocol_cohorts=cohorts,
        ),
        (),
    )


def _read_study(path: Path, root: Path, problems: list[Problem]) -> Study | None:
    """One study, which has to be called like its file."""
    study = read_shape(path, Study, root, problems)
    if study is not None and study.id != path.stem:
        name = path.relative_to(root).as_posix()
        problems.append(Problem(field="id", message=f"is {study.id}", fix=f"call it {path.stem}", file=name))
        return None
    return study


def read_shape(path: Path, shape: type[Shape], root: Path, problems: list[Problem]) -> Shape | None:
    """Read one file in its shape; None where something is wrong with it, which is added to ``problems``."""
    name = path.relative_to(root).as_posix()
    try:
        return shape.model_validate_json(json.dumps(read_yaml(path, name=name)))
    except EvidenceError as error:
        problems.extend(error.problems)
    except ValidationError as error:
        problems.extend(_schema_problem(name, detail) for detail in error.errors(include_url=False))
    return None


def _schema_problem(file: str, detail: ErrorDetails) -> Problem:
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        message = "is not a known field"
    elif detail["type"] == "missing":
        message = "is missing"
    return Problem(field=field_path(detail["loc"]), message=message, file=file)


def field_path(parts: Iterable[str | int]) -> str:
    """``('outcomes', 3, 'events')`` as ``outcomes[3].events``."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def evidence_hash(root: Path) -> str:
    """SHA-256 over name and content of every data file under ``root`` that numbers are made from, in sorted order.

    Line endings do not count, so that a checkout on another system has the same hash.
    """
    digest = hashlib.sha256()
    paths = (p for p in root.rglob("*") if p.suffix in DATA_SUFFIXES and p.name not in BUILT | ABOUT and p.is_file())
    for name, path in sorted((p.relative_to(root).as_posix(), p) for p in paths):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
