"""Hold a CycloneDX file against pyproject.toml: ``python .ci/sbom.py FILE``; exit code 1 and what it lacks."""

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

RUN_AT_A_SITE = ("clinic", "audit", "postgresql", "redis", "pdf")


def wanted(path: Path) -> set[str]:
    """Names of every library that the program and the extras that run at a site ask for."""
    project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    asked = [
        *project["dependencies"],
        *(each for extra in RUN_AT_A_SITE for each in project["optional-dependencies"][extra]),
    ]
    return {_folded(re.match(r"[A-Za-z0-9._-]+", each)[0]) for each in asked}  # type: ignore[index]


def problems(bom: dict[str, Any], names: set[str]) -> list[str]:
    """What the list lacks; empty where it is whole."""
    found = []
    if bom.get("bomFormat") != "CycloneDX":
        found.append("is not CycloneDX")
    about = bom.get("metadata", {}).get("component", {})
    if about.get("name") != "bcma-decide" or not about.get("version"):
        found.append("is not about a version of bcma-decide")
    listed = {_folded(each.get("name", "")): each for each in bom.get("components", ())}
    found += [f"{name} is not listed" for name in sorted(names - set(listed))]
    found += [
        f"{name} has no {part}"
        for name in sorted(names & set(listed))
        for part in ("version", "purl")
        if not listed[name].get(part)
    ]
    found += [f"{name} belongs to the tests" for name in ("pytest", "ruff", "mypy", "hypothesis") if name in listed]
    return found


def _folded(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).casefold()


if __name__ == "__main__":
    lacking = problems(
        json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), wanted(Path(__file__).parents[1] / "pyproject.toml")
    )
    sys.exit("\n".join(f"{sys.argv[1]}: {each}" for each in lacking) or 0)
