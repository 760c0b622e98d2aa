"""Parsing and comparing IP addresses, which have many spellings."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: IPv4-mapped IPv6 addresses, which a dual-stack server shows for IPv4 clients.
_MAPPED = IPv6Network("::ffff:0:0/96")
#: IPv4 addresses behind an IPv6 translator (RFC 6052).
_TRANSLATED = IPv6Network("64:ff9b::/96")
_BRACKETED = re.compile(r"\[([^\[\]]*)\](?::[0-9]{1,5})?")
_WITH_PORT = re.compile(r"([0-9.]+):[0-9]{1,5}")


def read_address(text: str) -> Address | None:
    """Parse an address from a server or proxy; None for anything else.

    A port, brackets and the zone of a link-local address are left out, and
    ``::ffff:196.201.214.200`` is ``196.201.214.200``. Never raises.
    """
    # No address is longer; longer texts are not cached.
    return _read(text) if len(text) <= 64 else _read.__wrapped__(text)


@lru_cache(maxsize=1024)
def _read(text: str) -> Address | None:
    text = text.strip()
    if match := _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text):
        text = match[1]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def client_network(text: str, prefix: int = 64) -> str:
    """The network of one client: an IPv4 address, or the /64 of an IPv6 address.

    A subscriber has at least a /64 and may use another of its addresses for each request. IPv4
    inside IPv6 (mapped, translated, 6to4, Teredo) counts as the IPv4 address. Other text is
    returned unchanged. Never raises.
    """
    address = read_address(text)
    if isinstance(address, IPv6Address):
        inner = address.sixtofour or (address.teredo and address.teredo[1])
        if address in _TRANSLATED:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is None:
            return str(IPv6Network((address, prefix), strict=False))
        address = inner
    return text if address is None else str(address)


def read_network(text: str) -> Network:
    """Parse a network or a single address from a setting. Raises ValueError."""
    network = ipaddress.ip_network(text.strip())
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        first = network.network_address.ipv4_mapped
        return IPv4Network(f"{first}/{network.prefixlen - _MAPPED.prefixlen}")
    return network


def is_listed(address: str | None, listed: Iterable[str]) -> bool:
    """Whether the address is one of those listed, or in a network listed.

    Raises ValueError for an invalid entry of the list.
    """
    networks = _networks(tuple(listed))
    parsed = read_address(address or "")
    return parsed is not None and any(parsed in network for network in networks)


@lru_cache(maxsize=8)
def _networks(listed: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(read_network(text) for text in listed)


def is_loopback_host(host: str) -> bool:
    """Whether a host name or address is this machine's loopback. Never raises."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = read_address(name)
    return address is not None and address.is_loopback


def is_loopback_url(url: str) -> bool:
    """Whether a URL leads to this machine's loopback. Never raises."""
    try:
        return is_loopback_host(urlsplit(url).hostname or "")
    except ValueError:
        return False
