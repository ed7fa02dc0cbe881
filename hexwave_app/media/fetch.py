"""Fetching from addresses that others chose, without being led to places of our own.

An https URL is taken apart, its host resolved, every address of it vetted, and one of those very addresses is
connected to: a name that resolves to something else a moment later gains nothing. The certificate is still
checked against the name. See OWASP's "Server-Side Request Forgery Prevention Cheat Sheet".
"""

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx

from hexwave_app.media.results import BYTES_LIMIT
from hexwave_app.processes.errors import ResultLost, ResultUnavailable

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""A host's name to the IP addresses it has at this moment. OSError when it cannot be told."""

_REDIRECTS = 3
_CONNECT_PATIENCE = 10.0
_PASSING = {408, 425, 429}
_GLOBAL_UNICAST = ip_network("2000::/3")
# What `is_global` lets pass, wholly or in some versions of Python: the ways from IPv6 into IPv4, and what is
# set aside for protocols and documentation (IANA's special-purpose address registries).
_SPECIAL = [
    ip_network(block)
    for block in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
]


class Fetcher:
    """Fetches results; keeps no connection, no cookie, and reads nothing of the environment."""

    def __init__(self, resolve: Resolve, transport: httpx.AsyncBaseTransport) -> None:
        self._resolve = resolve
        self._transport = transport

    @classmethod
    @asynccontextmanager
    async def open(
        cls, resolve: Resolve | None = None, transport: httpx.AsyncBaseTransport | None = None
    ) -> AsyncGenerator["Fetcher", None]:
        """`resolve` and `transport` take the place of the system's resolver and of plain connections."""
        async with transport or _transport() as opened:
            yield cls(resolve or _resolved, opened)

    async def fetch(
        self,
        url: str,
        *,
        hosts: tuple[str, ...] = (),
        origin: str | None = None,
        limit: int = BYTES_LIMIT,
        seconds: float = 60.0,
    ) -> bytes:
        """What is behind `url`: at most `limit` bytes, within `seconds`, redirects included.

        `hosts` are the names it may lead to (`example.org`, or `.example.org` for all below it); without
        any, every public one. `origin` (`http://127.0.0.1:8188`) is the operator's own word for where a
        provider is: that scheme, host and port are not vetted. Raises `ResultUnavailable` for what is worth
        asking again, `ResultLost` for what is not.
        """
        try:
            async with asyncio.timeout(seconds):
                own = None if origin is None else _endpoint(httpx.URL(origin))
                return await self._followed(httpx.URL(url), hosts, own, limit)
        except (httpx.InvalidURL, UnicodeError) as error:
            raise ResultLost("The provider's result has no valid URL.") from error
        except TimeoutError as error:
            raise ResultUnavailable(f"The provider did not send a result in {seconds:.0f} s.") from error
        except (httpx.TransportError, OSError) as error:
            raise ResultUnavailable(f"The provider's result did not arrive: {error}") from error

    async def _followed(
        self, url: httpx.URL, hosts: tuple[str, ...], own: tuple[str, str, int | None] | None, limit: int
    ) -> bytes:
        for _ in range(1 + _REDIRECTS):
            exempt = _endpoint(url) == own
            async with aclosing(await self._answer(url, hosts, exempt)) as response:
                if not response.has_redirect_location:
                    return await _content(response, limit)
                url = url.join(response.headers["location"])
        raise ResultLost(f"The provider's result was redirected more than {_REDIRECTS} times.")

    async def _answer(self, url: httpx.URL, hosts: tuple[str, ...], exempt: bool) -> httpx.Response:
        if url.userinfo:
            raise _forbidden(url, "it has a user name")
        if exempt:
            return await self._asked(url, url.host)
        if url.scheme != "https" or not url.host or url.port is not None:
            raise _forbidden(url, "only https on its own port is")
        if hosts and not _named(_name(url), hosts):
            raise _forbidden(url, "it is none of the provider's")
        *others, last = await self._vetted(url)
        for address in others:
            with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return await self._asked(url, address)
        return await self._asked(url, last)

    async def _vetted(self, url: httpx.URL) -> list[str]:
        found = [ip_address(address) for address in await self._addresses(url)]
        # One private address among public ones is reason enough: the name is not to be trusted.
        if not found or not all(map(_public, found)):
            raise _forbidden(url, "it is not at a public address")
        return [str(address) for address in found]

    async def _addresses(self, url: httpx.URL) -> Sequence[str]:
        name = _name(url)
        with suppress(ValueError):
            return [str(ip_address(name))]
        # The C library reads 2130706433, 0x7f.1 and 0177.0.0.1 as addresses. No name ends in a number.
        if name.rstrip(".").rpartition(".")[2][:1].isdigit():
            raise _forbidden(url, "its address is in disguise")
        return await self._resolve(name)

    async def _asked(self, url: httpx.URL, address: str) -> httpx.Response:
        request = httpx.Request(
            "GET",
            url.copy_with(host=address),
            headers={"Host": url.netloc.decode("ascii"), "Accept-Encoding": "identity"},
            extensions={
                "sni_hostname": _name(url),
                "timeout": httpx.Timeout(None, connect=_CONNECT_PATIENCE).as_dict(),
            },
        )
        return await self._transport.handle_async_request(request)


def _transport() -> httpx.AsyncHTTPTransport:
    # A connection that is kept is one to an address: another name's request could be sent along it.
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncHTTPTransport(trust_env=False, limits=limits)


async def _resolved(name: str) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(name, 443, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


async def _content(response: httpx.Response, limit: int) -> bytes:
    status = response.status_code
    if status in _PASSING or status >= 500:
        raise ResultUnavailable(f"The provider answered {status} for its result.")
    if status != 200:
        raise ResultLost(f"The provider answered {status} for its result.")
    # Asked for plain and sent packed: whatever unpacks it could be made to unpack for ever.
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ResultLost("The provider's result came compressed, which was not asked for.")
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > limit:
            raise ResultLost(f"The provider's result is over {limit} bytes.")
    return bytes(content)


def _public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and (address not in _GLOBAL_UNICAST or address.scope_id):
        return False
    special = address.is_multicast or any(address in network for network in _SPECIAL)
    return address.is_global and not special


def _endpoint(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _name(url: httpx.URL) -> str:
    """The host as it goes over the wire: lower-case ASCII, without the brackets of IPv6."""
    return url.raw_host.decode("ascii")


def _named(name: str, hosts: tuple[str, ...]) -> bool:
    return any(name.endswith(host) if host.startswith(".") else name == host for host in hosts)


def _forbidden(url: httpx.URL, reason: str) -> ResultLost:
    return ResultLost(f"The provider's result at {url.host!r} is not fetched: {reason}.")
