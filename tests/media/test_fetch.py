"""Fetching from addresses that others chose."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import httpx
import pytest
import pytest_asyncio
import trustme
from hypothesis import given
from hypothesis import strategies as st

from hexwave_app.media.fetch import Fetcher
from hexwave_app.processes.errors import ResultLost, ResultUnavailable
from tests.conftest import PATIENCE, free_port

PUBLIC = "203.0.112.7"
OTHER_PUBLIC = "2606:4700::1"
DEAD = "203.0.112.99"
BODY = b"a picture"


def answer(body: bytes = BODY, status: str = "200 OK", *headers: str) -> bytes:
    head = "\r\n".join((f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""))
    return head.encode() + body


def redirect(url: str) -> bytes:
    return answer(b"", "302 Found", f"Location: {url}")


@dataclass
class Site:
    """A server over TLS, and one without: it answers each path with raw bytes, or for ever."""

    secure_port: int = 0
    plain_port: int = 0
    answers: dict[str, bytes] = field(default_factory=dict[str, bytes])
    endless: set[str] = field(default_factory=set[str])
    silent: set[str] = field(default_factory=set[str])
    heard: list[str] = field(default_factory=list[str])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heard.append(head.lower())
            path = head.split()[1]
            writer.write(self.answers.get(path, answer()))
            await writer.drain()
            while path in self.endless:
                writer.write(b"\x00" * 65536)
                await writer.drain()
            if path in self.silent:
                await reader.read()
        writer.close()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.plain_port}"


@dataclass
class Internet:
    """The names and the public addresses of the tests; every address but one is the site's."""

    site: Site
    trusted: ssl.SSLContext
    names: dict[str, list[list[str]]] = field(default_factory=dict[str, list[list[str]]])
    asked: list[str] = field(default_factory=list[str])
    dialled: list[str] = field(default_factory=list[str])

    async def resolve(self, name: str) -> Sequence[str]:
        """The next of the name's answers; the last of them from then on."""
        self.asked.append(name)
        answers = self.names.get(name, [[PUBLIC]])
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Wire(httpx.AsyncHTTPTransport):
    """Plain connections, only that public addresses lead to the site."""

    def __init__(self, internet: Internet) -> None:
        kept = httpx.Limits(max_keepalive_connections=0)
        super().__init__(verify=internet.trusted, trust_env=False, limits=kept)
        self._internet = internet

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._internet.dialled.append(request.url.host)
        if request.url.host == DEAD:
            raise httpx.ConnectError("no route")
        if request.url.scheme == "https":
            request.url = request.url.copy_with(host="127.0.0.1", port=self._internet.site.secure_port)
        return await super().handle_async_request(request)


@pytest_asyncio.fixture
async def internet() -> AsyncIterator[Internet]:
    authority, site = trustme.CA(), Site()
    serving, trusted = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("cdn.test", "a.cdn.test", PUBLIC).configure_cert(serving)
    authority.configure_trust(trusted)
    async with (
        await asyncio.start_server(site.serve, "127.0.0.1", 0, ssl=serving) as secure,
        await asyncio.start_server(site.serve, "127.0.0.1", 0) as plain,
    ):
        site.secure_port = secure.sockets[0].getsockname()[1]
        site.plain_port = plain.sockets[0].getsockname()[1]
        yield Internet(site, trusted)


@pytest_asyncio.fixture
async def fetcher(internet: Internet) -> AsyncIterator[Fetcher]:
    async with Fetcher.open(internet.resolve, Wire(internet)) as fetcher:
        yield fetcher


async def test_a_result_is_fetched(fetcher: Fetcher, internet: Internet) -> None:
    """Over TLS, from the address that was vetted, with the name in the certificate and in Host."""
    assert await fetcher.fetch("https://cdn.test/a?b=c") == BODY
    assert internet.dialled == [PUBLIC]
    assert "get /a?b=c http/1.1" in internet.site.heard[0]
    assert "host: cdn.test\r\n" in internet.site.heard[0]
    assert "accept-encoding: identity\r\n" in internet.site.heard[0]


async def test_an_address_instead_of_a_name_is_taken_where_it_is_public(fetcher: Fetcher) -> None:
    """Its certificate has to be the address's."""
    assert await fetcher.fetch(f"https://{PUBLIC}/") == BODY


