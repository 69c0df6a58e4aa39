"""The HTML page in a real browser: nothing is reported as an error and nothing is wider than the screen."""

import shutil
import subprocess

import pytest

from bcma_decide.render.html import render_html

from .factory import comparison

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
FRAME = """<!DOCTYPE html><title>frame</title><body>
<iframe src="page.html" width="{width}" height="3000" style="border: 0"></iframe>
<p id="measured"></p>
<script>
addEventListener("load", () => {{
  const page = frames[0].document.documentElement
  document.getElementById("measured").textContent = `${{page.clientWidth}} wide, needs ${{page.scrollWidth}}.`
}})
</script>
"""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
@pytest.mark.parametrize("width", [320, 400, 1000])
def test_the_page_fits_and_reports_no_error(tmp_path, width):
    (tmp_path / "page.html").write_text(render_html(comparison()), encoding="utf-8")
    frame = tmp_path / "frame.html"
    frame.write_text(FRAME.format(width=width), encoding="utf-8")
    options = (
        "--allow-file-access-from-files",
        "--enable-logging=stderr",
        f"--user-data-dir={tmp_path / 'browser'}",
        "--virtual-time-budget=2000",
        "--dump-dom",
    )
    shown = subprocess.run(
        [CHROMIUM, *QUIET, *options, frame.as_uri()], capture_output=True, text=True, timeout=60, check=True
    )
    assert f"{width} wide, needs {width}." in shown.stdout
    assert ":CONSOLE" not in shown.stderr
