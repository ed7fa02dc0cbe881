"""A process's own page: by its address alone, live, by keyboard, and only for its owner."""

import re
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from hexwave_app.identity.secret import Secret
from hexwave_app.tools.webhooks import Webhooks
from tests.e2e.conftest import PATIENCE, Server, studio

HARBOUR = "Cold harbour at dawn, mountains far behind"

expect.set_options(timeout=PATIENCE)


def begin(context: BrowserContext, **asked: object) -> str:
    """A process of this guest, begun by the API."""
    if not context.cookies():
        context.request.get("/")
    answer = context.request.post("/api/generate-image", data={"prompt": HARBOUR, **asked})
    assert answer.ok, answer.text()
    return answer.json()["processId"]


def opened(context: BrowserContext, process_id: str) -> Page:
    page = context.new_page()
    page.goto(f"/p/{process_id}")
    expect(page.get_by_role("heading", name=HARBOUR)).to_be_visible()
    return page


def done(page: Page) -> None:
    expect(page.get_by_role("button", name="Download this image")).to_be_visible()


def timeline(page: Page) -> Locator:
    return page.get_by_role("region", name="Timeline").locator(".hw-line")


@pytest.fixture
def copying(context: BrowserContext) -> BrowserContext:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    return context


def clipboard(page: Page) -> str:
    return page.evaluate("navigator.clipboard.readText()")


def test_a_run_is_followed_to_the_screen_and_a_reload_in_the_middle_loses_nothing(
    context: BrowserContext,
) -> None:
    """Its address is enough, at any time; who came later than the end is told of no screen."""
    page = opened(context, begin(context, count=2))
    expect(page.get_by_role("button", name=re.compile("^Cancel"))).to_be_visible()
    expect(page.get_by_role("progressbar")).to_be_attached()
    page.reload()
    expect(page.get_by_role("heading", name=HARBOUR)).to_be_visible()
    done(page)
    expect(timeline(page).filter(has_text="On your screen")).to_be_visible()
    expect(page.get_by_text("from click to screen")).to_be_visible()
    for title in ("Created", "Sent to provider", "Webhook received", "Saved", "Published"):
        expect(timeline(page).filter(has_text=re.compile(f"^{title}")).first).to_be_visible()
    later = opened(context, page.url.rpartition("/")[2])
    done(later)
    expect(timeline(later).filter(has_text=re.compile("^Published")).last).to_be_visible()
    expect(timeline(later).filter(has_text="On your screen")).to_have_count(0)
    expect(later.get_by_text("from click to published")).to_be_visible()


def test_what_it_shows_is_told_as_delivered(context: BrowserContext) -> None:
    """As by the Studio: to the Inspector, which times it."""
    process_id = begin(context)
    done(opened(context, process_id))
    inspector = context.new_page()
    inspector.goto("/inspector")
    log = inspector.get_by_role("log", name="Channel activity")
    name = re.compile(f"{process_id} delivered")
    expect(log.get_by_role("button", name=name).first).to_be_attached()


