"""Where requests of this service may go: below a configured base address, and to no address a hospital does not list.

A name may lead anywhere, so the addresses it leads to are judged too, each time a connection is opened.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

import httpx

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NEVER: Final = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::254/128", "fd20:ce::254/128",
        "::/128", "::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
"""Link-local, multicast, unspecified and reserved; what cloud machines ask for their own credentials; and forms of IPv6
that hide an address of IPv4. No setting opens them: no record is kept there."""
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
    """A web address without user, fragment and steps upwards; None where it is none."""
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError):
        return None
    steps = url.path.replace("\\", "/").split("/")
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or "." in steps or ".." in steps:
        return None
    return url.copy_with(fragment=None) if (url.port or 0) <= _LAST_PORT else None


def read_base(text: str) -> httpx.URL | None:
    """A web address that others can lie below: without a query too."""
    url = read_address(text)
    return None if url is None or b"?" in url.raw_path else url


def is_below(base: httpx.URL, url: httpx.URL) -> bool:
    """Whether an address is the base or below it: the same scheme, host and port, and its path goes on from there."""
    if (url.scheme, url.host, url.port) != (base.scheme, base.host, base.port):
        return False
    path, above = url.raw_path.partition(b"?")[0].rstrip(b"/"), base.raw_path.rstrip(b"/")
    return path == above or path.startswith(above + b"/")
