"""The origins that are ours."""

import pytest

from hexwave_app.identity.origins import origin, own_origins


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("https://example.org", "https://example.org"),
        ("https://example.org/", "https://example.org"),
        ("https://Example.org:443/hexwave/", "https://example.org"),
        ("http://example.org:80", "http://example.org"),
        ("https://example.org:80", "https://example.org:80"),
        ("https://name:word@example.org:8443/x?y#z", "https://example.org:8443"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(url: str, written: str) -> None:
    """Scheme, host in lower case, and the port where it is not the scheme's own."""
    assert origin(url) == written


@pytest.mark.parametrize(
    ("host", "more"),
    [
        ("127.0.0.1", set[str]()),
        ("0.0.0.0", set[str]()),
        ("::", set[str]()),
        ("::1", {"http://[::1]:3000"}),
        ("192.168.7.7", {"http://192.168.7.7:3000"}),
    ],
)
def test_this_machines_own_addresses_are_ours(host: str, more: set[str]) -> None:
    """An address that stands for all is the origin of no page."""
    assert set(own_origins(host, 3000, None)) == {"http://127.0.0.1:3000", "http://localhost:3000"} | more


def test_the_public_address_is_ours() -> None:
    """Without its path, which no origin has; its other scheme is another site."""
    own = own_origins("127.0.0.1", 3000, "https://example.org/hexwave/")
    assert "https://example.org" in own
    assert not {"http://example.org", "*", "null"} & set(own)
