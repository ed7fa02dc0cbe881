"""Tools used from the pages that are made from their requests, that of docs/tools.md first, in a browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.checkout import CheckoutServer, with_tools
from tests.e2e.conftest import PATIENCE, Server, free_port
from tests.e2e.test_accessibility import faults, lit

expect.set_options(timeout=PATIENCE)

# The first run builds the pages.
pytestmark = pytest.mark.timeout(600)
LAKE = "A lake under the first stars"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Server]:
    folder = with_tools(Path(pytestconfig.cache.mkdir("checkout")))
    server = CheckoutServer(tmp_path_factory.mktemp("data"), free_port(), folder=folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def form(context: BrowserContext) -> Page:
    """The page, reached as people find it."""
    page = context.new_page()
    page.goto("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Wallpaper").click()
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    return page


def test_a_tool_is_used_from_the_form_that_its_request_makes(form: Page) -> None:
    """Filled in, painted live, and all of it back in the form from the process's page."""
    times = form.get_by_role("radiogroup", name="Time")
    expect(times.get_by_role("radio", name="Dusk")).to_be_checked()
    expect(times).to_have_accessible_description("Its light")
    form.get_by_role("textbox", name="What it shows").fill(LAKE)
    times.get_by_text("Night").click()
    form.get_by_role("textbox", name="Seed").fill("7")
    expect(form.get_by_text("night · seed 7", exact=True)).to_be_visible()
    form.get_by_role("button", name="Generate").click()
    row = form.get_by_role("article", name=LAKE)
    expect(row).to_have_attribute("data-state", "done")
    expect(row).to_contain_text("night · seed 7")
    times.get_by_text("Noon").click()
    expect(form.get_by_text("noon · seed 7", exact=True)).to_be_visible()
    row.get_by_role("button", name=f"Remix: {LAKE}").click()
    expect(times.get_by_role("radio", name="Night")).to_be_checked()
    times.get_by_text("Noon").click()
    expect(form.get_by_text("noon · seed 7", exact=True)).to_be_visible()
    form.goto(f"/p/{row.get_attribute('data-job')}")
    expect(form.get_by_text("night", exact=True)).to_be_visible()
    tab = form.get_by_role("navigation", name="Main").get_by_role("link", name="Wallpaper")
    expect(tab).to_have_attribute("aria-current", "page")
    form.get_by_role("link", name="Remix").click()
    expect(form).to_have_url(re.compile("/tools/wallpaper"))
    expect(form.get_by_role("textbox", name="What it shows")).to_have_value(LAKE)
    expect(times.get_by_role("radio", name="Night")).to_be_checked()


def test_settings_stay_on_the_device(form: Page) -> None:
    """Through a reload and for a new tab; those of other forms are apart."""
    form.get_by_text("Dawn").click()
    expect(form.locator(".hw-summary")).to_have_text("dawn")
    form.get_by_role("textbox", name="What it shows").fill("Half a lake")
    form.reload()
    other = form.context.new_page()
    other.goto("/tools/wallpaper")
    for page in (form, other):
        expect(page.get_by_role("radio", name="Dawn")).to_be_checked()
        expect(page.get_by_role("textbox", name="What it shows")).to_have_value("Half a lake")
    other.get_by_role("link", name="Image", exact=True).click()
    expect(other.get_by_role("textbox", name="Describe a picture")).to_have_value("")


def test_a_refusal_names_its_field_as_the_form_does(form: Page) -> None:
    """What the page would not let in is refused by the server as well, and nothing is begun."""
    field = form.get_by_role("textbox", name="What it shows")
    field.evaluate("field => field.removeAttribute('maxlength')")
    field.fill("a" * 301)
    form.get_by_role("button", name="Generate").click()
    expect(form.get_by_text("Prompt is longer than 300 characters.")).to_be_visible()
    expect(form.get_by_role("article")).to_have_count(0)


@pytest.mark.parametrize("page", ["/tools/wallpaper", "/tools/postcard"])
def test_its_page_has_no_serious_fault(form: Page, page: str) -> None:
    """In either theme."""
    form.goto(page)
    expect(form.get_by_text("Nothing here yet")).to_be_visible()
    lit(form, "light")
    assert faults(form) == []
    lit(form, "dark")
    assert faults(form) == []


def test_a_tool_of_every_kind_of_input_is_used_without_a_prompt(form: Page) -> None:
    """Found in the menu; it says what is missing, and keeps what is typed as well as what is chosen."""
    form.get_by_role("button", name="Guest: menu").click()
    form.get_by_role("menuitem", name="Postcard").click()
    expect(form.get_by_role("heading", name="Postcard", exact=True)).to_be_attached()
    place = form.get_by_role("textbox", name="Place")
    grain, border = form.get_by_role("spinbutton", name="Grain"), form.get_by_role("switch")
    form.get_by_role("button", name="Generate").click()
    expect(form.get_by_text("Add the place: Demo painter needs it.")).to_be_visible()
    place.fill("Ostend in rain")
    grain.fill("0.25")
    border.click()
    form.get_by_text("High summer").click()
    expect(form.locator(".hw-summary")).to_have_text("3:2 · high summer · 1")
    form.get_by_role("button", name="Generate").click()
    row = form.get_by_role("article", name="Ostend in rain")
    expect(row).to_have_attribute("data-state", "done")
    expect(row).to_contain_text("high summer · stamps 1 · grain 0.25 · white border off · 3:2")
    # The device has them as soon as the server has.
    kept = "() => JSON.parse(localStorage.getItem('hexwave.settings.postcard')).values.grain === '0.25'"
    form.wait_for_function(kept)
    form.reload()
    expect(place).to_have_value("Ostend in rain")
    expect(grain).to_have_value("0.25")
    expect(border).not_to_be_checked()


def test_another_model_offers_what_it_takes(form: Page) -> None:
    """The rest of the form is gone, and what the model needs is asked for."""
    form.goto("/tools/postcard")
    expect(form.get_by_text("Nothing here yet")).to_be_visible()
    form.get_by_label("Model").select_option(label="Small painter · Demo painter")
    expect(form.get_by_label("Grain")).to_have_count(0)
    expect(form.get_by_role("radio", name="Winter")).to_be_disabled()
    expect(form.get_by_role("radiogroup", name="Stamps").get_by_role("radio", name="3")).to_be_disabled()
    form.get_by_role("textbox", name="Place").fill("Ostend")
    form.get_by_role("button", name="Generate").click()
    expect(form.get_by_text("Add the season: Small painter needs it.")).to_be_visible()
    expect(form.get_by_role("article")).to_have_count(0)
