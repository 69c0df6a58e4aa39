"""A user's table: every way it can be wrong has its own message, with line and column; no cell is another number."""

import random

import numpy as np
import pytest

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis import table_file
from bcma_decide.workshop.meta_analysis.study_table import (
    counts,
    effects,
    factor,
    labels,
    moderator,
    quantity,
    read_table,
    two_by_two,
)
from tests.support.cases import for_each

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
    "NA": ("study,events,n\nA,3,NA\n", counts,
           ["line 2, column n", "'NA' says that it is not known", "leave the study out"]),
    "a decimal comma": ('study,yi,vi\nA,"0,5",1\n', effects, ["line 2, column yi", "'0,5' is not a number",
                                                              "decimal point"]),
    "a negative variance": ("study,yi,vi\nA,1,-0.2\n", effects, ["line 2, column vi", "-0.2 is not positive"]),
    "no variance": ("study,yi,vi\nA,1,0\n", effects, ["0 is not positive"]),
    "a study twice": ("study,events,n\nA,3,10\nB,1,2\nA,4,9\n", labels, ["'A' stands on lines 2, 4", "--nested"]),
    "a study without a name": ("study,events,n\n,3,10\n", labels, ["line 2, column study", "is empty"]),
    "no column of names": ("events,n\n3,10\n", labels, ["column study", "is missing"]),
    "a group without a name": ("study,dose\nA,\n", lambda found: factor(found, "dose"),
                               ["line 2, column dose", "is empty"]),
    "a group that is not known": ("study,dose\nA,NR\n", lambda found: factor(found, "dose"),
                                  ["line 2, column dose", "'NR' says that it is not known", "name the group"]),
    "a row of totals": ("study,events,n\nA,3,10\nTotal,3,10\n", labels,
                        ["line 3, column study", "'Total' is no study"]),
    "nothing known of a study": ("study;events;n\nA;3;10\nB;n/a;NR\n", counts,
                                 ["line 3, column events: 'n/a'", "line 3, column n: 'NR'", "leave the study out"]),
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
    "another encoding": ("study,events,n\nM\xfcller,1,2\n".encode("cp850"), "byte 16: is not UTF-8 text"),
    "UTF-16 without a mark": ("study,events,n\nA,1,2\n".encode("utf-16-le"), "is no text in UTF-8"),
    "a separator of its own": (b"sep=|\nstudy|events|n\nA|1|2\n", "line 1: separates fields by '|'"),
    "a column twice": (b"study,n,n\nA,1,2\n", "column n: stands there twice"),
    "a column twice but for capitals": (b"study,N,n\nA,1,2\n", "column N: stands there twice"),
    "thousands that separate": (b"study,events,n\nA,12,1,200\n", "line 2: has 4 fields, the header has 3"),
    "content beyond the header": (b"study,events,n,\nA,1,2,3\n", "line 2: has 4 fields, the header has 3"),
    "a comment": (
        b"study,events,n\n# from the register\nA,1,2\n",
        "line 2: has 1 fields, the header has 3 (leave comm",
    ),
    "a comment as header": (b"# from the register\nstudy,events,n\nA,1,2\n", "line 1: begins with #"),
    "the header alone, twice": (b"study,events,n\nstudy,events,n\n", "has no studies"),
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
    monkeypatch.setattr(table_file, "SIZE_LIMIT", 10)
    with pytest.raises(SynthesisError, match="is larger than"):
        table(tmp_path, GOOD)


def test_a_column_asked_for_that_is_not_there(tmp_path):
    with pytest.raises(SynthesisError, match=r"column size: asked for as n, is not there \(one of study, events, n\)"):
        table(tmp_path, GOOD, n="size")


def test_mistakes_are_told_all_at_once_and_many_are_counted(tmp_path):
    rows = "".join(f"S{n},{n + 1},{n}\n" for n in range(1, 41))
    with pytest.raises(SynthesisError) as error:
        counts(table(tmp_path, f"study,events,n\n{rows}"))
    assert len(error.value.problems) == table_file.SHOWN + 1
    assert "and 20 more" in str(error.value)


