"""The configuration: file, environment and what is said about a mistake; what is printed to start from."""

import re
import shutil
import subprocess
import sys
import tomllib

import pytest

from bcma_decide.cli.serve import DEPLOY, EXAMPLES
from bcma_decide.errors import ServiceError
from bcma_decide.service.settings import Settings, is_loopback, read_settings, require_authentication
from tests.cli.support.program import invoke
from tests.service.support.service import written
from tests.support.cases import for_each

ISSUER = {"issuer": "https://ehr.example.org", "audience": ["https://cds.example.org*"]}


def test_options_go_before_the_environment_and_that_before_the_file(tmp_path, monkeypatch):
    file = written(tmp_path, 'host = "127.0.0.2"\nport = 1\nbody_limit = 2000\n')
    monkeypatch.setenv("BCMA_DECIDE_PORT", "2")
    monkeypatch.setenv("BCMA_DECIDE_HOST", "127.0.0.3")
    found = read_settings(file, host="127.0.0.4")
    assert (found.host, found.port, found.body_limit, found.time_limit) == ("127.0.0.4", 2, 2000, 30.0)


def test_issuers_and_lists_come_from_the_environment_as_json(monkeypatch):
    monkeypatch.setenv("BCMA_DECIDE_ISSUERS", '[{"issuer": "a", "audience": ["b"], "jwks_file": "c"}]')
    monkeypatch.setenv("BCMA_DECIDE_CORS_ORIGINS", '["https://ehr.example.org"]')
    found = read_settings()
    assert (found.issuers[0].issuer, found.cors_origins[0]) == ("a", "https://ehr.example.org")
    monkeypatch.setenv("BCMA_DECIDE_ISSUERS", "nonsense")
    with pytest.raises(ServiceError, match="BCMA_DECIDE_ISSUERS: is not JSON"):
        read_settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port = 70000", "port"),
        ("prt = 80", "prt: is not a setting"),
        ("port = ", "is not TOML"),
        ('public_url = "http://cds.example.org"', "public_url: write an https:// address"),
        ('public_url = "cds.example.org"', "public_url"),
        ('trusted_proxies = ["everyone"]', "trusted_proxies"),
        ('fhir_servers = ["http://fhir.example.org"]', "fhir_servers.0: write an https:// address"),
        ('fhir_servers = ["https://user@fhir.example.org/r4"]', "without user, query and fragment"),
        ('fhir_servers = ["https://fhir.example.org/r4?x=1"]', "without user, query and fragment"),
        ('fhir_private_networks = ["10.0.0.1/8"]', "fhir_private_networks"),
        ("fhir_seconds = 0", "fhir_seconds"),
        ('[[issuers]]\nissuer = "a"\naudience = ["b"]', "either jwks_file or jwks_url"),
        ('[[issuers]]\nissuer = "a"\naudience = ["b"]\njwks_file = "c"\njwks_url = "https://d"', "either jwks_file"),
        ('[[issuers]]\nissuer = "a"\naudience = []\njwks_file = "c"', "audience"),
        ('[[issuers]]\nissuer = "a"\naudience = ["b"]\njwks_url = "http://d.example"', "https"),
        ('[[issuers]]\nissuer = "a"\naudience = ["b"]\njwks_file = "c"\nalgorithms = ["HS256"]', "algorithms"),
        ('[[issuers]]\nissuer = "a"\naudience = ["b"]\njwks_file = "c"\nalgorithms = ["none"]', "algorithms"),
    ],
)
def test_a_mistake_is_named_with_its_field(tmp_path, text, said):
    with pytest.raises(ServiceError) as caught:
        read_settings(written(tmp_path, text))
    assert said in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ServiceError, match="cannot be read"):
        read_settings(tmp_path / "none.toml")


def test_what_is_wrong_is_not_repeated(monkeypatch):
    monkeypatch.setenv("BCMA_DECIDE_PORT", "S3CRET")
    with pytest.raises(ServiceError) as caught:
        read_settings()
    assert "S3CRET" not in str(caught.value)


@for_each(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("192.168.1.4", False), ("cds.example.org", False), ("", False)],
)  # fmt: skip
def test_only_addresses_of_this_machine_may_be_open(host, expected):
    assert is_loopback(host) is expected
    settings = Settings(host=host)
    if expected:
        require_authentication(settings)
    else:
        with pytest.raises(ServiceError, match="without authentication"):
            require_authentication(settings)
    require_authentication(Settings(host=host, issuers=[ISSUER | {"jwks_file": "x"}]))


def test_the_printed_configuration_can_be_used_and_names_every_setting(tmp_path):
    text = invoke("serve", "--print", "config").stdout
    found = read_settings(written(tmp_path, text))
    assert found.issuers[0].algorithms == ("ES384", "RS384")
    assert {name for name in Settings.model_fields if name not in text} == set()
    bare = "\n".join(line.removeprefix("# ") if line.startswith("# ") and " = " in line else line
                     for line in text.splitlines() if "or: " not in line and "BCMA_DECIDE" not in line)  # fmt: skip
    values = tomllib.loads(bare)
    defaults = Settings()
    for name in set(values) - {"audit", "issuers", "public_url", "smart_launch_url", "store"}:
        assert getattr(Settings(**{name: values[name]}), name) == getattr(defaults, name), name


def test_systemd_finds_nothing_wrong_with_its_example(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("not installed: systemd-analyze")
    unit = tmp_path / EXAMPLES["systemd"]
    text = (DEPLOY / unit.name).read_text(encoding="utf-8")
    command = re.search(r"ExecStart=(\S+)", text)[1]
    unit.write_text(text.replace(command, sys.executable))
    found = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert [line for line in found.stderr.splitlines() if unit.name in line] == []


@pytest.mark.parametrize(("what", "part"), [("containerfile", "USER bcma-decide"), ("systemd", "ExecStart=")])
def test_examples_of_deployment_are_printed(what, part):
    result = invoke("serve", "--print", what)
    assert result.exit_code == 0
    assert part in result.stdout


def test_without_a_part_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr("bcma_decide.cli.serve.EXTRA", ("fastapi", "no_such_library"))
    result = invoke("serve")
    assert result.exit_code == 2
    assert 'no_such_library (install: pip install "bcma-decide[clinic]")' in result.output


@for_each("address", ["https://[::ffff:10.0.0.1]/fhir", "https://ehr.example.org/fhir/..;/x",
"https://ehr.example.org/%252e%252e/x",
                      "https://ehr.example.org/a/../b", "https://2130706433/fhir",
                      "https://[64:ff9b::a00:1]/fhir"])  # fmt: skip
def test_a_server_in_disguise_is_no_setting(address):
    with pytest.raises(ValueError, match="in disguise"):
        Settings(fhir_servers=(address,))
    with pytest.raises(ValueError, match="in disguise"):
        Settings(smart=({"id": "a", "iss": address, "client_id": "x"},))
