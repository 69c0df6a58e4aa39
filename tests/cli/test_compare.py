"""``bcma-decide compare`` as a haematologist and as a script use it."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from rich.cells import cell_len

from bcma_decide.comparison import Comparison
from bcma_decide.patient.files import example_names
from bcma_decide.pooled.location import evidence_directory
from bcma_decide.vocabulary import OUTCOMES
from tests.cli.support.program import (
    COMMAND,
    ESCAPE,
    INTERRUPT,
    ended,
    environment,
    invoke,
    on_terminal,
    run,
    run_anew,
    start,
)
from tests.render.support.reading import DIRECTIVE, words
from tests.support.cases import for_each

POOLED = evidence_directory() / "pooled.json"


def compared(*arguments, **more):
    """The comparison a command prints as JSON."""
    result = invoke("compare", *arguments, "--json", **more)
    assert result.exit_code == 0, result.stderr
    return Comparison.model_validate_json(result.stdout)


def known(comparison):
    """What the comparison holds for known."""
    return {line.trait: line.value for line in comparison.profile.traits if line.value is not None}


# Where the patient comes from


def test_a_file_an_option_over_it_and_an_unknown_over_it(tmp_path):
    profile = tmp_path / "patient.yaml"
    profile.write_text("age: 58\nprior_lines: 3\nextramedullary_disease: no\n")
    arguments = (profile, "--age", "71", "--extramedullary-disease", "unknown")
    assert known(compared(*arguments)) == {"age": 71, "prior_lines": 3}


def test_json_and_yaml_hold_the_same_patient(tmp_path):
    (tmp_path / "p.json").write_text('{"age": 71, "dialysis": true}')
    (tmp_path / "p.yaml").write_text("age: 71\ndialysis: true\n")
    assert compared(tmp_path / "p.json") == compared(tmp_path / "p.yaml")


def test_standard_input_in_a_pipe():
    result = run("compare", "-", "--json", given="age: 71\n")
    assert known(Comparison.model_validate_json(result.stdout)) == {"age": 71}


def test_an_example_with_an_option_over_it():
    assert known(compared("--example", "fit-58", "--age", "70"))["age"] == 70


def test_the_setting_changes_numbers():
    practice, trial = (compared("--age", "71", "--setting", setting) for setting in ("real-world", "trial"))
    assert (practice.profile.setting, trial.profile.setting) == ("real_world", "interventional")
    assert practice.outcomes[0].estimates["car_t"].mean != trial.outcomes[0].estimates["car_t"].mean


def test_what_is_counted_from_changes_no_number():
    infusion, decision = (compared("--age", "71", "--from", clock) for clock in ("infusion", "decision"))
    assert (infusion.clock, decision.clock) == ("infusion", "decision")
    assert decision.model_copy(update={"clock": "infusion"}) == infusion == compared("--age", "71")


def test_from_the_decision_the_terminal_shows_it_first():
    lines = invoke("compare", "--age", "71", "--from", "decision", "--plain", "--full").stdout.splitlines()
    response = [line.split("\t")[0] for line in lines if "\tResponse (PR or better)\tCAR-T\t" in line]
    assert response[:2] == ["from the decision", "estimate"]


@for_each(
    ("arguments", "message"),
    [
        ((), "no patient: give a PROFILE"),
        (("--products",), "no patient: give a PROFILE"),
        (("--ask",), "no terminal to ask on"),
        (("--ask", "--age", "71"), "no other patient"),
        (("p.yaml", "--example", "fit-58"), "two patients"),
        (("--age", "71", "--explain", "survival"), "treatment_related_death"),
        (("--age", "71", "--agee", "3"), "--age"),
        (("--age", "71", "--setting", "home"), "real-world"),
        (("--age", "71", "--from", "birth"), "decision"),
    ],
)
def test_a_wrong_command_is_a_usage_error(arguments, message):
    result = invoke("compare", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in words(result.stderr.replace("│", " "))


def test_an_unknown_outcome_names_all_of_them():
    message = invoke("compare", "--age", "71", "--explain", "survival").stderr
    assert all(outcome in message for outcome in (*OUTCOMES, "pfs"))


def test_why_is_another_name_of_explain():
    for outcome in ("pfs", "orr"):
        asked = invoke("compare", "--age", "71", "--why", outcome, COLUMNS="80")
        assert asked.exit_code == 0
        assert asked.stdout == invoke("compare", "--age", "71", "--explain", outcome, COLUMNS="80").stdout
        assert "how the numbers come about" in asked.stdout
    assert "--why" in invoke("compare", "--help", COLUMNS="120").stdout


def test_what_is_behind_the_curves_is_in_the_document_only_if_asked_for():
    asked = compared("--age", "71", "--why", "pfs")
    assert asked.explanations == ()
    assert {study.class_id for study in asked.survival_explanation.studies} == {"car_t", "bite"}
    assert compared("--age", "71", "--why", "orr").survival_explanation is None


def test_without_a_terminal_nobody_is_asked():
    result = run("compare")
    assert (result.returncode, result.stdout) == (2, "")
    assert "How old" not in result.stderr


# Questions on a terminal


def test_on_a_terminal_with_nothing_given_it_asks():
    code, shown = on_terminal("compare", answers=[("\x1b[1mHow old", "71\n"), ("Earlier lines of therapy (", "q\n")])
    assert code == 0
    assert "Response, of 100" not in shown


def test_answers_lead_to_the_comparison():
    enter = [("): ", "\n")] * 7
    code, shown = on_terminal("compare", "--ask", answers=[("): ", "71\n"), *enter, ("[y/N] ", "\n")])
    assert code == 0
    answer = ESCAPE.sub("", shown).partition("More questions? [y/N] ")[2].strip().splitlines()
    assert answer[0].startswith("71 y, ")
    assert len(answer) <= 40
    assert any(line.startswith("Response, of 100") for line in answer)


def test_control_c_leaves_without_a_word_more():
    code, shown = on_terminal("compare", answers=[("): ", INTERRUPT)])
    assert code == 130
    assert "Traceback" not in shown
    assert "Response, of 100" not in shown


# What is printed


def test_the_order_is_printed_and_in_the_json_only_where_it_is_asked_for():
    asked = ("compare", "--age", "70", "--prior-lines", "5", "--prior-bcma", "no")
    title = "One after the other"
    assert title not in invoke(*asked).stdout
    assert title in invoke(*asked, "--order").stdout
    assert Comparison.model_validate_json(invoke(*asked, "--json").stdout).order_of_therapies is None
    found = Comparison.model_validate_json(invoke(*asked, "--json", "--order").stdout).order_of_therapies
    assert [plan.id for plan in found.plans] == ["car_t-then-bite", "bite-then-car_t"]


def test_one_json_document_and_nothing_else(tmp_path):
    page = tmp_path / "page.html"
    result = run("compare", "--example", "prior-car-t-63", "--json", "--html", str(page), "--explain", "orr",
                 "--products", "--sources", COLUMNS="20")  # fmt: skip
    assert result.returncode == 0
    comparison = Comparison.model_validate_json(result.stdout)
    assert [entry.outcome for entry in comparison.explanations] == ["orr"]
    assert result.stdout == comparison.model_dump_json(indent=2) + "\n"
    assert result.stderr == f"wrote {page}\n"
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@for_each("width", [60, 80, 100, 120], plain=5)
@for_each("name", example_names())
def test_every_example_fits_and_tells_nobody_what_to_do(name, width):
    result = invoke("compare", "--example", name, "--full", "--products", "--sources", COLUMNS=str(width))
    assert (result.exit_code, result.stderr) == (0, "")
    assert max(map(cell_len, result.stdout.splitlines())) <= width
    own_words = result.stdout.partition("Sources\n")[0]
    assert DIRECTIVE.findall(own_words) == []


def test_what_was_given_is_said_once():
    text = words(invoke("compare", "--example", "fit-58", "--full", COLUMNS="100").stdout.partition("Profile used")[2])
    for said_in_a_trait in ("ECOG performance status 0", "creatinine clearance 96", "ferritin 180", "platelets 214"):
        assert text.casefold().count(said_in_a_trait.casefold()) == 1 + (said_in_a_trait == "ferritin 180")
    assert "ECOG performance status 0; cut-off: 2 or worse" in text
    assert (
        "Also given: Sex: male; Gain of 1q: no; Exposed, not refractory: melphalan; Never given: isatuximab; " in text
    )
    assert "Dialysis: no. – for findings Rapidly progressive disease: no; " in text


def test_several_explanations_in_the_order_asked_for():
    text = invoke("compare", "--age", "71", "--explain", "crs_any", "--explain", "orr").stdout
    assert text.index("CRS, any grade: how") < text.index("Response (PR or better): how")


def test_plain_lines_all_have_tabs():
    result = invoke(
        "compare", "--age", "71", "--plain", "--full", "--explain", "orr", "--products", "--sources", COLUMNS="20"
    )
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert all(len(line) > 1 and all(line) for line in lines)
    kinds = {line[0] for line in lines}
    assert {"input", "estimate", "difference", "step", "odds ratio", "study", "method", "source"} <= kinds
    assert not set(result.stdout) & set("─━█│")


def test_a_page_that_cannot_be_written(tmp_path):
    result = invoke("compare", "--age", "71", "--html", tmp_path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{tmp_path}: cannot be written" in result.stderr


# Colour, pipes, full disks


def test_colour_on_a_terminal_only():
    code, shown = on_terminal("compare", "--example", "fit-58", "--full", width=100)
    assert code == 0
    assert "\x1b[36m" in shown
    piped = run("compare", "--example", "fit-58", "--full", COLUMNS="100").stdout
    assert piped == ESCAPE.sub("", shown)


@pytest.mark.parametrize(
    ("arguments", "changes", "codes"),
    [((), {"NO_COLOR": "1"}, {"0", "1", "2", "3"}), (("--color", "never"), {}, set()), ((), {"TERM": "dumb"}, set())],
)
def test_no_colour_where_none_is_wanted(arguments, changes, codes):
    _, shown = on_terminal("compare", "--age", "71", "--full", *arguments, width=100, **changes)
    assert "Side by side" in shown
    assert {each[2:-1] for each in ESCAPE.findall(shown)} <= codes


def test_colour_that_is_asked_for_goes_into_a_pipe():
    assert "\x1b[36m" in invoke("compare", "--age", "71", "--full", "--color", "always", COLUMNS="100").stdout


@pytest.mark.parametrize("form", [(), ("--json",), ("--plain",)])
def test_a_reader_that_closes_the_pipe_is_not_shown_a_traceback(form):
    reading, writing = os.pipe()
    with Path(os.devnull).open() as nothing, tempfile.TemporaryFile("w+") as err:
        process = start("compare", "--example", "fit-58", "--explain", "orr", *form, streams=(nothing, writing, err))
        os.close(writing)
        assert os.read(reading, 10)
        os.close(reading)
        ended(process)
        err.seek(0)
        assert err.read() == ""


def test_a_reader_that_closes_the_pipe_of_the_installed_program_is_not_shown_a_traceback():
    process = subprocess.Popen(
        [*COMMAND, "compare", "--example", "fit-58", "--explain", "orr"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
    )  # fmt: skip
    with process:
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
def test_a_full_disk_is_one_line():
    with Path("/dev/full").open("w") as full:
        result = subprocess.run([*COMMAND, "compare", "--age", "71", "--json"], stdin=subprocess.DEVNULL,
                                stdout=full, stderr=subprocess.PIPE, text=True, env=environment())  # fmt: skip
    assert result.returncode == 1
    assert result.stderr == "cannot write the output: No space left on device\n"


# Input that cannot be used

BAD = {
    "unknown key": (b"agee: 71\n", "agee", "did you mean 'age'?"),
    "wrong unit": (b"ferritin: 850 mmol/L\n", "ferritin", "use ng/mL or ug/L"),
    "no unit": (b"ferritin: 850\n", "ferritin", "use ng/mL or ug/L"),
    "impossible value": (b"age: 300\n", "age", "check the value"),
    "a class for a drug": (b"refractory_to: anti-CD38\n", "refractory_to", "name the drug"),
    "broken YAML": (b"age: [71\nx", "line 3", "mend the YAML"),
    "empty": (b"", "is empty", "template"),
    "comments only": (b"# nothing\n", "is empty", "at least one"),
    "far too large": (b"a" * 10_000_000, "larger than 1 MB", ""),
    "not UTF-8": (b"age: \xff\xfe\n", "byte 5", "save the file as UTF-8"),
    "a key twice": (b"age: 1\nage: 2\n", "'age' appears twice", "keep one of them"),
    "a list": (b"- age\n", "not a mapping", "on each line"),
    "control characters": (b"age: 71\x00\n", "unacceptable character", "mend the YAML"),
}


@pytest.mark.parametrize(("content", "place", "fix"), BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_named_with_its_field_and_the_remedy(tmp_path, content, place, fix):
    path = tmp_path / "patient.yaml"
    path.write_bytes(content)
    result = invoke("compare", path)
    refused(result.exit_code, result.stdout, result.stderr)
    assert f"{path}: " in result.stderr
    assert place in result.stderr
    assert fix in result.stderr


def refused(code, printed, message):
    """Exit code 3, nothing on standard output, a short message without a traceback."""
    assert (code, printed) == (3, "")
    assert "Traceback" not in message
    assert 1 <= len(message.splitlines()) <= 3


@pytest.mark.parametrize("name", [".", "nowhere.yaml"])
def test_a_path_that_is_no_file(tmp_path, name):
    result = invoke("compare", tmp_path / name)
    refused(result.exit_code, result.stdout, result.stderr)
    assert "check the path" in result.stderr


def test_a_bad_file_through_the_real_program(tmp_path):
    path = tmp_path / "patient.json"
    path.write_text('{"age": 1, "age": 2}')
    result = run("compare", str(path))
    refused(result.returncode, result.stdout, result.stderr)
    assert f"{path}: 'age'" in result.stderr


def test_an_option_that_is_wrong_is_not_blamed_on_the_file(tmp_path):
    path = tmp_path / "patient.yaml"
    path.write_text("age: 71\n")
    result = invoke("compare", path, "--ecog", "9")
    refused(result.exit_code, result.stdout, result.stderr)
    assert str(path) not in result.stderr


def test_every_problem_at_once(tmp_path):
    path = tmp_path / "patient.yaml"
    path.write_text("age: 300\necog: 9\nferritin: 850\n")
    assert len(invoke("compare", path).stderr.splitlines()) == 4


def test_an_unknown_example_names_the_others():
    result = invoke("compare", "--example", "nobody")
    refused(result.exit_code, result.stdout, result.stderr)
    assert all(name in result.stderr for name in example_names())


# Evidence that cannot be used


def tampered(text):
    return text.replace("0.5", "0.6", 1)


@pytest.mark.parametrize(
    "spoil", [None, lambda _: "{", lambda _: "", lambda text: text[:50_000], tampered], ids=[
        "missing", "broken", "empty", "cut short", "tampered",
    ],
)  # fmt: skip
def test_unusable_evidence_is_exit_code_4(tmp_path, spoil):
    if spoil:
        (tmp_path / "pooled.json").write_text(spoil(POOLED.read_text(encoding="utf-8")), encoding="utf-8")
    result = invoke("compare", "--age", "71", "--evidence", tmp_path)
    assert (result.exit_code, result.stdout) == (4, "")
    assert str(tmp_path) in result.stderr
    assert "bcma-decide evidence build" in result.stderr


@pytest.mark.parametrize("name", ["nowhere", "a file"])
def test_evidence_that_is_no_folder(tmp_path, name):
    (tmp_path / "a file").touch()
    result = invoke("compare", "--age", "71", "--evidence", tmp_path / name)
    assert (result.exit_code, result.stdout) == (4, "")
    assert "name a folder" in result.stderr


def test_an_intact_copy_of_the_evidence_gives_the_same_answer(tmp_path):
    (tmp_path / "pooled.json").write_bytes(POOLED.read_bytes())
    assert compared("--age", "71", "--evidence", tmp_path) == compared("--age", "71")


def test_the_evidence_of_the_environment_is_used(tmp_path):
    result = run("compare", "--age", "71", BCMA_DECIDE_EVIDENCE=str(tmp_path))
    assert (result.returncode, result.stdout) == (4, "")


def test_the_same_question_twice_is_the_same_bytes():
    command = ("compare", "--example", "little-known-70", "--json")
    first = run_anew(*command, PYTHONHASHSEED=str(hash("some other seed") % 1000 + 1)).stdout
    assert json.loads(first)
    assert first == invoke(*command).stdout


def test_a_terminal_without_letters_gets_stand_ins():
    result = run_anew("compare", "--age", "71", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert result.returncode == 0
    assert result.stdout.isascii()
    assert os.linesep + "[i] HIV, HBV, HCV" in result.stdout
    full = run_anew("compare", "--age", "71", "--full", PYTHONIOENCODING="ascii", PYTHONUTF8="0").stdout
    assert full.isascii()
    assert os.linesep + "[x] used, given" in full
