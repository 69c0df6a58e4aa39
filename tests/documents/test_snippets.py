"""Whatever a document shows as a command or as a program is one: parsed by the command line itself, or run."""

import json
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Collection

import pytest

from bcma_decide import Patient, compare
from bcma_decide.patient.files import example_names
from tests.cli.support.program import invoke
from tests.documents.support.pages import (
    GUIDE,
    PAGES,
    README,
    blocks,
    command_lines,
    command_of,
    every_option,
    name_of,
    options_of,
    parse,
    spans,
)
from tests.support.places import RECORDS, ROOT

EXTRAS = set(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"])
NOT_RUN = ("serve", "replay", "batch", "cohort", "guide", "reports")
"""They serve, need an audit, write paper, or write into the repository; tests of their own run them."""
WRITERS = ({"evidence", "build"}, {"evidence", "report"}, {"examples", "--out"}, {"validate", "--patients"})


def test_every_command_line_is_understood():
    lines = [(name_of(page), words) for page in PAGES for words in command_lines(page)]
    assert len(lines) > 50
    wrong = []
    for page, words in lines:
        try:
            parse(words)
        except Exception as problem:
            wrong.append((page, words, str(problem)))
    assert wrong == []


def test_every_command_and_option_named_in_a_sentence_exists():
    """After a command its own options, alone any option of any command; a word in capitals stands for something."""
    seen, wrong = 0, []
    for page in PAGES:
        for span in spans(page):
            words = re.findall(r"[^\s,;()]+", span)
            options = [word.partition("=")[0] for word in words if word.startswith("--")]
            known: Collection[str] = every_option()
            if words[:1] == ["bcma-decide"]:
                try:
                    command, _ = command_of([word for word in words[1:] if re.fullmatch(r"--.*|[a-z-]+", word)])
                except AssertionError as problem:
                    wrong.append((name_of(page), span, str(problem)))
                    continue
                known = options_of(command) if command is not None else known
            elif not options or not words[0].startswith("--"):
                continue
            seen += 1
            wrong += [(name_of(page), span, option) for option in options if option not in known]
    assert wrong == []
    assert seen > 60


def test_every_shell_block_is_shell_and_installs_extras_that_exist():
    for page in PAGES:
        for block in blocks(page, "sh"):
            done = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
            assert done.returncode == 0, (name_of(page), done.stderr)
        for named in re.findall(
            r"pip install[^\n|]*?(?:bcma-decide|\.)\[([a-z,]+)\]", page.read_text(encoding="utf-8")
        ):
            assert set(named.split(",")) <= EXTRAS, (name_of(page), named)


def test_every_program_runs(capsys):
    programs = [(page, block) for page in PAGES for block in blocks(page, "python")]
    assert {page for page, _ in programs} >= {README, GUIDE / "reading.md"}
    for page, block in programs:
        exec(compile(block, name_of(page), "exec"), {"__name__": "__main__"})
        assert capsys.readouterr().out.count("\n") >= 3, name_of(page)


def test_every_body_that_is_posted_is_answered():
    bodies = [
        words[words.index("-d") + 1]
        for page in PAGES
        for block in blocks(page, "sh")
        for words in (shlex.split(line, comments=True) for line in block.splitlines())
        if words[:1] == ["curl"]
    ]
    assert len(bodies) == 2
    for body in bodies:
        asked = json.loads(body)
        assert set(asked) == {"profile"}
        assert compare(Patient.read(asked["profile"])).outcomes[0].estimates["car_t"].mean


@pytest.mark.slow
def test_every_command_that_only_reads_and_prints_runs(tmp_path, monkeypatch):
    """In a folder with files of the names that the documents use."""
    monkeypatch.chdir(tmp_path)
    example = ROOT / "bcma_decide" / "patient" / "examples" / f"{example_names()[0]}.yaml"
    shutil.copy(example, "profile.yaml")
    shutil.copy(next(RECORDS.glob("*.json")), "bundle.json")
    rows = [f"s{i},{10 + i},{40 + i},{'ab'[i % 2]},{2015 + i},{i % 3}" for i in range(8)]
    (tmp_path / "trials.csv").write_text("study,events,n,design,year,dose\n" + "\n".join(rows), encoding="utf-8")
    rare = [f"s{i},{i % 3},{90 + i}" for i in range(6)]
    (tmp_path / "deaths.csv").write_text("study,events,n\n" + "\n".join(rare), encoding="utf-8")
    pairs = [f"s{i},{5 + i},40,{9 + i},41,{i % 3},{2015 + i},low,{'low' if i else 'high'}" for i in range(6)]
    heading = "study,events1,n1,events2,n2,dose,year,randomisation,outcome\n"
    (tmp_path / "pairs.csv").write_text(heading + "\n".join(pairs), encoding="utf-8")
    hazards = [f"s{i},{0.7 + i / 20:.2f},{0.5 + i / 20:.2f},{0.98 + i / 20:.2f},{2015 + i},{p}"
               for i, p in enumerate(2 * ["ide-cel", "cilta-cel", "ide-cel", "cilta-cel"])]  # fmt: skip
    (tmp_path / "hazards.csv").write_text("study,hr,lower,upper,year,product\n" + "\n".join(hazards), encoding="utf-8")
    rates = [f"s{i},{3 + 2 * i},{40 + 9 * i},{'ab'[i % 2]}" for i in range(6)]
    (tmp_path / "rates.csv").write_text("study,events,person_years,design\n" + "\n".join(rates), encoding="utf-8")
    [flow] = blocks(GUIDE / "own-table.md", "yaml")
    (tmp_path / "flow.yaml").write_text(flow, encoding="utf-8")
    arms = [f"t{i // 2},a{i},{0.1 * i:.1f},0.0{4 + i}" for i in range(6)]
    (tmp_path / "arms.csv").write_text("trial,study,yi,vi\n" + "\n".join(arms), encoding="utf-8")
    (tmp_path / "labs.txt").write_text("Hb 10,4 g/dl\n", encoding="utf-8")
    (tmp_path / "weights.yaml").write_text(invoke("template", "--weights").stdout, encoding="utf-8")
    ran, wrong = 0, []
    for page in PAGES:
        for words in command_lines(page):
            if (
                words[0] in NOT_RUN
                or {"--ask", "--ask-weights", "--pdf"} & set(words)
                or any(each <= set(words) for each in WRITERS)
            ):
                continue
            result = invoke(*words)
            ran += 1
            if result.exit_code != 0:
                wrong.append((name_of(page), words, result.exit_code, result.output[-300:]))
    assert not wrong, wrong
    assert ran > 35
