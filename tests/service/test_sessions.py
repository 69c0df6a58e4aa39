"""Sessions: what is kept, how long, how many, and that the id alone opens one."""

import base64
from datetime import date

from bcma_decide.comparison import RecordLedger
from bcma_decide.service.sessions import Filled, Sessions


def filled(age=71):
    return Filled({"age": age}, RecordLedger(date=date(2026, 11, 26)), (), "")


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def made(**changes):
    clock = Clock()
    return clock, Sessions(**({"clock": clock, "idle": 10, "longest": 25, "most": 3} | changes))


def cookies(sessions, identifier):
    return {sessions.cookie: identifier}


def test_what_was_kept_is_found_by_its_id_until_it_is_ended():
    _, sessions = made()
    one, two = sessions.begin(filled(60)), sessions.begin(filled(80))
    assert sessions.find(cookies(sessions, one)).values == {"age": 60}
    assert sessions.find(cookies(sessions, two)).values == {"age": 80}
    sessions.end(cookies(sessions, one))
    assert sessions.find(cookies(sessions, one)) is None
    assert sessions.find(cookies(sessions, two)) is not None
    sessions.end({})


def test_nothing_is_found_for_no_cookie_or_another():
    _, sessions = made()
    identifier = sessions.begin(filled())
    for wrong in ({}, {sessions.cookie: ""}, {sessions.cookie: identifier[:-1]}, {sessions.cookie: "é"}):
        assert sessions.find(wrong) is None


def test_an_id_has_256_bits_and_is_not_kept():
    _, sessions = made()
    identifier = sessions.begin(filled())
    assert len(base64.urlsafe_b64decode(identifier + "=")) == 32
    assert identifier not in repr(vars(sessions))


def test_a_session_ends_when_nobody_looks_and_in_any_case_after_its_longest():
    clock, sessions = made()
    looked_at, left = sessions.begin(filled()), sessions.begin(filled())
    for now in (9.0, 18.0):
        clock.now = now
        assert sessions.find(cookies(sessions, looked_at)) is not None
    assert sessions.find(cookies(sessions, left)) is None
    clock.now = 24.9
    assert sessions.find(cookies(sessions, looked_at)) is not None
    clock.now = 25.0
    assert sessions.find(cookies(sessions, looked_at)) is None
    assert vars(sessions)["_known"] == {}, "forgotten, not hidden"


def test_of_too_many_the_one_looked_at_longest_ago_ends():
    clock, sessions = made()
    kept = []
    for now in range(3):
        clock.now = float(now)
        kept.append(sessions.begin(filled(now + 50)))
    clock.now = 4.0
    assert sessions.find(cookies(sessions, kept[0])) is not None
    sessions.begin(filled())
    found = [sessions.find(cookies(sessions, each)) is not None for each in kept]
    assert found == [True, False, True]


def test_the_name_of_the_cookie_binds_it_to_the_host_over_https():
    assert Sessions(secure=True).cookie == "__Host-bcma-session"
    assert Sessions(secure=False).cookie == "bcma-session"
