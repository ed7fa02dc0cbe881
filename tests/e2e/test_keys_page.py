"""API keys as a stranger makes, uses and revokes one: by keyboard, on a desk and on a phone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.e2e.conftest import PATIENCE, Server, studio

expect.set_options(timeout=PATIENCE)


@pytest.fixture(params=[(1440, 900), (320, 640)], ids=["desk", "phone"])
def visitor(request: pytest.FixtureRequest, browser: Browser, server: Server) -> Iterator[BrowserContext]:
    width, height = request.param
    context = browser.new_context(base_url=server.url, viewport=ViewportSize(width=width, height=height))
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


def statuses(page: Page, token: str) -> int:
    return page.context.request.get("/api/processes", headers={"Authorization": f"Bearer {token}"}).status


def test_a_key_is_made_used_and_revoked(visitor: BrowserContext) -> None:
    """From the person's menu to the door that is shut again; the focus is where one goes on from."""
    page = studio(visitor)
    page.get_by_role("button", name="Guest: menu").click()
    page.get_by_role("menuitem", name="API keys").click()
    expect(page.get_by_role("heading", name="No keys yet")).to_be_visible()

    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_text("Name the key first.")).to_be_visible()
    name = page.get_by_role("textbox", name="Name")
    expect(name).to_be_focused()
    name.fill("Möwe <b>1</b>")
    page.keyboard.press("Enter")

    shown = page.get_by_role("textbox", name="API key")
    expect(shown).to_be_focused()
    token = shown.input_value()
    assert statuses(page, token) == 200
    expect(page.get_by_role("status")).to_contain_text("Key made: Möwe <b>1</b>.")
    row = page.get_by_role("listitem").filter(has_text="Möwe <b>1</b>")
    expect(row).to_contain_text(token.rpartition("_")[0])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    page.get_by_role("button", name="Done").click()
    expect(name).to_be_focused()
    assert token not in page.content()
    assert page.evaluate("document.querySelector('hw-made-key input').value") == ""

    page.get_by_role("button", name="Revoke: Möwe").click()
    expect(page.get_by_role("button", name="Keep")).to_be_focused()
    page.keyboard.press("Escape")
    assert statuses(page, token) == 200
    page.get_by_role("button", name="Revoke: Möwe").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)
    assert statuses(page, token) == 401


def test_a_reload_shows_the_key_no_more(visitor: BrowserContext) -> None:
    """The list is there again, and its secret nowhere."""
    page = visitor.new_page()
    page.goto("/settings/keys")
    page.get_by_role("heading", name="No keys yet").wait_for()
    page.get_by_role("textbox", name="Name").fill("Laptop")
    page.keyboard.press("Enter")
    shown = page.get_by_role("textbox", name="API key")
    expect(shown).to_be_focused()
    token = shown.input_value()
    page.reload()
    expect(page.get_by_role("listitem")).to_contain_text("Laptop")
    expect(page.get_by_role("textbox", name="API key")).to_have_count(0)
    assert token not in page.content()