async def test_a_certificate_of_another_name_is_refused(fetcher: Fetcher, internet: Internet) -> None:
    """Connecting to an address does not mean trusting whoever is there."""
    with pytest.raises(ResultUnavailable):
        await fetcher.fetch("https://other.test/")
    assert internet.site.heard == []


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "017700000001", "0177.0.0.1"),
        *("localhost", "0", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "134744072"),
        *(
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.8",
            "192.0.0.9",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
        ),
        *("224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "[::]", "[::1]", "[::7f00:1]"),
        *("[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[::ffff:8.8.8.8]"),
        *("[64:ff9b::a9fe:a9fe]", "[64:ff9b::808:808]", "[64:ff9b:1::808:808]", "[2002:a9fe:a9fe::]"),
        *("[2002:808:808::1]", "[2001:0:808:808::1]", "[2001:db8::1]", "[3fff::1]", "[fe80::1]", "[fec0::1]"),
        *(
            "a" * 70 + ".test",
            "[fc00::1]",
            "[fd00:ec2::254]",
            "[ff02::1]",
            "[ff0e::1]",
            "[5f00::1]",
            "[100::1]",
        ),
    ],
)
async def test_an_address_that_is_not_public_is_never_dialled(internet: Internet, host: str) -> None:
    """In whatever notation, with the system's own resolver."""
    async with Fetcher.open(transport=Wire(internet)) as fetcher:
        with pytest.raises(ResultLost):
            await fetcher.fetch(f"https://{host}/")
    assert internet.dialled == []


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:10.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["fe80::1%1"],
        ["2606:4700::1%1"],
        [PUBLIC, "127.0.0.1"],
        ["10.0.0.1", PUBLIC],
        [OTHER_PUBLIC, "fd00::1"],
        [],
    ],
    ids=str,
)
async def test_a_name_of_an_address_that_is_not_public_is_refused(
    fetcher: Fetcher, internet: Internet, addresses: list[str]
) -> None:
    """One among several is enough."""
    internet.names["cdn.test"] = [addresses]
    with pytest.raises(ResultLost):
        await fetcher.fetch("https://cdn.test/")
    assert internet.dialled == []


async def test_a_name_that_moves_between_look_and_connection_gains_nothing(
    fetcher: Fetcher, internet: Internet
) -> None:
    """DNS rebinding: it is asked for once, and what was vetted is what is connected to."""
    internet.names["cdn.test"] = [[PUBLIC], ["127.0.0.1"]]
    assert await fetcher.fetch("https://cdn.test/") == BODY
    assert (internet.asked, internet.dialled) == (["cdn.test"], [PUBLIC])
    with pytest.raises(ResultLost):
        await fetcher.fetch("https://cdn.test/")
    assert internet.dialled == [PUBLIC]


async def test_the_next_address_is_tried_where_one_does_not_answer(
    fetcher: Fetcher, internet: Internet
) -> None:
    """In the resolver's order; that none answers is worth asking again."""
    internet.names["cdn.test"] = [[DEAD, OTHER_PUBLIC, PUBLIC], [DEAD, DEAD]]
    assert await fetcher.fetch("https://cdn.test/") == BODY
    assert internet.dialled == [DEAD, OTHER_PUBLIC]
    with pytest.raises(ResultUnavailable):
        await fetcher.fetch("https://cdn.test/")


@pytest.mark.parametrize(
    "url",
    [
        *("http://cdn.test/", "ftp://cdn.test/", "file:///etc/passwd", "gopher://cdn.test/", "data:,x"),
        *("//cdn.test/", "cdn.test/", "", "https://", "https:///x", "https://[::1", "https://cdn.test:x/"),
        *("https://user@cdn.test/", "https://user:pass@cdn.test/", "https://cdn.test:443@127.0.0.1/"),
        *("https://cdn.test%40127.0.0.1/", "https://127.0.0.1#@cdn.test/", "https://127.0.0.1\\@cdn.test/"),
        *("https://cdn.test:22/", "https://cdn.test:80/", "https://cdn.test:8443/", "https://cdn.test:0/"),
        *("https://cdn.test:99999/", "https://cdn\ttest/", "https://cdn.test\r\nHost: x/", "https://①②⑦.①/"),
        "https://cdn.test/" + "a" * 70_000,
    ],
    ids=lambda url: url[:40],
)
async def test_a_url_of_another_form_is_refused(fetcher: Fetcher, internet: Internet, url: str) -> None:
    """Only https, on its own port, without a user: nobody is asked and nothing dialled."""
    with pytest.raises(ResultLost):
        await fetcher.fetch(url)
    assert internet.dialled == []


@given(st.text(max_size=60))
async def test_no_text_is_a_way_out(text: str) -> None:
    """Whatever is said to be a URL is fetched, lost or unavailable: no other error comes of it."""

    async def nowhere(_: str) -> Sequence[str]:
        raise OSError("no such name")

    async with Fetcher.open(nowhere) as fetcher:
        for url in (text, f"https://{text}", f"https://cdn.test:{text}", f"https://{text}@cdn.test/"):
            with pytest.raises((ResultLost, ResultUnavailable)):
                await fetcher.fetch(url)


