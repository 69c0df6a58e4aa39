"""A PostgreSQL server for tests: real, of its own, reached by a socket in a temporary folder."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from uuid import uuid4

import pytest

from tests.render.support.sheets import do_without, require

PATIENCE = 60


def binaries():
    """The folder of the server's programs: in the path, or where Debian puts them; None where there is none."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").is_file()), None)


class Server:
    """Starts in a folder of its own; as root under another name, since the server refuses to be root."""

    def __init__(self, folder):
        self.programs, self.folder, self.process = binaries(), Path(folder), None
        self._as = {}
        if os.geteuid() == 0:
            names = {entry.pw_name for entry in pwd.getpwall()}
            user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self.data = self.folder / "data"
        options = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        subprocess.run(
            [self.programs / "initdb", "-D", self.data, *options], cwd=self.folder, check=True, capture_output=True,
            **self._as,
        )  # fmt: skip

    def start(self):
        """Start, also after it was killed: what is left of the one before may need a moment to go."""
        limit = time.monotonic() + PATIENCE
        while True:
            with (self.folder / "log").open("ab") as log:
                self.process = subprocess.Popen(
                    [self.programs / "postgres", "-D", self.data, "-k", self.folder, "-c", "listen_addresses="],
                    cwd=self.folder, stdout=log, stderr=log, **self._as,
                )  # fmt: skip
            while self.process.poll() is None:
                asked = [self.programs / "pg_isready", "-q", "-h", self.folder]
                if subprocess.run(asked, check=False).returncode == 0:
                    return
                assert time.monotonic() < limit
                time.sleep(0.05)
            assert time.monotonic() < limit, (self.folder / "log").read_text()
            time.sleep(0.2)

    def kill(self):
        """Kill it with no chance to write anything."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
            self.process.wait(PATIENCE)

    def address(self, database, user="postgres"):
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def new(self):
        """Address of a new database."""
        name = f"audit_{uuid4().hex}"
        self.run(f"CREATE DATABASE {name}", "postgres")
        return self.address(name)

    def run(self, statement, database):
        import psycopg

        with psycopg.connect(host=str(self.folder), user="postgres", dbname=database, autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(name="postgresql", scope="session")
def fixture_postgresql():
    require("sqlalchemy", "psycopg")
    if binaries() is None:
        do_without("postgresql")
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        server = Server(folder)
        server.start()
        yield server
        server.stop()
