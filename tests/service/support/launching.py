"""A browser for launches: it keeps cookies of the service, and follows from the EHR to the service and back."""

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

import httpx

from bcma_decide.cli.serve import _read
from bcma_decide.service.sessions import Sessions
from bcma_decide.service.shared.store import Memory
from tests.service.support import ehr as hospital
from tests.service.support.service import TODAY, app, model, run

PUBLIC = "https://cds.example.org"
LOOPBACK = ("127.0.0.0/8",)


def configured(*servers, **settings):
    """The service in this process, with these EHRs; each knows where it may send browsers back to."""
    entries = []
    for number, server in enumerate(servers, 1):
        name = f"ehr-{number}"
        server.redirect_uris = (f"{PUBLIC}/smart/callback/{name}",)
        entries.append({"id": name, "label": f"Hospital {number}", "iss": server.iss, "client_id": server.client_id})
    entries = [entry | settings.pop("ehr", {}) for entry in entries]
    whole = {"public_url": PUBLIC, "fhir_private_networks": LOOPBACK, "smart": entries} | settings
    store = Memory()
    sessions = Sessions(store, secure=True)
    application = app(reading=partial(_read, model()), sessions=sessions, store=store, **whole)
    application.state.sessions = sessions
    return application


@asynccontextmanager
async def browser(application):
    """A client of the service that keeps its cookies and follows nothing by itself."""
    transport = httpx.ASGITransport(application, client=("127.0.0.1", 40000))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC) as found:
        yield found


async def begun(client, server, *, standalone=False, name="ehr-1", **parameters):
    """Where the authorization server sends the browser back to."""
    if standalone:
        sent = await client.get("/smart/start", params={"ehr": name} | parameters)
    else:
        sent = await client.get("/smart/launch", params={"iss": server.iss, "launch": server.launch()} | parameters)
    assert sent.status_code == 303, sent.text
    async with httpx.AsyncClient(trust_env=False) as outside:
        answer = await outside.get(sent.headers["location"])
    assert answer.status_code == 302, (answer.text, server.faults)
    return answer.headers["location"]


async def returned(client, address):
    """The answer of the service to the return of a browser."""
    parts = urlsplit(address)
    return await client.get(f"{parts.path}?{parts.query}")


async def launched(client, server, **options):
    """The whole way; gives the last answer, once the token is given back."""
    answer = await returned(client, await begun(client, server, **options))
    await asyncio.gather(*(task for task in asyncio.all_tasks() if "revoke" in repr(task.get_coro())))
    return answer


async def filled(application, client):
    """What the browser's session is filled with."""
    return await application.state.sessions.find(dict(client.cookies))


__all__ = ["PUBLIC", "TODAY", "begun", "browser", "configured", "filled", "hospital", "launched", "returned"]


def launch(application, server, **options):
    """The last answer of a whole launch, and what the session is filled with."""

    async def going():
        async with browser(application) as client:
            answer = await launched(client, server, **options)
            return answer, await filled(application, client)

    return run(going)
