"""examples/minimal in a browser: live, through a reload, and told once."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import PATIENCE
from tests.examples.builds import EXAMPLES, built, turn_to
from tests.live.reflex_server import ReflexServer

MODULE = EXAMPLES / "minimal" / "minimal" / "minimal.py"
PRIMES_BELOW_300_000 = 25_997

# The first run builds the pages.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def minimal(pytestconfig: pytest.Config) -> Iterator[ReflexServer]:
    server = ReflexServer(built("minimal", pytestconfig.cache.mkdir("examples")), "minimal.minimal:app", True)
    turn_to(server.folder, server.port)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def page(browser: Browser, minimal: ReflexServer) -> Iterator[Page]:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(minimal.url)
    expect(page.get_by_text("idle")).to_be_visible(timeout=PATIENCE)
    yield page
    page.close()


def test_it_counts_live_and_tells_the_end_once(page: Page) -> None:
    """A reload in the midst of it is no break: the bar is there again, and one toast comes."""
    page.get_by_label("Count up to").fill("300000")
    page.get_by_role("button", name="Count primes").click()
    expect(page.get_by_text("primes so far")).to_be_visible(timeout=PATIENCE)
    page.reload()
    expect(page.get_by_text("processing")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("progressbar")).to_be_visible()
    toast = page.get_by_text("Counted:")
    expect(toast).to_contain_text(str(PRIMES_BELOW_300_000), timeout=PATIENCE)
    expect(page.get_by_text("completed")).to_be_visible()
    page.reload()
    expect(page.get_by_text("completed")).to_be_visible(timeout=PATIENCE)
    expect(toast).to_have_count(0)


def test_it_is_under_eighty_lines() -> None:
    """With its configuration."""
    lines = [file.read_text().splitlines() for file in (EXAMPLES / "minimal").rglob("*.py")]
    assert sum(map(len, lines)) < 80
