"""A prompt becomes a live picture, in a real browser against the real server."""

import re

import httpx
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.conftest import PATIENCE, Server, studio

HARBOUR = "Cold harbour at dawn, mountains far behind"

expect.set_options(timeout=PATIENCE)


def generate(page: Page, prompt: str) -> Locator:
    """Type, press Ctrl+Enter, and return the newest row, which is the prompt's own."""
    page.locator("textarea[name=prompt]").fill(prompt)
    page.keyboard.press("Control+Enter")
    row = page.locator("article").first
    expect(row).to_contain_text(prompt)
    return row


def choose(page: Page, setting: str, value: str) -> None:
    # The radio itself is drawn by its label, which is what a pointer meets.
    page.get_by_role("radiogroup", name=setting).get_by_role("radio", name=value, exact=True).check(
        force=True
    )


def pictures(row: Locator) -> Locator:
    return row.get_by_role("link", name=re.compile("^Enlarge"))


def done(row: Locator) -> None:
    expect(row).to_have_attribute("data-state", "done")


def test_a_prompt_shows_progress_then_a_preview_then_a_picture(page: Page) -> None:
    """One click, one row, one picture, and nothing to reload."""
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    row = generate(page, HARBOUR)
    expect(row.get_by_role("progressbar")).to_be_attached()
    done(row)
    expect(pictures(row)).to_have_count(1)
    assert any("/preview-0-" in url for url in seen)
    source = pictures(row).get_attribute("href")
    assert source is not None
    natural = page.evaluate(
        "async src => { const i = new Image(); i.src = src; await i.decode(); return [i.width, i.height]; }",
        source,
    )
    assert natural == [1024, 1024]


def test_four_pictures_in_another_shape(page: Page) -> None:
    """The settings are those of the panel."""
    choose(page, "Shape", "3:2, landscape")
    choose(page, "Images", "4")
    expect(page.get_by_text("3:2 · 4 images · random seed")).to_be_visible()
    row = generate(page, "Storm over a grey sea")
    done(row)
    expect(pictures(row)).to_have_count(4)
    expect(row).to_contain_text("3:2 · 4 images · seed")


def test_three_jobs_run_at_once(page: Page) -> None:
    """Nothing waits for the one before."""
    choose(page, "Images", "4")
    for prompt in ("Pine forest at dusk", "Desert dunes at noon", "Neon city in rain"):
        generate(page, prompt)
    expect(page.get_by_text("3 running")).to_be_visible()
    for row in page.locator("article").all():
        done(row)
    expect(page.locator("article")).to_have_count(3)
    expect(pictures(page.locator("main"))).to_have_count(12)


def test_a_reload_in_mid_job_and_a_restart_afterwards_lose_nothing(
    server: Server, context: BrowserContext, page: Page
) -> None:
    """The page is a view of the store: it may go and come back at any time."""
    choose(page, "Images", "4")
    generate(page, HARBOUR)
    page.reload()
    row = page.locator("article").first
    expect(row).to_contain_text(HARBOUR)
    done(row)
    expect(page.locator("article")).to_have_count(1)
    server.restart()
    page.reload()
    done(page.locator("article").first)
    expect(pictures(page.locator("article"))).to_have_count(4)
    source = pictures(page.locator("article")).first.get_attribute("href")
    assert context.request.get(source or "").ok


def test_a_restart_in_mid_job_finishes_the_job(server: Server, page: Page) -> None:
    """The page reconnects by itself, and the painter takes its order up again."""
    choose(page, "Images", "4")
    row = generate(page, "Aurora over snowy mountains")
    expect(row).to_have_attribute("data-state", "painting")
    server.restart()
    done(row)
    expect(pictures(row)).to_have_count(4)


def test_a_server_that_dies_in_mid_job_is_waited_for(server: Server, page: Page) -> None:
    """The page says that it is reconnecting, and then shows the result."""
    choose(page, "Images", "4")
    row = generate(page, "Aurora over snowy mountains")
    expect(row).to_have_attribute("data-state", "painting")
    server.kill()
    expect(page.get_by_text("Reconnecting")).to_be_visible()
    expect(page.get_by_text("Connection lost. Your jobs keep running.")).to_be_visible()
    server.start()
    done(row)
    expect(pictures(row)).to_have_count(4)
    expect(page.get_by_text("Connection lost. Your jobs keep running.")).to_be_hidden()


