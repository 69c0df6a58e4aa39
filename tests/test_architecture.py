"""One direction, no way back: imports only go down, and the bedside never loads the workshop."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import bcma_decide

PACKAGE = Path(bcma_decide.__file__).parent

LAYERS = [
    {"version", "errors", "vocabulary", "logic"},
    {"location", "yaml_reader", "pooled", "comparison", "conditions", "profile_field"},
    {"score_book", "fields_for_numbers"},
    {"definitions", "codes", "fields_for_findings"},
    {"fields"},
    {"reading"},
    {"patient", "json_reader"},
    {"measures", "profile_io", "phrases"},
    {"drug_history", "condition_words"},
    {"facts"},
    {"scoring"},
    {"derivations"},
    {"traits", "rules"},
    {"evidence", "model"},
    {"synthesis", "answer", "explain"},
    {"findings", "outcomes", "unknowns"},
    {"assemble", "render"},
    {"clinic", "plots"},
    {"meta", "evidence_report"},
    {"cli"},
]
"""From the bottom up. A module may import its own unit and lower layers only."""

WORKSHOP = ("evidence", "synthesis", "plots", "meta", "evidence_report")

RANK = {unit: rank for rank, units in enumerate(LAYERS) for unit in units}


MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.parent != PACKAGE or path.name != "__init__.py"]


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def unit_of(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imported(path: Path) -> set[str]:
    """Units of this package that a module imports, anywhere in it, type checking included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "bcma_decide" and len(parts) > 1 and parts[1] in RANK:
                found.add(parts[1])
    return found


def test_every_module_has_its_layer():
    assert {unit_of(path) for path in MODULES} <= set(RANK)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_only_go_down(path):
    unit = unit_of(path)
    assert {other for other in imported(path) - {unit} if RANK[other] >= RANK[unit]} == set()


@pytest.mark.parametrize("path", [path for path in MODULES if unit_of(path) not in (*WORKSHOP, "cli")], ids=name_of)
def test_the_bedside_knows_nothing_of_the_workshop(path):
    assert imported(path) & set(WORKSHOP) == set()


def test_answering_for_a_patient_loads_neither_scipy_nor_the_workshop():
    code = (
        "import sys; from bcma_decide import Patient, compare; compare(Patient(age=71)).model_dump_json();"
        "print(sorted(m for m in sys.modules if m.startswith(('scipy', 'bcma_decide.evidence', 'bcma_decide.synthesis',"
        "'bcma_decide.plots', 'bcma_decide.meta', 'bcma_decide.evidence_report', 'numpy.ma.', "
        "'numpy.polynomial', 'jinja2', 'pint', 'typer', 'rich', 'yaml'))))"
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


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_drug_and_no_study_is_named_in_code(path):
    """Drugs, products and studies stand in evidence/; only examples in texts for people may name one."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))]
    docstrings = {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            named = [word for word in CLINICAL if word in node.value.lower()]
            assert not named or unit_of(path) in ("fields",), (node.lineno, named)
