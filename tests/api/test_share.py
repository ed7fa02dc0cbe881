"""Links for anybody: what they show, to whom, and until when."""

import io
import re
from collections import Counter
from html import unescape
from html.parser import HTMLParser

import httpx
import pytest
from PIL import Image

from hexwave_app.identity.secret import Secret
from hexwave_app.media.workers import Workers
from hexwave_app.processes import Completed, Process
from hexwave_app.processes.errors import ProcessNotFound
from hexwave_app.processes.model import ProcessData
from hexwave_app.tools.share import Shares
from tests.api.conftest import Guest
from tests.conftest import PATIENCE, Served

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "{{ 7 * 7 }} {% raw %}",
    "‮שלום</title><b>",
    "x" * 2000,
    "' onmouseover=alert(1) '",
]


class Elements(HTMLParser):
    """The tags of a page, counted, and the names of their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags = Counter[str]()
        self.attributes = set[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attrs}


def png(size: tuple[int, int] = (600, 400)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "#804020").save(buffer, format="PNG")
    return buffer.getvalue()


async def finished(guest: Guest, server: Served, prompt: str = "Harbour") -> Process:
    """A completed process of the guest with one picture that is kept."""
    process = await guest.begin()
    req = {**process.data.req, "prompt": prompt}
    process = process.model_copy(update={"data": process.data.model_copy(update={"req": req})})
    assert await server.services.store.replace(process.model_copy(update={"revision": process.revision + 1}))
    url = await server.services.library.put(process.process_id, "0.png", png())
    return await server.services.processes.update(process.process_id, Completed((url,)))


async def shared(guest: Guest, process: Process) -> str:
    """The path of its link."""
    answer = await guest.http.post(f"/api/processes/{process.process_id}/share")
    assert answer.status_code == 200, answer.text
    return httpx.URL(answer.json()["url"]).path


def anybody(server: Served) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=server.url, timeout=PATIENCE)


async def test_anybody_with_the_link_sees_the_picture_and_its_words(guest: Guest, server: Served) -> None:
    """Without a session, a script or a cookie."""
    link = await shared(guest, await finished(guest, server))
    async with anybody(server) as http:
        page = await http.get(link)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert ">Harbour</h1>" in page.text
        assert "<script" not in page.text
        source = re.findall(r'<img src="([^"]+)"', page.text)
        picture = await http.get(source[0])
        assert (picture.status_code, picture.content) == (200, png())
        assert (await http.head(link)).status_code == 200
        assert not http.cookies
    for answer in (page, picture):
        assert "set-cookie" not in answer.headers
        assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self';")
    assert picture.headers["cache-control"] == "no-cache"
    assert picture.headers["content-security-policy"] == "default-src 'none'; sandbox"


async def test_other_apps_show_a_card_beside_the_link(guest: Guest, server: Served) -> None:
    """A JPEG of the size that is announced, at an absolute address."""
    link = await shared(guest, await finished(guest, server))
    async with anybody(server) as http:
        text = (await http.get(link)).text
        said = dict(re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)">', text))
        card = await http.get(said["og:image"])
    assert said["og:title"] == "Harbour"
    assert said["og:url"] == f"{server.url}{link}"
    assert said["twitter:card"] == "summary_large_image"
    assert said["robots"] == "noindex, nofollow"
    image = Image.open(io.BytesIO(card.content))
    assert (image.format, card.headers["content-type"]) == ("JPEG", "image/jpeg")
    assert image.size == (int(said["og:image:width"]), int(said["og:image:height"])) == (1200, 630)


async def test_a_link_stays_the_same_until_it_is_revoked(guest: Guest, server: Served) -> None:
    """Revoked is at once, its files too; shared again it is another link."""
    process = await finished(guest, server)
    link = await shared(guest, process)
    assert await shared(guest, process) == link
    files = link.replace("/s/", "/shared/")
    async with anybody(server) as http:
        tag = (await http.get(f"{files}/0.png")).headers["etag"]
        known = {"If-None-Match": tag}
        assert (await http.get(f"{files}/0.png", headers=known)).status_code == 304
        answer = await guest.http.delete(f"/api/processes/{process.process_id}/share")
        assert answer.status_code == 204
        for path in (link, f"{files}/0.png", f"{files}/card.jpg"):
            assert (await http.get(path, headers=known)).status_code == 404
        again = await shared(guest, process)
        assert again != link
        assert [(await http.get(path)).status_code for path in (again, link)] == [200, 404]


async def test_a_link_outlives_a_change_of_the_secret(guest: Guest, server: Served) -> None:
    """For as long as the old one is named; links that are made from then on are of the present one."""
    process = await finished(guest, server)
    await shared(guest, process)
    process = await server.services.processes.load(process.process_id)
    services, old = server.services, Secret("o" * 32)
    async with Workers.open() as workers:
        rest = (services.processes, services.library, workers, server.url)
        before = Shares(*rest, *old.keys("share"))
        rotated = Shares(*rest, *Secret("n" * 32, old.values).keys("share"))
        leaked = Shares(*rest, *Secret("n" * 32).keys("share"))
    link = before.url(process).rpartition("/")[2]
    assert (await rotated.opened(link)).process_id == process.process_id
    fresh = rotated.url(process).rpartition("/")[2]
    assert fresh != link
    assert (await leaked.opened(fresh)).process_id == process.process_id
    with pytest.raises(ProcessNotFound):
        await leaked.opened(link)


async def test_what_is_deleted_is_not_shared_any_more(guest: Guest, server: Served) -> None:
    """While it can be undone, too; and undone, the link is good again."""
    process = await finished(guest, server)
    link = await shared(guest, process)
    async with anybody(server) as http:
        await server.services.processes.discard([process.process_id], guest.id)
        assert (await http.get(link)).status_code == 404
        await server.services.processes.restore([process.process_id], guest.id)
        assert (await http.get(link)).status_code == 200


async def test_every_link_that_is_none_gets_the_same_answer(guest: Guest, server: Served) -> None:
    """Revoked, forged, cut short, another process's, or never there: nothing tells which."""
    process, other = await finished(guest, server), await finished(guest, server)
    link = await shared(guest, process)
    signature = link.rpartition(".")[2]
    await shared(guest, other)
    never = await finished(guest, server)
    forged = [
        f"/s/{process.process_id}.{'0' * 64}",
        f"/s/{process.process_id}.",
        f"/s/{process.process_id}",
        f"/s/{process.process_id}.{signature[:-1]}",
        f"/s/{process.process_id}.{signature.upper()}",
        f"/s/{other.process_id}.{signature}",
        f"/s/{never.process_id}.{signature}",
        f"/s/p_nothing.{signature}",
        f"/s/.{signature}",
        "/s/%C3%A9.%C3%A9",
        "/s/..",
        "/s/" + "x" * 3000,
    ]
    async with anybody(server) as http:
        pages = [await http.get(path) for path in forged if path != "/s/.."]
        files = [await http.get(path.replace("/s/", "/shared/") + "/0.png") for path in forged]
    assert {(page.status_code, page.text) for page in pages} == {(404, pages[0].text)}
    assert "No such picture" in pages[0].text
    assert {answer.status_code for answer in files} == {404}


