"""Reference levels, numbers as groups, interactions and predictions of nested models, as R has them."""

import csv
import json

import pytest

from tests.cli.support.program import invoke
from tests.workshop.meta_analysis.support.reference import FOLDER

BCG = ("--measure", "RR", "--column", "study=trial")


def answered(file, *options):
    return invoke("meta", file, *options, "--json")


def found(file, *options):
    answer = answered(file, *options)
    assert answer.exit_code == 0, answer.stderr
    return json.loads(answer.stdout)


def bcg(*options):
    return found(FOLDER / "inputs" / "bcg.csv", *BCG, *options)["regression"]


def assert_coefficients(ours, names, estimates, errors):
    assert [each["name"] for each in ours["coefficients"]] == names
    assert [each["estimate"] for each in ours["coefficients"]] == pytest.approx(estimates, rel=1e-7)
    assert [each["se"] for each in ours["coefficients"]] == pytest.approx(errors, rel=1e-7)


@pytest.fixture
def decades(tmp_path):
    """The BCG trials with the decade of each and where they were, without the 1960s."""
    with (FOLDER / "inputs" / "bcg.csv").open() as file:
        rows = list(csv.DictReader(file))
    kept = [row | {"decade": f"{row['year'][:3]}0"} for row in rows if not row["year"].startswith("196")]
    path = tmp_path / "decades.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, kept[0])
        writer.writeheader()
        writer.writerows(kept)
    return path


def test_another_reference_level():
    """rma(yi, vi, mods = ~ relevel(alloc, ref = "random"))."""
    ours = bcg("--mods", "alloc", "--reference", "alloc=random")
    names = ["intercept", "alloc=alternate", "alloc=systematic"]
    estimates = [-0.965774178546, 0.447818401391, 0.536856617622]
    assert_coefficients(ours, names, estimates, [0.267244094065, 0.515821633599, 0.436356176144])
    assert ours["moderators"]["qm"] == pytest.approx(1.767511401932, rel=1e-7)


@pytest.mark.parametrize(
    "mods", ["ablat*alloc", "ablat,alloc,ablat:alloc", "ablat, alloc, alloc:ablat", "ablat,ablat*alloc"]
)
def test_a_number_by_a_factor(mods):
    """rma(yi, vi, mods = ~ ablat * relevel(alloc, ref = "random")), predict(newmods = c(20, 0, 1, 0, 20))."""
    ours = bcg(
        "--mods", mods, "--reference", "alloc=random", "--at", "ablat=20,alloc=systematic", "--prediction", "normal"
    )
    names = [
        "intercept", "ablat", "alloc=alternate", "alloc=systematic", "ablat:alloc=alternate", "ablat:alloc=systematic",
    ]  # fmt: skip
    estimates = [0.02768571687494, -0.02815531198361, -0.00680118660565, 0.46425260595222, 0.00981440025434,
                 -0.00267734280992]  # fmt: skip
    errors = [0.5425853950866, 0.0143055217109, 0.9689105275137, 1.1252174736082, 0.0278961266759, 0.0340844353823]
    assert_coefficients(ours, names, estimates, errors)
    assert [ours["tau2"], ours["moderators"]["qm"]] == pytest.approx([0.246530925060, 7.479915604722], rel=1e-7)
    [there] = ours["expected"]
    assert there["estimate"] == pytest.approx(-0.124714773044, rel=1e-7)
    assert [there["ci"][0], there["prediction"][0]] == pytest.approx([-0.981199753405, -1.421096243996], rel=1e-7)


def test_a_number_by_a_number():
    """rma(yi, vi, mods = ~ ablat * year, test = "knha"), with calendar years as they are."""
    ours = bcg("--mods", "ablat*year", "--test", "knha")
    estimates = [-30.2420395106, 0.536345175074, 0.0154176333833, -0.000285524205606]
    errors = [140.039926660, 3.03863382036, 0.0709012165529, 0.00153890994277]
    names = ["intercept", "ablat", "year", "ablat:year"]
    assert [each["name"] for each in ours["coefficients"]] == names
    # metafor inverts products of such columns as they are, which leaves it six digits.
    assert [each["estimate"] for each in ours["coefficients"]] == pytest.approx(estimates, rel=1e-5)
    assert [each["se"] for each in ours["coefficients"]] == pytest.approx(errors, rel=1e-5)


def test_numbers_as_groups(decades):
    """rma(yi, vi, mods = ~ relevel(factor(decade), ref = "1970")) without the 1960s."""
    options = (*BCG, "--mods", "decade", "--factor", "decade", "--reference", "decade=1970.0", "--at", "decade=1980")
    ours = found(decades, *options)["regression"]
    names = ["intercept", "decade=1940", "decade=1950", "decade=1980"]
    estimates = [-0.685519243118, -0.586955407294, -0.100596342700, 0.697471576642]
    assert_coefficients(ours, names, estimates, [0.301307641887, 0.641871506038, 0.697599452554, 0.695486130017])
    assert ours["expected"][0]["estimate"] == pytest.approx(-0.685519243118 + 0.697471576642, rel=1e-5)
    assert "line" not in ours


