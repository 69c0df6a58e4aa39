"""The strict YAML reader and where the evidence is found."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bcma_decide.errors import EvidenceError, ProfileError
from bcma_decide.strict.yaml import SIZE_LIMIT, read_yaml
from tests.support.cases import for_each
from tests.support.places import ROOT


@for_each(
    ("text", "line", "message"),
    [
        ("a: 1\nb: 2\na: 3", "line 3", "the key 'a' appears twice"),
        ("top:\n  - {x: 1, x: 2}", "line 2", "the key 'x' appears twice"),
        ("a: 1\n b: 2", "line 2", "mapping values are not allowed"),
        ("a: &x 1\nb: *x", "line 1", "anchors and aliases are not supported"),
        ("a: 1\n<<: {b: 1}", "line 2", "merge keys are not supported"),
        ("a: !!python/object:os.system 1", "line 1", "tags are not supported"),
        ("a: 1\n---\nb: 2", "line 2", "a second document starts here"),
        ("[" * 100_000, "line 1", "nests deeper than 40 levels"),
        ("? [a]\n: 1", "line 1", "a key has to be plain text"),
    ],
)
def test_text_that_is_not_plain_data_is_refused_with_its_line(text, line, message):
    with pytest.raises(EvidenceError) as refusal:
        read_yaml(text, name="profile.yaml")
    (problem,) = refusal.value.problems
    assert (line, "profile.yaml") == (problem.field, problem.file)
    assert message in problem.message


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "null"])
def test_an_empty_document_is_refused(text):
    with pytest.raises(EvidenceError, match="is empty"):
        read_yaml(text)


def test_surprises_of_yaml_1_1_stay_text():
    read = read_yaml("date: 2024-10-02\nanswer: yes\nswitch: on\nzip: 012\ntime: 1:30\ndose: 300e6\nversion: '1'")
    assert read == {
        "date": "2024-10-02",
        "answer": "yes",
        "switch": "on",
        "zip": "012",
        "time": "1:30",
        "dose": "300e6",
        "version": "1",
    }


def test_numbers_truth_values_and_null():
    read = read_yaml("a: 3\nb: -0.5\nc: .5\nd: 1.0e3\ne: true\nf: ~\ng:\nh: [1, null, false]")
    assert read == {"a": 3, "b": -0.5, "c": 0.5, "d": 1000.0, "e": True, "f": None, "g": None, "h": [1, None, False]}


def test_a_file_over_the_limit_is_refused_and_the_limit_named(tmp_path):
    big = tmp_path / "big.yaml"
    big.write_text("x" * (SIZE_LIMIT + 1))
    with pytest.raises(EvidenceError, match="larger than the limit of 1 MB"):
        read_yaml(big)
    with pytest.raises(EvidenceError, match="larger than the limit of 1 MB"):
        read_yaml("x" * (SIZE_LIMIT + 1))


def test_text_that_is_not_utf8_is_refused(tmp_path):
    path = tmp_path / "latin.yaml"
    path.write_bytes("name: Müller".encode("latin-1"))
    with pytest.raises(EvidenceError, match="byte 7: is not UTF-8"):
        read_yaml(path)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1")
    assert read_yaml(path) == {"a": 1}


def test_a_missing_file_is_a_typed_error(tmp_path):
    with pytest.raises(EvidenceError, match="No such file"):
        read_yaml(tmp_path / "none.yaml")


def test_the_caller_chooses_the_error():
    with pytest.raises(ProfileError):
        read_yaml("a: 1\na: 2", error=ProfileError)


def test_the_reader_is_cheap_to_import():
    """No pydantic, numpy or scipy comes with it."""
    code = (
        "import sys, bcma_decide.strict.yaml; "
        "print([m for m in ('pydantic', 'numpy', 'scipy', 'rich') if m in sys.modules])"
    )
    root = ROOT
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"