async def test_only_what_is_meant_is_shown(guest: Guest, server: Served) -> None:
    """No file of the process besides its results, and no word of whose it is."""
    process = await finished(guest, server)
    await server.services.library.put(process.process_id, "raw-0.png", png())
    link = await shared(guest, process)
    files = link.replace("/s/", "/shared/")
    async with anybody(server) as http:
        for name in ("raw-0.png", "0-512.webp", "..%2Fsecret.key", "1.png"):
            assert (await http.get(f"{files}/{name}")).status_code == 404
        text = (await http.get(link)).text
    assert guest.id not in text
    assert (process.share or "nothing yet") not in text


@pytest.mark.parametrize("prompt", HOSTILE)
async def test_a_prompt_is_only_text(guest: Guest, server: Served, prompt: str) -> None:
    """In the page, in its title, and in what other apps read."""
    link = await shared(guest, await finished(guest, server, prompt))
    async with anybody(server) as http:
        text = (await http.get(link)).text
    heading = re.search(r'<h1 dir="auto">(.*?)</h1>', text, re.S)
    assert heading is not None
    assert unescape(heading[1]) == prompt
    found = Elements(text)
    assert found.tags["img"] == 1
    assert not {"script", "b"} & set(found.tags)
    assert not any(name.startswith("on") for name in found.attributes)
    titles = re.findall(r'property="og:title" content="([^"]*)"', text)
    assert len(titles) == 1
    assert unescape(titles[0]).rstrip("…") in prompt


async def test_a_tool_without_a_prompt_lends_its_title(guest: Guest, server: Served) -> None:
    """Where a picture was made of a picture, nobody wrote a word."""
    process = await guest.begin(tool_name="upscale", data=ProcessData(req={"picture": "p_x/0", "scale": 2}))
    url = await server.services.library.put(process.process_id, "0.png", png())
    link = await shared(guest, await server.services.processes.update(process.process_id, Completed((url,))))
    async with anybody(server) as http:
        page = await http.get(link)
    assert page.status_code == 200
    assert ">Upscale</h1>" in page.text


async def test_only_its_owner_shares_and_revokes(guest: Guest, stranger: Guest, server: Served) -> None:
    """To others it is not there."""
    process = await finished(guest, server)
    path = f"/api/processes/{process.process_id}/share"
    assert (await stranger.http.post(path)).status_code == 404
    link = await shared(guest, process)
    assert (await stranger.http.delete(path)).status_code == 404
    assert (await stranger.http.get(link)).status_code == 200


async def test_what_runs_is_not_shared(guest: Guest) -> None:
    process = await guest.begin()
    answer = await guest.http.post(f"/api/processes/{process.process_id}/share")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "process_conflict")
