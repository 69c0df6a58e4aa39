"""One direction, no way back: imports only go down, the bedside never loads the workshop, and there is no circle."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import bcma_decide
from tests.support.rooms import GROUND, ROOMS, ROOT_MODULES

PACKAGE = Path(bcma_decide.__file__).parent


RANK = {room: rank for rank, rooms in enumerate(ROOMS) for room in rooms}
APART = (("workshop.meta_analysis", "workshop.patient_model"), ("workshop.patient_model", "workshop.meta_analysis"))
"""Inside the workshop, the patient's model and the library of published-style methods stand apart."""

MODULES = sorted(PACKAGE.rglob("*.py"))


def module_of(path: Path) -> str:
    """Dotted name below the package; of a folder, the name of the folder."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> str:
    first = module.split(".")[0]
    return "ground" if first in GROUND else first


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imported(path: Path) -> frozenset[str]:
    """Modules of this package that a module imports, anywhere in it, type checking included."""
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("bcma_decide"):
            base = node.module.removeprefix("bcma_decide").removeprefix(".")
            for alias in node.names:
                inside = f"{base}.{alias.name}".strip(".")
                found.add(inside if inside in NAMES else base)
        elif isinstance(node, ast.Import):
            found |= {alias.name.removeprefix("bcma_decide.") for alias in node.names if "bcma_decide." in alias.name}
    return frozenset(found - {""})


NAMES = {module_of(path): path for path in MODULES if module_of(path) != "__init__"}


def test_the_root_holds_nothing_but_the_ground():
    assert {path.stem for path in PACKAGE.glob("*.py")} == ROOT_MODULES


def test_every_room_has_its_place():
    assert {room_of(name) for name in NAMES} == set(RANK)


def test_imports_only_go_down():
    up = [
        (name, other)
        for name, path in NAMES.items()
        for other in imported(path)
        if room_of(other) != room_of(name) and RANK[room_of(other)] >= RANK[room_of(name)]
    ]
    assert up == []


def test_the_bedside_knows_nothing_of_the_workshop():
    inside = [(name, other) for name, path in NAMES.items() if not name.startswith(("workshop", "cli"))
              for other in imported(path) if other.startswith("workshop")]  # fmt: skip
    assert inside == []


@pytest.mark.parametrize(("one", "other"), APART)
def test_the_two_halves_of_the_workshop_stand_apart(one, other):
    crossing = [(name, each) for name, path in NAMES.items() if name.startswith(one)
                for each in imported(path) if each.startswith(other)]  # fmt: skip
    assert crossing == []


def test_there_is_no_circle():
    """No module reaches itself by imports, those for types and inside functions included."""
    graph = {name: {each for each in imported(path) if each in NAMES} for name, path in NAMES.items()}
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join((*above[above.index(name) :], name))
        if name not in done:
            for other in sorted(graph[name]):
                visit(other, (*above, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_answering_for_a_patient_loads_neither_scipy_nor_the_workshop():
    code = (
        "import sys; from bcma_decide import Patient, compare; compare(Patient(age=71)).model_dump_json();"
        "heavy = ('scipy', 'bcma_decide.workshop', 'numpy.ma.', 'numpy.polynomial',"
        " 'jinja2', 'pint', 'typer', 'rich', 'yaml', 'pydantic');"
        "print(sorted(m for m in sys.modules if m.startswith(heavy)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_importing_the_package_loads_nothing_heavy_and_reads_no_file():
    code = (
        "import sys, bcma_decide;"
        "print(sorted(m for m in sys.modules if m in ('numpy', 'pydantic', 'scipy', 'rich', 'typer', 'yaml')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_public_names_are_listed_sorted_and_all_there():
    assert bcma_decide.__all__ == sorted(bcma_decide.__all__)
    for name in bcma_decide.__all__:
        assert getattr(bcma_decide, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        bcma_decide.nonsense  # noqa: B018


def test_compare_is_the_function_and_patient_the_class():
    from bcma_decide import Patient, compare

    assert callable(compare)
    assert compare(Patient(age=70)).options[0].id == "car_t"


CLINICAL = (
    "lenalidomide",
    "bortezomib",
    "daratumumab",
    "teclistamab",
    "elranatamab",
    "cartitude",
    "karmma",
    "majestec",
)


def test_no_drug_and_no_study_is_named_in_code():
    """Drugs, products and studies stand in evidence/; only examples in texts for people may name one."""
    named = []
    for path in MODULES:
        tree = tree_of(path)
        bodies = [node.body for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))]
        docstrings = {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}
        named += [
            (module_of(path), node.lineno, word)
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
            for word in CLINICAL
            if word in node.value.lower()
        ]
    assert {module for module, _, _ in named} <= {"patient.fields", "patient.fields_for_numbers"}, named
