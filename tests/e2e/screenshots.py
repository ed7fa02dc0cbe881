"""Takes the pictures in docs/screenshots: every page with real content, three sizes, both themes.

    HEXWAVE_TEST_BROWSER=/usr/bin/chromium-headless-shell python -m tests.e2e.screenshots [name of a page ...]

A server of its own paints the content first.
"""

import io
import itertools
import re
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from PIL import Image
from playwright.sync_api import APIRequestContext, Browser, Page, ViewportSize, expect

from tests.e2e.conftest import PATIENCE, ROOT, Server, chromium, free_port

FOLDER = ROOT / "docs" / "screenshots"
SIZES = {
    "phone": ViewportSize(width=390, height=844),
    "tablet": ViewportSize(width=768, height=1024),
    "desk": ViewportSize(width=1440, height=900),
}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_QUALITY = 80
_PAINTED = 120_000.0
"""Milliseconds that a job may take here."""

DONE = [
    ("Storm over a grey sea", "16:9", 1),
    ("Night sea, one path of moonlight, a few thin clouds", "9:16", 1),
    ("Pine forest at dusk, last light on the ridge, mist between the trees", "4:5", 2),
    ("Neon city across the bay, after rain", "16:9", 2),
    ("Reeds at the edge of a lake, dusk, the water like glass", "1:1", 1),
    ("Snow on a mountain pass, a red cabin with smoke rising", "2:3", 1),
    ("Terraced rice fields after rain, low cloud in the valley", "3:2", 2),
    ("A lighthouse on a basalt cliff, first light, gulls far below", "4:5", 1),
    ("Dunes under a huge moon, a single line of footprints", "3:2", 1),
    ("Cold harbour at dawn, mountains far behind, water like slate", "1:1", 4),
    ("Harbour in low amber light, mountains far behind, the sea almost still", "3:2", 4),
]
CLIPS = [
    ("Night sea, one path of moonlight, still", {"seconds": 2, "aspectRatio": "1:1"}),
    ("Low winter sun over a fishing village, slow pan right", {"seconds": 4, "camera": "pan-right"}),
]
FILMING = ("Pine forest in mist, first light between the trees", {"seconds": 6, "camera": "push-in"})
CANCELLED = ("Two boats in fog, a bell buoy between them", "3:2", 2)
RUNNING = ("Low winter sun over a fishing village, snow on the boats, long shadows", "3:2", 4)


def begin(http: APIRequestContext, prompt: str, shape: str, count: int) -> str:
    """The id of the process."""
    asked = {"prompt": prompt, "aspectRatio": shape, "count": count, "seed": 90210}
    answer = http.post("/api/generate-image", data=asked)
    assert answer.ok, answer.text()
    return answer.json()["processId"]


def film(http: APIRequestContext, prompt: str, asked: dict[str, Any]) -> str:
    """The same of a clip."""
    answer = http.post("/api/generate-video", data={"prompt": prompt, "seed": 90210, **asked})
    assert answer.ok, answer.text()
    return answer.json()["processId"]


def finish(http: APIRequestContext, process_id: str) -> None:
    deadline = time.monotonic() + _PAINTED / 1000
    while http.get(f"/api/processes/{process_id}").json()["status"] == "processing":
        assert time.monotonic() < deadline, "a job took too long"
        time.sleep(0.2)


def _half_painted(page: Page, done: list[str]) -> None:
    row = page.locator(f"#job-{begin(page.request, *RUNNING)}")
    expect(row.get_by_role("progressbar")).to_have_attribute(
        "aria-valuenow", re.compile("[3-7][0-9]"), timeout=_PAINTED
    )


def _half_filmed(page: Page, done: list[str]) -> None:
    row = page.locator(f"#job-{film(page.request, *FILMING)}")
    expect(row.get_by_role("progressbar")).to_have_attribute(
        "aria-valuenow", re.compile("^[2-7][0-9]"), timeout=_PAINTED
    )


def _clip(page: Page, done: list[str]) -> None:
    row = page.locator("article[data-state=done]").first
    page.goto(f"/p/{row.get_attribute('data-job')}")
    page.get_by_role("button", name="Download this clip").wait_for()
    page.wait_for_load_state("networkidle")


def _nothing(page: Page, done: list[str]) -> None:
    page.wait_for_load_state("networkidle")


def _gallery(page: Page, done: list[str]) -> None:
    page.get_by_role("article").first.wait_for()
    page.wait_for_load_state("networkidle")


def _shared(page: Page, done: list[str]) -> None:
    page.goto(page.request.post(f"/api/processes/{done[-1]}/share", data={}).json()["url"])
    page.wait_for_load_state("networkidle")


def _inspector(page: Page, done: list[str]) -> None:
    page.get_by_text("Healthy").first.wait_for()
    page.get_by_role("textbox", name="Process id").fill(done[-1])
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Open process").wait_for()


def _keys(page: Page, done: list[str]) -> None:
    if page.get_by_role("button", name="Revoke: Laptop").count():
        return
    page.get_by_role("textbox", name="Name").fill("Laptop")
    page.keyboard.press("Enter")
    page.get_by_role("textbox", name="API key").wait_for()
    page.get_by_role("button", name="Done").click()


@dataclass(frozen=True)
class Shot:
    """A page, `{id}` standing for the newest finished process, and what is done on it before the picture."""

    path: str
    prepare: Callable[[Page, list[str]], object] = _nothing


SHOTS = {
    "studio": Shot("/", _half_painted),
    "gallery": Shot("/gallery", _gallery),
    "process": Shot("/p/{id}", _nothing),
    "inspector": Shot("/inspector", _inspector),
    "video": Shot("/video", _half_filmed),
    "clip": Shot("/video", _clip),
    "keys": Shot("/settings/keys", _keys),
    "shared": Shot("/", _shared),
}


def take(browser: Browser, url: str, state: Any, done: list[str], name: str) -> None:
    shot = SHOTS[name]
    for (size, viewport), theme in itertools.product(SIZES.items(), THEMES):
        context = browser.new_context(
            base_url=url,
            viewport=viewport,
            color_scheme=theme,
            storage_state=state,
            has_touch=size == "phone",
        )
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(shot.path.format(id=done[-1]))
        shot.prepare(page, done)
        # Pictures fade in.
        page.wait_for_timeout(700)
        picture = Image.open(io.BytesIO(page.screenshot()))
        picture.convert("RGB").save(FOLDER / f"{name}-{size}-{theme}.webp", quality=_QUALITY, method=6)
        for running in page.request.get("/api/processes?status=processing").json()["processes"]:
            page.request.post(f"/api/processes/{running['processId']}/cancel", data={})
            page.request.delete(f"/api/processes/{running['processId']}")
        context.close()
        print(f"{name}-{size}-{theme}")


def main(names: list[str]) -> None:
    expect.set_options(timeout=PATIENCE)
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        server = Server(Path(folder), free_port())
        server.start()
        try:
            context = browser.new_context(base_url=server.url)
            page = context.new_page()
            page.goto("/")
            done: list[str] = []
            for each in DONE:
                done.append(begin(page.request, *each))
                finish(page.request, done[-1])
            for each in CLIPS:
                finish(page.request, film(page.request, *each))
            cancelled = begin(page.request, *CANCELLED)
            page.request.post(f"/api/processes/{cancelled}/cancel", data={})
            state = context.storage_state()
            context.close()
            for name in names or SHOTS:
                take(browser, server.url, state, done, name)
        finally:
            server.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
