"""Commands of the command line as its library builds them."""

from typer import Context


def called(command, name):
    """The command inside a group that a name calls, loaded; None where there is none."""
    return command.resolve_command(Context(command, resilient_parsing=True), [name])[1]


def named(command):
    """Names of the commands inside a group; none in a single command."""
    return command.list_commands(Context(command)) if hasattr(command, "list_commands") else []
