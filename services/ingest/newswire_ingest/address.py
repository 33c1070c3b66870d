"""Which network addresses a fetch may reach: those of the public internet, and nothing of the house's own.

Feeds and pages choose the hosts that we ask, so a host is judged by the addresses that it resolves to, which
are then the very addresses that are connected to: no second look-up could answer otherwise.
"""

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from newswire.urls import normalise_host

Address = IPv4Address | IPv6Address

# IANA's special-purpose registry, without what is public in it, and one cloud's metadata address.
_NOT_PUBLIC = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network; Linux connects 0.0.0.0 to itself
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's platform, from inside
        "169.254.0.0/16",  # link-local, with most clouds' metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, with Teredo, which hides an IPv4 address
        "2001:db8::/32",
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_ISATAP = (0x00005EFE, 0x02005EFE)  # upper half of an interface id that holds an IPv4 address


class PrivateAddressError(Exception):
    """A host that lies at an address which is not public; its text names both."""

    def __init__(self, host: str, address: object) -> None:
        """Keep the host and the address that gave it away."""
        super().__init__(f"{host} is at {address}, which is not a public address")
        self.host = host


def is_public(ip: Address | str) -> bool:
    """Say whether an address belongs to the public internet, also by the IPv4 address hidden in it.

    Text that is no address is not public.
    """
    try:
        address = ip_address(ip) if isinstance(ip, str) else ip
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC)
    return address.scope_id is None and _is_public_v6(address)


def literal_address(host: str) -> Address | None:
    """Return the address that a host is, in any notation that the operating system reads; None for a name.

    Raises ``BadUrlError`` for what cannot be a host.
    """
    try:
        return ip_address(normalise_host(host.removeprefix("[").removesuffix("]")))
    except ValueError as error:
        if type(error) is ValueError:  # a name; BadUrlError is another matter
            return None
        raise


def check_literal(host: str) -> None:
    """Raise ``PrivateAddressError`` for a host that is itself an address, and not a public one."""
    address = literal_address(host)
    if address is not None and not is_public(address):
        raise PrivateAddressError(host, address)


class GuardedResolver(AbstractResolver):
    """Resolves host names in threads, and refuses those with an address that is not public."""

    def __init__(self, allow_private: bool) -> None:
        """Let private addresses pass if ``allow_private``."""
        self._resolver = ThreadedResolver()
        self._allow_private = allow_private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return a host's addresses; raises ``PrivateAddressError``, and ``OSError`` if there are none."""
        found = await self._resolver.resolve(host, port, family)
        if not self._allow_private:
            for result in found:
                if not is_public(result["host"]):
                    raise PrivateAddressError(host, result["host"])
        return found

    async def close(self) -> None:
        """Let go of the resolver."""
        await self._resolver.close()


def _is_public_v6(address: IPv6Address) -> bool:
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    is_global = address in _GLOBAL_UNICAST and not any(address in network for network in _NOT_PUBLIC_V6)
    return is_global and _hidden_is_public(address)


def _hidden_is_public(address: IPv6Address) -> bool:
    """Judge the IPv4 address inside a 6to4 or ISATAP address; true if there is none."""
    if address.sixtofour is not None and not is_public(address.sixtofour):
        return False
    interface = int(address) & 0xFFFFFFFFFFFFFFFF
    return interface >> 32 not in _ISATAP or is_public(IPv4Address(interface & 0xFFFFFFFF))
