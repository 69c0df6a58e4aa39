"""The log of a service in this process."""

import logging


def written(capfd):
    """Standard output and error once every line of the log is there."""
    for handler in logging.getLogger("bcma_decide.service").handlers:
        handler.flush()
    return capfd.readouterr()
