"""Which addresses are nobody's on the public internet. Pure: an address in, what it reaches out."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final


class Reach(Enum):
    """How far an address that is not public reaches."""

    MACHINE = "this machine"
    """Loopback."""
    NETWORK = "this network"
    """Private, unique-local, site-local, carrier-grade NAT."""
    SEGMENT = "this link"
    """Link-local, multicast, unspecified, reserved, and the addresses at which clouds tell a machine its secrets."""


# From IANA's registries of special-purpose addresses, and not Python's `is_private`: what that says differs from one
# release to the next. Documentation networks are left out: nothing is there.
_NETWORKS: Final = tuple(
    (ip_network(network), reach)
    for reach, networks in {
        Reach.MACHINE: ("127.0.0.0/8", "::1/128"),
        Reach.NETWORK: (
            "10.0.0.0/8",
            "100.64.0.0/10",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "64:ff9b:1::/48",
            "fc00::/7",
            "fec0::/10",
        ),
        Reach.SEGMENT: (
            "0.0.0.0/8",
            "100.100.100.200/32",  # Alibaba's metadata
            "168.63.129.16/32",  # Azure's
            "169.254.0.0/16",  # nearly everybody's
            "192.0.0.0/24",  # Oracle's among others
            "224.0.0.0/4",
            "240.0.0.0/4",
            "::/128",
            "100::/64",
            "fd00:ec2::254/128",  # Amazon's
            "fd20:ce::254/128",  # Google's
            "fe80::/10",
            "ff00::/8",
        ),
    }.items()
    for network in networks
)
# The narrowest first: a cloud's own address lies in a network that reaches further.
_BY_LENGTH: Final = sorted(_NETWORKS, key=lambda each: -each[0].prefixlen)

# IPv6 addresses that hold the IPv4 address which is really meant, and by how many bits it stands above the end.
_HOLDERS: Final = tuple(
    (IPv6Network(network), shift)
    for network, shift in {"::ffff:0:0/96": 0, "::/96": 0, "64:ff9b::/96": 0, "2002::/16": 80}.items()
)
_TEREDO: Final = IPv6Network("2001::/32")


def reach_of(text: str) -> Reach | None:
    """What an address reaches; None for a public one. Raises ValueError for what is no address."""
    address = ip_address(text.partition("%")[0])
    reach = _listed(address)
    if reach is None and isinstance(address, IPv6Address):
        held = _held(address)
        return None if held is None else _listed(held)
    return reach


def is_within(reach: Reach | None, base: Collection[Reach | None]) -> bool:
    """Whether an address may be gone to from a base: a public one, or one as near as the base itself is.

    What runs on this machine may send into its network; nobody else may send to this machine, and none to a metadata
    service but one of its kind.
    """
    return reach is None or reach in base or (reach is Reach.NETWORK and Reach.MACHINE in base)


def _listed(address: IPv4Address | IPv6Address) -> Reach | None:
    return next((reach for network, reach in _BY_LENGTH if address in network), None)


def _held(address: IPv6Address) -> IPv4Address | None:
    if address in _TEREDO:
        return IPv4Address(int(address) & 0xFFFFFFFF ^ 0xFFFFFFFF)
    shift = next((shift for network, shift in _HOLDERS if address in network), None)
    return None if shift is None else IPv4Address((int(address) >> shift) & 0xFFFFFFFF)
