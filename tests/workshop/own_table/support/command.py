"""`meta` on a table that a test holds as text."""

import json

from tests.cli.support.program import invoke


def answered(tmp_path, text, *options):
    """The answer of the command, whatever it is."""
    file = tmp_path / "table.csv"
    file.write_text(text, encoding="utf-8")
    return invoke("meta", file, *options, "--json")


def pooled(tmp_path, text, *options):
    """The JSON of a table that is pooled."""
    answer = answered(tmp_path, text, *options)
    assert answer.exit_code == 0, answer.stderr
    return json.loads(answer.stdout)
