"""TLS in front of the service, as a reverse proxy has it: bytes in, bytes out."""

import asyncio
import datetime
import queue
import ssl
import threading
from contextlib import contextmanager, suppress
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def certificate(folder):
    """A certificate for localhost that nobody vouches for; the file holds its key too."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "localhost.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@contextmanager
def listening(folder):
    """A port with TLS; gives it and a list whose last entry is the plain port it leads to."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(folder))
    target, loop, ports = [], asyncio.new_event_loop(), queue.Queue()

    async def carry(reader, writer):
        with suppress(OSError):
            inside, out = await asyncio.open_connection("127.0.0.1", target[-1])
            await asyncio.gather(pump(reader, out), pump(inside, writer))

    async def serve():
        stop = loop.create_future()
        async with await asyncio.start_server(carry, "127.0.0.1", 0, ssl=context) as server:
            ports.put((server.sockets[0].getsockname()[1], stop))
            await stop

    thread = threading.Thread(target=run, args=(loop, serve()), daemon=True)
    thread.start()
    port, stop = ports.get(timeout=10)
    yield port, target
    loop.call_soon_threadsafe(stop.set_result, None)
    thread.join(10)


def run(loop, running):
    """Run until it ends; connections that browsers keep are given up."""
    loop.set_exception_handler(lambda *_: None)
    try:
        loop.run_until_complete(asyncio.wait_for(running, 300))
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.1))
        loop.close()


async def pump(source, sink):
    with suppress(OSError):
        while part := await source.read(65536):
            sink.write(part)
            await sink.drain()
    sink.close()
