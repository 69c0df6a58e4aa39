"""Profiles as files: one clear error for everything that can be wrong with one, and round trips."""

import io
import json
import sys

import pytest

from bcma_decide.cli.sources import patient_from_sources
from bcma_decide.errors import ProfileError
from bcma_decide.facts.traits import derive
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.files import (
    describe_example,
    example_names,
    load_example,
    parse,
    read_profile,
    template,
)
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.definitions import shipped_definitions
from tests.support.cases import for_each


def refusal(action, *args):
    with pytest.raises(ProfileError) as caught:
        action(*args)
    return str(caught.value)


@pytest.mark.parametrize("definitions", [None, shipped_definitions()])
def test_the_template_is_a_patient_of_whom_nothing_is_known(tmp_path, definitions):
    path = tmp_path / "empty.yaml"
    path.write_text(template(definitions), encoding="utf-8")
    assert read_profile(path) == Patient()
    assert list(parse(path.read_text(encoding="utf-8"))) == list(FIELDS)


def test_the_template_shows_definitions_units_and_reasons():
    text = template(shipped_definitions())
    flowing = " ".join(text.replace("\n#", " ").split())
    assert "Creatinine clearance below 45 mL/min, or dialysis." in flowing
    assert "number in ng/mL or ug/L, for example 850 ng/mL" in flowing
    assert text.count("# Why: ") == len(FIELDS)
    assert max(map(len, text.splitlines())) <= 96


@for_each("name", example_names())
def test_every_example_loads_without_contradiction(name):
    assert "Fictional." in describe_example(name)
    assert derive(load_example(name), shipped_definitions()).contradictions == ()


def test_the_examples_differ_in_what_they_show():
    known = {name: derive(load_example(name), shipped_definitions()).known() for name in example_names()}
    assert len(known) >= 7
    assert known["frail-82-dialysis-prior-bcma"].items() >= {"frail": True, "renal_impairment": True}.items()
    assert known["prior-car-t-63"]["prior_t_cell_redirection"] is True
    assert known["extramedullary-66-high-risk"]["penta_drug_refractory"] is True
    assert known["little-known-70"] == {"age": 70.0, "prior_lines": 5.0}


def test_a_misspelt_example():
    assert "did you mean 'renal-74'?" in refusal(load_example, "renal74")
    assert "one of extramedullary" in refusal(load_example, "../secret")


def test_yaml_and_json_say_the_same(tmp_path):
    values = {"age": 71, "ferritin": {"value": 850, "unit": "ng/mL"}, "prior_bcma_courses": ["car_t:7"]}
    for name, text in (("p.json", json.dumps(values)), ("p.yaml", json.dumps(values)),
                       ("q.yaml", "age: 71\nferritin: 850 ng/mL\nprior_bcma_courses: car_t:7\n"),
                       ("r.yaml", "\ufeffage: '71'\nferritin: {value: 850, unit: ng/mL}\n"
                                  "prior_bcma_courses:\n- {kind: car_t, months_since: 7}\n")):  # fmt: skip
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        assert read_profile(path) == Patient(**values)


def test_yaml_is_read_as_written():
    assert parse("age: 071\nfrail: no\ndel_17p: yes\niss: II\n")["iss"] == "II"
    patient = Patient.read(parse("age: 071\nfrail: no\ndel_17p: yes\n"))
    assert (patient.age, patient.frail, patient.del_17p) == (71, False, True)


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"agee: 71\n", "p.yaml", "agee: is not a field of the profile (did you mean 'age'?)"),
        (b"ferritin: 850\n", "p.yaml", "ferritin: '850' has no unit; use ng/mL or ug/L"),
        (b"hemoglobin: 6 mmol\n", "p.yaml", "hemoglobin: 'mmol' is not a unit for it"),
        (b"age: 712\n", "p.yaml", "age: 712 is outside 18 to 110 years"),
        (b"platelets: .inf\n", "p.yaml", "platelets: "),
        (b"age: 2024-01-01\n", "p.yaml", "age: "),
        (b"age: [71\nfrail: no\n", "p.yaml", "line "),
        (b"age: 71\n frail: no\n", "p.yaml", "line 2"),
        (b"age: 71\nage: 72\n", "p.yaml", "age"),
        (b"a: &x [1]\nb: *x\n", "p.yaml", "p.yaml"),
        (b"!!python/object/apply:os.system ['true']\n", "p.yaml", "p.yaml"),
        (b"", "p.yaml", "is empty"),
        (b" \n\t\n", "p.yaml", "is empty"),
        (b"# only a comment\n", "p.yaml", "is empty"),
        (b"null\n", "p.json", "holds no field"),
        (b"- age\n", "p.yaml", "is not a mapping"),
        (b"71\n", "p.yaml", "is not a mapping"),
        (b"71: age\n", "p.yaml", "71"),
        (b"\xff\xfe\x00", "p.yaml", "is not UTF-8 text"),
        (b"age: \x00\n", "p.yaml", "p.yaml"),
        (b"x" * 1_000_001, "p.yaml", "is larger than 1 MB"),
        (b"[" * 100_000, "p.yaml", "p.yaml"),
        (b"[" * 100_000, "p.json", "nested too deeply"),
        (b'{"age": 71', "p.json", "line 1: not JSON"),
        (b'{"age": 71, "age": 72}', "p.json", "'age': stands there twice"),
        (b'{"age": NaN}', "p.json", "age: nan is not a finite number"),
        (b'{"age": ' + b"9" * 5000 + b"}", "p.json", "age: "),
        (b"[1]", "p.json", "is not a mapping"),
        (b"refractory_to: [PI]\n", "p.yaml", "name the drug: bortezomib"),
    ],
)
def test_one_clear_error_for_a_file_that_cannot_be_used(tmp_path, content, name, message):
    path = tmp_path / name
    path.write_bytes(content)
    text = refusal(read_profile, path)
    assert message in text
    assert name in text
    assert len(text) < 600


def test_a_file_that_is_not_there(tmp_path):
    assert "No such file" in refusal(read_profile, tmp_path / "missing.yaml")
    assert "directory" in refusal(read_profile, tmp_path)


def test_a_device_is_not_read():
    assert "it is a device" in refusal(read_profile, "/dev/zero")


@pytest.mark.parametrize("text", ["age: 71\n", '{"age": 71}', "{age: 71}"])
def test_standard_input(monkeypatch, text):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert read_profile("-") == Patient(age=71)


def test_problems_of_standard_input_say_so(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"age: x")))
    assert "standard input: age: 'x' is not a number" in refusal(read_profile, "-")


def test_options_replace_single_fields(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("age: 71\nfrail: no\niss: 3\n", encoding="utf-8")
    patient = patient_from_sources(path, None, {"age": "72", "iss": "unknown"})
    assert patient == Patient(age=72, frail=False)
    assert patient_from_sources(None, "renal-74", {"age": "75"}).age == 75
    assert patient_from_sources(None, None, {}) == Patient()


def test_problems_say_whether_the_file_or_an_option_is_wrong(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("age: x\nfrail: perhaps\n", encoding="utf-8")
    text = refusal(patient_from_sources, path, None, {"age": "y"})
    assert "\n  age: 'y' is not a number" in text
    assert "p.yaml: frail: 'perhaps' is neither" in text


def test_a_file_and_an_example_at_once(tmp_path):
    assert "both are given" in refusal(patient_from_sources, tmp_path / "p.yaml", "renal-74", {})
