"""The Gallery as somebody uses it: many pictures, few on the page, and what is done with them."""

import re
import zipfile
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import PATIENCE, Server
from tests.stores.many import fill_sqlite

LOADED = 1000


@pytest.fixture(scope="module")
def storage(browser, server: Server) -> Iterator[dict]:
    """A guest with a thousand pictures."""
    context = browser.new_context(base_url=server.url)
    context.request.get("/api/processes")
    (cookie,) = [each for each in context.cookies() if each["name"] == "hexwave"]
    fill_sqlite(server.data_dir / "hexwave.db", cookie["value"].split(".")[0], LOADED)
    yield context.storage_state()
    context.close()


@pytest.fixture
def wall(browser, server: Server, storage) -> Iterator[Page]:
    context = browser.new_context(
        base_url=server.url, storage_state=storage, viewport={"width": 1440, "height": 900}
    )
    context.set_default_timeout(20_000)
    yield opened(context)
    context.close()


def opened(context: BrowserContext, address: str = "/gallery") -> Page:
    page = context.new_page()
    page.goto(address)
    page.locator("hw-gallery[data-shows]:not([data-shows=waiting])").wait_for()
    return page


def tile(page: Page, number: int):
    return page.get_by_role("article", name=re.compile(f"number {number}(,|$)"))


def count(page: Page):
    return page.get_by_title("Items")


def test_a_guest_who_made_nothing_is_told_so(context: BrowserContext) -> None:
    """And led to where pictures are made."""
    page = opened(context)
    expect(page.get_by_role("heading", name="Nothing here yet")).to_be_visible()
    expect(page.get_by_role("link", name="Go to Studio")).to_be_visible()


def test_scrolling_brings_everything_and_keeps_the_page_small(wall: Page) -> None:
    """Page after page to the end; what is far away is not on the page, what is selected stays selected."""
    expect(count(wall)).to_have_text("1,000")
    wall.get_by_role("button", name="Select", exact=True).click()
    tile(wall, 999).click()
    end = wall.get_by_text("That is everything.")
    most = 0
    for _ in range(200):
        most = max(most, wall.get_by_role("article").count())
        if end.is_visible():
            break
        wall.evaluate("() => new Promise((done) => { scrollBy(0, 3000); requestAnimationFrame(done); })")
    expect(end).to_be_visible()
    wall.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(tile(wall, 0)).to_be_visible()
    assert most < 150
    expect(wall.get_by_text("1 selected")).to_be_visible()
    wall.evaluate("scrollTo(0, 0)")
    expect(tile(wall, 999).get_by_role("checkbox")).to_be_checked()


def test_every_filter_is_in_the_address(wall: Page) -> None:
    """A search narrows, Back widens again, and the address alone brings the same."""
    wall.get_by_role("searchbox", name="Search prompts").fill("needle")
    expect(count(wall)).to_have_text("1")
    wall.get_by_role("checkbox", name="Favourites").check(force=True)
    expect(wall).to_have_url(re.compile(r"\?q=needle&favourites=1$"))
    wall.go_back()
    wall.go_back()
    expect(count(wall)).to_have_text("1,000")
    expect(wall.get_by_role("searchbox")).to_have_value("")
    wall.goto("/gallery?favourites=1&sort=oldest")
    expect(count(wall)).to_have_text("10")
    expect(wall.get_by_role("checkbox", name="Favourites")).to_be_checked()
    expect(wall.get_by_role("article").first).to_have_accessible_name(re.compile("number 0"))
    wall.goto("/gallery?q=nothing+of+the+kind")
    expect(wall.get_by_text("Nothing fits “nothing of the kind”")).to_be_visible()
    wall.get_by_role("button", name="Clear filters").click()
    expect(count(wall)).to_have_text("1,000")


def test_a_range_is_deleted_and_brought_back(wall: Page) -> None:
    """By the keyboard and with Shift; the focus goes on to the next tile, and Undo restores all of it."""
    tile(wall, 998).get_by_role("link").first.focus()
    wall.keyboard.press("x")
    tile(wall, 995).get_by_role("link").first.click(modifiers=["Shift"])
    expect(wall.get_by_text("4 selected")).to_be_visible()
    wall.keyboard.press("Delete")
    expect(wall.get_by_role("heading", name="Delete 4 items?")).to_be_visible()
    wall.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(wall.get_by_text("4 deleted")).to_be_visible()
    expect(tile(wall, 997)).to_have_count(0)
    expect(count(wall)).to_have_text("996")
    expect(tile(wall, 994).get_by_role("link").first).to_be_focused()
    wall.get_by_role("button", name="Undo").click()
    expect(tile(wall, 997)).to_be_visible()
    expect(count(wall)).to_have_text("1,000")


def test_what_is_selected_is_taken_along_and_marked(wall: Page, server: Server) -> None:
    """As one zip, by a form; favourites are kept over a reload."""
    for number in (990, 991):
        kept = server.data_dir / "media" / f"p_{number:020}" / "0.webp"
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(b"RIFF")
        tile(wall, number).get_by_role("link").first.focus()
        wall.keyboard.press("x")
    with wall.expect_download() as download:
        wall.get_by_role("button", name="Download zip").click()
    with zipfile.ZipFile(download.value.path()) as file:
        assert len(file.namelist()) == 2
    wall.get_by_role("toolbar").get_by_role("button", name="Favourite").click()
    like = tile(wall, 991).get_by_role("button", name=re.compile("^Favourite"))
    expect(like).to_have_attribute("aria-pressed", "true")
    wall.reload()
    expect(like).to_have_attribute("aria-pressed", "true")


def test_a_way_back_leads_to_where_one_was(wall: Page) -> None:
    """From a picture's page, far down the list."""
    for _ in range(8):
        wall.evaluate("() => new Promise((done) => { scrollBy(0, 2500); setTimeout(done, 100); })")
    link = wall.get_by_role("article").nth(30).get_by_role("link").first
    link.scroll_into_view_if_needed()
    before = wall.evaluate("scrollY")
    link.click()
    expect(wall).to_have_url(re.compile("/p/"))
    wall.go_back()
    wall.wait_for_function("(before) => Math.abs(scrollY - before) < 5", arg=before)


def test_a_picture_comes_by_itself(context: BrowserContext, page: Page) -> None:
    """Made in one tab, it appears in another that shows the Gallery."""
    gallery = opened(context)
    begun = context.request.post("/api/generate-image", data={"prompt": "A small sea, number 7", "count": 1})
    assert begun.ok
    expect(tile(gallery, 7)).to_be_visible(timeout=PATIENCE)
    expect(count(gallery)).to_have_text("1")