def test_a_doubled_webhook_is_a_row_that_says_it_was_ignored(server: Server, context: BrowserContext) -> None:
    """It comes into the open page, and its time is read off in UTC as well."""
    process_id = begin(context)
    page = opened(context, process_id)
    done(page)
    keys = Secret.kept_in(server.data_dir / "secret.key").keys("webhook")
    url = Webhooks(server.url, *keys).url("image", process_id)
    again = {"status": "success", "images": ["http://127.0.0.1:9/0.png"]}
    assert httpx.post(url, json=again).json() == {"ok": True}
    row = timeline(page).filter(has_text="Webhook received again")
    expect(row).to_contain_text("Already completed, ignored")
    expect(row.locator("time")).to_have_attribute("title", re.compile(r"^20\d\d-.* UTC$"))
    expect(row.locator("time")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d\.\d{3}$"))


def test_the_keys_choose_copy_and_remix(copying: BrowserContext) -> None:
    """Arrows, C and R; in a field they are letters."""
    page = opened(copying, begin(copying, count=2))
    done(page)
    first, second = page.get_by_role("radio").all()
    expect(first).to_be_checked()
    page.keyboard.press("ArrowRight")
    expect(second).to_be_checked()
    expect(page.get_by_role("link", name=re.compile("image 2 of 2"))).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(first).to_be_checked()
    page.keyboard.press("c")
    expect(page.get_by_text("Prompt copied")).to_be_visible()
    assert clipboard(page) == HARBOUR
    with page.expect_download() as download:
        page.keyboard.press("d")
    assert download.value.suggested_filename == "cold-harbour-at-dawn-mountains-far-behind-1.webp"
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all").click()
    assert download.value.suggested_filename.endswith(".zip")
    page.keyboard.press("r")
    expect(page.get_by_role("textbox", name="Describe a picture")).to_have_value(HARBOUR)


def test_settings_id_and_log_are_copied_as_text(copying: BrowserContext) -> None:
    process_id = begin(copying, seed=4242, negativePrompt="boats", aspectRatio="3:2")
    page = opened(copying, process_id)
    done(page)
    page.get_by_role("button", name="Copy settings").click()
    expect(page.get_by_text("Settings copied")).to_be_visible()
    assert clipboard(page).splitlines() == [
        f"Prompt: {HARBOUR}",
        "Model: Demo painter",
        "Shape: 3:2, 1216 × 832",
        "Images: 1",
        "Seed: 4242",
        "Leave out: boats",
    ]
    page.get_by_role("button", name="Copy id").click()
    expect(page.get_by_text("Id copied")).to_be_visible()
    assert clipboard(page) == process_id
    page.get_by_role("button", name="Copy log").click()
    expect(page.get_by_text("Log copied")).to_be_visible()
    log = clipboard(page).splitlines()
    assert re.fullmatch(r"20\d\d-\S+Z +Created", log[0])
    assert any("Token checked" in line for line in log)


def test_full_screen_is_the_lightbox_at_the_chosen_picture(context: BrowserContext) -> None:
    page = opened(context, begin(context, count=2))
    done(page)
    page.get_by_role("button", name="Next picture").first.click()
    page.get_by_role("button", name="Full screen").click()
    expect(page.get_by_role("dialog", name="Picture")).to_contain_text("2 of 2")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Picture")).to_be_hidden()


def test_a_cancelled_run_says_so_and_runs_again_on_a_page_of_its_own(context: BrowserContext) -> None:
    process_id = begin(context, count=4)
    page = opened(context, process_id)
    page.get_by_role("button", name=re.compile("^Cancel")).click()
    expect(timeline(page).filter(has_text=re.compile("^Cancelled"))).to_contain_text("You stopped this one")
    page.get_by_role("button", name="Run again").click()
    expect(page).not_to_have_url(re.compile(process_id))
    expect(page.get_by_role("heading", name=HARBOUR)).to_be_visible()
    page.get_by_role("button", name=re.compile("^Cancel")).click()
    expect(page.get_by_text("You stopped this one").first).to_be_visible()


def test_it_is_nobody_elses(browser: Browser, server: Server, context: BrowserContext) -> None:
    """Another guest is told what everybody is told of an address that never was."""
    process_id = begin(context)
    done(opened(context, process_id))
    stranger = browser.new_context(base_url=server.url)
    page = studio(stranger)
    page.goto(f"/p/{process_id}")
    expect(page.get_by_role("heading", name="No such picture")).to_be_visible(timeout=PATIENCE)
    assert HARBOUR not in page.content()
    stranger.close()


@pytest.mark.parametrize(
    "place",
    ["p_nothing", "..%2F..%2Fapi%2Fprocesses", "x" * 2000, quote("日本 ️‍<script>"), "%20", "a?process_id=b"],
)
def test_an_address_that_is_none_is_said_to_be_none(page: Page, server: Server, place: str) -> None:
    """With the headers of a page, whatever is in its place."""
    answer = page.goto(f"/p/{place}")
    assert answer is not None
    assert answer.status in (200, 404)
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    expect(page.get_by_role("heading", name="No such picture")).to_be_visible()


def test_a_link_is_made_opened_by_anybody_and_taken_back(
    browser: Browser, server: Server, copying: BrowserContext
) -> None:
    """What it opens asks for nothing else, sets no cookie, and is gone once it is revoked."""
    page = opened(copying, begin(copying))
    done(page)
    page.get_by_role("button", name="Share").click()
    dialog = page.get_by_role("dialog", name="Share")
    dialog.get_by_role("button", name="Make a link").click()
    dialog.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("Link copied")).to_be_visible()
    link = clipboard(page)
    anybody = browser.new_context(base_url=server.url)
    wrong: list[str] = []
    anybody.on("console", lambda message: wrong.append(message.text))
    anybody.on("response", lambda answer: wrong.append(answer.url) if answer.status >= 400 else None)
    theirs = anybody.new_page()
    theirs.goto(link)
    expect(theirs.get_by_role("heading", name=HARBOUR)).to_be_visible()
    picture = theirs.get_by_role("img", name=HARBOUR)
    assert picture.evaluate("async image => { await image.decode(); return image.naturalWidth; }") == 1024
    assert (anybody.cookies(), wrong) == ([], [])
    dialog.get_by_role("button", name="Revoke link").click()
    expect(dialog.get_by_role("button", name="Make a link")).to_be_visible()
    theirs.reload()
    expect(theirs.get_by_role("heading", name="No such picture")).to_be_visible()
    anybody.close()


def test_a_favourite_stays_one_and_a_deletion_is_undone(context: BrowserContext) -> None:
    process_id = begin(context)
    page = opened(context, process_id)
    done(page)
    heart = page.get_by_role("button", name=re.compile("^Favourite"))
    page.keyboard.press("f")
    expect(heart).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(heart).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name=re.compile("^Delete")).click()
    expect(page).not_to_have_url(re.compile(process_id))
    assert context.request.get(f"/api/processes/{process_id}").status == 404
    page.get_by_role("button", name="Undo").click()
    expect(page).to_have_url(re.compile(process_id))
    done(page)
    assert context.request.get(f"/api/processes/{process_id}").ok
