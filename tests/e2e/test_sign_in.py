"""Signing in with Clerk, in a browser: @clerk/react is the real one, and Clerk is of our own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import PATIENCE, Server, free_port
from tests.e2e.test_journey import done, generate
from tests.identity.clerk_issuer import LIFE, Issuer, issuer

SCRIPT = Path(__file__).with_name("clerk.browser.js")

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def clerk() -> Iterator[Issuer]:
    with issuer() as clerk:
        clerk.pages = {
            "/npm/@clerk/clerk-js@6/dist/clerk.browser.js": ("text/javascript", SCRIPT.read_text()),
            "/npm/@clerk/ui@1/dist/ui.browser.js": (
                "text/javascript",
                "window.__internal_ClerkUICtor ??= class {};",
            ),
        }
        yield clerk


@pytest.fixture(scope="module")
def server(clerk: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("data"), free_port(), settings=clerk.settings)
    clerk.page = server.url
    server.start()
    yield server
    server.stop()


@pytest.fixture
def complaints(context: BrowserContext) -> list[str]:
    """Every violation of the policy."""
    heard: list[str] = []
    context.on("console", lambda said: heard.append(said.text) if "policy:" in said.text else None)
    context.add_init_script(
        "addEventListener('securitypolicyviolation',"
        " event => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`))"
    )
    return heard


def signed_out(context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto("/")
    expect(page.get_by_role("heading", name="Sign in to make pictures")).to_be_visible()
    return page


def sign_in(page: Page) -> None:
    page.get_by_role("banner").get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Ada", exact=True)).to_be_visible()
    expect(page.get_by_text("Start with a sentence").or_(page.locator("article").first).first).to_be_visible()


def test_who_signs_in_makes_pictures_and_who_signs_out_sees_none(
    context: BrowserContext, complaints: list[str]
) -> None:
    """The other tabs of the browser follow, and a reload changes nothing."""
    page = signed_out(context)
    expect(page.locator("#hw-form")).to_be_hidden()
    sign_in(page)
    done(generate(page, "A harbour at first light"))
    other = context.new_page()
    other.goto("/")
    expect(other.locator("article")).to_be_visible()
    page.get_by_role("button", name="Open user button").click()
    for tab in (page, other):
        expect(tab.get_by_role("heading", name="Sign in to make pictures")).to_be_visible()
        # The State of the tab is nobody's any more: nothing of it is left behind the gate.
        expect(tab.locator("article")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", name="Sign in to make pictures")).to_be_visible()
    assert page.request.get("/api/processes").status == 401
    sign_in(page)
    expect(page.locator("article")).to_be_visible()
    assert complaints == []


def test_the_next_person_at_the_browser_sees_nothing_of_the_former(context: BrowserContext) -> None:
    """In the same tab, whose name for its State stays the same."""
    page = signed_out(context)
    page.evaluate("window.clerkUser = 'user_first'")
    sign_in(page)
    done(generate(page, "A secret garden"))
    page.get_by_role("button", name="Open user button").click()
    expect(page.get_by_role("heading", name="Sign in to make pictures")).to_be_visible()
    page.evaluate("window.clerkUser = 'user_second'")
    sign_in(page)
    expect(page.get_by_text("Start with a sentence")).to_be_visible()
    expect(page.get_by_text("A secret garden")).to_have_count(0)


def test_a_session_that_clerk_ends_is_over_within_a_minute(context: BrowserContext, clerk: Issuer) -> None:
    """The page gets no more tokens, and the server finds it out; here a minute lasts fifteen seconds."""
    clerk.life = 15
    page = signed_out(context)
    sign_in(page)
    clerk.life = LIFE
    for session in clerk.sessions:
        clerk.sessions[session] = "ended"
    expect(page.get_by_role("heading", name="Sign in to make pictures")).to_be_visible()
    expect(page.locator("article")).to_have_count(0)
    assert page.request.get("/api/processes").status == 401


def test_where_clerk_cannot_be_reached_the_page_says_so(browser: Browser, server: Server) -> None:
    """It stands, with one thing to do."""
    context = browser.new_context(base_url=server.url, viewport={"width": 390, "height": 844})
    context.set_default_timeout(PATIENCE)
    context.route("**/npm/**", lambda route: route.abort())
    page = context.new_page()
    page.goto("/")
    expect(page.get_by_role("heading", name="Sign-in cannot be reached")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    context.close()
