"""Where the evidence is looked for, and in which order."""

import pytest

from bcma_decide.errors import NoEvidenceError
from bcma_decide.pooled.location import ENVIRONMENT_VARIABLE, evidence_directory, pooled_path


def test_the_evidence_of_the_source_tree_is_found(monkeypatch):
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    assert (evidence_directory() / "studies").is_dir()
    assert pooled_path().is_file()


def test_the_directory_given_wins_over_the_environment(tmp_path, monkeypatch):
    for name in ("given", "named"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "named"))
    assert tmp_path / "given" == evidence_directory(tmp_path / "given")
    assert tmp_path / "named" == evidence_directory()


def test_a_directory_that_does_not_exist_is_refused_with_its_name(tmp_path):
    with pytest.raises(NoEvidenceError, match="nowhere: is not a directory"):
        evidence_directory(tmp_path / "nowhere")