@pytest.mark.parametrize(
    ("host", "hosts", "taken"),
    [
        ("cdn.test", ("cdn.test",), True),
        ("CDN.test", ("cdn.test",), True),
        ("a.cdn.test", (".cdn.test",), True),
        ("a.cdn.test", ("other.test", ".cdn.test"), True),
        ("a.cdn.test", ("cdn.test",), False),
        ("cdn.test", (".cdn.test",), False),
        ("evilcdn.test", ("cdn.test", ".cdn.test"), False),
        ("cdn.test.evil.test", ("cdn.test", ".cdn.test"), False),
        ("cdn.test.", ("cdn.test",), False),
        (PUBLIC, ("cdn.test",), False),
    ],
)
async def test_only_the_providers_names_are_fetched_from(
    fetcher: Fetcher, internet: Internet, host: str, hosts: tuple[str, ...], taken: bool
) -> None:
    """The name itself, or with a leading dot all below it."""
    if taken:
        assert await fetcher.fetch(f"https://{host}/", hosts=hosts) == BODY
        return
    with pytest.raises(ResultLost):
        await fetcher.fetch(f"https://{host}/", hosts=hosts)
    assert internet.dialled == []


@pytest.mark.parametrize(
    "target",
    [
        *("http://169.254.169.254/latest/meta-data/", "https://169.254.169.254/latest/meta-data/"),
        *("http://cdn.test/b", "https://user@cdn.test/b", "https://cdn.test:8080/b", "https://evil.test/b"),
        *("//127.0.0.1/", "https://[::1]/", "https://2130706433/", "file:///etc/passwd", "https://["),
    ],
)
async def test_a_redirect_is_checked_anew(fetcher: Fetcher, internet: Internet, target: str) -> None:
    """Where it leads is not dialled unless it could have been asked for."""
    internet.site.answers["/a"] = redirect(target)
    with pytest.raises(ResultLost):
        await fetcher.fetch("https://cdn.test/a", hosts=("cdn.test", "169.254.169.254"))
    assert (len(internet.dialled), len(internet.site.heard)) == (1, 1)


async def test_a_redirect_to_a_name_that_moved_is_refused(fetcher: Fetcher, internet: Internet) -> None:
    """The name was public a moment ago."""
    internet.names["cdn.test"] = [[PUBLIC], ["127.0.0.1"]]
    internet.site.answers["/a"] = redirect("/b")
    with pytest.raises(ResultLost):
        await fetcher.fetch("https://cdn.test/a")
    assert internet.dialled == [PUBLIC]


async def test_three_redirects_are_followed(fetcher: Fetcher, internet: Internet) -> None:
    """Relative ones as well; the fourth is not."""
    for here, there in (("/4", "/3"), ("/3", "https://a.cdn.test/2"), ("/2", "1"), ("/1", "/0")):
        internet.site.answers[here] = redirect(there)
    assert await fetcher.fetch("https://cdn.test/3") == BODY
    with pytest.raises(ResultLost, match="redirected"):
        await fetcher.fetch("https://cdn.test/4")


async def test_the_operators_own_address_is_not_vetted(fetcher: Fetcher, internet: Internet) -> None:
    """By its scheme, host and port; what else there is on that machine is."""
    origin = internet.site.origin
    assert await fetcher.fetch(f"{origin}/view", origin=origin, hosts=("cdn.test",)) == BODY
    assert await fetcher.fetch("https://cdn.test/", origin=origin) == BODY
    port = internet.site.plain_port
    for url in (
        f"http://127.0.0.1:{port + 1}/",
        f"https://127.0.0.1:{port}/",
        f"http://localhost:{port}/",
        f"http://user@127.0.0.1:{port}/",
        "http://127.0.0.1/",
    ):
        with pytest.raises(ResultLost):
            await fetcher.fetch(url, origin=origin)
    assert internet.dialled == ["127.0.0.1", PUBLIC]


async def test_the_operators_own_address_redirects_like_any_other(
    fetcher: Fetcher, internet: Internet
) -> None:
    """To itself, and to what is public."""
    origin = internet.site.origin
    for path, target in (("/a", "/b"), ("/c", "https://cdn.test/"), ("/d", "http://127.0.0.1:1/")):
        internet.site.answers[path] = redirect(target)
    assert await fetcher.fetch(f"{origin}/a", origin=origin) == BODY
    assert await fetcher.fetch(f"{origin}/c", origin=origin) == BODY
    with pytest.raises(ResultLost):
        await fetcher.fetch(f"{origin}/d", origin=origin)


