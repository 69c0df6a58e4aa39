"""The questions, answered on a real pseudo-terminal."""

import fcntl
import json
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time

import pytest

from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.profile import Patient

PROGRAM = """
import sys
from bcma_decide.cli.ask import Left, ask_patient
try:
    print(ask_patient().model_dump_json())
except Left:
    sys.exit(7)
except KeyboardInterrupt:
    sys.exit(8)
"""
PATIENCE = 30.0
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A program on a pseudo-terminal, with its results on a pipe."""

    def __init__(self, **environment):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], stdin=slave, stderr=slave, stdout=subprocess.PIPE,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "100", **environment},
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(slave)
        self.text = ""
        self.read_to = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        os.close(self.master)

    def wait_for(self, expected):
        """Read until ``expected`` has been printed."""
        limit = time.monotonic() + PATIENCE
        while expected not in self.text[self.read_to :]:
            assert time.monotonic() < limit, f"no {expected!r} in {self.text[-2000:]!r}"
            if not self._read():
                pytest.fail(f"ended before {expected!r}: {self.text[-2000:]!r}")
        self.read_to = self.text.index(expected, self.read_to) + len(expected)

    def _read(self):
        ready, _, _ = select.select([self.master], [], [], 1.0)
        if not ready:
            return True
        try:
            part = os.read(self.master, 65536)
        except OSError:  # the other end is closed
            return False
        self.text += ESCAPES.sub("", part.decode()).replace("\r\n", "\n")
        return bool(part)

    def answer(self, label, text, end="\n"):
        """Wait for a field's prompt and type an answer."""
        self.wait_for(f"\n{label} (")
        self.wait_for(": ")
        time.sleep(0.3 if text == "\x03" else 0)  # an interrupt between prompt and reading waits for the next key
        os.write(self.master, (text + end).encode())

    def finish(self):
        """Read to the end; the exit code and the patient on standard output."""
        limit = time.monotonic() + PATIENCE
        while self._read() and self.process.poll() is None:
            assert time.monotonic() < limit, f"does not end: {self.text[-2000:]!r}"
        output = self.process.stdout.read()
        return self.process.wait(timeout=PATIENCE), json.loads(output) if output else None


def answer_all(terminal, answers):
    """Answer every question asked; Enter where nothing is said. Those for findings are asked only on request."""
    more = any(FIELDS[name].findings_only for name in answers)
    for findings_only in (False, True) if more else (False,):
        if findings_only:
            terminal.wait_for("Ask them too?")
            os.write(terminal.master, b"yes\n")
        for name, field in FIELDS.items():
            if field.findings_only is not findings_only or (field.skip_if and field.skip_if in answers):
                continue
            for text in answers.get(name, [""]):
                terminal.answer(field.label, text)
    if not more:
        terminal.wait_for("Ask them too?")
        os.write(terminal.master, b"\n")


def test_enter_all_the_way_is_a_patient_of_whom_nothing_is_known():
    with Terminal() as terminal:
        answer_all(terminal, {})
        terminal.wait_for("Nothing is known of this patient.")
        code, patient = terminal.finish()
    assert (0, Patient()) == (code, Patient(**patient))


def test_answers_make_a_patient_and_wrong_ones_are_asked_again():
    answers = {
        "age": ["seventy", "17", "71"],
        "high_risk_cytogenetics": ["perhaps", "yes"],
        "refractory_to": ["anti-CD38, revlimid", "dara, revlimid, [bold]velcade", "dara, revlimid, velcade"],
        "prior_bcma_courses": ["car_t:7"],
        "dialysis": ["no"],
        "ferritin": ["850", "850 ng/mL"],
        "frail": ["?"],
    }
    with Terminal() as terminal:
        answer_all(terminal, answers)
        terminal.wait_for("Summary")
        terminal.wait_for("Triple-class refractory")
        code, patient = terminal.finish()
        text = " ".join(terminal.text.split())
    assert code == 0
    assert Patient(**patient) == Patient(
        age=71, high_risk_cytogenetics="yes", refractory_to="dara, len, bortezomib",
        prior_bcma_courses="car_t:7", dialysis="no", ferritin="850 ng/mL",
    )  # fmt: skip
    for message in (
        "age: 'seventy' is not a number",
        "age: '17' is outside 18 to 110 years",
        "'anti-CD38' is a class, not a drug (name the drug: daratumumab or isatuximab)",
        "'[bold]velcade' is not a drug known here",
        "ferritin: '850' has no unit; use ng/mL or ug/L",
        "Why: Marks inflammation and burden",
    ):
        assert message in text
    assert "Deletion 17p?" not in text


def test_the_questions_for_findings_come_on_request():
    with Terminal() as terminal:
        answer_all(terminal, {"sex": ["female"], "lvef": ["41"], "live_vaccine": ["never"], "caregiver": ["no"]})
        terminal.wait_for("Summary")
        code, patient = terminal.finish()
    assert code == 0
    assert patient["lvef"] == {"value": 41.0, "unit": "%"}
    assert Patient(**patient) == Patient(sex="female", lvef=41, live_vaccine="never", caregiver="no")


def test_a_contradiction_is_shown_in_the_summary():
    with Terminal() as terminal:
        answer_all(terminal, {"creatinine_clearance": ["90"], "dialysis": ["yes"]})
        terminal.wait_for("[!] check the input: Renal impairment")
        code, _ = terminal.finish()
    assert code == 0


@pytest.mark.parametrize(("leaving", "expected"), [("q\n", 7), ("Quit\n", 7), ("\x04", 7), ("\x03", 8)])
def test_leaving(leaving, expected):
    with Terminal() as terminal:
        terminal.answer("Age", "71")
        terminal.answer("Sex", leaving, end="")
        code, patient = terminal.finish()
    assert (code, patient) == (expected, None)


def test_a_terminal_without_colours_gets_plain_text():
    with Terminal(TERM="dumb", NO_COLOR="1") as terminal:
        terminal.answer("Age", "q")
        terminal.finish()
        assert "\x1b" not in terminal.text
