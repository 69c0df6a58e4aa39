"""The examples of deployment: the statements of the container file, the unit, and the list of what a site installs."""

import json
import re
import runpy
import shlex
import subprocess
import sys

import pytest

from bcma_decide.cli.serve import DEPLOY, EXAMPLES
from tests.cli.support.program import invoke
from tests.service.support.running import running, stop
from tests.service.support.tokens import EC, RSA, key_set
from tests.support.cases import for_each
from tests.support.places import ROOT

SBOM = runpy.run_path(str(ROOT / ".ci" / "sbom.py"))
KNOWN = {"ARG", "FROM", "RUN", "COPY", "USER", "ENV", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT"}


def statements():
    """Each statement of the container file with its text, continued lines joined."""
    text = (DEPLOY / EXAMPLES["containerfile"]).read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#")).replace("\\\n", " ").splitlines()
    return [tuple(line.split(None, 1)) for line in lines if line.strip()]


def of(name):
    return [text for word, text in statements() if word == name]


def test_every_statement_is_one_that_builders_know():
    assert {word for word, _ in statements()} == KNOWN
    assert [word for word, _ in statements()][:2] == ["ARG", "FROM"]
    assert re.fullmatch(r"BASE=docker\.io/library/python:3\.\d+-slim", *of("ARG")), "a fixed version, no latest"


def test_the_container_has_audit_sheets_and_an_unprivileged_user():
    (install,) = [text for text in of("RUN") if "pip install" in text]
    extras = set(re.search(r"/src\[([a-z,]+)\]", install)[1].split(","))
    assert {"clinic", "audit", "postgresql", "redis", "pdf"} == extras == set(SBOM["RUN_AT_A_SITE"])
    assert "--no-cache-dir" in install
    order = [word for word, _ in statements()]
    assert order.index("USER") > max(place for place, word in enumerate(order) if word == "RUN"), (
        "built as root, run as none"
    )
    assert of("USER") == ["bcma-decide"]
    assert "/var/lib/bcma-decide" in of("VOLUME")[0]


def test_packages_are_installed_without_leftovers():
    (apt,) = [text for text in of("RUN") if "apt-get" in text]
    steps = [shlex.split(step) for step in apt.split("&&")]
    assert steps[0] == ["apt-get", "update"]
    assert {"--yes", "--no-install-recommends"} <= set(steps[1])
    assert steps[-1][:2] == ["rm", "-rf"]


def test_what_it_starts_and_asks_is_there():
    entry = json.loads(of("ENTRYPOINT")[0])
    assert invoke(entry[1], "--help").exit_code == 0
    assert all(option in invoke("serve", "--help").stdout for option in entry if option.startswith("--"))
    check = json.loads(of("HEALTHCHECK")[0].removeprefix("CMD "))
    with running() as (_, port):
        asked = [each.replace(":8000", f":{port}") for each in (sys.executable, *check[1:])]
        assert subprocess.run(asked, check=False).returncode == 0
        asked[-1] = asked[-1].replace("readyz", "nowhere")
        assert subprocess.run(asked, check=False, capture_output=True).returncode != 0


def test_the_unit_hands_secrets_over_as_credentials(tmp_path):
    """What the service reads is a copy that systemd makes; here the folder of credentials is made by hand."""
    text = (DEPLOY / EXAMPLES["systemd"]).read_text(encoding="utf-8")
    assert re.search(r"^LoadCredential=bcma-decide\.toml:/etc/", text, re.MULTILINE)
    assert re.search(r"^EnvironmentFile=-/etc/bcma-decide/environment$", text, re.MULTILINE)
    command = shlex.split(re.search(r"^ExecStart=(.+)$", text, re.MULTILINE)[1].replace("%d", str(tmp_path)))
    (tmp_path / "keys.json").write_text(json.dumps(key_set(EC, RSA)))
    (tmp_path / "bcma-decide.toml").write_text(
        f'[[issuers]]\nissuer = "a"\naudience = ["b"]\njwks_file = "{tmp_path}/keys.json"\n'
    )
    (tmp_path / "bcma-decide.toml").chmod(0o400)
    with running(*command[2:], BCMA_DECIDE_REGION="EU") as (process, port):
        assert port
        code, _, err = stop(process)
    assert (code, err) == (0, "")


def whole():
    """A list in which everything stands."""
    names = SBOM["wanted"](ROOT / "pyproject.toml")
    return {"bomFormat": "CycloneDX", "metadata": {"component": {"name": "bcma-decide", "version": "1"}},
            "components": [{"name": name, "version": "1",
            "purl": f"pkg:pypi/{name}@1"} for name in sorted(names)]}  # fmt: skip


def test_the_list_of_parts_names_the_core_and_what_a_site_adds():
    names = SBOM["wanted"](ROOT / "pyproject.toml")
    assert {"numpy", "scipy", "pydantic", "uvicorn", "sqlalchemy", "psycopg", "weasyprint"} <= names
    assert SBOM["problems"](whole(), names) == []


@for_each(
    ("change", "message"),
    [
        (lambda bom: bom.update(bomFormat="SPDX"), "is not CycloneDX"),
        (lambda bom: bom["metadata"]["component"].pop("version"), "is not about a version"),
        (lambda bom: bom["components"].pop(0), "is not listed"),
        (lambda bom: bom["components"][3].update(version=""), "has no version"),
        (lambda bom: bom["components"].append({"name": "pytest"}), "belongs to the tests"),
    ],
)
def test_a_list_that_lacks_something_is_refused(tmp_path, change, message):
    bom = whole()
    change(bom)
    file = tmp_path / "sbom.json"
    file.write_text(json.dumps(bom))
    done = subprocess.run([sys.executable, ROOT / ".ci/sbom.py", file], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert message in done.stderr


def test_the_list_is_made_on_every_change():
    assert ".ci/sbom " in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("script", ["sbom", "container", "run", "nightly"])
def test_the_scripts_can_be_parsed(script):
    assert subprocess.run(["bash", "-n", ROOT / ".ci" / script], check=False).returncode == 0
