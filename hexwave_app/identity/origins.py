"""Where the pages come from, and so who may speak for whoever sits at them."""

from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_EVERY_ADDRESS = {"0.0.0.0", "::"}


def origin(url: str) -> str:
    """`scheme://host[:port]` of `url`, as browsers write it in the header `Origin` (RFC 6454, 6.2)."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def own_origins(host: str, port: int, public_url: str | None) -> list[str]:
    """The origins our pages have: this machine's, at the address that is listened on, and the public one."""
    names = {"127.0.0.1", "localhost", host} - _EVERY_ADDRESS
    hosts = [f"[{name}]" if ":" in name else name for name in sorted(names)]
    own = [origin(f"http://{name}:{port}") for name in hosts]
    return [*own, origin(public_url)] if public_url else own
