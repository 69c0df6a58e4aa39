"""What pyproject.toml asks for: a lower bound for each library, and each library that is imported is asked for."""

import ast
import re
import runpy
import sys
import tomllib

import pytest

from tests.support.places import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
BOUNDS = runpy.run_path(str(ROOT / ".ci" / "lower_bounds.py"))
NAMES = {"yaml": "pyyaml", "prometheus_client": "prometheus-client", "pydantic_settings": "pydantic-settings",
         "multipart": "python-multipart", "markdown_it": "markdown-it-py"}  # fmt: skip
"""Libraries that are imported by another name than they are installed by."""
WITH_ANOTHER = {"pydantic_core": "pydantic"}
"""Libraries that come with another in one version only."""


def asked_for(*extras):
    """Names of the libraries of the program and of these extras."""
    requirements = [*PROJECT["dependencies"], *(each for extra in extras for each in EXTRAS[extra])]
    return {re.match(r"[A-Za-z0-9._-]+", each)[0] for each in requirements}


def imported(folder):
    """Names of the libraries that modules below a folder import, as they are installed."""
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    outside = found - set(sys.stdlib_module_names) - {"bcma_decide", "tests"}
    return {NAMES.get(name, WITH_ANOTHER.get(name, name)) for name in outside}


def test_every_library_has_a_lower_bound_that_was_tried():
    """`.ci/lower_bounds` installs exactly these and tries them."""
    bounds = BOUNDS["lowest"](ROOT / "pyproject.toml")
    assert set(bounds) == asked_for(*EXTRAS)
    assert all(re.fullmatch(r"[0-9]+(\.[0-9]+)*", version) for version in bounds.values())


@pytest.mark.parametrize("requirement", ["numpy", "numpy==2.0", "numpy<3", "numpy>=2,<3", "numpy~=2.0"])
def test_a_requirement_that_is_no_lower_bound_is_refused(tmp_path, requirement):
    file = tmp_path / "pyproject.toml"
    file.write_text(f'[project]\ndependencies = ["{requirement}"]\n[project.optional-dependencies]\n')
    with pytest.raises(SystemExit, match="is not name>=version"):
        BOUNDS["lowest"](file)


def test_of_two_bounds_the_higher_counts(tmp_path):
    file = tmp_path / "pyproject.toml"
    file.write_text(
        '[project]\ndependencies = ["a>=1.9"]\n[project.optional-dependencies]\nx = ["a[y]>=1.10", "b>=2"]\n'
    )
    assert BOUNDS["lowest"](file) == {"a": "1.10", "b": "2"}


def test_what_the_program_imports_is_asked_for():
    package = ROOT / "bcma_decide"
    assert imported(package) - asked_for("pdf", "clinic", "audit", "postgresql", "redis", "cohort", "spark") == set()
    bedside = set.union(*(imported(package / room) for room in ("comparing", "facts", "model", "rules", "patient")))
    assert bedside <= asked_for()


def test_linters_are_no_part_of_the_tests():
    assert not {"mypy", "ruff"} & asked_for("test")
    assert {"mypy", "ruff"} <= asked_for("lint")


def test_the_tests_that_the_lowest_versions_run_are_there():
    text = (ROOT / ".ci" / "lower_bounds").read_text(encoding="utf-8")
    named = re.findall(r"tests/[\w/.-]+", text)
    assert len(named) > 10
    assert [path for path in named if not (ROOT / path).exists()] == []
