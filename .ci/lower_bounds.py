"""The lowest versions that pyproject.toml allows, one ``name==version`` a line: ``python .ci/lower_bounds.py``.

Of a package that two extras name, the higher bound is given, since both are to be installed at once.
"""

import re
import sys
import tomllib
from pathlib import Path

BOUND = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?P<extras>\[[a-z0-9,-]+\])?>=(?P<lowest>[0-9][0-9.]*)")


def requirements(path: Path) -> list[str]:
    """Every requirement of the package and of its extras, as written."""
    project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *(each for extra in project["optional-dependencies"].values() for each in extra)]


def lowest(path: Path) -> dict[str, str]:
    """Name to lowest version; a requirement that is no plain lower bound is an error."""
    found: dict[str, str] = {}
    for requirement in requirements(path):
        bound = BOUND.fullmatch(requirement)
        if bound is None:
            raise SystemExit(f"{path.name}: {requirement!r} is not name>=version")
        name, version = bound["name"], bound["lowest"]
        found[name] = max(found.get(name, version), version, key=_numbers)
    return found


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


if __name__ == "__main__":
    bounds = lowest(Path(__file__).parents[1] / "pyproject.toml")
    sys.stdout.write("".join(f"{name}=={version}\n" for name, version in sorted(bounds.items())))
