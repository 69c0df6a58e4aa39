"""A server that speaks the protocol of Redis, on a port of its own: the one that is installed, or none."""

import contextlib
import shutil
import socket
import subprocess
import time

SERVER = shutil.which("valkey-server") or shutil.which("redis-server")
PATIENCE = 20


class Server:
    """It keeps nothing on a disk; what it holds ends with it."""

    def __init__(self, folder):
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"redis://127.0.0.1:{self.port}/0"
        self._process = None

    def start(self):
        command = [SERVER, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        limit = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            assert time.monotonic() < limit
            time.sleep(0.02)

    def stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def redis_server(folder):
    server = Server(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
