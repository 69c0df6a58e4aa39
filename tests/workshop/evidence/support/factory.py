"""Small hand-made evidence: studies as plain mappings, a catalogue in memory, a directory on disk."""

from __future__ import annotations

import json
import re
import shutil
from functools import cache
from pathlib import Path

import yaml

from bcma_decide.pooled import location
from bcma_decide.workshop.evidence.catalogue import Catalogue, Words, load_catalogue
from bcma_decide.workshop.evidence.protocol_cohorts import ProtocolCohorts
from bcma_decide.workshop.evidence.reviews import AdjustedEffectsFile, OtherMetaAnalysesFile, SourceMetaAnalysisFile
from bcma_decide.workshop.evidence.schema import Study

SHARED = (
    "adjusted_effects.yaml",
    "assumptions.yaml",
    "contradictions.yaml",
    "definitions.yaml",
    "laboratory_variation.yaml",
    "news.yaml",
    "other_meta_analyses.yaml",
    "outcome_definitions.yaml",
    "products.yaml",
    "scores.yaml",
    "source_meta_analysis.yaml",
    "vocabulary.yaml",
)


def row(outcome="orr", events=30, n=50, **fields):
    return {"outcome": outcome, "events": events, "n": n, "primary": True, "basis": "verified", "source": "S1"} | fields


def split(trait, level, events, n, outcome="orr", **fields):
    figure = {"outcome": outcome, "trait": trait, "level": level, "events": events, "n": n}
    return figure | {"basis": "verified", "source": "S1"} | fields


def plain_study(name="alpha", **fields):
    return {
        "id": name,
        "name": name.upper(),
        "design": "interventional",
        "class_id": "bite",
        "products": ["teclistamab"],
        "product_text": "teclistamab",
        "targets": ["BCMA"],
        "region": "usa",
        "region_text": "USA",
        "search_window": True,
        "pooling": {"role": "whole_group"},
        "outcomes": [row()],
        "sources": {"S1": {"citation": "A paper", "pmid": 1}},
    } | fields


def study(name="alpha", **fields):
    return Study.model_validate_json(json.dumps(plain_study(name, **fields)))


@cache
def shipped():
    """The evidence as it is, read once."""
    return load_catalogue()


def catalogue(*studies, cohorts=None):
    """The studies with the real vocabulary and no reviews."""
    return Catalogue(
        studies=tuple(sorted(studies, key=lambda s: s.id)),
        adjusted_effects=AdjustedEffectsFile(effects=(), sources={}),
        other_meta_analyses=OtherMetaAnalysesFile(meta_analyses=(), comparisons=(), sources={}),
        source_meta_analysis=SourceMetaAnalysisFile(
            title="t", journal="j", facts=(), pooled=(), safety_directions=(), meta_regression=(), sources={}
        ),
        vocabulary=Words(shipped().vocabulary.ids),
        hash="",
        outcome_definitions=shipped().outcome_definitions,
        protocol_cohorts=cohorts or ProtocolCohorts(),
    )


def evidence_directory(tmp_path: Path, *studies: dict) -> Path:
    """A directory with these studies and the real shared files."""
    root = tmp_path / "evidence"
    (root / "studies").mkdir(parents=True)
    for name in SHARED:
        shutil.copy(location.evidence_directory() / name, root / name)
    effects = root / "adjusted_effects.yaml"
    # its rows name studies of the real evidence, which are not here
    effects.write_text(re.sub(r", study: [a-z0-9-]+", "", effects.read_text(encoding="utf-8")), encoding="utf-8")
    for folder in ("codes", "rules"):
        shutil.copytree(location.evidence_directory() / folder, root / folder)
    (root / "limits.yaml").write_text("limits: []\n", encoding="utf-8")
    (root / "published_options.yaml").write_text("options: []\n", encoding="utf-8")
    (root / "quoted_survival.yaml").write_text("groups: []\nstudies: []\n", encoding="utf-8")
    (root / "way_to_infusion.yaml").write_text("ways: []\n", encoding="utf-8")
    (root / "order_of_therapies.yaml").write_text("entries: []\n", encoding="utf-8")
    (root / "protocol_cohorts.yaml").write_text("contrasts: []\n", encoding="utf-8")
    (root / "trait_correlations.yaml").write_text("pairs: []\n", encoding="utf-8")
    (root / "pooled_effects.yaml").write_text("effects: []\n", encoding="utf-8")
    for content in studies:
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        (root / "studies" / f"{content['id']}.yaml").write_text(text, encoding="utf-8")
    return root
