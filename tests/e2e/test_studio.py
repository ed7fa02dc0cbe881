"""The Studio as a stranger meets it: by keyboard, on a small screen, with odd prompts, twice."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Response,
    ViewportSize,
    expect,
)

from tests.e2e.conftest import PATIENCE, Server, studio
from tests.e2e.test_journey import HARBOUR, choose, done, generate, pictures

expect.set_options(timeout=PATIENCE)

PHONE = ViewportSize(width=320, height=640)


@pytest.fixture
def phone(browser: Browser, server: Server) -> Iterator[Page]:
    """The Studio on the narrowest screen that counts."""
    context = browser.new_context(base_url=server.url, viewport=PHONE, has_touch=True, is_mobile=True)
    context.set_default_timeout(PATIENCE)
    yield studio(context)
    context.close()


def prompt_field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Describe a picture")


def wide_as_its_screen(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_whole_job_asks_nobody_else_and_logs_no_error(server: Server, context: BrowserContext) -> None:
    """No font, script or picture from elsewhere; nothing missing; nothing in the console."""
    asked: list[str] = []
    wrong: list[str] = []

    def answered(response: Response) -> None:
        if response.status >= 400:
            wrong.append(f"{response.status} {response.url}")

    def logged(message: ConsoleMessage) -> None:
        if message.type == "error":
            wrong.append(message.text)

    context.on("request", lambda request: asked.append(request.url))
    context.on("response", answered)
    context.on("console", logged)
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    page = studio(context)
    row = generate(page, HARBOUR)
    done(row)
    pictures(row).click()
    expect(page.get_by_role("dialog", name="Picture")).to_be_visible()
    assert context.request.get("/favicon.ico").ok
    assert [url for url in asked if not url.startswith((server.url, "data:"))] == []
    assert wrong == []


def test_a_draft_survives_a_reload(page: Page) -> None:
    """What was typed is kept on the device, not on the server."""
    prompt_field(page).fill("A sentence not yet finished")
    page.reload()
    expect(prompt_field(page)).to_have_value("A sentence not yet finished")


def test_html_in_a_prompt_is_text(page: Page) -> None:
    """It is shown as it was written, and nothing in it runs."""
    prompt = "<img src=x onerror=\"document.title='run'\"><b>Harbour</b>"
    row = generate(page, prompt)
    expect(row.get_by_text(prompt, exact=True)).to_be_visible()
    done(row)
    assert row.locator("b").count() == 0
    assert page.title() == "Hexwave"


def test_no_prompt_makes_a_phone_scroll_sideways(phone: Page) -> None:
    """Neither the empty page, nor one word of 400 letters, nor four pictures."""
    assert wide_as_its_screen(phone)
    phone.get_by_role("button", name=re.compile("^Settings")).tap()
    phone.get_by_text("4", exact=True).tap()
    phone.get_by_role("button", name="Close settings").tap()
    row = generate(phone, "W" * 400)
    assert wide_as_its_screen(phone)
    done(row)
    expect(pictures(row)).to_have_count(4)
    assert wide_as_its_screen(phone)


def test_the_prompt_stops_at_its_limit_and_counts(page: Page) -> None:
    """2,000 characters go in, the rest does not, and the counter says so."""
    prompt_field(page).focus()
    page.keyboard.insert_text("harbour " * 300)
    expect(prompt_field(page)).to_have_value(("harbour " * 300)[:2000])
    expect(page.locator(".hw-counter")).to_have_attribute("data-text", "2,000 / 2,000")


def test_the_keyboard_alone_makes_opens_and_deletes_a_picture(page: Page) -> None:
    """The focus is never lost: it stays in the prompt, returns from dialogs, and ends in the results."""
    page.keyboard.press("/")
    expect(prompt_field(page)).to_be_focused()
    page.keyboard.type(HARBOUR)
    page.keyboard.press("Control+Enter")
    expect(prompt_field(page)).to_be_focused()
    row = page.locator("article").first
    done(row)
    pictures(row).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Picture")).to_be_visible()
    page.keyboard.press("Escape")
    expect(pictures(row)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Edit prompt")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("menuitem", name="Delete")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Keep")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("article")).to_have_count(0)
    expect(page.get_by_role("region", name="Results")).to_be_focused()


def test_copy_settings_brings_the_same_picture_again(page: Page) -> None:
    """Prompt, shape, number, seed and what was left out go back into the form."""
    choose(page, "Shape", "3:2, landscape")
    page.get_by_label("Leave out").fill("boats")
    page.get_by_label("Seed", exact=True).fill("4242")
    row = generate(page, HARBOUR)
    expect(row).to_contain_text("3:2 · 1 image · seed 4242")
    done(row)
    choose(page, "Shape", "1:1, square")
    for label in ("Describe a picture", "Leave out", "Seed"):
        page.get_by_label(label, exact=True).fill("")
    expect(page.get_by_text("1:1 · 1 image · random seed")).to_be_visible()
    row.get_by_role("button", name="Copy settings").click()
    expect(page.get_by_text("3:2 · 1 image · seed 4242", exact=True)).to_have_count(2)
    expect(prompt_field(page)).to_have_value(HARBOUR)
    expect(page.get_by_label("Leave out")).to_have_value("boats")
    expect(page.get_by_label("Seed", exact=True)).to_have_value("4242")


def test_a_screen_reader_hears_each_change_of_state_once(page: Page) -> None:
    """The live region says that it began, how far it is, and that it ended; never a percentage."""
    page.evaluate(
        """() => {
          const region = document.querySelector(".hw-page > [role=status]");
          window.said = [];
          new MutationObserver(() => window.said.push(region.textContent))
            .observe(region, { childList: true, characterData: true, subtree: true });
        }"""
    )
    choose(page, "Images", "4")
    done(generate(page, HARBOUR))
    page.wait_for_function("window.said.at(-1).endsWith('ready.')")
    said: list[str] = page.evaluate("window.said")
    assert said[0] == f"Started: {HARBOUR}."
    assert said[-1] == f"{HARBOUR}: 4 images ready."
    assert len(said) == len(set(said)) <= 5
    assert not any("%" in words for words in said)


def test_several_pictures_download_under_their_prompts_name(page: Page) -> None:
    """One press, one file for each picture."""
    choose(page, "Images", "2")
    row = generate(page, HARBOUR)
    done(row)
    names: list[str] = []
    page.on("download", lambda download: names.append(download.suggested_filename))
    with page.expect_event("download", lambda download: download.suggested_filename.endswith("-2.webp")):
        row.get_by_role("button", name="Download 2 images").click()
    assert names == [f"cold-harbour-at-dawn-mountains-far-behind-{n}.webp" for n in (1, 2)]


def test_the_page_says_that_the_server_is_gone_and_that_it_is_back(server: Server, page: Page) -> None:
    """A banner while it is away, Generate refuses, and nothing has to be reloaded."""
    server.stop()
    expect(page.get_by_role("alert")).to_contain_text("Connection lost.")
    prompt_field(page).fill(HARBOUR)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("button", name="Generate")).to_have_attribute("aria-disabled", "true")
    expect(page.locator("article")).to_have_count(0)
    server.start()
    expect(page.get_by_text("Back online")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.keyboard.press("Control+Enter")
    done(page.locator("article").first)