THIN, NARROW, NO_BREAK = "\u2009", "\u202f", "\u00a0"
READ_COUNTS = [
    # separator, a decimal elsewhere in the file, n of three studies, what they are, what is said
    (";", "0,5", ["1.000", "55", "2.500"], [1000, 55, 2500], "Signs between thousands are left out: 1.000 is 1000"),
    ("\t", "0,5", ["1.000", "55", "21"], [1000, 55, 21], "1.000 is 1000 (column n)"),
    (";", "0.5", ["1,000", "55", "21"], [1000, 55, 21], "1,000 is 1000"),
    (",", "0.5", ["1,000", "55", "21"], [1000, 55, 21], "1,000 is 1000"),
    (",", "", ["1,000", "55", "21"], [1000, 55, 21], "1,000 is 1000"),
    (";", "", ["1.234", "1.000", "21"], [1234, 1000, 21], "1.234 is 1234"),
    (";", "", ["1.000", "1.000.000", "21"], [1000, 1_000_000, 21], "1.000 is 1000"),
    (";", "", ["1'000", "12’345", "21"], [1000, 12345, 21], "1'000 is 1000"),
    (";", "", ["1 000", f"2{NO_BREAK}000", f"3{NARROW}000"], [1000, 2000, 3000], "1 000 is 1000"),
    (";", "0,5", [f"4{THIN}000", "1 234 567", "+21"], [4000, 1234567, 21], "is 4000"),
    (";", "0,5", ["40,0", "55", "21"], [40, 55, 21], "Decimal commas are read: 40,0 is 40 (columns n, other)"),
    (",", "0.5", ["40.0", "55.00", "1e3"], [40, 55, 1000], None),
    (";", "", ["4.0000", "55", "4.000000e+01"], [4, 55, 40], None),
    (";", "", ["10,000.0", "55", "1,000"], [10000, 55, 1000], "10,000.0 is 10000"),
]


def of_counts(tmp_path, separator, other, cells):
    rows = [
        f'{name}{separator}1{separator}"{cell}"{separator}"{other}"' for name, cell in zip("ABC", cells, strict=True)
    ]
    return table(tmp_path, "\n".join([separator.join(["study", "events", "n", "other"]), *rows]))


@for_each("separator, other, cells, right, said", READ_COUNTS)
def test_counts_are_read_where_the_file_leaves_one_reading_and_it_is_said(
    tmp_path, separator, other, cells, right, said
):
    found = of_counts(tmp_path, separator, other, cells)
    assert counts(found)[1].tolist() == right
    about = [each for each in found.remarks if "column n" in each or "columns n" in each]
    assert (about == []) if said is None else any(said in each for each in about), found.remarks


REFUSED_COUNTS = [
    (";", "", "1.000", "'1.000' may be 1000 or 1 (write 1000 or 1)"),
    (";", "", "1,000", "'1,000' may be 1000 or 1"),
    (",", "", "1.000", "'1.000' may be 1000 or 1"),
    (";", "0.5", "1.000", "'1.000' may be 1000 or 1"),
    (";", "0,5", "1,000", "'1,000' may be 1000 or 1"),
    (",", "0,5", "1,000", "'1,000' may be 1000 or 1"),
    (",", "0.5", "1.234", "'1.234' may be 1234 or 1.234 (write 1234)"),
    (";", "0.5", "1.000.000", "elsewhere in the file '.' stands before decimals"),
    (",", "", "40,0", "'40,0' is not a number (write a decimal point)"),
    (";", "0.5", "40,0", "the file has both signs"),
    (";", "", "1,00,000", "is not a number"),
    (";", "", "1.000 000", "is not a number"),
    (";", "", "1_000", "is not a number (write it in digits 0 to 9"),
    (";", "", "0x10", "is not a number"),
    (";", "", "１２", "is not a number (write it in digits 0 to 9"),
    (",", "", "050", "without zeros before it"),
    (";", "", "−5", "−5 is not a count"),
    (";", "", "12/40", "give both numbers in columns of their own"),
    (";", "", "62 %", "give a number of patients"),
    (";", "", "< 5", "'< 5' is not a number"),
    (";", "", "1\u200b000", "is not a number"),
    (";", "", "1e400", "is not a finite number"),
    *[
        (";", "", cell, "leave the study out")
        for cell in ("n/a", "NR", "ND", "k.A.", "-", "–", ".", "?", "nan", "inf", "")
    ],
]


