"""A user's table: every way it can be wrong has its own message, with line and column."""

import numpy as np
import pytest

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis import study_table
from bcma_decide.workshop.meta_analysis.study_table import counts, effects, factor, labels, read_table, two_by_two

GOOD = "study,events,n\nA,3,10\nB,4,12\n"


def table(tmp_path, text, **asked):
    file = tmp_path / "table.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(file, asked)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("names", ["study,events,n", "Trial,xi,ni", "author,x,total"])
def test_separators_and_the_names_of_metafor(tmp_path, separator, names):
    text = f"\ufeff{names}\r\nA,3,10\r\n\r\nB,4,12\r\n".replace(",", separator)
    found = table(tmp_path, text)
    assert labels(found) == ("A", "B")
    assert np.array_equal(counts(found), [[3, 4], [10, 12]])


def test_a_column_with_another_name_is_asked_for(tmp_path):
    found = table(tmp_path, "study,responders,n\nA,3,10\nB,4,12\n", events="responders")
    assert counts(found)[0].tolist() == [3, 4]


def test_two_groups_and_effects(tmp_path):
    found = table(tmp_path, "study,ai,n1i,ci,n2i\nA,1,10,2,20\nB,0,5,3,6\n")
    assert np.array_equal(two_by_two(found), [[1, 0], [10, 5], [2, 3], [20, 6]])
    found = table(tmp_path, "study,yi,sei\nA,0.5,0.1\nB,-1e-1,0.2\n")
    assert [each.tolist() for each in effects(found)] == [[0.5, -0.1], pytest.approx([0.01, 0.04])]


MISTAKES = {
    "a missing column": ("study,events\nA,3\n", counts, ["column n", "(there are study, events)", "--column n=NAME"]),
    "more events than patients": ("study,events,n\nA,3,10\nB,13,12\n", counts,
                                  ["line 3, column events", "13 events, but 12 patients"]),
    "a negative count": ("study,events,n\nA,-3,10\n", counts, ["line 2, column events", "-3 is not a count"]),
    "half a patient": ("study,events,n\nA,3.5,10\n", counts, ["3.5 is not a count"]),
    "no patients": ("study,events,n\nA,0,0\n", counts, ["line 2, column n", "is 0"]),
    "NaN": ("study,events,n\nA,NaN,10\n", counts, ["line 2, column events", "'NaN' is not a finite number"]),
    "infinity": ("study,yi,vi\nA,inf,1\n", effects, ["'inf' is not a finite number"]),
    "an empty cell": ("study,events,n\nA,,10\n", counts, ["line 2, column events", "is empty"]),
    "NA": ("study,events,n\nA,3,NA\n", counts, ["line 2, column n", "'NA' is not a number"]),
    "a decimal comma": ('study;yi;vi\nA;"0,5";1\n', effects, ["'0,5' is not a number", "decimal point"]),
    "a negative variance": ("study,yi,vi\nA,1,-0.2\n", effects, ["line 2, column vi", "-0.2 is not positive"]),
    "no variance": ("study,yi,vi\nA,1,0\n", effects, ["0 is not positive"]),
    "a study twice": ("study,events,n\nA,3,10\nB,1,2\nA,4,9\n", labels, ["'A' stands on lines 2, 4", "--nested"]),
    "a study without a name": ("study,events,n\n,3,10\n", labels, ["line 2, column study", "is empty"]),
    "no column of names": ("events,n\n3,10\n", labels, ["column study", "is missing"]),
    "a group without a name": ("study,dose\nA,\n", lambda found: factor(found, "dose"),
                               ["line 2, column dose", "is empty"]),
    "no such group": ("study,dose\nA,1\n", lambda found: factor(found, "size"), ["column size", "one of study, dose"]),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_every_mistake_has_its_message(tmp_path, name):
    text, look, parts = MISTAKES[name]
    with pytest.raises(SynthesisError) as error:
        look(table(tmp_path, text))
    assert all(part in str(error.value) for part in ["this table cannot be pooled", "table.csv", *parts]), error.value


FILES = {
    "empty": (b"", "has no studies"),
    "a header only": (b"study,events,n\n", "has no studies"),
    "another encoding": ("study,events,n\nM\xfcller,1,2\n".encode("latin-1"), "byte 16: is not UTF-8 text"),
    "a column twice": (b"study,n,n\nA,1,2\n", "column n: stands there twice"),
    "a column without a name": (b"study,,n\nA,1,2\n", "has no name"),
    "a short row": (b"study,events,n\nA,1\n", "line 2: has 2 fields, the header has 3"),
    "an open quotation mark": (b'study,events,n\n"A,1,2\n', "is not CSV"),
}


@pytest.mark.parametrize("name", FILES)
def test_every_file_that_is_no_table_has_its_message(tmp_path, name):
    content, part = FILES[name]
    with pytest.raises(SynthesisError) as error:
        table(tmp_path, content)
    assert part in str(error.value)


def test_a_file_that_is_not_there_and_one_that_is_too_large(tmp_path, monkeypatch):
    with pytest.raises(
        SynthesisError, match=r"nowhere\.csv: cannot be read: No such file or directory \(check the path\)"
    ):
        read_table(tmp_path / "nowhere.csv")
    monkeypatch.setattr(study_table, "SIZE_LIMIT", 10)
    with pytest.raises(SynthesisError, match="is larger than"):
        table(tmp_path, GOOD)


def test_a_column_asked_for_that_is_not_there(tmp_path):
    with pytest.raises(SynthesisError, match=r"column size: asked for as n, is not there \(one of study, events, n\)"):
        table(tmp_path, GOOD, n="size")


def test_mistakes_are_told_all_at_once_and_many_are_counted(tmp_path):
    rows = "".join(f"S{n},{n + 1},{n}\n" for n in range(1, 41))
    with pytest.raises(SynthesisError) as error:
        counts(table(tmp_path, f"study,events,n\n{rows}"))
    assert len(error.value.problems) == study_table.SHOWN + 1
    assert "and 20 more" in str(error.value)
