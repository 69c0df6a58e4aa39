"""The service with an audit, and what an audit holds."""

import contextlib

from bcma_decide.service.audit.audit_address import open_audit
from tests.service.support.service import app, run


@contextlib.contextmanager
def audited(address, **options):
    """The service with an audit, closed at the end."""
    application = app(audit=address, **options)

    async def leave():
        async with application.router.lifespan_context(application):
            pass

    try:
        yield application
    finally:
        run(leave)


@contextlib.contextmanager
def opened(address, *, write=False):
    audit = open_audit(address, write=write)
    try:
        yield audit
    finally:
        audit.close()


def records(address):
    with opened(address) as audit:
        return list(audit.newest_first())
