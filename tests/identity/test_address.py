"""Whom a request counts for."""

from ipaddress import ip_network

import pytest

from hexwave_app.identity.address import Proxies

NOBODY = Proxies()
OURS = Proxies([ip_network("10.0.0.0/8"), ip_network("fd00::/8")])


@pytest.mark.parametrize("said", ["", "198.51.100.1", "198.51.100.1, 10.0.0.1", ",,,", "x"])
def test_without_proxies_it_is_the_peer(said: str) -> None:
    """Whatever the header says."""
    assert NOBODY.client("10.0.0.1", said) == "10.0.0.1"
    assert OURS.client("203.0.113.9", said) == "203.0.113.9"


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("1.1.1.1,198.51.100.1 , 10.9.9.9, fd00::1", "198.51.100.1"),
        ("10.2.2.2, 10.3.3.3", "10.2.2.2"),
        ("198.51.100.1, unknown", "10.0.0.1"),
        ("198.51.100.1, ", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_behind_a_proxy_it_is_the_last_that_is_none(said: str, client: str) -> None:
    """What is no address is not looked behind: a proxy of ours would not have written it."""
    assert OURS.client("10.0.0.1", said) == client


def test_an_address_of_ipv6_is_its_subscribers() -> None:
    """A /64 is one household's; an IPv4 address that is written as one of IPv6 is itself."""
    assert (
        NOBODY.client("2001:db8:1:2::3", "")
        == NOBODY.client("2001:db8:1:2:ffff::4", "")
        == "2001:db8:1:2::/64"
    )
    assert NOBODY.client("2001:db8:1:3::3", "") == "2001:db8:1:3::/64"
    assert NOBODY.client("::ffff:198.51.100.1", "") == "198.51.100.1"
    assert OURS.client("::ffff:10.0.0.1", "198.51.100.1") == "198.51.100.1"


@pytest.mark.parametrize("peer", ["", "/run/hexwave.sock"])
def test_a_peer_without_an_address_is_itself(peer: str) -> None:
    """It is no proxy of ours either."""
    assert OURS.client(peer, "198.51.100.1") == peer
