"""A launch at the real server, by a client and by a browser."""

import json

import httpx
import pytest

from tests.clinic.ehr import Ehr, serving
from tests.clinic.test_server import running, stop
from tests.render.sheets import browser  # noqa: F401  # a fixture


def settings(server, **changes):
    """Settings as environment variables, for the one EHR."""
    ehr = {"id": "hospital", "label": "Hospital", "iss": server.iss, "client_id": server.client_id} | changes
    return {"BCMA_DECIDE_SMART": json.dumps([ehr]), "BCMA_DECIDE_FHIR_PRIVATE_NETWORKS": '["127.0.0.0/8"]'}


def known(server, port):
    """Register the service at the EHR."""
    base = f"http://127.0.0.1:{port}"
    server.redirect_uris = (f"{base}/smart/callback/hospital",)
    return base


def test_on_this_machine_the_address_to_return_to_is_that_of_the_socket():
    with serving(Ehr()) as ehr, running(**settings(ehr)) as (process, port):
        base = known(ehr, port)
        with httpx.Client(trust_env=False) as client:
            first = client.get(
                f"{base}/smart/launch", params={"iss": ehr.iss, "launch": ehr.launch()},
                headers={"Host": "evil.example"},
            )  # fmt: skip
            assert "evil" not in str(first.headers)
            sent = client.get(f"{base}/smart/launch", params={"iss": ehr.iss, "launch": ehr.launch()})
            back = client.get(sent.headers["location"]).headers["location"]
            last = client.get(back)
            assert (last.status_code, last.headers["location"]) == (303, "/")
            assert "Secure" not in str(last.headers.get_list("set-cookie"))
            assert "bcma-session" in dict(client.cookies)
        code, out, err = stop(process)
    assert (ehr.faults, code) == ([], 0)
    routes = [json.loads(line)["route"] for line in out.splitlines()]
    assert routes == ["/smart/launch", "/smart/launch", "/smart/callback/{ehr}"]
    assert not any(secret in out + err for secret in ehr.secrets())


@pytest.mark.slow
def test_a_browser_comes_from_the_ehr_to_the_page(browser):  # noqa: F811
    with serving(Ehr()) as ehr, running(**settings(ehr)) as (_, port):
        base = known(ehr, port)
        page = browser.new_context().new_page()
        page.goto(f"{base}/smart/launch?iss={ehr.iss}&launch={ehr.launch()}")
        assert page.url == f"{base}/"
        (cookie,) = page.context.cookies()
        assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("bcma-session", True, "Lax")
        assert ehr.faults == []
        page.context.close()
