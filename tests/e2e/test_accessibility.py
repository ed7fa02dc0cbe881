"""No page has a fault that axe calls serious or critical, in either theme, on a desk or a phone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from hexwave_app.ui.routes import GALLERY, INSPECTOR, KEYS, VIDEO, process_page
from tests.e2e.conftest import PATIENCE, Server
from tests.e2e.test_journey import HARBOUR, done, generate, pictures

expect.set_options(timeout=PATIENCE)

_AXE = (Path(__file__).parents[1] / "node_modules" / "axe-core" / "axe.min.js").read_text()
_PAINTED = 180_000.0
"""Milliseconds that a clip may take."""
_SERIOUS = ("serious", "critical")
DESK = ViewportSize(width=1440, height=900)
PHONE = ViewportSize(width=390, height=844)


@dataclass(frozen=True)
class Place:
    """A state of a page; `reach` goes there from the Studio with one finished job."""

    name: str
    reach: Callable[[Page], object]


def _lightbox(page: Page) -> None:
    pictures(page.locator("article").first).first.click()
    expect(page.get_by_role("dialog", name="Picture")).to_be_visible()


def _menu(page: Page) -> None:
    page.get_by_role("button", name=f"More actions: {HARBOUR}").first.click()
    expect(page.get_by_role("menuitem", name="Delete")).to_be_visible()


def _shortcuts(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Shortcuts")).to_be_visible()


def _keys(page: Page) -> None:
    page.goto(KEYS)
    page.get_by_role("textbox", name="Name").fill("Laptop")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="API key")).to_be_visible()


def _revoke(page: Page) -> None:
    _keys(page)
    page.get_by_role("button", name="Revoke: Laptop").first.click()
    expect(page.get_by_role("dialog", name="Revoke this key?")).to_be_visible()


def _job(page: Page) -> str:
    job = page.locator("article").first.get_attribute("data-job")
    assert job is not None
    return job


def _process(page: Page) -> None:
    page.goto(process_page(_job(page)))
    expect(page.get_by_role("heading", name=HARBOUR)).to_be_visible()


def _share(page: Page) -> None:
    _process(page)
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_role("dialog", name="Share")).to_be_visible()


def _shared(page: Page) -> None:
    page.goto(page.request.post(f"/api/processes/{_job(page)}/share", data={}).json()["url"])
    expect(page.get_by_role("heading", name=HARBOUR)).to_be_visible()


def _inspector(page: Page) -> None:
    page.goto(INSPECTOR)
    expect(page.get_by_text("Healthy").first).to_be_visible()


def _video(page: Page) -> None:
    page.goto(VIDEO)
    expect(page.get_by_role("button", name=f"Play {HARBOUR}")).to_be_visible()


def _gallery(page: Page) -> None:
    page.goto(GALLERY)
    expect(page.get_by_role("article").first).to_be_visible()


def _selecting(page: Page) -> None:
    _gallery(page)
    page.get_by_role("button", name="Select", exact=True).click()
    page.get_by_role("article").first.click()
    expect(page.get_by_text("1 selected")).to_be_visible()


def _no_match(page: Page) -> None:
    page.goto(f"{GALLERY}?q=nothing-of-the-kind")
    expect(page.get_by_role("heading", name="No match")).to_be_visible()


def _missing(page: Page) -> None:
    page.goto(process_page("p_nothing"))
    expect(page.get_by_role("heading", name="No such picture")).to_be_visible()


PLACES = [
    Place("studio", lambda page: page.locator("article").first.wait_for()),
    Place("lightbox", _lightbox),
    Place("menu", _menu),
    Place("shortcuts", _shortcuts),
    Place("keys", _keys),
    Place("revoke", _revoke),
    Place("process", _process),
    Place("share", _share),
    Place("shared", _shared),
    Place("missing", _missing),
    Place("gallery", _gallery),
    Place("selecting", _selecting),
    Place("no-match", _no_match),
    Place("inspector", _inspector),
    Place("video", _video),
]


@pytest.fixture(scope="module")
def visited(browser: Browser, server: Server) -> Iterator[dict[str, Any]]:
    """The cookies and the storage of a guest with a picture and a clip that begins with it."""
    context = browser.new_context(base_url=server.url)
    page = context.new_page()
    page.goto("/")
    page.get_by_text("Start with a sentence").wait_for()
    done(generate(page, HARBOUR))
    clip = {"prompt": HARBOUR, "seconds": 2, "aspectRatio": "1:1", "firstFrame": f"{_job(page)}/0"}
    assert page.request.post("/api/generate-video", data=clip).ok
    page.goto(VIDEO)
    expect(page.get_by_role("button", name=f"Play {HARBOUR}")).to_be_visible(timeout=_PAINTED)
    yield dict(context.storage_state())
    context.close()


@pytest.fixture(scope="module", params=[DESK, PHONE], ids=["desk", "phone"])
def device(
    request: pytest.FixtureRequest, browser: Browser, server: Server, visited: Any
) -> Iterator[BrowserContext]:
    """A browser of that guest's, on a desk or a phone."""
    device = browser.new_context(base_url=server.url, viewport=request.param, storage_state=visited)
    device.set_default_timeout(PATIENCE)
    yield device
    device.close()


@pytest.fixture
def page(device: BrowserContext) -> Iterator[Page]:
    """The Studio of that guest."""
    page = device.new_page()
    page.goto("/")
    page.locator("article").first.wait_for()
    yield page
    page.close()


def lit(page: Page, theme: Literal["light", "dark"]) -> None:
    """As the system is set."""
    # What is fading in has the contrast of neither before nor after.
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    scheme = "() => getComputedStyle(document.documentElement).colorScheme"
    page.wait_for_function(f"theme => ({scheme})().includes(theme)", arg=theme)


def faults(page: Page) -> list[str]:
    """What axe calls serious or critical, each with the elements it means."""
    page.evaluate(_AXE)
    # A colour on its way to another has the contrast of neither.
    page.wait_for_function("() => !document.getAnimations().some(each => each instanceof CSSTransition)")
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{each['id']}: {each['help']}: {[node['html'][:160] for node in each['nodes']]}"
        for each in found["violations"]
        if each["impact"] in _SERIOUS
    ]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_axe_finds_no_serious_fault(page: Page, place: Place) -> None:
    """Names, roles, contrast, order of headings, and all else that a machine can tell; in either theme."""
    lit(page, "light")
    place.reach(page)
    assert faults(page) == []
    lit(page, "dark")
    assert faults(page) == []


def test_axe_finds_a_fault_that_is_there(page: Page) -> None:
    """A button without a name, so that silence means something."""
    page.evaluate("() => document.querySelector('main').append(document.createElement('button'))")
    assert any(fault.startswith("button-name") for fault in faults(page))