def test_a_second_tab_sees_the_job_of_the_first(context: BrowserContext, page: Page) -> None:
    """Both are the same guest; both end in the same state."""
    other = studio(context)
    generate(page, HARBOUR)
    row = other.locator("article").first
    expect(row).to_contain_text(HARBOUR)
    done(row)
    expect(other.locator("article")).to_have_count(1)


def test_another_guest_sees_nothing_of_it(browser, server: Server, page: Page) -> None:
    """Neither the row nor the file."""
    row = generate(page, HARBOUR)
    done(row)
    source = pictures(row).get_attribute("href")
    stranger = browser.new_context(base_url=server.url)
    assert studio(stranger).locator("article").count() == 0
    assert stranger.request.get(source or "").status == 404
    stranger.close()


def test_cancel_says_so_and_run_again_runs_again(page: Page) -> None:
    """A cancelled row folds, and its button begins one new job, however often it is pressed."""
    choose(page, "Images", "4")
    row = generate(page, HARBOUR)
    row.get_by_role("button", name="Cancel").click()
    expect(row).to_have_attribute("data-state", "cancelled")
    expect(row).to_contain_text("You stopped this one")
    row.get_by_role("button", name="Run again").dblclick()
    expect(page.locator("article")).to_have_count(2)
    done(page.locator("article").first)
    expect(page.locator("article")).to_have_count(2)


def test_an_empty_prompt_starts_nothing_and_says_why(page: Page) -> None:
    """The field takes the focus, the hint says what is missing."""
    page.locator("textarea[name=prompt]").focus()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Describe the picture first.")).to_be_visible()
    expect(page.locator("article")).to_have_count(0)


def test_words_that_name_no_scene_are_painted_as_abstract_art_and_told_so(page: Page) -> None:
    """The demo painter does not pretend."""
    row = generate(page, "qwertz uiop")
    done(row)
    expect(row).to_contain_text("abstract art")
    expect(page.get_by_text("procedural, not AI").first).to_be_visible()


def test_the_lightbox_shows_each_picture_and_returns_the_focus(page: Page) -> None:
    """Opened by the keyboard, moved through by arrows, closed by Escape."""
    choose(page, "Images", "2")
    row = generate(page, HARBOUR)
    done(row)
    pictures(row).first.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("1 of 2")
    page.keyboard.press("ArrowRight")
    expect(dialog).to_contain_text("2 of 2")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(pictures(row).first).to_be_focused()


def test_a_deleted_job_is_gone_for_good(context: BrowserContext, page: Page) -> None:
    """From the page, from the API, and its file with it; unless it is taken back, which the toast offers."""
    row = generate(page, HARBOUR)
    done(row)
    source = pictures(row).get_attribute("href") or ""
    row.get_by_role("button", name=re.compile("^More actions")).click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.locator("article")).to_have_count(0)
    assert context.request.get(source).status == 404
    assert context.request.get("/api/processes").json() == {"processes": []}


def test_a_job_begun_by_the_api_appears_on_the_page(context: BrowserContext, page: Page) -> None:
    """One user, whichever way they come."""
    answer = context.request.post("/api/generate-image", data={"prompt": HARBOUR})
    assert answer.ok
    row = page.locator("article").first
    expect(row).to_contain_text(HARBOUR)
    done(row)


def test_curl_alone_can_do_it(server: Server) -> None:
    """POST, follow, fetch; a cookie jar is all the state there is."""
    with httpx.Client(base_url=server.url, timeout=10) as client:
        process_id = client.post("/api/generate-image", json={"prompt": HARBOUR}).json()["processId"]
        process: dict = {"status": "processing"}
        for _ in range(2000):
            process = client.get(f"/api/processes/{process_id}").json()
            if process["status"] != "processing":
                break
        assert process["status"] == "completed"
        picture = client.get(process["data"]["generations"][0])
        assert picture.headers["content-type"] == "image/webp"