@for_each("separator, other, cell, message", REFUSED_COUNTS)
def test_counts_with_two_readings_or_none_are_refused_with_their_line(tmp_path, separator, other, cell, message):
    with pytest.raises(SynthesisError) as error:
        counts(of_counts(tmp_path, separator, other, ["55", cell, "21"]))
    assert "line 3, column n" in str(error.value)
    assert message in str(error.value)


def of_moderator(tmp_path, separator, cells):
    rows = [f'S{row}{separator}3{separator}30{separator}"{cell}"' for row, cell in enumerate(cells)]
    return table(tmp_path, "\n".join([separator.join(["study", "events", "n", "m"]), *rows]))


MODERATORS = [
    (";", ["62,5", "51", "52"], [62.5, 51, 52], "Decimal commas are read: 62,5 is 62.5 (column m)."),
    (";", ["0,512", "1,234", "2"], [0.512, 1.234, 2], "0,512 is 0.512"),
    (",", ["0.512", "1.234", "2"], [0.512, 1.234, 2], None),
    (",", ["2019", "2020", "2021"], [2019, 2020, 2021], None),
    (",", ["0", "1", "1"], [0, 1, 1], None),
    (";", ["1'000.5", "−1.5", "–2.5"], [1000.5, -1.5, -2.5], "Dashes before numbers are read as minus: −1.5 is -1.5"),
    (",", ["0·5", "1·25", "2"], [0.5, 1.25, 2], "Raised points are read as decimal points: 0·5 is 0.5"),
    (";", ["62 %", "13%", "7,5 %"], [62, 13, 7.5], "Percent signs are left out: 62 % is 62 (column m)."),
    (",", ["1e3", "+5", ".5"], [1000, 5, 0.5], None),
    (",", ["51", "NR", "53", ""], [51, None, 53, None], "Column m: 'NR' is read as not known (line 3)."),
    (",", ["51", "n/a", "-", "k.A.", "#N/A", "nan"], [51, *[None] * 5],
     "Column m: 'n/a', '-', 'k.A.', '#N/A', 'nan' are read as not known (lines 3, 4, 5, 6, 7)."),
    (",", ["a", "b", "?", "a"], ["a", "b", None, "a"], "'?' is read as not known (line 4)"),
    (",", ["TRUE", "FALSE", "TRUE"], ["TRUE", "FALSE", "TRUE"], None),
    (",", ["<65", ">=65", "<65", ">=65"], ["<65", ">=65", "<65", ">=65"], None),
    (",", ["phase 1", "phase 2", "phase 2"], ["phase 1", "phase 2", "phase 2"], None),
    (",", ["a", "b", "2", "a", "b"], ["a", "b", "2", "a", "b"], "Column m: 1 of 5 known cells are numbers"),
]  # fmt: skip


@for_each("separator, cells, right, said", MODERATORS)
def test_moderators_are_numbers_or_groups_and_what_was_interpreted_is_said(tmp_path, separator, cells, right, said):
    found = of_moderator(tmp_path, separator, cells)
    assert list(moderator(found, "m")) == right
    about = [each for each in found.remarks if "olumn m" in each]
    assert (about == []) if said is None else any(said in each for each in about), found.remarks


REFUSED_MODERATORS = [
    # separator, cells, lines that are named
    (",", ["62,5", "51", "52", "53"], [2]),
    (",", ["0,5", "0,7", "0,9"], [2, 3, 4]),
    (";", ["62,5", "51.5", "52.5"], [2]),
    (",", ["51", "62 years", "53"], [3]),
    (",", ["51", "53", "< 5"], [4]),
    (",", ["51", "62 %", "53"], [3]),
    (",", ["51", "52", "53", "inf"], [5]),
    (",", ["51", "1_000", "5１"], [3, 4]),
    (",", ["1", "2", "3+", "2"], [4]),
    (",", ["1.200", "800", "950"], [2]),
    (";", ["1,200", "800", "950"], [2]),
    (";", ["1,5", "1.000", "2"], [3]),
    (";", ["0.5", "1,000", "2"], [3]),
    (";", ["1.234", "2.345", "3.456"], [2, 3, 4]),
    (",", ["62 (51-70)", "58 (49-66)", "60"], [2, 3]),
    (",", ["2020-05-01", "2021-06-01", "2022-07-01"], [2, 3, 4]),
    (";", ["12.05.2020", "13.06.2021", "14.07.2022"], [2, 3, 4]),
]


