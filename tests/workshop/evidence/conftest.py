"""A copy of the shipped evidence that a test may change."""

import shutil

import pytest

from bcma_decide.pooled.location import evidence_directory


@pytest.fixture
def root(tmp_path):
    target = tmp_path / "evidence"
    shutil.copytree(evidence_directory(), target)
    return target
