"""Figures of a table of one's own: the order of studies, columns and judgements beside them, sides, values as CSV."""

import csv
import io
import json
import re
from xml.etree import ElementTree

import pytest

from tests.cli.support.program import ESCAPE, invoke, on_terminal
from tests.support.cases import for_each
from tests.workshop.meta_analysis.support.reference import FOLDER

BCG = FOLDER / "inputs" / "bcg.csv"
TABLE = """study,events,n,year,dose,random,overall
"A [x] & <b>t</b>",10,40,2019,low,+,high
B,30,50,2017,high,-,low
C,5,25,,low,?,some concerns
D,44,60,2021,,Low Risk,
"""
"""Rates of 25, 60, 20 and 73 percent."""
PAIRS = "study,events1,n1,events2,n2\nA,1,9,2,8\nB,3,9,4,9\nC,1,5,2,6\n"


@pytest.fixture
def table(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text(TABLE)
    return file


def values(file, *options):
    target = file.parent / "values.csv"
    answer = invoke("meta", file, *options, "--csv", target)
    assert answer.exit_code == 0, answer.stderr
    return list(csv.DictReader(io.StringIO(target.read_text(encoding="utf-8"))))


def order(file, *options):
    return "".join(row["study"][0] for row in values(file, *options) if row["row"] == "study")


@for_each(
    ("sort", "expected"),
    [
        ("file", "ABCD"),
        ("effect", "CABD"),
        ("size", "DBAC"),
        ("weight", "BDAC"),
        ("year", "BADC"),
        ("dose", "BACD"),
        ("study", "ABCD"),
    ],
)
def test_studies_stand_in_the_order_asked_for(table, sort, expected):
    """What is not known stands last; the weights are those of an equal-effects model, e (n - e) / n by hand."""
    assert order(table, "--sort", sort, "--method", "EE") == expected


def test_groups_are_sorted_inside_and_every_figure_follows(table, tmp_path):
    """The forest and the drawing of leaving out follow; JSON keeps the order of the file."""
    table.write_text(TABLE.replace(",2021,,", ",2021,high,"))
    assert order(table, "--sort", "effect", "--by", "dose") == "CABD"
    answer = invoke("meta", table, "--sort", "effect", "--svg", tmp_path, "--json")
    assert [each["study"][0] for each in json.loads(answer.stdout)["studies"]] == list("ABCD")
    for name, before in (("forest", ""), ("leave-one-out", "without ")):
        root = ElementTree.fromstring((tmp_path / f"{name}.svg").read_text(encoding="utf-8"))
        shown = [each.text for each in root.findall(".//{*}text") if re.match(rf"{before}[ABCD]( |$)", each.text or "")]
        assert [each.removeprefix(before)[0] for each in shown if not each.startswith("All")] == list("CABD")


def test_columns_and_judgements_stand_in_every_answer(table, tmp_path):
    options = ("--show", "dose,year", "--rob", "random,overall")
    page = tmp_path / "page.html"
    answer = invoke("meta", table, *options, "--json", "--html", page, "--svg", tmp_path)
    found = json.loads(answer.stdout)["studies"]
    assert [each["shown"]["year"] for each in found] == ["2019", "2017", "", "2021"]
    assert [each["risk_of_bias"]["random"] for each in found] == ["low", "high", "unclear", "low"]
    assert [each["risk_of_bias"]["overall"] for each in found] == ["high", "low", "some", None]
    assert not [each for each in json.loads(answer.stdout)["remarks"] if "not known" in each]
    drawn = (tmp_path / "forest.svg").read_text(encoding="utf-8")
    assert "Risk of bias: D1 random, D2 overall" in drawn
    assert "A [x] &amp; &lt;b&gt;t&lt;/b&gt;" in drawn
    assert "<b>t</b>" not in page.read_text(encoding="utf-8")
    rows = values(table, *options)
    assert [row["overall"] for row in rows] == ["high", "low", "some", "", ""]


def test_a_column_that_is_shown_is_remarked_on_only_where_it_is_read_too(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text("study;events;n;dose\nA;10;40;0,5\nB;30;50;1,5\nC;5;25;2,5\nD;4;30;NR\n")

    def remarks(*options):
        return " ".join(json.loads(invoke("meta", file, *options, "--json").stdout)["remarks"])

    assert "Decimal commas are read" in remarks()
    assert "Decimal commas" not in remarks("--show", "dose")
    for options in (("--mods", "dose"), ("--sort", "dose")):
        text = remarks("--show", "dose", *options)
        assert "Decimal commas are read: 0,5 is 0.5 (column dose)" in text
        assert "'NR' is read as not known" in text


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_shows_markup_as_it_is(table, width):
    table.write_text(TABLE.replace("dose", "[red]dose[/red]"))
    options = ("--show", "[red]dose[/red]", "--rob", "random", "--by", "study", "--title", "T [bold]x[/bold] <i>&")
    code, shown = on_terminal("meta", str(table), *options, width=width)
    assert code == 0
    lines = ESCAPE.sub("", shown).splitlines()
    assert max(len(line.rstrip()) for line in lines) <= width
    text = " ".join(" ".join(lines).split())
    for part in ("T [bold]x[/bold] <i>&", "[x]", "[red]dose[/red]", "D1 random"):
        assert part in text, part


def test_a_column_of_groups_with_markup_keeps_its_name(table):
    table.write_text(TABLE.replace("dose", "[red]dose").replace(",2021,,", ",2021,high,"))
    shown = invoke("meta", table, "--by", "[red]dose").stdout
    assert shown.count("[red]dose") >= 4


def test_the_sides_of_no_effect_and_the_test_between_groups_are_printed(tmp_path):
    """metafor 3.8-1: rma(yi, vi) of each group of dat.bcg, then rma(b, se^2, method = "EE") of these: QE, QEp."""
    options = ("--measure", "RR", "--column", "study=trial", "--by", "alloc", "--favours", "vaccine,none")
    assert invoke("meta", BCG, *options, "--svg", tmp_path).exit_code == 0
    root = ElementTree.fromstring((tmp_path / "forest.svg").read_text(encoding="utf-8"))
    texts = [each.text for each in root.findall(".//{*}text")]
    assert "Test between groups (alloc): Q 1.86 (df 2), p 0.3943" in texts
    assert {"favours vaccine", "favours none"} < set(texts)
    assert "tau2 0.313, I2 92 %, Q 152.23 (df 12), p <0.0001" in " ".join(texts), "of all thirteen"


def test_values_are_those_of_the_answer(tmp_path):
    target = tmp_path / "bcg.csv"
    answer = invoke(
        "meta", BCG, "--measure", "RR", "--column", "study=trial", "--by", "alloc", "--csv", target, "--json"
    )
    found = json.loads(answer.stdout)
    rows = list(csv.DictReader(io.StringIO(target.read_text(encoding="utf-8"))))
    assert [row["row"] for row in rows].count("study") == 13
    assert [row["group"] for row in rows if row["row"] == "group"] == ["random", "alternate", "systematic"]
    pooled = rows[-1]
    assert pooled["row"] == "pooled"
    back = found["back_transformed"]
    wanted = [back["estimate"], *back["ci"], *back["prediction"], found["tau2"], found["i2"], found["q"]]
    names = ("estimate", "ci_low", "ci_high", "prediction_low", "prediction_high", "tau2", "i2_percent", "q")
    assert [float(pooled[name]) for name in names] == wanted
    weights = [float(row["weight_percent"]) for row in rows if row["row"] == "study"]
    assert sum(weights) == pytest.approx(100)
    first = next(row for row in rows if row["study"] == "1")
    assert [first[name] for name in ("events1", "n1", "events2", "n2")] == ["4", "123", "11", "139"]
    assert float(first["yi"]) == pytest.approx(-0.8893, abs=5e-5), "metafor's dat.bcg, escalc(measure = 'RR')"


def test_a_method_without_weights_leaves_them_empty_and_infinity_is_said(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text("study,events,n,g\nA,0,40,x\nB,0,50,x\nC,1,60,y\nD,2,60,y\nE,1,80,y\n")
    rows = values(file, "--method", "GLMM", "--by", "g")
    assert {row["weight_percent"] for row in rows} == {""}
    [group] = [row for row in rows if row["row"] == "group" and row["group"] == "x"]
    assert (group["yi"], group["sei"], float(group["estimate"])) == ("-Inf", "Inf", 0)
    assert 0 < float(group["ci_high"]) < 0.05


REFUSED = {
    "no such order": (("--sort", "size2"), "effect, weight, size, file or a column"),
    "weights of none": (("--sort", "weight", "--method", "GLMM"), "this method weighs no study"),
    "no such column": (("--show", "doses"), "--show, column doses: is missing"),
    "a column twice": (("--show", "dose,dose"), "names 'dose' twice"),
    "an empty name": (("--rob", "random,"), "write names of columns"),
    "no judgement": (("--rob", "year"), "line 2, column year: '2019' is no judgement of bias"),
    "sides of rates": (("--favours", "a,b"), "leave it out, or compare two groups"),
    "one side": (("--favours", "a"), "write two names with a comma between"),
    "three sides": (("--favours", "a,b,c"), "write two names with a comma between"),
    "a folder as file": (("--csv", "."), "the result cannot be written"),
    "a design alone": (("--design", "randomised"), "add --findings"),
    "no such flow": (("--flow", "none.yaml"), "none.yaml: cannot be read"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_drawn_is_said_and_nothing_printed(table, name):
    options, part = REFUSED[name]
    answer = invoke("meta", table, *options)
    assert answer.exit_code == 3, answer.stderr
    assert part in " ".join(answer.stderr.split())
    assert "Pooled result" not in answer.stdout


def test_sizes_that_are_not_there_order_nothing(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text("study,yi,vi\nA,1,1\nB,2,1\n")
    answer = invoke("meta", file, "--sort", "size")
    assert (answer.exit_code, "has no numbers of patients" in answer.stderr) == (3, True)


def test_a_bubble_plot_along_years_begins_near_the_first(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text(TABLE.replace("C,5,25,,", "C,5,25,2018,"))
    answer = invoke("meta", file, "--mods", "year", "--svg", tmp_path)
    assert answer.exit_code == 0, answer.stderr
    root = ElementTree.fromstring((tmp_path / "bubble.svg").read_text(encoding="utf-8"))
    texts = [each.text for each in root.findall(".//{*}text")]
    assert [text for text in texts if re.fullmatch(r"(19|20)\d\d", text)] == ["2017", "2018", "2019", "2020", "2021"]
