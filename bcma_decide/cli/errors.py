"""From errors raised on purpose to one message on stderr and an exit code, without a traceback."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from bcma_decide.cli.output import say
from bcma_decide.errors import BcmaDecideError

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Misuse(Exception):  # noqa: N818  # named for what happened
    """A command called as it cannot be: what is wrong, and with which option or argument."""

    def __init__(self, message: str, option: str) -> None:
        self.message, self.option = message, option
        super().__init__(message)


def report_errors(command: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Decorate a command: an error of this program becomes its message on stderr and its exit code."""

    @wraps(command)
    def wrapped(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        import typer

        try:
            return command(*args, **kwargs)
        except Misuse as error:
            raise typer.BadParameter(error.message, param_hint=error.option) from None
        except BcmaDecideError as error:
            say(str(error), err=True)
            raise typer.Exit(error.exit_code) from None

    return wrapped
