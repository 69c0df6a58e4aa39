"""Recalled figures: all of them listed, and what including them would do."""

from __future__ import annotations

import yaml

from bcma_decide.pooled.location import evidence_directory
from bcma_decide.workshop.evidence_report.published import pool_outcome
from tests.workshop.evidence_report.support.reading import catalogue, table


def marked(value):
    """How many mappings of a YAML document carry a recalled basis."""
    if isinstance(value, dict):
        own = "recalled" in (value.get("basis"), value.get("events_basis"), value.get("n_basis"))
        return own + sum(marked(inner) for inner in value.values())
    return sum(marked(inner) for inner in value) if isinstance(value, list) else 0


def test_every_recalled_figure_of_every_file_is_listed():
    """Counted in the files themselves, without the classes that read them."""
    directory = evidence_directory()
    files = [*sorted((directory / "studies").glob("*.yaml")), directory / "adjusted_effects.yaml"]
    files += [directory / "other_meta_analyses.yaml", directory / "source_meta_analysis.yaml"]
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    in_files = {
        path.relative_to(directory).as_posix(): marked(yaml.load(path.read_text(encoding="utf-8"), loader))
        for path in files
    }
    listed = table("Every recalled figure")
    in_page = {name: listed.column("File").count(name) for name in in_files}
    assert in_page == in_files
    assert len(listed.rows) == sum(in_files.values()) > 300
    assert len(set(zip(listed.column("File"), listed.column("Field"), strict=True))) == len(listed.rows)


def test_what_including_them_changes_is_what_the_pooling_gives():
    read = table("Pooled rates without and with recalled figures")
    assert len(read.rows) > 20
    for label, name, _, without, k, together, _ in read.rows:
        if label != "Response (PR or better)":
            continue
        for unverified, cell in ((False, without), (True, together)):
            groups = pool_outcome(catalogue(), "orr", include_unverified=unverified).groups
            [group] = [each for each in groups if each.group == name]
            assert f"{100 * group.estimate:.1f} (" in cell
        assert int(k) == group.k
