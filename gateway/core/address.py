"""Whose connection this is: a walk through X-Forwarded-For that believes trusted proxies only."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Parsed networks. Raises ValueError that names the wrong one."""
    return tuple(ip_network(text) for text in texts)


def inside(address: str, trusted: Sequence[Network]) -> bool:
    """Is the address in one of the networks? False for what is no address."""
    parsed = _parse(address)
    return parsed is not None and any(parsed.version == network.version and parsed in network for network in trusted)


def client_address(peer: str, forwarded_for: Sequence[bytes], trusted: Sequence[Network]) -> str:
    """The nearest address that is not a trusted proxy; the peer itself unless it is one.

    forwarded_for: all X-Forwarded-For values in order; read from the right, as each proxy appends what it saw.
    """
    if not trusted or not inside(peer, trusted):
        return peer
    address = peer
    for entry in reversed(b",".join(forwarded_for).split(b",")):
        candidate = _parse(entry.strip().decode("latin-1"))
        if candidate is None:
            return address
        address = str(candidate)
        if not inside(address, trusted):
            return address
    return address


def limit_key(address: str) -> str:
    """The address as a limit counts it: an IPv6 client owns its whole /64 (security catalogue G01)."""
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((int(parsed) >> 64 << 64, 64)))
    return str(parsed) if parsed is not None else "unknown"


def shortened(address: str) -> str:
    """The address as logs may keep it: without its last octet, or after the /48."""
    parsed = _parse(address)
    if isinstance(parsed, IPv4Address):
        return str(IPv4Network((int(parsed) >> 8 << 8, 24)).network_address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((int(parsed) >> 80 << 80, 48)).network_address)
    return ""


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed
