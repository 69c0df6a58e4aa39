"""The whole of `meta` beside metafor, live: fifty-eight tables, thousands of numbers, one call of R.

Where R or metafor is not installed the test is left out; with ``CI_PARTS=1`` it fails instead.
"""

import json
import os
import subprocess
from shutil import which

import pytest

from tests.workshop.meta_analysis.support.disagreements import expected, outlived
from tests.workshop.meta_analysis.support.live import summary
from tests.workshop.meta_analysis.support.live.comparison import compared, metafor
from tests.workshop.meta_analysis.support.live.ours import answer
from tests.workshop.meta_analysis.support.live.tables import tables


def _has_metafor():
    if which("Rscript") is None:
        return False
    loaded = "suppressMessages({library(metafor); library(lme4); library(jsonlite)})"
    return subprocess.run(["Rscript", "--vanilla", "-e", loaded], capture_output=True).returncode == 0


@pytest.mark.slow
def test_every_number_is_metafors_or_its_difference_is_known(tmp_path):
    if not _has_metafor():
        reason = "R with metafor, lme4 and jsonlite is not installed"
        if os.environ.get("CI_PARTS") == "1":
            pytest.fail(f"{reason} (CI_PARTS=1 asks for every part)")
        pytest.skip(reason)
    asked = tables()
    theirs = metafor(asked, tmp_path)
    outcome = compared(asked, {name: answer(table) for name, table in asked.items()}, theirs["answers"])
    differing = [each.path for each in outcome.differences]
    new = [each for each in outcome.differences if not expected("live", each.path)]
    assert not new, "\n".join(f"{each.path}: {each.ours} here, {each.theirs} in metafor" for each in new[:40])
    assert not outlived("live", differing), "these are listed as disagreements, but no longer differ"
    written = json.loads(summary.FILE.read_text(encoding="utf-8"))
    made = summary.of(outcome, theirs["versions"])
    assert summary.counts(made) == summary.counts(written), summary.AGAIN
