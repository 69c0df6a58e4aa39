"""Sessions: what is kept, how long, how many, and that the id alone opens one."""

import base64
from datetime import date

from bcma_decide.comparison import RecordLedger
from bcma_decide.service.sessions import Filled, Sessions
from bcma_decide.service.shared.store import Memory
from tests.service.support.service import run


def filled(age=71):
    return Filled({"age": age}, RecordLedger(date=date(2026, 11, 26)), ("procedures: refused",), "Ms Zebedee")


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def made(**changes):
    clock = Clock()
    store = Memory(clock)
    return clock, store, Sessions(store, **({"clock": clock, "idle": 10, "longest": 25, "most": 3} | changes))


def cookies(sessions, identifier):
    return {sessions.cookie: identifier}


def test_what_was_kept_is_found_by_its_id_until_it_is_ended():
    _, _, sessions = made()

    async def going():
        one, two = await sessions.begin(filled(60)), await sessions.begin(filled(80))
        assert await sessions.find(cookies(sessions, one)) == filled(60)
        assert await sessions.find(cookies(sessions, two)) == filled(80)
        await sessions.end(cookies(sessions, one))
        assert await sessions.find(cookies(sessions, one)) is None
        assert await sessions.find(cookies(sessions, two)) is not None
        await sessions.end({})

    run(going)


def test_nothing_is_found_for_no_cookie_or_another():
    _, _, sessions = made()

    async def going():
        identifier = await sessions.begin(filled())
        for wrong in ({}, {sessions.cookie: ""}, {sessions.cookie: identifier[:-1]}, {sessions.cookie: "é"}):
            assert await sessions.find(wrong) is None

    run(going)


def test_an_id_has_256_bits_and_neither_it_nor_what_it_opens_can_be_seen():
    _, store, sessions = made()

    async def going():
        return await sessions.begin(filled())

    identifier = run(going)
    assert len(base64.urlsafe_b64decode(identifier + "=")) == 32
    seen = repr(vars(store))
    assert identifier not in seen
    assert "Zebedee" not in seen
    assert "age" not in seen


def test_a_session_ends_when_nobody_looks_and_in_any_case_after_its_longest():
    clock, store, sessions = made()

    async def going():
        looked_at, left = await sessions.begin(filled()), await sessions.begin(filled())
        for now in (9.0, 18.0):
            clock.now = now
            assert await sessions.find(cookies(sessions, looked_at)) is not None
        assert await sessions.find(cookies(sessions, left)) is None
        clock.now = 24.9
        assert await sessions.find(cookies(sessions, looked_at)) is not None
        clock.now = 25.0
        assert await sessions.find(cookies(sessions, looked_at)) is None
        await store.sweep()
        assert not store._kept["session"], "forgotten, not hidden"

    run(going)


def test_of_too_many_the_one_looked_at_longest_ago_ends():
    clock, _, sessions = made()

    async def going():
        kept = []
        for now in range(3):
            clock.now = float(now)
            kept.append(await sessions.begin(filled(now + 50)))
        clock.now = 4.0
        assert await sessions.find(cookies(sessions, kept[0])) is not None
        await sessions.begin(filled())
        return [await sessions.find(cookies(sessions, each)) is not None for each in kept]

    assert run(going) == [True, False, True]


def test_the_name_of_the_cookie_binds_it_to_the_host_over_https():
    assert Sessions(Memory(), secure=True).cookie == "__Host-bcma-session"
    assert Sessions(Memory(), secure=False).cookie == "bcma-session"
