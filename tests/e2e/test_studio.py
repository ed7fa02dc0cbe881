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
    expect(page.get_by_role("menuitem", name="Variations")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("menuitem", name="Delete")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("article")).to_have_count(0)
    expect(page.get_by_role("region", name="Results")).to_be_focused()


def test_remix_brings_all_settings_back(page: Page) -> None:
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
    row.get_by_role("button", name="Remix").click()
    expect(page.get_by_text("3:2 · 1 image · seed 4242", exact=True)).to_have_count(2)
    expect(prompt_field(page)).to_have_value(HARBOUR)
    expect(page.get_by_label("Leave out")).to_have_value("boats")
    expect(page.get_by_label("Seed", exact=True)).to_have_value("4242")


def menu(page: Page, row: Locator, item: str) -> None:
    row.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name=item).click()


def test_variations_are_the_same_with_another_seed(page: Page) -> None:
    choose(page, "Shape", "3:2, landscape")
    page.get_by_label("Seed", exact=True).fill("4242")
    first = generate(page, HARBOUR)
    done(first)
    menu(page, first, "Variations")
    rows = page.locator("article")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("3:2 · 1 image · seed")
    expect(rows.first).not_to_contain_text("4242")
    done(rows.first)


def test_a_picture_is_made_larger_from_its_menu_and_from_the_lightbox(page: Page) -> None:
    """What comes of it is a job like any other, at once in the stream; of itself it cannot be remixed."""
    row = generate(page, HARBOUR)
    done(row)
    menu(page, row, "Upscale")
    rows = page.locator("article")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("1:1 · 2 times as large")
    done(rows.first)
    pictures(rows.first).click()
    dialog = page.get_by_role("dialog", name="Picture")
    large = dialog.get_by_role("img")
    page.wait_for_function("image => image.naturalWidth === 2048", arg=large.element_handle())
    expect(rows.first.get_by_role("button", name="Remix")).to_have_count(0)
    dialog.get_by_role("button", name="Upscale").click()
    expect(dialog).to_be_hidden()
    expect(rows).to_have_count(3)
    done(rows.first)


