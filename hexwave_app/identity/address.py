"""Where a request comes from."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.datastructures import Headers
from starlette.types import Scope

_SUBSCRIBER = 64


class Proxies:
    """The reverse proxies whose `X-Forwarded-For` is believed."""

    def __init__(self, networks: Sequence[IPv4Network | IPv6Network] = ()) -> None:
        self._networks = networks

    def client(self, peer: str, forwarded_for: str) -> str:
        """Whom a request counts for: its address, or the /64 of one of IPv6, which is one subscriber's own.

        That is the socket's `peer`. Where it is a proxy of ours, it is the last address of `X-Forwarded-For`
        that is none: what stands before that, anybody may have written.
        """
        client = _parsed(peer)
        for hop in reversed(forwarded_for.split(",")):
            address = _parsed(hop.strip())
            if client is None or address is None or not any(client in each for each in self._networks):
                break
            client = address
        return peer if client is None else _subscriber(client)

    def client_of(self, scope: Scope) -> str:
        """`client` of an ASGI connection."""
        peer = scope.get("client")
        forwarded_for = ",".join(Headers(scope=scope).getlist("x-forwarded-for"))
        return self.client(peer[0] if peer else "", forwarded_for)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _subscriber(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((address.packed, _SUBSCRIBER), strict=False))
