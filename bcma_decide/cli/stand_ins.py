"""Libraries without what they import and do not use here: it would take longer to load than they do."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


@contextmanager
def stood_in(stand_ins: Mapping[str, ModuleType | None]) -> Iterator[None]:
    """Let a library find stand-ins for some modules while it is imported; None: their import fails, and is not tried.

    Modules that are loaded are not stood in for, and the others are loaded by whoever imports them later.
    """
    before = sys.modules.copy()
    sys.modules.update({**stand_ins, **before})  # type: ignore[dict-item]  # None: see `sys.modules`
    try:
        yield
    finally:
        for name in stand_ins.keys() - before.keys():
            del sys.modules[name]


def with_class(module: str, name: str) -> ModuleType:
    """A stand-in with one class; what makes an object of it gets one of the true class."""

    def made(_: type, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        return getattr(import_module(module), name)(*args, **kwargs)

    found = ModuleType(module)
    setattr(found, name, type(name, (), {"__new__": made}))
    return found
