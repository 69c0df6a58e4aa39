"""What the guide says of the service: its routes, its limits, its settings."""

import re
import tomllib

from bcma_decide.service.fetching.fhir_client import PAGES
from bcma_decide.service.sessions import IDLE, LONGEST
from bcma_decide.service.settings import Ehr, read_settings
from tests.documents.support.pages import GUIDE, blocks, table, text_of
from tests.service.support.service import app, ask, written

PAGE = GUIDE / "service.md"
UNDER_CONDITIONS = ("/smart/launch", "/smart/start")
"""There where an EHR is configured."""


def test_every_route_of_the_page_is_one():
    named = {
        path for cell, _ in table(PAGE, "route", "what it does") for path in re.findall(r"(?<![.\w}])/[\w/{}.-]*", cell)
    }
    assert len(named) > 10
    service = app()
    asked = sorted(named - set(UNDER_CONDITIONS))
    missing = [path for path in asked if ask(service, "GET", path.replace("{id}", "patient-view")).status_code == 404]
    assert missing == []
    assert ask(service, "GET", "/no-such-place").status_code == 404


def test_the_settings_shown_for_an_ehr_are_accepted(tmp_path):
    (shown,) = blocks(PAGE, "toml")
    found = read_settings(written(tmp_path, shown))
    assert [server.id for server in found.smart] == ["hospital"]
    every = re.sub(r"^# ?(?=\w+ = )", "", shown, flags=re.MULTILINE)
    keys = {key for part in (tomllib.loads(every), tomllib.loads(every)["smart"][0]) for key in part}
    assert keys <= set(type(found).model_fields) | set(Ehr.model_fields)


def test_the_limits_are_those_that_hold_where_nothing_is_set():
    text = " ".join(text_of(PAGE).split())
    found = read_settings()
    requests = f"{found.requests_per_minute:,} requests a minute of one address, {found.connections} at a time"
    assert f"{found.body_limit // 10**6} MB and {found.time_limit:.0f} s a request, {requests}" in text
    assert f"(up to {found.stop_seconds} s)" in text
    assert f"{found.fhir_seconds:.0f} s and {found.fhir_size_limit // 10**6} MB, {PAGES} pages a search" in text
    assert f"({IDLE / 60:.0f} minutes idle, {LONGEST / 3600:.0f} hours at most)" in text
