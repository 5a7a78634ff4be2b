"""Which addresses a webhook may be sent to: unicast ones of the public internet, and those that the operator allows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_V6_GLOBAL_UNICAST = IPv6Network("2000::/3")

_NEVER_PUBLIC: tuple[Network, ...] = (
    IPv4Network("0.0.0.0/8"),
    IPv4Network("10.0.0.0/8"),
    IPv4Network("100.64.0.0/10"),  # shared by carriers; some clouds keep their metadata here
    IPv4Network("127.0.0.0/8"),
    IPv4Network("168.63.129.16/32"),  # metadata of Azure
    IPv4Network("169.254.0.0/16"),  # link-local, metadata of most clouds
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.0.0.0/24"),  # protocol assignments, metadata of Oracle's cloud
    IPv4Network("192.0.2.0/24"),
    IPv4Network("192.88.99.0/24"),  # relays of 6to4
    IPv4Network("192.168.0.0/16"),
    IPv4Network("198.18.0.0/15"),
    IPv4Network("198.51.100.0/24"),
    IPv4Network("203.0.113.0/24"),
    IPv4Network("224.0.0.0/4"),
    IPv4Network("240.0.0.0/4"),
    IPv6Network("2001::/23"),  # protocol assignments: Teredo, ORCHID, benchmarks
    IPv6Network("2001:db8::/32"),
    IPv6Network("2002::/16"),  # 6to4: an IPv4 address inside
    IPv6Network("3fff::/20"),
)
"""Written out, because what Python calls global differs between its versions, and has forms with an IPv4 inside."""

_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")


def is_public(address: Address) -> bool:
    """Whether the address is a single machine's on the public internet, and no other address in disguise."""
    if isinstance(address, IPv6Address):
        inside_a_tunnel = (int(address) >> 32) & 0xFDFF_FFFF == 0x0000_5EFE  # ISATAP
        if address.scope_id or inside_a_tunnel or address not in _V6_GLOBAL_UNICAST:
            return False
    return address.is_global and not any(address in network for network in _NEVER_PUBLIC)


def is_host_name(text: str) -> bool:
    """Whether the text is a name for the DNS in lower case, and not a number that some programs take for an address."""
    last = text.rpartition(".")[2]
    return bool(_HOST_NAME.fullmatch(text)) and not re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the operator allows beyond the public internet, at any port, by HTTP too: networks, and hosts by name."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    def covers(self, host: str, address: Address) -> bool:
        """Whether the operator has allowed this address of this host."""
        if address.is_multicast or address.is_unspecified or address == IPv4Address("255.255.255.255"):
            return False
        return host in self.hosts or any(
            address in network for network in self.networks if network.version == address.version
        )


NOTHING_MORE = Allowance()


def read_allowance(entries: Sequence[str]) -> Allowance:
    """The allowance of these networks (`10.1.0.0/16`), addresses and host names. Raises ValueError."""
    networks: list[Network] = []
    hosts: set[str] = set()
    for entry in entries:
        if is_host_name(entry.lower()):
            hosts.add(entry.lower())
        else:
            networks.append(ip_network(entry))
    return Allowance(tuple(networks), frozenset(hosts))
