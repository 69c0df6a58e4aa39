"""Files that are none, streams closed or full, terminals that say nonsense: one message each, and no waiting."""

import json
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.cli.support.program import COMMAND, environment, on_terminal, run
from tests.support.cases import for_each, several
from tests.support.places import RECORDS

READERS = {
    "profile": ("compare", "{}"),
    "option of the profile": ("score", "car-hematotox", "--profile", "{}"),
    "record": ("compare", "--fhir", "{}"),
    "weights": ("compare", "--age", "71", "--weights", "{}"),
    "laboratory list": ("compare", "--labs", "{}"),
    "table": ("meta", "{}"),
    "settings": ("serve", "--config", "{}"),
    "audit": ("replay", "--list", "--audit", "sqlite:///{}"),
}
NEEDS = {"settings": "fastapi", "audit": "sqlalchemy"}
"""What these commands cannot do without; in CI it is there."""
SOON = 20
"""Seconds a program may take that has nothing to wait for."""
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
HOSTILE = "a\x1b[2Jb\x9b31mc\u202ed\u2066e"
"""A name or a text that clears the screen, colours it and turns the direction of writing."""


@pytest.fixture
def odd(tmp_path):
    """A file of each kind that is none."""
    os.mkfifo(tmp_path / "pipe")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "socket"))
    (tmp_path / "directory").mkdir()
    (tmp_path / "link-to-itself").symlink_to("link-to-itself")
    (tmp_path / "link-to-a-pipe").symlink_to("pipe")
    with (tmp_path / "large").open("wb") as large:
        large.truncate(1_000_000_000)
    yield tmp_path
    listening.close()


def shell(line, **changes):
    """A line of bash, in which ``$program`` is the program."""
    program = " ".join(COMMAND)
    return subprocess.run(["bash", "-c", line.replace("$program", program)], capture_output=True, text=True,
                          timeout=SOON * 3, env=environment(**changes),
                          stdin=subprocess.DEVNULL, check=False)  # fmt: skip


def unremarkable(done):
    """It ended by itself, with a code of its own, and printed no trace of the program's inside."""
    assert done.returncode in (0, 1, 2, 3), done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("name", READERS)
def test_what_is_no_file_is_refused_without_waiting(odd, name):
    if name in NEEDS and os.environ.get("CI_PARTS") != "1":
        pytest.importorskip(NEEDS[name])
    command = READERS[name]
    kinds = {"pipe": "it is a pipe", "link-to-a-pipe": "it is a pipe", "socket": "it is a socket",
             "directory": "it is a directory", "/dev/zero": "it is a device"}  # fmt: skip
    if command[0] != "replay":  # which opens a database of any size
        kinds |= {"link-to-itself": "cannot be read", "large": "is larger than"}
    for kind, words in kinds.items():
        done = run(*(each.replace("{}", str(odd / kind)) for each in command))
        assert done.returncode in (2, 3), (kind, done)
        assert words in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="nothing is forbidden here")
def test_a_file_that_may_not_be_read_is_named(tmp_path):
    file = tmp_path / "profile.yaml"
    file.write_text("age: 71\n")
    file.chmod(0)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    as_nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups" if os.geteuid() == 0 else ""
    done = shell(f"{as_nobody} $program compare {file}")
    if "Permission denied" not in done.stderr or "cannot be read" not in done.stderr:
        pytest.skip(f"the program itself may not be read there: {done.stderr[-200:]}")
    assert (done.returncode, done.stdout) == (3, "")


