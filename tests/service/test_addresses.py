"""Which addresses may be connected to, and which lie below a base address."""

import ssl
from ipaddress import ip_network

import pytest

from bcma_decide.service.fetching.addresses import is_below, may_connect, read_address, read_base
from bcma_decide.service.fetching.guarded_transport import trusted
from tests.support.cases import for_each

EVERYTHING = (ip_network("0.0.0.0/0"), ip_network("::/0"))
HOSPITAL = (ip_network("10.20.0.0/16"), ip_network("fd12:3456::/32"))


@pytest.mark.parametrize("address", ["8.8.8.8", "::ffff:8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_may_be_connected_to(address):
    assert may_connect(address, ())


@for_each(
    "address",
    ["10.20.1.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
     "100.64.0.1", "fd12:3456::1", "64:ff9b::a14:101"],
)  # fmt: skip
def test_private_addresses_only_where_their_network_is_listed(address):
    assert not may_connect(address, ())
    assert may_connect(address, EVERYTHING)


def test_a_listed_network_opens_nothing_beside_it():
    assert may_connect("10.20.1.1", HOSPITAL)
    assert may_connect("::ffff:10.20.1.1", HOSPITAL)
    assert may_connect("fd12:3456::9", HOSPITAL)
    assert not may_connect("10.21.1.1", HOSPITAL)
    assert not may_connect("127.0.0.1", HOSPITAL)
    assert not may_connect("::1", HOSPITAL)


@for_each(
    "address",
    ["169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fd00:ec2::254", "100.100.100.200",
     "168.63.129.16", "169.254.1.1", "fe80::1", "fe80::1%eth0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "0.0.0.0",
     "::", "::127.0.0.1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "ff02::1", "fec0::1", "",
     "localhost", "8.8.8.8/32", "2130706433"],
)  # fmt: skip
def test_some_are_never_connected_to_whatever_is_listed(address):
    assert not may_connect(address, EVERYTHING)


@for_each(
    ("address", "inside"),
    [
        ("https://fhir.example.org/r4", True),
        ("https://fhir.example.org/r4/", True),
        ("https://FHIR.example.org:443/r4", True),
        ("https://fhir.example.org/r4/tenant", True),
        ("https://fhir.example.org/r4?_getpages=1&x=a/../b", True),
        ("https://fhir.example.org/r4x", False),
        ("https://fhir.example.org/", False),
        ("https://fhir.example.org/R4", False),
        ("https://fhir.example.org:8443/r4", False),
        ("http://fhir.example.org/r4", False),
        ("https://fhir.example.org.evil.example/r4", False),
        ("https://evil.example/fhir.example.org/r4", False),
        ("https://fhir.example.org/r4/../admin", False),
    ],
)
def test_below_means_the_same_origin_and_the_path_going_on(address, inside):
    base, url = read_base("https://fhir.example.org/r4"), read_address(address)
    assert base is not None
    assert url is not None
    assert is_below(base, url) is inside


@for_each(
    "address",
    ["", "fhir.example.org", "/r4", "ftp://fhir.example.org", "file:///etc/passwd", "https://", "https:///r4",
     "https://user@fhir.example.org/r4", "https://fhir.example.org@evil.example/r4", "https://a.example/r4/%2e%2e/x",
     "https://a.example/r4/..%2fx", "https://a.example/r4/..%5cx", "https://a.example/r4\n", "javascript:alert(1)",
     "https://a.example:99999/", "https://[::1/r4", "x" * 100_000,
     # steps upwards in disguise
     "https://a.example/r4/..;/x", "https://a.example/r4/..;a=b/x", "https://a.example/r4/.;/x", "https://a.example/r4/;/x",
     "https://a.example/r4/..%3b/x", "https://a.example/r4/%2E%2E;/x", "https://a.example/r4/%252e%252e/x",
     "https://a.example/r4/%25252e%25252e/x", "https://a.example/r4/.%2e/x", "https://a.example/r4/%2e./x",
     "https://a.example/r4/%2e", "https://a.example/r4/..\\x", "https://a.example/r4\\..\\x", "https://a.example/r4/..%5C",
     "https://a.example/r4/%252fx", "https://a.example/r4%2f..%2fx", "https://a.example//r4", "https://a.example/r4//x",
     "https://a.example/r4/..%20/x", "https://a.example/r4/%c0%ae%c0%ae/x", "https://a.example/r4/\uff0e\uff0e/x",
     "https://a.example/r4/\u2025/x", "https://a.example/r4/%00/x", "https://a.example/r4/..%09/x", "https://a.example/r4/\u202e",
     # addresses of IPv4 in disguise
     "https://2130706433/r4", "https://0x7f000001/r4", "https://0x7f.0.0.1/r4", "https://127.1/r4", "https://0177.0.0.1/r4",
     "https://127.0.0.0x1/r4", "https://10.0.0.1.:443/r4", "https://127.0.0.1./r4", "https://a.example.1/r4", "https://017700000001/r4",
     "https://[::ffff:10.0.0.1]/r4", "https://[::ffff:8.8.8.8]/r4", "https://[::10.0.0.1]/r4", "https://[64:ff9b::a00:1]/r4",
     "https://[64:ff9b:1::a00:1]/r4", "https://[2002:a00:1::]/r4", "https://[::ffff:0:10.0.0.1]/r4", "https://[0:0:0:0:0:ffff:7f00:1]/r4",
     "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/r4", "https://[fe80::1%25eth0]/r4", "https://xn--/r4", "https://xn--a.example/r4"],
)  # fmt: skip
def test_what_is_no_plain_web_address_is_not_read(address):
    assert read_address(address) is None


@for_each(
    "address",
    ["https://a.example/r4/Patient/x-1.2?_count=5&x=%2e%2e%2f", "https://a.example", "https://a.example/r4/", "https://10.0.0.1/r4",
     "https://a.example/r4/Patient/...", "https://a.example/r4;v=1/Patient", "https://[fd12::1]/r4", "https://[::1]:8080/r4",
     "https://a1.example/r4/%24everything", "https://127-0-0-1.example/r4", "https://a.example./r4"],
)  # fmt: skip
def test_a_plain_address_is_read(address):
    assert read_address(address) is not None


def test_a_base_goes_no_step_upwards():
    for address in (
        "https://a.example/r4/../x",
        "https://a.example/r4/./x",
        "https://a.example/r4/..",
        "https://a.example/..",
    ):
        assert read_base(address) is None


def test_a_base_has_no_query():
    assert read_base("https://a.example/r4?x=1") is None
    assert read_base("https://a.example/r4?") is None
    assert read_base("https://a.example") is not None


def test_certificates_are_read_once_and_again_where_the_environment_names_others(monkeypatch, tmp_path):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    usual = trusted()
    assert trusted() is usual
    assert usual.verify_mode == ssl.CERT_REQUIRED
    assert usual.check_hostname
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.pem"))
    assert trusted() is not usual