@for_each("separator, cells, lines", REFUSED_MODERATORS)
def test_a_moderator_that_is_mostly_numbers_is_never_a_factor_by_accident(tmp_path, separator, cells, lines):
    found = of_moderator(tmp_path, separator, cells)
    with pytest.raises(SynthesisError) as error:
        moderator(found, "m")
    assert [each.field for each in error.value.problems] == [f"line {line}, column m" for line in lines]
    assert all(
        each.fix.endswith("or leave the cell empty; groups have names in letters") for each in error.value.problems
    )


PROGRAMS = {
    "Excel, separator named": ("sep=;\r\nstudy;events;n\r\nA;3;10\r\nB;4;12\r\n", "utf-8", "Line 1 says"),
    "Excel, separator named and saved again": ("sep=,,\nstudy,events,n\nA,3,10\nB,4,12\n", "utf-8-sig", "Line 1 says"),
    "Excel, Unicode text": ("study\tevents\tn\r\nA\t3\t10\r\nB\t4\t12\r\n", "utf-16", "read as UTF-16"),
    "Excel, the other order": ("\ufeffstudy\tevents\tn\nA\t3\t10\nB\t4\t12\n", "utf-16-be", "read as UTF-16"),
    "Excel in German": (
        "study;events;n;größe\nA;3;10;1\nB;4;12;2\n",
        "windows-1252",
        "(byte 17): it is read as windows-1252",
    ),
    "Excel, columns cleared": ("study,events,n,,\nA,3,10,,\nB,4,12\n", "utf-8", "beyond those of the header"),
    "trailing separators in rows": ("study,events,n\nA,3,10,\nB,4,12,\n", "utf-8", "left out (lines 2, 3)"),
    "a blank column": ("study,,events,n\nA,,3,10\nB,,4,12\n", "utf-8", "without a name and content are left out"),
    "R, names of rows": ('"","study","events","n"\n"1","A",3,10\n"2","B",4,12\n', "utf-8", "no name: it is left out"),
    "R, studies as names of rows": ('"","events","n"\n"A",3,10\n"B",4,12\n', "utf-8", "read as names of studies"),
    "pandas, an index": (",study,events,n\n0,A,3.0,10\n1,B,4.0,12\n", "utf-8", "no name: it is left out"),
    "two files as one": ("study,events,n\nA,3,10\nstudy,events,n\nB,4,12\n", "utf-8", "left out (line 3)"),
    "spaces and quotation marks": ('study, "events", n\nA, "3", 10\nB, 4 , "12"\n', "utf-8", None),
    "lines of old": ("study,events,n\rA,3,10\rB,4,12\r", "utf-8", None),
    "empty lines first": ("\n\nstudy;events;n\nA;3;10\n;;\nB;4;12\n", "utf-8", None),
    "names numbered": ("#,study,events,n\n1,A,3,10\n2,B,4,12\n", "utf-8", None),
    "a comma in a heading": ('study;"events, all";n\nA;3;10\nB;4;12\n', "utf-8", None),
}


@for_each("program", PROGRAMS)
def test_the_files_of_programs_are_read_and_what_was_left_out_is_said(tmp_path, program):
    text, encoding, said = PROGRAMS[program]
    asked = {"events": "events, all"} if "events, all" in text else {}
    found = table(tmp_path, text.encode(encoding), **asked)
    assert labels(found) == ("A", "B")
    assert np.array_equal(counts(found), [[3, 4], [10, 12]])
    assert (found.remarks == ()) if said is None else any(said in each for each in found.remarks), found.remarks


