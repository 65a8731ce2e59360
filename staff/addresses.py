"""The address of a request behind proxies. Pure: no Django."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def source(connection: str, forwarded_for: str, trusted: Sequence[Network]) -> Address | None:
    """Return the client's address: behind our own proxies, the last hop before them.

    Addresses further left in X-Forwarded-For come from the client and prove nothing.

    Args:
        connection: the address of the connection (``REMOTE_ADDR``).
        forwarded_for: the header ``X-Forwarded-For``, empty without one.
        trusted: the networks of our own proxies (``TRUSTED_PROXIES``).
    """
    hops = [*forwarded_for.split(","), connection]
    while hops:
        address = _read(hops.pop())
        if address is None or not lies_in(trusted, address):
            return address
        if not any(hop.strip() for hop in hops):
            return address
    return None


def lies_in(networks: Sequence[Network], address: Address) -> bool:
    """Whether an address lies in one of the networks."""
    return any(address in network for network in networks)


def _read(text: str) -> Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
