"""The questions, answered on a real pseudo-terminal."""

import json
import os

import pytest

from bcma_decide.patient.fields import FIELDS, PANELS
from bcma_decide.patient.leading import LEADING
from bcma_decide.patient.profile import Patient
from tests.cli.support import programs
from tests.cli.support.program import ESCAPE, INTERRUPT, Terminal, ended


class Asked(Terminal):
    """The questions on a pseudo-terminal, with their result on a pipe."""

    def __init__(self, **changes):
        self._result, end = os.pipe()
        super().__init__(program=programs.asking, out=end, **{"TERM": "xterm", "COLUMNS": "100", **changes})
        os.close(end)

    def __exit__(self, *_):
        super().__exit__()
        os.close(self._result)

    @property
    def seen(self):
        return ESCAPE.sub("", self.shown)

    def wait_for(self, expected):
        """Read until it has been printed."""
        assert self.reads_until(expected), f"ended before {expected!r}: {self.seen[-2000:]!r}"

    def answer(self, label, text, end="\n"):
        """Wait for a field's prompt and type an answer."""
        self.wait_for(f"\n{label} (")
        self.wait_for(": ")
        self.types(text + end)

    def finish(self):
        """Read to the end; the exit code and the patient on standard output."""
        while self.reads():
            pass
        code = ended(self.process)
        output = os.read(self._result, 1_000_000)
        return code, json.loads(output) if output else None


def answer_all(terminal, answers):
    """Answer the leading questions, Enter where nothing is said; then the groups that hold another answer."""
    for name in LEADING:
        for text in answers.get(name, [""]):
            terminal.answer(FIELDS[name].label, text)
        if name == "prior_bcma" and answers.get(name) == ["yes"]:
            terminal.answer(FIELDS["prior_bcma_courses"].label, answers["prior_bcma_courses"][0])
    asked = {*LEADING, *(["prior_bcma_courses"] if answers.get("prior_bcma") == ["yes"] else [])}
    more = answers.keys() - asked
    terminal.wait_for("More questions? [y/N] ")
    terminal.types("y\n" if more else "\n")
    if not more:
        return
    for panel in PANELS:
        fields = [field for name, field in FIELDS.items() if field.panel == panel and name not in asked]
        wanted = any(field.id in more for field in fields)
        terminal.wait_for(f"{panel}, {len(fields)} questions? [y/N] ")
        terminal.types("y\n" if wanted else "\n")
        for field in sorted(fields, key=lambda each: each.findings_only) if wanted else []:
            if field.skip_if not in answers:
                for text in answers.get(field.id, [""]):
                    terminal.answer(field.label, text)


def test_enter_all_the_way_is_a_patient_of_whom_nothing_is_known():
    with Asked() as terminal:
        answer_all(terminal, {})
        code, patient = terminal.finish()
        assert terminal.seen.count(": ") == len(LEADING) == 8
    assert (0, Patient()) == (code, Patient(**patient))


def test_earlier_bcma_therapy_is_asked_for_its_kind_and_months():
    with Asked() as terminal:
        answer_all(terminal, {"age": ["71"], "prior_bcma": ["yes"], "prior_bcma_courses": ["car_t:7"]})
        code, patient = terminal.finish()
    assert code == 0
    assert Patient(**patient) == Patient(age=71, prior_bcma="yes", prior_bcma_courses="car_t:7")


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
    with Asked() as terminal:
        answer_all(terminal, answers)
        code, patient = terminal.finish()
        text = " ".join(terminal.seen.split())
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
        f"Why: {FIELDS['frail'].why}",
    ):
        assert message in text
    assert "Deletion 17p?" not in text


def test_the_questions_for_findings_come_on_request():
    with Asked() as terminal:
        answer_all(terminal, {"sex": ["female"], "lvef": ["41"], "live_vaccine": ["never"], "caregiver": ["no"]})
        code, patient = terminal.finish()
    assert code == 0
    assert patient["lvef"] == {"value": 41.0, "unit": "%"}
    assert Patient(**patient) == Patient(sex="female", lvef=41, live_vaccine="never", caregiver="no")


@pytest.mark.parametrize(("leaving", "expected"), [("q\n", 7), ("Quit\n", 7), ("\x04", 7), (INTERRUPT, 8)])
def test_leaving(leaving, expected):
    with Asked() as terminal:
        terminal.answer("Age", "71")
        terminal.answer("Earlier lines of therapy", leaving, end="")
        code, patient = terminal.finish()
    assert (code, patient) == (expected, None)


def test_a_terminal_without_colours_gets_plain_text():
    with Asked(TERM="dumb", NO_COLOR="1") as terminal:
        terminal.answer("Age", "q")
        terminal.finish()
        assert "\x1b" not in terminal.shown
