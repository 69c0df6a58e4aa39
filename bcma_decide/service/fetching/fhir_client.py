"""What a client did not send is read from its FHIR server: within a time, a size and the addresses configured.

Nothing of this can fail a call: what is not read is *error*, and unknown. Nothing is tried twice: within the few
seconds of a call a second try takes the time of the other searches and adds load to a server in trouble, and the client
calls again with the next opening of the record. Only a search that a server refuses as such (400) is followed by a
plainer one. Nothing outlives a call: no connection, no cookie, no resolved address.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from time import perf_counter
from typing import Any, Final

import httpx

from bcma_decide.fhir.reading.datatypes import objects
from bcma_decide.service.fetching.addresses import is_below, read_address, read_base
from bcma_decide.service.fetching.fhir_answer import Room, Unread, Word, check_head, parse_resource, read_body
from bcma_decide.service.fetching.guarded_transport import (
    AddressRefused,
    GuardedBackend,
    GuardedTransport,
    Resolve,
    resolve,
    trusted,
)
from bcma_decide.service.fetching.searches import KINDS, Searches, Try
from bcma_decide.service.hooks.prefetch import OUTCOME, Part, part_of
from bcma_decide.service.http.metrics import Metrics
from bcma_decide.service.http.problems import OUTCOME_TYPE
from bcma_decide.service.settings import Settings
from bcma_decide.version import __version__

PAGES: Final = 10
"""Pages of one search; what lies behind them is not read."""
_ASK_AGAIN: Final[tuple[Word, ...]] = ("refused", "outcome")
"""What became of a search that may be asked in a plainer way."""
_WHY: Final[Mapping[Word, str]] = {
    "no leave": "the server does not permit it",
    "not found": "the server does not have it",
}
_TOKEN: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
"""A bearer token as RFC 6750 writes it; anything else could end the header."""


class FhirClient:
    """Reads FHIR servers as the settings allow.

    Parameters
    ----------
    settings
        As read; without ``fhir_servers`` nothing is ever contacted.
    metrics
        Told what became of each key, in one word.
    searches
        What is asked for each key.
    resolve
        How names become addresses.
    """

    def __init__(self, settings: Settings, metrics: Metrics, searches: Searches, *, resolve: Resolve = resolve) -> None:
        self._bases = tuple(base for base in map(read_base, settings.fhir_servers) if base is not None)
        self._backend = GuardedBackend(settings.fhir_private_networks, resolve)
        self._tls = trusted() if self._bases else None
        self.seconds = settings.fhir_seconds
        self.size = settings.fhir_size_limit
        self.metrics = metrics
        self.searches = searches
        self.running = asyncio.Semaphore(settings.shared_out(settings.fhir_searches))

    def admitted(self, server: str) -> httpx.URL | None:
        """The address of a server that may be contacted: a configured one, or one below it; otherwise None."""
        address = read_base(server)
        return address if address is not None and any(is_below(base, address) for base in self._bases) else None

    def open(self, token: str | None) -> httpx.AsyncClient:
        """Connections for one call; raises RuntimeError where no server is configured."""
        if self._tls is None:
            raise RuntimeError("no FHIR server is configured")
        headers = {"Accept": OUTCOME_TYPE, "Accept-Encoding": "gzip", "User-Agent": f"bcma-decide/{__version__}"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return httpx.AsyncClient(
            transport=GuardedTransport(self._backend, self._tls, len(KINDS)),
            headers=headers,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            timeout=httpx.Timeout(self.seconds, connect=self.seconds / 2),
            follow_redirects=False,
            trust_env=False,
        )


async def fetch_parts(
    client: FhirClient, server: str, token: str | None, patient_id: str, keys: Collection[str]
) -> dict[str, Part]:
    """Read parts of a patient's record, all at the same time.

    Parameters
    ----------
    client
        Holds the limits; the time counts from here for all keys together.
    server
        Base address of the FHIR server; one that is not configured is not contacted.
    token
        Sent to that server alone; None where it asks for none.
    patient_id
        Id of the patient there.
    keys
        Which of ``KINDS``.

    Returns
    -------
    dict
        For each key *complete*, *nothing* (the search found none, which may mean that none may be seen: unknown),
        *first page* (more than was read), or *error*. Raises nothing.
    """
    base = client.admitted(server)
    unfit = token is not None and not _TOKEN.fullmatch(token)
    if base is None or unfit:
        client.metrics.searched("not listed" if base is None else "token unfit", len(keys))
        return dict.fromkeys(keys, Part("error"))
    begun = perf_counter()
    until = asyncio.get_running_loop().time() + client.seconds
    async with client.open(token) as http:
        call = _Call(client, http, base, patient_id, Room(client.size), until)
        parts = await asyncio.gather(*(call.part(key) for key in keys))
    client.metrics.read_record(perf_counter() - begun)
    return dict(zip(keys, parts, strict=True))


class _Call:
    """The searches of one call: what they share."""

    def __init__(
        self, client: FhirClient, http: httpx.AsyncClient, base: httpx.URL, patient_id: str, room: Room, until: float
    ) -> None:
        self._client, self._http, self._base, self._patient_id = client, http, base, patient_id
        self._room, self._until = room, until

    async def part(self, key: str) -> Part:
        """Read one key; what came before something went wrong is kept."""
        word: Word = "refused"
        found: list[Mapping[str, Any]] = []
        try:
            tries = tuple(self._client.searches.of_patient(key, self._patient_id))
        except ValueError:  # an id that cannot stand in an address is nobody's
            word, tries = "not found", ()
        for queries in tries:
            word, found = await self._try(key, queries)
            if word not in _ASK_AGAIN:
                break
        self._client.metrics.searched(word)
        if word == "complete" or word == "nothing":
            return Part(word, tuple(found))
        return Part("first page", tuple(found)) if found else Part("error", why=_WHY.get(word, ""))

    async def _try(self, key: str, queries: Try) -> tuple[Word, list[Mapping[str, Any]]]:
        """Ask searches together; the word is that of the first that went wrong, if any did."""
        read = await asyncio.gather(*(self._search(key, query) for query in queries))
        found = list(_once(each for _, part in read for each in part))
        wrong = next((word for word, _ in read if word not in ("complete", "nothing")), None)
        return wrong or ("complete" if found else "nothing"), found

    async def _search(self, key: str, query: str) -> tuple[Word, list[Mapping[str, Any]]]:
        found: list[Mapping[str, Any]] = []
        word: Word
        try:
            async with asyncio.timeout_at(self._until), self._client.running:
                await self._pages(key, query, found)
            word = "complete" if found else "nothing"
        except Unread as unread:
            word = unread.word
        except AddressRefused:
            word = "address refused"
        except (TimeoutError, httpx.TimeoutException):
            word = "too late"
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
            word = "no answer"
        return word, found

    async def _pages(self, key: str, query: str, found: list[Mapping[str, Any]]) -> None:
        """Add resources to ``found``, page by page; raises Unread where there is more that is not read."""
        address: str | None = f"{str(self._base).rstrip('/')}/{query}"
        seen: set[str] = set()
        while address is not None:
            if len(seen) == PAGES or address in seen:
                raise Unread("first page")
            seen.add(address)
            content = await self._page(address)
            found += self._resources(key, content)
            address = _next(content, address)

    async def _page(self, address: str) -> Mapping[str, Any]:
        url = read_address(address)
        if url is None or not is_below(self._base, url):
            raise Unread("elsewhere")
        async with self._http.stream("GET", url) as answer:
            check_head(answer)
            content = await read_body(answer, self._room)
        return await asyncio.to_thread(parse_resource, content)

    def _resources(self, key: str, content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """What a page holds of what was asked for; raises Unread."""
        kind = KINDS[key]
        if kind == "Patient":
            fits = content["resourceType"] == kind and content.get("id") == self._patient_id
        else:
            fits = content["resourceType"] == "Bundle"
        if not fits:
            raise Unread("outcome" if content["resourceType"] == OUTCOME else "not FHIR")
        part = part_of(content, key)
        if part.state == "error":
            raise Unread("outcome" if _has_outcome(content) else "not FHIR")
        return [each for each in part.resources if each["resourceType"] in (kind, "Medication")]


def _has_outcome(content: Mapping[str, Any]) -> bool:
    held = (each.get("resource") for each in objects(content.get("entry")))
    return any(isinstance(each, Mapping) and each.get("resourceType") == OUTCOME for each in held)


def _once(resources: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Leave out what another search of the same key brought as well."""
    seen: dict[tuple[str, str], Mapping[str, Any]] = {}
    for each in resources:
        name = each.get("id")
        before = seen.setdefault((each["resourceType"], name), each) if isinstance(name, str) else each
        if before is each or before != each:
            yield each


def _next(content: Mapping[str, Any], address: str) -> str | None:
    """Address of the next page, as the server names it; raises Unread where it names none that can be read."""
    for link in objects(content.get("link")):
        if link.get("relation") == "next":
            url = link.get("url")
            if not isinstance(url, str) or not url:
                raise Unread("elsewhere")
            return str(httpx.URL(address).join(url))
    return None
