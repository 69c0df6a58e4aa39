"""Where requests of this service may go: below a configured base address, and to no address a hospital does not list.

A name may lead anywhere, so the addresses it leads to are judged too, each time a connection is opened.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from unicodedata import normalize
from urllib.parse import unquote_to_bytes

import httpx

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NEVER: Final = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::254/128", "fd20:ce::254/128",
        "::/128", "::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fe80::/10", "fec0::/10",
        "ff00::/8",
    )
)  # fmt: skip
"""Link-local, multicast, unspecified and reserved; what cloud machines ask for their own credentials; and forms of IPv6
that hide an address of IPv4. No setting opens them: no record is kept there."""
_HIDING: Final = tuple(
    ip_network(each)
    for each in (
        "::/96",
        "::ffff:0:0/96",
        "::ffff:0:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
    )
)
"""Where addresses of IPv6 hold one of IPv4. A resolver may give one, which is judged by what it holds; nobody writes
one but to be read otherwise."""
_NUMBER: Final = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
_LAST_PORT: Final = 65_535
_LOOPBACK: Final = ip_address("::1")
_NAT64: Final = IPv6Network("64:ff9b::/96")


def may_connect(address: str, networks: Collection[Network]) -> bool:
    """Whether an address may be connected to: a public one, or one in a network that is listed.

    Parameters
    ----------
    address
        As a resolver gives it; what is no IP address may not.
    networks
        Private networks that may be reached; loopback counts as one.
    """
    try:
        found = _plain(ip_address(address))
    except ValueError:
        return False
    if found != _LOOPBACK and any(found in network for network in _NEVER):
        return False
    return found.is_global or any(found in network for network in networks)


def _plain(address: Address) -> Address:
    """The address of IPv4 that is meant, where one of IPv6 stands for it."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def read_address(text: str) -> httpx.URL | None:
    """A web address without user and fragment, whose host and path mean one thing to every program; else None.

    Not one: a path that is encoded twice, or decoded has more steps, steps upwards (``..;`` too), a backslash or two
    slashes in a row; an address of IPv4 written in another way than four decimal numbers, or inside one of
    IPv6. Somebody on the way may read such an address otherwise than it was judged here.
    """
    try:
        url = httpx.URL(text)
        host = url.host  # decoded, which fails for a name that only looks like an encoded one
    except (httpx.InvalidURL, ValueError):
        return None
    if url.scheme not in ("http", "https") or url.userinfo or not _is_one_host(host) or not _is_one_path(url):
        return None
    return url.copy_with(fragment=None) if (url.port or 0) <= _LAST_PORT else None


def _is_one_host(host: str) -> bool:
    last = host.rstrip(".").rpartition(".")[2]
    try:
        address = ip_address(host)
    except ValueError:  # a name, unless a resolver would take it for a number
        return bool(last) and "%" not in host and _NUMBER.fullmatch(last) is None
    if not isinstance(address, IPv6Address):
        return True
    return address.scope_id is None and (address == _LOOPBACK or not any(address in each for each in _HIDING))


def _is_one_path(url: httpx.URL) -> bool:
    """Whether nothing of a path, as it goes out, turns into another one when it is decoded."""
    raw = url.raw_path.partition(b"?")[0]
    plain = unquote_to_bytes(raw)
    if unquote_to_bytes(plain) != plain or plain.count(b"/") != raw.count(b"/"):
        return False
    try:
        path = normalize("NFKC", plain.decode())  # a letter that looks like a dot may become one
    except UnicodeDecodeError:
        return False
    steps = [step.partition(";")[0].strip() for step in path.split("/")[1:]]
    upwards = any(step in (".", "..") for step in steps) or not all(steps[:-1])
    return not upwards and "\\" not in path and path.isprintable()


def read_base(text: str) -> httpx.URL | None:
    """A web address that others can lie below: without a query and any step upwards too."""
    url = read_address(text)
    steps = text.partition("?")[0].replace("\\", "/").split("/")
    return None if url is None or b"?" in url.raw_path or "." in steps or ".." in steps else url


def is_below(base: httpx.URL, url: httpx.URL) -> bool:
    """Whether an address is the base or below it: the same scheme, host and port, and its path goes on from there."""
    if (url.scheme, url.host, url.port) != (base.scheme, base.host, base.port):
        return False
    path, above = url.raw_path.partition(b"?")[0].rstrip(b"/"), base.raw_path.rstrip(b"/")
    return path == above or path.startswith(above + b"/")
