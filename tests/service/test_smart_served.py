"""A launch at the real server, by a client and by a browser."""

import json

import httpx
import pytest
from starlette.responses import HTMLResponse

from tests.render.support.sheets import CHROMIUM, QUIET
from tests.service.support.ehr import Ehr, serving
from tests.service.support.running import running, stop
from tests.service.support.tls_proxy import listening


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
            assert (first.status_code, "evil" in str(first.headers)) == (421, False)
            sent = client.get(f"{base}/smart/launch", params={"iss": ehr.iss, "launch": ehr.launch()})
            back = client.get(sent.headers["location"]).headers["location"]
            last = client.get(back)
            assert (last.status_code, last.headers["location"]) == (303, "/")
            assert "Secure" not in str(last.headers.get_list("set-cookie"))
            assert "bcma-session" in dict(client.cookies)
        code, out, err = stop(process)
    assert (ehr.faults, code) == ([], 0)
    routes = [json.loads(line)["route"] for line in out.splitlines()]
    assert routes == ["unknown", "/smart/launch", "/smart/callback/{ehr}"]
    assert not any(secret in out + err for secret in ehr.secrets())


@pytest.mark.slow
@pytest.mark.sample
def test_a_browser_comes_from_the_ehr_to_the_page(browser):
    with serving(Ehr()) as ehr, running(**settings(ehr)) as (_, port):
        base = known(ehr, port)
        page = browser.new_context().new_page()
        page.goto(f"{base}/smart/launch?iss={ehr.iss}&launch={ehr.launch()}")
        assert page.url == f"{base}/"
        assert page.get_by_text("Maria <b>Eva</b> Testperson-Äß, born").is_visible()
        shown = page.locator("[name=age]").input_value()
        assert shown == "58", shown
        assert page.get_by_text("From the record").count() > 5
        assert "of 100" in page.inner_text("main")
        (cookie,) = page.context.cookies()
        assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("bcma-session", True, "Lax")
        assert ehr.faults == []
        page.context.close()


@pytest.mark.slow
def test_in_a_frame_of_the_ehr_too_where_browsers_block_cookies_of_other_sites(browser, tmp_path):
    """The EHR on 127.0.0.1 frames the service on https://localhost: another site, so its cookies are third-party."""
    with serving(Ehr()) as ehr, listening(tmp_path) as (secure, leads_to):
        public = f"https://localhost:{secure}"
        ehr.redirect_uris = (f"{public}/smart/callback/hospital",)
        variables = settings(ehr) | {"BCMA_DECIDE_PUBLIC_URL": public}
        for allowed in (True, False):
            origins = [ehr.base] if allowed else ["https://other.example.org"]
            with running(**variables, BCMA_DECIDE_FRAME_ANCESTORS=json.dumps(origins)) as (_, port):
                leads_to.append(port)
                ehr.raw["/chart"] = HTMLResponse(
                    f'<iframe src="{public}/smart/launch?iss={ehr.iss}&launch={ehr.launch()}"></iframe>'
                )
                blocking = browser.browser_type.launch(
                    executable_path=CHROMIUM, args=[*QUIET, "--test-third-party-cookie-phaseout"]
                )
                page = blocking.new_context(ignore_https_errors=True).new_page()
                page.goto(f"{ehr.base}/chart")
                page.wait_for_load_state("networkidle")
                found = page.context.cookies()
                where = page.frames[1].url
                filled = page.frames[1].get_by_text("Testperson").count()
                blocking.close()
            if allowed:
                assert (where, filled) == (f"{public}/", 1)
                assert [each["name"] for each in found] == ["__Host-bcma-session"]
                assert found[0]["partitionKey"] == "http://127.0.0.1"
            else:
                assert where.startswith("chrome-error:")
        assert ehr.faults == []
