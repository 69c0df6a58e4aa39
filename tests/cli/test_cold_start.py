"""What a start of the program loads, and what it costs in CPU time against the libraries it stands on."""

import os
import subprocess
import sys

import pytest

from tests.cli.support.program import environment

LIBRARIES = "import numpy, pydantic, typer, rich"
PROGRAM = "import sys; from bcma_decide.cli import main; sys.argv[0] = 'bcma-decide'; main()"
LOADED = """
import atexit, sys
atexit.register(lambda: sys.stderr.write("\\n" + " ".join(sys.modules)))
"""
DRAWING = ("rich", "babel", "jinja2", "markupsafe", "gettext", "bcma_decide.render")
ELSEWHERE = ("scipy", "pint", "sqlalchemy", "fastapi", "bcma_decide.workshop", "bcma_decide.fhir",
             "bcma_decide.service",
             "bcma_decide.cohort", "pyarrow", "numpy.ma.core", "numpy.polynomial", "numpy.random")  # fmt: skip
ANSWER = ("compare", "--example", "fit-58")
NOT_LOADED = {
    (*ANSWER, "--json"): ("pydantic", "typer", "yaml", "bcma_decide.pooled.codes", "typing_extensions", "statistics",
                          "fractions", "calendar", "shutil", *DRAWING, *ELSEWHERE),
    ANSWER: ("pydantic", "typer", "yaml", "babel", "jinja2", "markupsafe", "bcma_decide.render.sheet",
             "bcma_decide.pooled.codes", "rich.markdown", "rich.traceback", *ELSEWHERE),
    **{
        (*words, "--help"): ("numpy", "pydantic", "msgspec", "yaml", "babel", "jinja2", "markupsafe", "rich.markdown",
                             "rich.traceback", "bcma_decide.comparing", "bcma_decide.patient.profile", *ELSEWHERE)
        for words in ((), ("compare",), ("batch",), ("score",), ("rules", "list"), ("evidence", "build"), ("meta",),
                      ("serve",), ("replay",), ("guide",))
    },
}  # fmt: skip


def modules(code, *words):
    """What is loaded at the end of a program."""
    done = subprocess.run([sys.executable, "-c", LOADED + code, *words], capture_output=True, text=True, check=True,
                          env=environment(COLUMNS="80"))  # fmt: skip
    return done.stderr.splitlines()[-1].split()


def of(names, loaded):
    return sorted(each for each in loaded if any(each == name or each.startswith(f"{name}.") for name in names))


@pytest.mark.parametrize("words", NOT_LOADED, ids=" ".join)
def test_what_is_not_needed_is_not_loaded(words):
    assert of(NOT_LOADED[words], modules(PROGRAM, *words)) == []


def test_the_package_alone_loads_nothing_beside_itself():
    loaded = set(modules("import bcma_decide")) - set(modules("import __future__, typing, importlib"))
    assert loaded == {"bcma_decide", "bcma_decide.version"}


REACHED = {
    (*ANSWER, "--json"): 1.65,
    ANSWER: 2.05,
    ("--help",): 0.9,
    ("compare", "--help"): 1.2,
    ("rules", "list", "--help"): 0.95,
}
"""CPU time of a start, in starts of an interpreter that loads the libraries."""
SLACK = 1.3
ROUNDS = 7


def cpu(code, *words):
    """CPU seconds of one process."""
    started = subprocess.Popen([sys.executable, "-c", code, *words], stdout=subprocess.DEVNULL,
                               env=environment(COLUMNS="80", OPENBLAS_NUM_THREADS="1"))  # fmt: skip
    _, status, used = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    assert started.returncode == 0
    return used.ru_utime + used.ru_stime


@pytest.mark.slow
@pytest.mark.sample
@pytest.mark.skipif(not hasattr(os, "wait4"), reason="CPU time of a child")
@pytest.mark.skipif(sys.dont_write_bytecode, reason="without compiled files every start compiles the program")
def test_a_start_costs_no_more_than_it_did():
    """The least of several rounds, with the libraries in every round: what else runs on the machine falls out."""
    least = dict.fromkeys(REACHED, float("inf"))
    libraries = float("inf")
    for _ in range(ROUNDS):
        libraries = min(libraries, cpu(LIBRARIES))
        for words in REACHED:
            least[words] = min(least[words], cpu(PROGRAM, *words))
    ratios = {words: round(seconds / libraries, 2) for words, seconds in least.items()}
    assert {words: ratio for words, ratio in ratios.items() if ratio > SLACK * REACHED[words]} == {}