def test_nested_models_predict():
    """rma.mv(yi, vi, mods = ~ year, random = ~ 1 | district/study), at 1980 and 2005; normal and t intervals."""
    options = ("--nested", "district", "--mods", "year", "--at", "year=1980", "--at", "year=2005")
    file = FOLDER / "inputs" / "konstantopoulos2011.csv"
    nested = found(file, *options, "--prediction", "normal")["nested"]
    ours = nested["expected"]
    tested = nested["moderators"]
    assert [tested["statistic"], tested["p"]] == pytest.approx([0.316905313590, 0.573473400566], rel=1e-5)
    assert [each["estimate"] for each in ours] == pytest.approx([0.127600312813, 0.260395769402], rel=1e-6)
    assert [each["ci"][0] for each in ours] == pytest.approx([-0.1365581681160, -0.0544431913109], rel=1e-6)
    assert [each["prediction"] for each in ours] == [
        pytest.approx(ends, rel=1e-6) for ends in ([-0.560011043321, 0.815211668947], [-0.448231950364, 0.969023489169])
    ]
    ours = found(file, *options, "--test", "t", "--prediction", "k-1")["nested"]["expected"]
    assert [each["ci"][0] for each in ours] == pytest.approx([-0.1426117275058, -0.0616581644595], rel=1e-6)
    assert [each["prediction"][0] for each in ours] == pytest.approx([-0.575768614938, -0.464471141215], rel=1e-6)


def test_rows_without_a_value_are_told_beside_nested_models(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text("study,g,yi,vi,x\n" + "".join(f"S{n},{n // 2},{n % 3},1,{n or ''}\n" for n in range(9)))
    ours = found(file, "--nested", "g", "--mods", "x")
    assert ours["nested"]["dropped"] == [{"row": 0, "study": "S0", "missing": ["x"]}]
    assert any("Left out of the two levels and their coefficients: S0 (no x)" in each for each in ours["remarks"])


def test_nested_predictions_are_told_on_the_terminal():
    answer = invoke(
        "meta", FOLDER / "inputs" / "konstantopoulos2011.csv", "--nested", "district", "--mods", "year",
        "--at", "year=1980",
    )  # fmt: skip
    assert answer.exit_code == 0, answer.stderr
    assert "Expected" in answer.stdout
    assert "year 1980" in answer.stdout


TABLE = "study,yi,vi,g,h,x\n" + "".join(
    f"S{n},{n % 5},1,{'ab'[n % 2]},{'pq'[n // 2 % 2] if n % 2 else 'p'},{n if n % 2 else 3}\n" for n in range(12)
)
WRONG = {
    "a combination that no study has": (("--mods", "g*h"), "no study has g=a and h=q, so the interaction g:h cannot"),
    "a number that does not vary": (("--mods", "g*x"), "x is 3 in every study with g=a, so the interaction g:x"),
    "an interaction alone": (("--mods", "g,g:x"), "the interaction g:x needs x beside it: write g*x"),
    "an interaction without a side": (("--mods", "g*"), "write a:b or a*b"),
    "an interaction with itself": (("--mods", "g*g"), "needs two different moderators"),
    "a part that is missing": (("--mods", "g,h,x,g:h:x"), "needs those of its parts beside it: write g*h*x"),
    "no such column": (("--mods", "g*dose"), "column dose: is missing"),
    "a factor of nothing": (("--factor", "x"), "--factor goes with --mods"),
    "a reference of nothing": (("--reference", "g=a"), "--reference goes with --mods"),
    "another factor": (("--mods", "g", "--factor", "x"), "--factor names 'x'; it goes with columns of --mods: g"),
    "another reference": (("--mods", "g", "--reference", "h=p"), "--reference names 'h'"),
    "a level that is none": (("--mods", "g", "--reference", "g=c"), "'c', but its levels are a, b"),
    "a level of a number": (("--mods", "x", "--reference", "x=3"), "--factor x"),
    "two levels": (("--mods", "g", "--reference", "g=a", "--reference", "g=b"), "name one level of a factor"),
    "half a reference": (("--mods", "g", "--reference", "g"), "write FACTOR=LEVEL"),
    "a place without a level": (("--mods", "g", "--at", "g=c"), "--at g=c: the studies had a, b"),
    "a place at infinity": (("--mods", "x", "--at", "x=inf"), "x is a numeric moderator, give a number"),
    "a place of a part": (("--mods", "g*yi", "--at", "g=a"), "a value of each of g, yi"),
    "a place of nested arms": (("--nested", "g", "--at", "x=1"), "--at goes with --mods"),
    "permuted arms": (("--nested", "g", "--mods", "x", "--permutations", "9"), "--permutations"),
    "a moderator for each study": (("--nested", "g", "--mods", "g"), "tell every study from the others"),
    "arms of one row each": (("--nested", "study"), "leave --nested out"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_has_its_remedy(tmp_path, name):
    options, part = WRONG[name]
    file = tmp_path / "table.csv"
    file.write_text(TABLE)
    answer = answered(file, *options)
    assert answer.exit_code == 3, answer.stdout
    assert part in " ".join(answer.stderr.split())
    assert "within_studies" not in answer.stderr
