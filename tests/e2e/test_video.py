"""A shot becomes a clip that plays, from words alone or from a first frame, in a real browser."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.conftest import PATIENCE
from tests.e2e.test_journey import HARBOUR
from tests.e2e.test_reference import bring, png

expect.set_options(timeout=PATIENCE)

# A clip is many pictures: on a busy machine it takes its time.
pytestmark = pytest.mark.timeout(400)
_PAINTED = 180_000.0
"""Milliseconds that a clip of two seconds may take."""


def shot(context: BrowserContext, **asked: Any) -> Page:
    """The page, set for a clip that is shorter than it offers: as one that the API began, and called off."""
    if not context.cookies():
        context.request.get("/")
    small = {"prompt": HARBOUR, "seconds": 2, "aspectRatio": "1:1", "seed": 7}
    answer = context.request.post("/api/generate-video", data=small | asked)
    assert answer.ok, answer.text()
    process_id = answer.json()["processId"]
    context.request.post(f"/api/processes/{process_id}/cancel", data={})
    page = context.new_page()
    page.goto(f"/video?remix={process_id}")
    expect(page.get_by_role("textbox", name="Describe a shot")).to_have_value(HARBOUR)
    return page


def painted(row: Locator) -> None:
    expect(row).to_have_attribute("data-state", "done", timeout=_PAINTED)


def begun(page: Page) -> Locator:
    """Press Generate; the newest row."""
    rows = page.get_by_role("article")
    before = rows.count()
    page.get_by_role("button", name="Generate").click()
    expect(rows).to_have_count(before + 1)
    return rows.first


def playing(page: Page, name: str) -> None:
    clip = page.get_by_label(name, exact=True).and_(page.locator("video"))
    expect(clip).to_be_visible()
    page.wait_for_function("clip => clip.currentTime > 0", arg=clip.element_handle())


def test_a_shot_shows_progress_then_previews_then_a_clip_that_plays(context: BrowserContext) -> None:
    """Through a reload in mid-job; in its row, in the gallery and on its own page."""
    page = shot(context, camera="push-in")
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    expect(page.get_by_text("1:1 · 2 s · push in · seed 7", exact=True).first).to_be_visible()
    expect(page.get_by_role("radio", name="Push in")).to_be_checked()
    row = begun(page)
    expect(row.get_by_role("progressbar")).to_have_attribute("aria-valuenow", re.compile("[0-9]+"))
    page.reload()
    row = page.get_by_role("article").first
    expect(row.get_by_role("progressbar")).to_be_attached()
    painted(row)
    assert any("/preview-0-" in url for url in seen)
    assert not any(url.endswith(".mp4") for url in seen)
    expect(row).to_contain_text("1:1 · 2 s · push in · seed 7")
    row.get_by_role("button", name=f"Play {HARBOUR}").click()
    playing(page, HARBOUR)
    with page.expect_download() as download:
        row.get_by_role("link", name="Download 1 clip").click()
    assert download.value.suggested_filename == "cold-harbour-at-dawn-mountains-far-behind-1.mp4"
    page.goto("/gallery?kind=video")
    tile = page.get_by_role("article", name=HARBOUR)
    expect(tile).to_contain_text("0:02")
    tile.get_by_role("link", name=HARBOUR).first.click()
    expect(page.get_by_role("button", name="Download this clip")).to_be_visible()
    tab = page.get_by_role("navigation", name="Main").get_by_role("link", name="Video")
    expect(tab).to_have_attribute("aria-current", "page")
    page.get_by_label(HARBOUR, exact=True).and_(page.locator("video")).evaluate("clip => clip.play()")
    playing(page, HARBOUR)
    page.get_by_role("link", name="Remix").click()
    expect(page).to_have_url(re.compile("/video"))
    expect(page.get_by_role("textbox", name="Describe a shot")).to_have_value(HARBOUR)


def test_a_clip_begins_with_a_picture_of_ones_own(context: BrowserContext, tmp_path: Path) -> None:
    """Chosen, dropped or pasted; it stays through a reload, and what is no picture is refused beside it."""
    page = shot(context)
    zone = page.get_by_role("button", name="Drop a picture or choose one")
    first, remove = (
        page.get_by_role("img", name="First frame"),
        page.get_by_role("button", name="Remove first"),
    )
    bring(page, "drop", ".hw-zone", "text/plain")
    expect(page.get_by_role("alert")).to_have_text("That file is not a PNG, JPEG or WebP.")
    for event, place in (("drop", "#hw-prompt"), ("paste", "#hw-prompt"), ("drop", ".hw-zone")):
        bring(page, event, place)
        expect(first).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        remove.click()
        expect(zone).to_be_focused()
    file = tmp_path / "mine.png"
    file.write_bytes(png())
    with page.expect_file_chooser() as chooser:
        zone.click()
    chooser.value.set_files(file)
    expect(first).to_be_visible()
    page.reload()
    expect(first).to_be_visible()
    row = begun(page)
    expect(row).to_contain_text("1:1 · from a picture · 2 s · still")
    painted(row)
    row.get_by_role("button", name="Play").click()
    playing(page, HARBOUR)


def test_pictures_and_clips_keep_to_their_own_pages(context: BrowserContext) -> None:
    """So do their drafts; what was begun on one is not in the stream of the other."""
    page = shot(context)
    page.get_by_role("textbox", name="Describe a shot").fill("Half a shot")
    page.get_by_role("link", name="Image", exact=True).click()
    expect(page.get_by_text("Start with a sentence")).to_be_visible()
    field = page.get_by_role("textbox", name="Describe a picture")
    expect(field).to_have_value("")
    field.fill("Half a picture")
    page.get_by_role("link", name="Video", exact=True).click()
    expect(page.get_by_role("textbox", name="Describe a shot")).to_have_value("Half a shot")
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page.get_by_role("heading", name="Video", exact=True)).to_be_attached()