async def test_the_environments_proxy_is_not_used(
    internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would resolve the name again."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    origin = internet.site.origin
    async with Fetcher.open(internet.resolve) as fetcher:
        assert await fetcher.fetch(f"{origin}/", origin=origin) == BODY


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "identity, gzip"])
async def test_a_packed_answer_is_refused(fetcher: Fetcher, internet: Internet, encoding: str) -> None:
    """A few bytes of it may be gigabytes."""
    internet.site.answers["/"] = answer(BODY, "200 OK", f"Content-Encoding: {encoding}")
    with pytest.raises(ResultLost, match="compressed"):
        await fetcher.fetch("https://cdn.test/")


@pytest.mark.parametrize(
    "head", ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n"]
)
async def test_an_endless_body_ends_at_the_limit(fetcher: Fetcher, internet: Internet, head: str) -> None:
    """Whatever length was announced."""
    internet.site.answers["/"] = head.encode()
    internet.site.endless.add("/")
    with pytest.raises(ResultLost, match="over 1000000 bytes"):
        await fetcher.fetch("https://cdn.test/", limit=1_000_000, seconds=PATIENCE)


async def test_a_result_of_just_the_limit_is_taken(fetcher: Fetcher) -> None:
    """And one byte less is not enough."""
    assert await fetcher.fetch("https://cdn.test/", limit=len(BODY)) == BODY
    with pytest.raises(ResultLost):
        await fetcher.fetch("https://cdn.test/", limit=len(BODY) - 1)


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\n", answer()[:-1]], ids=["no", "head", "body"])
async def test_a_slow_answer_ends_at_the_deadline(fetcher: Fetcher, internet: Internet, begun: bytes) -> None:
    """However far it came; it is worth asking again."""
    internet.site.answers["/"] = begun
    internet.site.silent.add("/")
    with pytest.raises(ResultUnavailable, match="did not send"):
        await fetcher.fetch("https://cdn.test/", seconds=0.3)


async def test_the_deadline_is_over_all_redirects(fetcher: Fetcher, internet: Internet) -> None:
    """And over the resolver."""

    async def never(_: str) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    internet.site.answers["/a"] = redirect("/b")
    internet.site.answers["/b"] = b""
    internet.site.silent.add("/b")
    with pytest.raises(ResultUnavailable):
        await fetcher.fetch("https://cdn.test/a", seconds=0.3)
    async with Fetcher.open(never) as stuck:
        with pytest.raises(ResultUnavailable):
            await stuck.fetch("https://cdn.test/", seconds=0.01)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_what_passes_is_worth_asking_again(fetcher: Fetcher, internet: Internet, status: int) -> None:
    """The server has trouble, or too much to do."""
    internet.site.answers["/"] = answer(BODY, f"{status} X")
    with pytest.raises(ResultUnavailable, match=str(status)):
        await fetcher.fetch("https://cdn.test/")


@pytest.mark.parametrize("status", [204, 206, 300, 304, 400, 401, 403, 404, 410, 451])
async def test_what_does_not_pass_is_lost(fetcher: Fetcher, internet: Internet, status: int) -> None:
    """Expired, forbidden, or no whole result."""
    internet.site.answers["/"] = answer(b"", f"{status} X")
    with pytest.raises(ResultLost, match=str(status)):
        await fetcher.fetch("https://cdn.test/")


@pytest.mark.parametrize(
    "said",
    [b"", b"nonsense\r\n\r\n", answer()[:-1], b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 40_000],
    ids=["nothing", "no HTTP", "cut off", "endless head"],
)
async def test_a_broken_answer_is_worth_asking_again(
    fetcher: Fetcher, internet: Internet, said: bytes
) -> None:
    """Half a body is none."""
    internet.site.answers["/"] = said
    with pytest.raises(ResultUnavailable):
        await fetcher.fetch("https://cdn.test/", seconds=PATIENCE)


async def test_no_connection_is_worth_asking_again(internet: Internet) -> None:
    """The name is not known at the moment, or nobody listens."""

    async def unknown(_: str) -> Sequence[str]:
        raise OSError("temporary failure")

    async with Fetcher.open(unknown) as fetcher:
        with pytest.raises(ResultUnavailable):
            await fetcher.fetch("https://cdn.test/")
        nobody = f"http://127.0.0.1:{free_port()}"
        with pytest.raises(ResultUnavailable):
            await fetcher.fetch(f"{nobody}/", origin=nobody)


async def test_no_cookie_is_carried_on(fetcher: Fetcher, internet: Internet) -> None:
    """Neither along a redirect nor to the next fetch."""
    internet.site.answers["/a"] = answer(b"", "302 Found", "Location: /b", "Set-Cookie: who=me")
    await fetcher.fetch("https://cdn.test/a")
    await fetcher.fetch("https://cdn.test/b")
    assert len(internet.site.heard) == 3
    assert not any("cookie:" in head for head in internet.site.heard)
