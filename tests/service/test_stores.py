"""The memory that workers share: of one process, in a file, on a real server; each keeps the same promises."""

import asyncio
import stat
import threading
from itertools import pairwise

import pytest

from bcma_decide.errors import ServiceError
from bcma_decide.service.settings import read_settings
from bcma_decide.service.shared.sealing import place_of, seal, unseal
from bcma_decide.service.shared.store import Memory, StoreError
from bcma_decide.service.shared.store_address import open_store
from tests.service.support.redis import SERVER, redis_server
from tests.service.support.service import app, ask, run
from tests.service.support.tokens import bearer, issuer, token

needs_server = pytest.mark.skipif(SERVER is None, reason="no redis-server and no valkey-server")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with redis_server(tmp_path_factory.mktemp("redis")) as found:
        yield found


@pytest.fixture(params=["memory", "sqlite", pytest.param("redis", marks=needs_server)])
def two(request, tmp_path):
    """Two workers' views of one memory, empty."""
    if request.param == "memory":
        store = Memory()
        return lambda: (store, store)
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path}/store.db"
        return lambda: (open_store(address), open_store(address))
    server = request.getfixturevalue("server")
    server.stop()
    server.start()
    return lambda: (open_store(server.address), open_store(server.address))


def going(two, function):
    async def all_of_it():
        one, other = two()
        try:
            await function(one, other)
        finally:
            await one.close()
            await other.close()

    run(all_of_it)


def test_what_one_keeps_the_other_finds_until_it_is_taken_once(two):
    async def check(one, other):
        await one.put("session", b"a", b"content \x00\xff", 60, 10)
        assert await other.get("session", b"a") == b"content \x00\xff"
        assert await other.get("login", b"a") is None, "spaces stand apart"
        assert await other.take("session", b"a") == b"content \x00\xff"
        assert await one.take("session", b"a") is None
        assert await one.get("session", b"a") is None

    going(two, check)


def test_what_is_over_is_not_there_and_what_is_touched_stays(two):
    async def check(one, other):
        await one.put("session", b"short", b"1", 0.2, 10)
        await one.put("session", b"long", b"2", 0.2, 10)
        await other.touch("session", b"long", 60)
        await other.touch("session", b"never there", 60)
        await asyncio.sleep(0.3)
        assert await one.get("session", b"short") is None
        assert await one.take("session", b"short") is None
        assert await one.get("session", b"long") == b"2"
        await one.sweep()
        assert await one.get("session", b"long") == b"2"
        assert await one.get("session", b"never there") is None

    going(two, check)


def test_of_too_many_the_one_touched_longest_ago_gives_way(two):
    async def check(one, other):
        for key in (b"a", b"b", b"c"):
            await one.put("login", key, key, 60, 3)
            await asyncio.sleep(0.01)
        await other.touch("login", b"a", 60)
        await one.put("login", b"d", b"d", 60, 3)
        assert [await other.get("login", key) for key in (b"a", b"b", b"c", b"d")] == [b"a", None, b"c", b"d"]
        await one.put("login", b"a", b"again", 60, 3)
        assert [await other.get("login", key) for key in (b"a", b"c", b"d")] == [b"again", b"c", b"d"]

    going(two, check)


def test_a_token_is_used_once_by_whichever_worker_and_never_forgotten_early(two):
    async def check(one, other):
        both = await asyncio.gather(*(each.first("token", b"t", 60, 10) for each in (one, other) * 20))
        assert sum(both) == 1
        assert await one.first("token", b"short", 0.1, 2) is True
        assert await other.first("token", b"third", 60, 2) is False, "full: refused rather than forgotten"
        await asyncio.sleep(0.15)
        assert await other.first("token", b"third", 60, 2) is True
        assert await other.first("token", b"t", 60, 10) is False

    going(two, check)


def test_requests_are_counted_over_all_workers(two):
    async def check(one, other):
        counts = [await (one, other)[n % 2].count(b"client") for n in range(20)]
        assert counts[0] == 1
        assert all(now in (before + 1, 1) for before, now in pairwise(counts)), "one more, or a new minute"
        assert counts.count(1) <= 2
        assert await one.count(b"another") == 1

    going(two, check)


def test_a_file_is_for_its_owner_alone_and_that_of_something_else_is_refused(tmp_path):
    run(lambda: open_store(f"sqlite:///{tmp_path}/store.db").close())
    assert stat.S_IMODE((tmp_path / "store.db").stat().st_mode) == 0o600
    (tmp_path / "other.db").write_bytes(b"no database at all, " * 100)
    for wrong in (tmp_path / "other.db", tmp_path / "missing" / "store.db"):
        with pytest.raises(ServiceError) as caught:
            open_store(f"sqlite:///{wrong}")
        assert str(wrong) in str(caught.value)


@pytest.mark.parametrize(
    "address", ["", "store.db", "sqlite://", "sqlite:///", "redis://", "mysql://host/db", "redis:host"]
)
def test_an_address_of_another_form_is_refused_and_not_repeated(address):
    with pytest.raises(ServiceError) as caught:
        read_settings(store=address)
    assert "store: write sqlite:///" in str(caught.value)


def test_what_is_sealed_opens_with_its_own_secret_alone():
    sealed = seal("secret", b"content")
    assert unseal("secret", sealed) == b"content"
    assert unseal("secreT", sealed) is None
    assert unseal("secret", sealed[:-1] + bytes([sealed[-1] ^ 1])) is None
    assert unseal("secret", b"") is None
    assert b"content" not in sealed
    assert place_of("secret") != place_of("secreT")
    assert seal("secret", b"content") != sealed


class Broken:
    """A memory that does not answer."""

    def __getattr__(self, name):
        async def broken(*_):
            raise StoreError("gone")

        return broken


def test_without_the_memory_tokens_admit_nobody_and_limits_hold_all_the_same(tmp_path):
    guarded = app(store=Broken(), issuers=(issuer(tmp_path),))
    answer = ask(guarded, "GET", "/evidence", headers=bearer(token()))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json()["detail"] == "the memory of sessions and tokens does not answer"
    limited = app(store=Broken(), requests_per_minute=2)
    assert [ask(limited, "GET", "/evidence").status_code for _ in range(3)] == [200, 200, 429]


def test_without_the_memory_the_page_says_so():
    answer = ask(app(store=Broken(), requests_per_minute=0), "GET", "/", headers={"Cookie": "bcma-session=x"})
    assert answer.status_code == 503
    assert "The memory of sessions and tokens does not answer" in answer.text


@needs_server
def test_a_server_that_comes_back_is_used_again(server):
    async def check():
        store = open_store(server.address)
        await store.put("session", b"a", b"1", 60, 10)
        server.stop()
        with pytest.raises(StoreError):
            await store.get("session", b"a")
        server.start()
        assert await store.first("token", b"b", 60, 10) is True
        await store.close()

    run(check)


def test_workers_that_open_a_new_file_at_once_all_have_it(tmp_path):
    """Each changes the file's mode, where SQLite waits for nobody: one in ten was turned away."""
    together, failed = threading.Barrier(4), []

    def opened():
        for number in range(40):
            together.wait()
            try:
                open_store(f"sqlite:///{tmp_path}/{number}.db")
            except ServiceError as error:
                failed.append(str(error))

    threads = [threading.Thread(target=opened) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
