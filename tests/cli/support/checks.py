"""What tests of several commands look at: the files of a folder, a refusal, the program without an extra."""

from tests.cli.support import programs
from tests.cli.support.program import run
from tests.render.support.reading import words


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def without_extra(*arguments):
    """Run the program as if WeasyPrint were not installed."""
    return run(*arguments, program=programs.without_weasyprint)


def refused(result, *parts):
    """Exit code 2, nothing on standard output, and a message with these parts."""
    code = result.exit_code if hasattr(result, "exit_code") else result.returncode
    assert (code, result.stdout) == (2, ""), result.stderr
    message = words(result.stderr.replace("│", " "))
    assert [part for part in parts if part not in message] == []
