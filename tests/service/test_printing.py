"""Sheets on paper, made in processes of their own: the queue has an end, a crash loses one job, memory has a bound."""

import asyncio
import os
import signal
import time
from contextlib import contextmanager

import pytest

from bcma_decide.comparing.compare import compare
from bcma_decide.patient.profile import Patient
from bcma_decide.render.sheet.pdf import render_pdf
from bcma_decide.render.sheet.sheet import Sheet
from bcma_decide.service.http.problems import Refusal
from bcma_decide.service.printing.printing import Printing
from tests.service.support.service import model, run

pytestmark = [pytest.mark.slow, pytest.mark.sample]


@contextmanager
def printing(**changes):
    made = Printing(**({"processes": 1, "queue": 1, "seconds": 60, "most": 50} | changes))
    try:
        yield made
    finally:
        made.close()


def pid(made):
    return made._idle[0].child.process.pid


def test_a_sheet_is_that_of_the_command_line_and_its_process_is_used_again_until_its_last():
    value = compare(Patient(age=71), pooled=model())
    with printing(most=2) as made:
        assert not made._idle, "nothing is started before it is needed"

        async def going():
            first = await made.pdf(value, Sheet())
            one = pid(made)
            await made.pdf(value, Sheet())
            assert not made._idle, "that was its last"
            await made.pdf(value, Sheet())
            return first, one, pid(made)

        first, one, two = run(going)
    assert first == render_pdf(value, Sheet())
    assert one != two


def test_a_process_that_is_killed_loses_its_job_and_the_next_is_made():
    value = compare(Patient(age=71), pooled=model())
    with printing() as made:

        async def going():
            await made.pdf(value, Sheet())
            victim = pid(made)
            job = asyncio.create_task(made.pdf(value, Sheet()))
            await asyncio.sleep(0.05)
            os.kill(victim, signal.SIGKILL)
            with pytest.raises(Refusal) as lost:
                await job
            assert (lost.value.status, lost.value.headers) == (503, {"Retry-After": "1"})
            return await made.pdf(value, Sheet())

        assert run(going).startswith(b"%PDF-")


def test_more_than_may_wait_are_refused_and_one_that_takes_too_long_as_well():
    value = compare(Patient(age=71), pooled=model())
    with printing(seconds=0.05) as made:

        async def going():
            return await asyncio.gather(*(made.pdf(value, Sheet()) for _ in range(3)), return_exceptions=True)

        begun = time.monotonic()
        late, later, many = run(going)
        assert time.monotonic() - begun < 20
    assert {late.detail, later.detail} == {"making the sheet took too long"}
    assert many.detail == "too many sheets are being made"
    assert {each.status for each in (late, later, many)} == {503}
