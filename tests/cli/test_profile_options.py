"""The options of a profile on a command of their own."""

import pytest
import typer
from typer.testing import CliRunner

from bcma_decide.cli.profile_options import ExampleName, ProfileCommand, ProfileFile, with_profile_options
from bcma_decide.cli.sources import patient_from_sources
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.profile import Patient

app = typer.Typer()
seen = []


@app.command(cls=ProfileCommand)
@with_profile_options
def show(profile: ProfileFile = None, example: ExampleName = None, *, options: dict[str, str], count: int = 1) -> None:
    """Show a patient."""
    seen.append((patient_from_sources(profile, example, options), count))


def run(*arguments):
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert result.exit_code == 0, result.output
    return result.output


def test_every_field_is_an_option():
    run("--age", "71", "--high-risk-cytogenetics", "yes", "--refractory-to", "lenalidomide,bortezomib",
        "--refractory-to", "dara", "--prior-bcma-course", "car_t:7", "--prior-bcma-course", "adc",
        "--ferritin", "850 ng/mL", "--count", "3")  # fmt: skip
    expected = Patient(age=71, high_risk_cytogenetics=True, refractory_to="lenalidomide, bortezomib, dara",
                       prior_bcma_courses="car_t:7, adc", ferritin="850 ng/mL")  # fmt: skip
    assert seen[-1] == (expected, 3)


def test_options_over_an_example():
    run("--example", "renal-74", "--age", "unknown")
    assert seen[-1][0].age is None
    assert seen[-1][0].iss == 3


def test_the_help_teaches():
    output = " ".join(run("--help-all").replace("│", " ").split())
    assert all(field.option in output for field in FIELDS.values())
    assert "Creatinine clearance below 45 mL/min, or dialysis." in output
    assert "The patient: laboratory" in output
    assert 'as in --ferritin "850 ng/mL"' in output


def test_the_help_does_without_evidence(tmp_path):
    result = CliRunner().invoke(app, ["--help"], env={"BCMA_DECIDE_EVIDENCE": str(tmp_path / "none")})
    assert result.exit_code == 0


def test_a_command_without_the_parameter_is_refused():
    with pytest.raises(TypeError, match="no parameter 'options'"):
        with_profile_options(lambda: None)