def test_what_was_deleted_comes_back_with_undo(page: Page) -> None:
    """It is gone at once, and where it was with a press; a favourite, too."""
    row = generate(page, HARBOUR)
    done(row)
    row.get_by_role("button", name="Favourite").click()
    expect(row.get_by_role("button", name="Favourite", pressed=True)).to_be_visible()
    menu(page, row, "Delete")
    expect(page.locator("article")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(row.get_by_role("button", name="Favourite", pressed=True)).to_be_visible()
    page.reload()
    expect(row.get_by_role("button", name="Favourite", pressed=True)).to_be_visible()
    expect(pictures(row)).to_have_count(1)


def test_a_link_remixes_once(page: Page) -> None:
    """What it brings is in the form; a reload keeps what was changed since."""
    choose(page, "Shape", "16:9, landscape")
    row = generate(page, HARBOUR)
    done(row)
    id_ = row.get_attribute("data-job")
    page.goto(f"/?remix={id_}")
    prompt_field(page).fill("Something else")
    page.goto(f"/?remix={id_}")
    expect(prompt_field(page)).to_have_value(HARBOUR)
    expect(page.get_by_role("radio", name="16:9, landscape")).to_be_checked()
    prompt_field(page).fill("Something else")
    page.reload()
    expect(prompt_field(page)).to_have_value("Something else")
    page.goto("/?remix=p_nobody")
    expect(page.get_by_text("There is no such process")).to_be_visible()


def test_the_arrows_bring_earlier_prompts_back(page: Page) -> None:
    """Up goes back, down returns, at last to what was being written; within a text they move the caret."""
    for prompt in ("A first harbour", "A second harbour"):
        generate(page, prompt)
    field = prompt_field(page)
    field.fill("Half a sent")
    for key, shown in (
        ("ArrowUp", "A second harbour"),
        ("ArrowUp", "A first harbour"),
        ("ArrowUp", "A first harbour"),
        ("ArrowDown", "A second harbour"),
        ("ArrowDown", "Half a sent"),
    ):
        page.keyboard.press(key)
        expect(field).to_have_value(shown)
    field.fill("One line\nand another")
    page.keyboard.press("ArrowUp")
    expect(field).to_have_value("One line\nand another")


def test_settings_wait_in_a_new_tab(page: Page, context: BrowserContext) -> None:
    """All of them, on the same device."""
    choose(page, "Shape", "3:2, landscape")
    choose(page, "Images", "2")
    page.get_by_role("button", name="Blueprint").click()
    page.get_by_label("Seed", exact=True).fill("4242")
    page.get_by_label("Leave out").fill("boats")
    summary = page.get_by_text("3:2 · 2 images · blueprint · seed 4242")
    expect(summary).to_be_visible()
    other = studio(context)
    expect(other.get_by_text("3:2 · 2 images · blueprint · seed 4242")).to_be_visible()
    expect(other.get_by_label("Leave out")).to_have_value("boats")


def test_a_hidden_tab_says_that_its_job_ended(page: Page) -> None:
    """In its title until it is looked at; permission for more is offered afterwards, once."""
    page.add_init_script(
        "Object.defineProperty(document, 'hidden', { get: () => window.away ?? false, configurable: true })"
    )
    # A browser without a window refuses for the person; one with a window waits to be asked.
    page.add_init_script("Object.defineProperty(Notification, 'permission', { get: () => 'default' })")
    page.reload()
    offer = page.get_by_role("region", name="Jobs that end out of sight")
    page.evaluate("window.away = true")
    done(generate(page, HARBOUR))
    page.wait_for_function("document.title === '(1) Hexwave'")
    expect(offer).to_be_hidden()
    page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_function("document.title === 'Hexwave'")
    expect(offer).to_be_visible()
    offer.get_by_role("button", name="Not now").click()
    expect(offer).to_be_hidden()
    page.reload()
    expect(offer).to_be_hidden()


def test_several_styles_can_be_chosen_and_come_back_with_the_settings(page: Page) -> None:
    """Chips are toggles; what they choose stands beside the job, and is copied with the rest."""
    chips = page.get_by_role("group", name="Style")
    expect(chips.get_by_role("button", pressed=True)).to_have_count(0)
    for name in ("Ink", "Watercolour"):
        chips.get_by_role("button", name=name).click()
    expect(chips.get_by_role("button", pressed=True)).to_have_text(["Ink", "Watercolour"])
    row = generate(page, HARBOUR)
    expect(row).to_contain_text("1:1 · 1 image · ink · watercolour · seed")
    done(row)
    chips.get_by_role("button", name="Ink").click()
    expect(chips.get_by_role("button", pressed=True)).to_have_text(["Watercolour"])
    row.get_by_role("button", name="Remix").click()
    expect(chips.get_by_role("button", pressed=True)).to_have_text(["Ink", "Watercolour"])


def test_a_job_that_ends_out_of_sight_says_so(page: Page) -> None:
    """A toast with the way to its pictures."""
    for _ in range(6):
        generate(page, HARBOUR)
    page.evaluate("window.hexwave.onScreen = () => false")
    row = generate(page, HARBOUR)
    expect(page.get_by_text("1 image ready", exact=True).first).to_be_visible()
    page.get_by_role("button", name="View").first.click()
    done(row)


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


def test_pictures_download_under_their_prompts_name(page: Page) -> None:
    """One by itself, several in one zip."""
    row = generate(page, HARBOUR)
    done(row)
    with page.expect_download() as download:
        row.get_by_role("link", name="Download 1 image").click()
    assert download.value.suggested_filename == "cold-harbour-at-dawn-mountains-far-behind-1.webp"
    choose(page, "Images", "2")
    row = generate(page, HARBOUR)
    done(row)
    with page.expect_download() as download:
        row.get_by_role("link", name="Download 2 images").click()
    assert download.value.suggested_filename.endswith(".zip")


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


def test_enhance_adds_words_and_gives_the_sentence_back(page: Page) -> None:
    """Pressed again, it is another variant of what was typed; Undo and Ctrl+Z both lead back."""
    field, button = prompt_field(page), page.get_by_role("button", name="Enhance")
    button.click()
    expect(page.get_by_text("Describe the picture first.")).to_be_visible()
    field.fill("A harbour")
    button.click()
    expect(field).to_have_value(re.compile("A harbour, .+"))
    first = field.input_value()
    button.click()
    expect(field).not_to_have_value(first)
    expect(field).to_have_value(re.compile("^A harbour, [^,]+, [^,]+, [^,]+$"))
    field.press("Control+z")
    expect(field).to_have_value(first)
    page.get_by_role("button", name="Undo").click()
    expect(field).to_have_value("A harbour")


def test_models_that_need_a_key_are_named_and_cannot_be_chosen(page: Page) -> None:
    option = page.get_by_role("option", name="Replicate · Needs a key")
    expect(option).to_be_disabled()
