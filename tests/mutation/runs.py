"""Runs of the tests in forked processes: once recorded, then once for every change."""

from __future__ import annotations

import ast
import os
import pickle
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from hypothesis import Phase, settings

from tests.mutation.changes import changed
from tests.support.places import ROOT

EXAMPLES = 40
"""Examples of a property, at most: a survivor goes through every test of its room."""
MEMORY = 6 * 2**30
"""Bytes of address space a run may take."""
PLAIN = ["-x", "-q", "-o", "addopts=", "-p", "no:cacheprovider", "--no-header", "--tb=no"]

Function = tuple[str, str]
"""File and qualified name."""
Known = dict[str, tuple[float, set[Function]]]
"""Of each test: seconds and functions."""


class Recorded:
    """What one run of a room's tests showed: how long each test takes and which functions of the room it calls."""

    def __init__(self, folder: Path) -> None:
        self.folder = f"{folder}{os.sep}"
        self.seconds: dict[str, float] = {}
        self.called: dict[str, set[Function]] = {}
        self.failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Note every function of the room that is entered while a test runs."""
        called: set[Function] = set()

        def note(frame: FrameType, event: str, _: object) -> None:
            code = frame.f_code
            if event == "call" and code.co_filename.startswith(self.folder):
                called.add((code.co_filename, code.co_qualname.split(".<locals>")[0]))

        before = time.process_time()
        sys.setprofile(note)
        try:
            return (yield)
        finally:
            sys.setprofile(None)
            self.seconds[item.nodeid], self.called[item.nodeid] = time.process_time() - before, called

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Leave out a test that fails as the code is: it tells nothing."""
        if report.failed:
            self.failed.add(report.nodeid)

    @property
    def known(self) -> Known:
        """Seconds and functions of every test that passes."""
        return {name: (seconds, self.called[name]) for name, seconds in self.seconds.items() if name not in self.failed}


class Ordered:
    """Tests in the order in which they tell: those that call the function, cheapest first, then the rest."""

    def __init__(self, known: Known, function: Function) -> None:
        self.known, self.function = known, function

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put the tests in that order."""
        items[:] = [each for each in items if each.nodeid in self.known]
        items.sort(key=lambda each: (self.function not in self.known[each.nodeid][1], self.known[each.nodeid][0]))


class Fewer:
    """Slow tests are left out; properties get fewer examples, and one that fails is enough: it is not made smaller."""

    def pytest_sessionstart(self) -> None:
        """Before the tests are imported: a property keeps what is in force then."""
        settings.register_profile(
            "mutation", settings(), max_examples=EXAMPLES, phases=[Phase.explicit, Phase.generate]
        )
        settings.load_profile("mutation")

    def pytest_collection_modifyitems(self, items: list[pytest.Function]) -> None:
        """Leave out slow tests; properties that ask for a number of their own get no more than that either."""
        items[:] = [each for each in items if not any(each.get_closest_marker(mark) for mark in ("slow", "nightly"))]
        for each in items:
            looped = getattr(each.obj, "looped", None)
            property_ = looped.function if looped else each.obj
            own = getattr(property_, "_hypothesis_internal_use_settings", None)
            if own is not None and own.max_examples > EXAMPLES:
                property_._hypothesis_internal_use_settings = settings(settings(), max_examples=EXAMPLES)


class Changed(SourceFileLoader):
    """Loads one module from a changed tree."""

    def __init__(self, name: str, path: str, tree: ast.Module) -> None:
        super().__init__(name, path)
        self.tree = tree

    def get_code(self, fullname: str) -> CodeType:
        """Compile the tree; nothing is read from or kept as byte code."""
        del fullname
        return compile(self.tree, self.path, "exec", dont_inherit=True)


class Finder:
    """Finds the changed module before any other finder does."""

    def __init__(self, source: Path, tree: ast.Module) -> None:
        self.name = ".".join(source.relative_to(ROOT).with_suffix("").parts)
        self.source, self.tree = source, tree

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Serve the module, and no other."""
        del path, target
        if name != self.name:
            return None
        loader = Changed(name, str(self.source), self.tree)
        return spec_from_file_location(name, self.source, loader=loader)


def run_tests(tests: Iterable[str], *plugins: object) -> int:
    """Run tests in this process without a word; the exit code of pytest."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    return int(pytest.main([*PLAIN, *tests], plugins=list(plugins)))


def forked(work: Callable[[], Any], seconds: float = 0.0) -> int:
    """Start a process that does the work and ends with its result; at most so many seconds of processor time."""
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        if seconds:
            resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 1))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            signal.alarm(int(20 * seconds))
        code = work()
    finally:
        os._exit(code)


def recorded(folder: Path, tests: Iterable[str]) -> Known:
    """Run a room's tests once and tell what each of them takes and calls."""
    reader, writer = os.pipe()

    def work() -> int:
        recorder = Recorded(folder)
        run_tests(["--maxfail=0", *tests], recorder, Fewer())
        with os.fdopen(writer, "wb") as out:
            pickle.dump(recorder.known, out)
        return 0

    child = forked(work)
    os.close(writer)
    with os.fdopen(reader, "rb") as back:
        found: Known = pickle.load(back)
    os.waitpid(child, 0)
    return found


def tried(source: Path, number: int | None, function: str, tests: Iterable[str], known: Known) -> int:
    """Start the tests against one change, or none; the process, which ends with 0 if none of them noticed."""
    seconds = 20 + 3 * sum(taken for taken, _ in known.values())

    def work() -> int:
        if number is not None:
            sys.meta_path.insert(0, Finder(source, changed(source, number)))
        return run_tests(tests, Fewer(), Ordered(known, (str(source), function)))

    return forked(work, seconds)