def test_lines_are_counted_in_the_file_also_below_what_is_left_out(tmp_path):
    with pytest.raises(SynthesisError, match="line 6, column n: 'x' is not a number"):
        counts(table(tmp_path, "sep=;\nstudy;events;n\n\nA;1;2\nstudy;events;n\nB;1;x\n"))


def test_a_row_that_adds_up_those_above_is_told(tmp_path):
    found = table(tmp_path, "study,events,n\nA,3,10\nB,4,12\nAll of them,7,22\n")
    assert found.remarks == ("Line 4 has the sums of the lines above it (events, n): totals are no study.",)
    assert table(tmp_path, "study,events,n\nA,3,10\nB,3,10\nC,7,22\n").remarks == ()


def test_one_count_tells_the_thousands_of_all(tmp_path):
    found = table(tmp_path, "study;ai;n1i;ci;n2i\nA;1.234;4.000;12;40\nB;5;100;6;1.000\n")
    assert np.array_equal(two_by_two(found), [[1234, 5], [4000, 100], [12, 6], [40, 1000]])
    assert found.remarks == ("Signs between thousands are left out: 1.234 is 1234 (columns ai, n1i, n2i).",)


def test_both_ways_to_write_a_number_with_two_readings_have_one(tmp_path):
    for cell, whole, decimal in [("2.020", 2020, 2.02), ("1.234", 1234, 1.234), ("-3.500", -3500, -3.5)]:
        with pytest.raises(SynthesisError) as error:
            moderator(of_moderator(tmp_path, ",", [cell, "1", "2"]), "m")
        ways = error.value.problems[0].fix.removeprefix("write ").split(",")[0].split(" or ")
        assert [moderator(of_moderator(tmp_path, ",", [way, "1", "2"]), "m")[0] for way in ways] == [whole, decimal]


def test_an_order_is_of_numbers_only(tmp_path):
    found = table(tmp_path, "study;events;n;year;of\nA;3;10;2019;2019\nB;4;12;2020,5;n/a\n")
    assert quantity(found, "year").tolist() == [2019, 2020.5]
    with pytest.raises(SynthesisError, match="line 3, column of: 'n/a' says that it is not known"):
        quantity(found, "of")


LOCALES = {
    # separator, before decimals, between thousands, fewest columns of 60 that are read
    "English": (",", ".", ",", 50),
    "English with tabs": ("\t", ".", ",", 50),
    "German": (";", ",", ".", 50),
    "German with tabs": ("\t", ",", ".", 50),
    "German with commas": (",", ",", ".", 10),
    "French": (";", ",", NARROW, 50),
    "Swiss": (";", ".", "'", 50),
    "programs": (",", ".", "", 50),
    "programs in Europe": (";", ",", "", 50),
}


@for_each("locale", LOCALES)
def test_a_file_of_any_country_is_read_as_it_was_meant_or_refused(tmp_path, locale):
    """Drawn tables, written as the country does: whatever is read is what was written."""
    separator, decimal, thousand, fewest = LOCALES[locale]
    draw = random.Random(locale)
    read, refusals = 0, []

    def written(value, places):
        text = f"{value:,.{places}f}" if thousand else f"{value:.{places}f}"
        return text.translate({ord(","): thousand, ord("."): decimal})

    for _ in range(30):
        places, top = draw.choice([0, 1, 2, 3]), draw.choice([2, 900, 3000])
        sizes = [draw.randint(1, 10 ** draw.choice([2, 4])) for _ in range(4)]
        values = [round(draw.uniform(-top, top), places) for _ in range(4)]
        cells = [f'"{name}"{separator}0{separator}"{written(n, 0)}"{separator}"{written(value, places)}"'
                 for name, n, value in zip("ABCD", sizes, values, strict=True)]  # fmt: skip
        found = table(tmp_path, "\n".join([separator.join(["study", "events", "n", "m"]), *cells]))
        for reader, right in ((lambda found: counts(found)[1], sizes), (lambda found: quantity(found, "m"), values)):
            try:
                assert reader(found).tolist() == right
                read += 1
            except SynthesisError as error:
                refusals += error.problems
    assert all("line " in each.field and each.fix for each in refusals)
    assert read >= fewest, "too much is refused"
