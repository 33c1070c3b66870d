"""Which addresses may be fetched from."""

import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from newswire.urls import BadUrlError
from newswire_ingest.address import (
    GuardedResolver,
    PrivateAddressError,
    check_literal,
    is_public,
    literal_address,
)

pytestmark = pytest.mark.unit

PRIVATE = [
    "0.0.0.0",  # noqa: S104 - judged, not bound to
    "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255",
    "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.0.1", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::", "2002:c0a8:101::1", "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0",
    "fec0::1", "ff02::1", "5f00::1", "2a00:1450::5efe:7f00:1", "2a00:1450::200:5efe:10.0.0.1", "4000::1",
    "2a00:1450::1%1", "", "a.example",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "11.0.0.1", "100.63.255.255", "100.128.0.1", "126.0.0.1", "172.15.0.1",
    "172.32.0.1",
    "192.167.1.1", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8",
    "64:ff9b::808:808", "2002:808:808::1", "2a00:1450::5efe:808:808",
]  # fmt: skip
ODD = [
    "127.1", "127.0.1", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "2130706433", "017700000001",
    "0", "0x0",
    "127.0.0.1.", "[::1]", "[::ffff:127.0.0.1]", "[0:0:0:0:0:0:0:1]", "１２７.0.0.1", "127。0。0。1",
    "①②⑦.0.0.1",
    "10.1", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "169.254.43518", "%31%32%37.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("ip", PRIVATE)
def test_what_is_not_of_the_public_internet_is_not_public(ip: str) -> None:
    """Private, special and embedded private addresses, and what is no address."""
    assert not is_public(ip)


@pytest.mark.parametrize("ip", PUBLIC)
def test_what_is_of_the_public_internet_is_public(ip: str) -> None:
    """The neighbours of the special ranges, and public addresses inside IPv6 ones."""
    assert is_public(ip)


@pytest.mark.parametrize("host", ODD)
def test_odd_notations_are_judged_by_what_they_connect_to(host: str) -> None:
    """However a private address is written, it is one."""
    with pytest.raises(PrivateAddressError, match="not a public address"):
        check_literal(host)


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "0x8.0x8.0x8.0x8", "134744072", "[2606:4700::1111]", "a.example"]
)
def test_public_literals_and_names_pass(host: str) -> None:
    """A public address passes in any notation, and a name is left to the resolver."""
    check_literal(host)


def test_an_impossible_literal_is_a_bad_url() -> None:
    """A host that is neither name nor address is refused as such."""
    with pytest.raises(BadUrlError):
        literal_address("1.2.3.4.5")
    assert literal_address("a.example") is None


class FixedResolver(AbstractResolver):
    """Answers every name with the same addresses."""

    def __init__(self, *hosts: str) -> None:
        self.hosts = hosts

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the fixed addresses."""
        return [
            ResolveResult(hostname=host, host=ip, port=port, family=family, proto=0, flags=0)
            for ip in self.hosts
        ]

    async def close(self) -> None:
        """Do nothing."""


def _guarded(*hosts: str, allow_private: bool = False) -> GuardedResolver:
    guarded = GuardedResolver(allow_private)
    guarded._resolver = FixedResolver(*hosts)  # type: ignore[assignment]
    return guarded


@pytest.mark.parametrize("hosts", [("127.0.0.1",), ("8.8.8.8", "10.0.0.1"), ("::1",), ("fe80::1%eth0",)])
async def test_a_name_with_any_private_address_is_refused(hosts: tuple[str, ...]) -> None:
    """One private address among public ones is enough."""
    with pytest.raises(PrivateAddressError, match=r"a\.example"):
        await _guarded(*hosts).resolve("a.example", 443)


async def test_a_name_with_public_addresses_is_resolved() -> None:
    """Public addresses are handed on, to be connected to."""
    resolver = _guarded("8.8.8.8", "2606:4700::1111")

    assert [found["host"] for found in await resolver.resolve("a.example", 443)] == [
        "8.8.8.8",
        "2606:4700::1111",
    ]
    await resolver.close()


async def test_private_addresses_pass_where_they_are_allowed() -> None:
    """The setting for demos and tests lets them through."""
    assert await _guarded("127.0.0.1", allow_private=True).resolve("a.example", 80)