def test_a_pipe_that_the_shell_has_opened_is_read():
    done = shell("$program compare <(echo age: 71) --json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["options"]


@for_each("fhir", [False, True])
def test_what_is_no_file_in_a_folder_stops_nobody_else(tmp_path, fhir):
    folder = tmp_path / f"folder-{fhir}"
    folder.mkdir()
    if fhir:
        shutil.copy(RECORDS / "fit-58.json", folder / "z.json")
    else:
        (folder / "z.json").write_text('{"age": 71}')
    os.mkfifo(folder / "a.json")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(os.path.relpath(folder / "b.json"))
    (folder / "c.json").symlink_to("/dev/zero")
    (folder / "d.json").symlink_to("d.json")
    (folder / "e.json").symlink_to("nowhere")
    if fhir:
        os.mkfifo(folder / "f.ndjson")
    done = run("batch", folder, "--out", tmp_path / "out", "--format", "json", *(["--fhir"] if fhir else []))
    listening.close()
    assert done.returncode == 3
    for name, words in (("a.json", "it is a pipe"), ("b.json", "it is a socket"), ("c.json", "it is a device"),
                        ("d.json", "cannot be read"), ("e.json", "cannot be read")):  # fmt: skip
        assert re.search(rf"{name}: .*{words}", done.stderr), (name, done.stderr)
    assert (tmp_path / "out" / "z.json").exists()
    assert "Traceback" not in done.stderr


CLOSED = {
    "no input": ("$program compare --example fit-58 <&-", 0),
    "no input where it is read": ("$program compare - <&-", 3),
    "no output": ("$program compare --example fit-58 >&-", 1),
    "no messages": ("$program compare --example fit-58 2>&-", 0),
    "no messages of a failure": ("$program compare nowhere.yaml 2>&-", 3),
    "nothing at all": ("$program compare --example fit-58 <&- >&- 2>&-", 1),
    "a sheet without output": ("$program compare --example fit-58 --html $PLACE/sheet.html >&-", 1),
    "a batch without any stream": ("$program batch $PLACE/in --out $PLACE/out --format json <&- >&- 2>&-", 0),
    "help": ("$program compare --help >&-", 1),
    "a full disk": ("$program compare --example fit-58 --full > /dev/full", 1),
    "a full disk for messages": ("$program compare nowhere.yaml 2> /dev/full", None),
    "a full disk for JSON": ("$program compare --example fit-58 --json > /dev/full", 1),
    "one line of it": ("$program compare --example fit-58 --full --json | head -1; exit ${PIPESTATUS[0]}", None),
    "nobody reads": ("$program rules list | true; exit ${PIPESTATUS[0]}", None),
    "the guide to nobody": ("$program guide model | head -c 10; exit ${PIPESTATUS[0]}", None),
}


@for_each(("line", "code"), CLOSED.values(), ids=CLOSED, plain=5)
def test_streams_that_are_closed_or_full(tmp_path, line, code):
    (tmp_path / "in").mkdir(exist_ok=True)
    (tmp_path / "in" / "p.yaml").write_text("age: 71\n")
    done = shell(line, PLACE=str(tmp_path))
    unremarkable(done)
    assert code is None or done.returncode == code, (done.returncode, done.stderr)
    assert len(done.stderr.splitlines()) <= 2, done.stderr


def test_what_was_written_with_closed_streams_is_whole(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "p.yaml").write_text("age: 71\n")
    shell("$program batch $PLACE/in --out $PLACE/out --format json <&- >&- 2>&-", PLACE=str(tmp_path))
    assert json.loads((tmp_path / "out" / "p.json").read_text())["options"]


SIZES = ({"COLUMNS": "0"}, {"COLUMNS": "abc"}, {"COLUMNS": "-5"}, {"COLUMNS": "1"}, {"COLUMNS": "9" * 30},
{"LINES": "0"}, {"LINES": "abc"},
         {"COLUMNS": "0", "LINES": "0"}, {"COLUMNS": "²"}, {"TERM": ""}, {"LANG": "xx_YY.nonsense",
         "LC_ALL": "nonsense"},
         {"PYTHONIOENCODING": "ascii"}, {"HOME": "/nowhere"}, {"PAGER": "/nowhere/pager"})  # fmt: skip


@for_each("changes", SIZES, ids=[" ".join(f"{k}={v[:6]}" for k, v in each.items()) for each in SIZES], plain=6)
def test_a_terminal_that_says_nonsense_of_itself(changes):
    for arguments in (
        ("compare", "--example", "fit-58"),
        ("compare", "--help"),
        ("rules", "list"),
        ("guide", "reading"),
    ):
        done = run(*arguments, **changes)
        unremarkable(done)
        assert done.returncode == 0, (arguments, done.stderr)
        assert done.stdout.strip()


def test_a_terminal_without_columns():
    code, shown = on_terminal("compare", "--example", "fit-58", width=0)
    assert code == 0, shown
    assert "Traceback" not in shown


def shows_it(text):
    """What was steering is written out, so that somebody sees that it is there."""
    return STEERING.search(text.replace("\r\n", "\n")) is None


@for_each(
    "arguments",
    [
        ("compare", HOSTILE),
        ("compare", f"--{HOSTILE}"),
        ("compare", "--age", HOSTILE),
        ("compare", "--example", HOSTILE),
        ("compare", "--region", HOSTILE, "--age", "71"),
        ("compare", "--date", HOSTILE, "--age", "71"),
        ("compare", "--explain", HOSTILE, "--age", "71"),
        ("compare", "--age", "71", "--html", f"nowhere/{HOSTILE}"),
        ("compare", "--labs", f"Hb 9,8 g/dl\n{HOSTILE} 4", "--age", "71"),
        ("compare", "--labs", f"Hb 9,8 {HOSTILE}"),
        ("compare", "--pair", f"{HOSTILE},x", "--age", "71"),
        ("compare", "--evidence", HOSTILE, "--age", "71"),
        (HOSTILE,),
        ("rules", "show", HOSTILE),
        ("evidence", "show", HOSTILE),
        ("guide", HOSTILE),
        ("meta", HOSTILE),
        ("meta", "nowhere.csv", "--column", HOSTILE),
        ("batch", HOSTILE, "--out", "out"),
        ("replay", HOSTILE, "--audit", f"sqlite:///{HOSTILE}"),
        ("score", HOSTILE),
        ("serve", "--config", HOSTILE),
    ],
    plain=12,
)
def test_an_argument_is_shown_and_not_obeyed(arguments):
    done = run(*arguments)
    assert "Traceback" not in done.stderr
    assert shows_it(done.stdout + done.stderr), ascii(done.stdout + done.stderr)


def test_nor_on_a_terminal():
    """There the program's own colours are the only ones."""
    for arguments in (
        ("compare", HOSTILE),
        (f"--{HOSTILE}",),
        ("compare", "--labs", f"Hb 9,8 g/dl\n{HOSTILE} 4", "--full"),
    ):
        _, shown = on_terminal(*arguments)
        without = re.sub(r"\x1b\[[0-9;]*m|\x1b\[\?25[hl]|\x1b\[[0-9]*[AK]", "", shown)
        assert "\x1b[2J" not in shown
        assert "\x1b" not in without, ascii(without)
        assert shows_it(without.replace("\r", "")), ascii(without)


def test_names_and_contents_of_files_are_shown_and_not_obeyed(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / f"{HOSTILE}\nx.yaml").write_text("agee: 71\n")
    (folder / f"{HOSTILE}.yaml").write_text("age: 71\n")
    (folder / "key.yaml").write_text('"a\\e[2J\\u202e": 1\n')
    (folder / "value.json").write_text(json.dumps({"age": HOSTILE, HOSTILE: 1}))
    for extra in ([], ["--json"]):
        done = run("batch", folder, "--out", tmp_path / "out", "--format", "json", *extra)
        assert done.returncode == 3
        assert shows_it(done.stdout + done.stderr), ascii(done.stdout + done.stderr)
        if extra:
            assert [Path(each).name for each in json.loads(done.stdout)["written"]] == [f"{HOSTILE}.json"]
        assert len(done.stderr.splitlines()) == 4 + 4 + 1, "a line feed in a name makes no line of its own"


def test_contents_of_a_record_and_of_a_table_are_shown_and_not_obeyed(tmp_path):
    record = json.loads((RECORDS / "fit-58.json").read_text())
    for entry in record["entry"]:
        for part in ("code", "medicationCodeableConcept"):
            if part in entry["resource"]:
                entry["resource"][part] = {"text": HOSTILE}
    (tmp_path / "record.json").write_text(json.dumps(record))
    table = tmp_path / "table.csv"
    table.write_text(f"study,events,n,{HOSTILE}\n{HOSTILE},3,10,1\nb,4,12,2\nc,5,15,3\n")
    told = [
        run("compare", "--fhir", tmp_path / "record.json", *extra)
        for extra in (["--full"], ["--json"], ["--fhir-out", "-"])
    ]
    told += [run("meta", table, *extra) for extra in ([], ["--json"], ["--mods", HOSTILE], ["--by", HOSTILE])]
    for done in told:
        assert done.stdout, done.stderr
        assert shows_it(done.stdout + done.stderr), ascii(done.stdout + done.stderr)
    assert repr(HOSTILE)[1:-1] in repr(json.loads(told[4].stdout)), "JSON says the same in other letters"


def test_bytes_that_are_no_text_in_arguments_and_names(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe.yaml")).write_text("age: 71\n")
    done = run("batch", folder, "--out", tmp_path / "out", "--format", "json", "--format", "html")
    assert done.returncode == 0, done.stderr
    wrong = ("--age $'7\\xff'", "--label $'\\xff' --age 71 --html x.html", "$'\\xff'", "--labs $'Hb \\xff'",
             "--region $'\\xff'", "--site $'\\xff' --age 71 --html y.html", "--example $'\\xff'",
             "--age 71 --html $'\\xff.html'")  # fmt: skip
    for options in several(wrong, 3):
        done = shell(f"cd {tmp_path} && $program compare {options}")
        unremarkable(done)
        assert done.returncode != 1, (options, done)


NUMBERS = {
    "5,000 digits": "9" * 5000,
    "5,000 digits and a sign": "-" + "9" * 5000,
    "a long fraction": "0." + "1" * 5000,
    "a float beyond all": "1" + "0" * 400 + ".0",
    "an exponent": "1.0e999999999",
    "a date": "2026-11-22",
    "a week": "2026-W12-1",
    "a bomb": "&a [*a, *a]",
    "a tag": "!!python/object/apply:os.system [ls]",
    "half a letter": '"\\ud83e"',
    "a nested list": "[" * 5000,
    "a nested mapping": "{a: " * 5000,
    "merged": "{<<: *a}",
    "a NUL": '"\\0"',
}


@for_each("value", NUMBERS.values(), ids=NUMBERS)
def test_a_value_of_yaml_that_no_field_holds(tmp_path, value):
    file = tmp_path / "p.yaml"
    file.write_text(f"age: {value}\nferritin: {value}\n")
    weights = tmp_path / "w.yaml"
    weights.write_text(f"criteria:\n  - criterion: cr_or_better\n    points: {value}\n    from: {value}\n")
    for arguments in (("compare", file), ("compare", "--age", "71", "--weights", weights)):
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (3, ""), (arguments, done)
        assert "Traceback" not in done.stderr
        assert len(done.stderr) < 2000


@for_each("day", ["2026-W12-1", "2026W121", "2026-123", "20261122", "2026-11-22T00:00", "２０２６-11-22", "2026-11-31"])
def test_a_day_in_another_form_is_refused(day):
    done = run("compare", "--age", "71", "--date", day)
    assert done.returncode == 2
    assert "is not a day" in re.sub(r"[│\s]+", " ", done.stderr)


# Links where results are written


def test_a_link_is_followed_where_its_own_name_was_given(tmp_path):
    there = tmp_path / "there.html"
    there.write_text("old")
    (tmp_path / "sheet.html").symlink_to(there)
    assert run("compare", "--example", "fit-58", "--html", tmp_path / "sheet.html").returncode == 0
    assert (tmp_path / "sheet.html").is_symlink()
    assert there.read_text() != "old"


def test_a_link_in_a_folder_of_results_does_not_lead_out_of_it(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    for name in ("a", "b", "c", "d"):
        (folder / f"{name}.yaml").write_text("age: 71\n")
    outside = tmp_path / "outside.json"
    outside.write_text("mine")
    (out / "a.json").symlink_to(outside)
    (out / "b.json").symlink_to(tmp_path / "made-by-it.json")
    (out / "c.json").symlink_to("c.json")
    (out / "d.json").symlink_to("kept.json")
    done = run("batch", folder, "--out", out, "--format", "json")
    assert done.returncode == 3
    assert outside.read_text() == "mine"
    assert not (tmp_path / "made-by-it.json").exists()
    assert done.stderr.count("it is a link that leads out of the folder") == 3
    assert json.loads((out / "kept.json").read_text())["options"], "a link that stays inside is followed"
    (tmp_path / "way").symlink_to(out)
    (out / "a.json").unlink()
    assert run("batch", folder, "--out", tmp_path / "way", "--format", "json").returncode == 3
    assert json.loads((out / "a.json").read_text())["options"], "the folder itself may be named by a link"


def test_drawings_follow_no_link_out_of_their_folder(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("study,events,n\na,3,10\nb,4,12\nc,5,15\n")
    assert run("meta", table, "--svg", tmp_path / "drawn").returncode == 0
    name = min((tmp_path / "drawn").iterdir()).name
    outside = tmp_path / "outside.svg"
    outside.write_text("mine")
    (tmp_path / "drawn" / name).unlink()
    (tmp_path / "drawn" / name).symlink_to(outside)
    done = run("meta", table, "--svg", tmp_path / "drawn")
    assert done.returncode == 2
    assert "leads out of the folder" in done.stderr
    assert outside.read_text() == "mine"
