"""What browsers are told, and that our pages live well under it."""

import httpx
import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page, expect
from starlette.types import Receive, Scope, Send

from hexwave_app.api.headers import SecurityHeadersMiddleware, content_security_policy, script_hashes
from hexwave_app.ui.routes import KEYS, TABS
from tests.e2e.conftest import Server, studio
from tests.e2e.test_journey import done, generate

PLACES = ["/", "/hexwave.css", "/api/processes", "/api/nothing", "/api/docs", "/media/p_x/1.webp", "/nothing"]


@pytest.mark.parametrize("path", PLACES)
def test_every_answer_has_the_headers(server: Server, path: str) -> None:
    """Pages, files, the API and its errors."""
    headers = httpx.get(f"{server.url}{path}").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    # This server is reached over plain HTTP.
    assert "strict-transport-security" not in headers


def test_scripts_are_ours_or_none(server: Server) -> None:
    """Those within a page by their hash; evaluating text is what Reflex needs, and the docs do not."""
    scripts = {path: _scripts(httpx.get(f"{server.url}{path}").headers) for path in ("/", "/api/docs")}
    for path, allowed in scripts.items():
        assert "'unsafe-inline'" not in allowed, path
        assert any(source.startswith("'sha256-") for source in allowed), path
        assert all(source.startswith("'") for source in allowed), path
    assert "'unsafe-eval'" in scripts["/"]
    assert "'unsafe-eval'" not in scripts["/api/docs"]


def _scripts(headers: httpx.Headers) -> list[str]:
    directives = headers["content-security-policy"].split("; ")
    return next(each for each in directives if each.startswith("script-src ")).split()[1:]


async def _answering(headers: dict[str, str], https: bool) -> httpx.Headers:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        await send({"type": "http.response.body"})

    transport = httpx.ASGITransport(SecurityHeadersMiddleware(app, "default-src 'self'", https))
    async with httpx.AsyncClient(transport=transport, base_url="http://hexwave") as client:
        return (await client.get("/")).headers


async def test_over_tls_browsers_are_told_to_stay_there() -> None:
    """Only then: on this machine alone there is no TLS to stay with."""
    assert (await _answering({}, https=True))["strict-transport-security"] == "max-age=63072000"
    assert "strict-transport-security" not in await _answering({}, https=False)


async def test_an_answer_with_a_policy_of_its_own_keeps_it() -> None:
    """A kept file may do even less than a page."""
    answered = await _answering({"content-security-policy": "sandbox"}, https=False)
    assert answered.get_list("content-security-policy") == ["sandbox"]


def test_a_script_within_a_page_is_known_by_what_it_is() -> None:
    """The example of the specification; what has a source has no hash."""
    html = '<script>alert(1)</script><script src="/x.js"></script><script type="module">\na()</script>'
    hashes = script_hashes(html)
    assert len(hashes) == 2
    assert "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='" in hashes


def test_a_policy_names_where_pictures_and_sockets_are() -> None:
    """And a bucket's origin appears nowhere else."""
    policy = content_security_policy(connect=["wss://a.example"], pictures=["https://s3.example"])
    assert "connect-src 'self' wss://a.example;" in policy
    assert "img-src 'self' data: blob: https://s3.example;" in policy
    assert "media-src 'self' https://s3.example;" in policy
    assert policy.count("s3.example") == 2


def test_a_policy_lets_clerk_in_only_where_people_sign_in() -> None:
    """Its scripts, its API and its bot protection, and frames of nobody else."""
    without = content_security_policy()
    assert "clerk" not in without
    assert "frame-src 'self';" in without
    policy = content_security_policy(sign_in="https://clerk.example")
    assert "script-src 'self' https://clerk.example https://challenges.cloudflare.com;" in policy
    assert "connect-src 'self' https://clerk.example;" in policy
    assert "frame-src 'self' https://challenges.cloudflare.com;" in policy


@pytest.fixture
def complaints(context: BrowserContext) -> list[str]:
    """Every violation of a policy, and every error that a page logs or throws."""
    heard: list[str] = []

    def logged(message: ConsoleMessage) -> None:
        if message.type == "error":
            heard.append(message.text)

    context.on("console", logged)
    context.on("weberror", lambda error: heard.append(str(error.error)))
    context.add_init_script(
        "addEventListener('securitypolicyviolation',"
        " event => console.error(`${event.violatedDirective} ${event.blockedURI}`))"
    )
    return heard


def test_a_whole_job_breaks_no_policy(context: BrowserContext, complaints: list[str]) -> None:
    """Fonts, styles, the websocket, pictures, the lightbox, and a toast, which Reflex evaluates."""
    page = studio(context)
    row = generate(page, "A harbour at first light")
    done(row)
    row.locator(".hw-shot").first.click()
    expect(page.locator("#hw-lightbox img")).to_be_visible()
    page.keyboard.press("Escape")
    row.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Copy prompt").click()
    expect(page.get_by_text("Prompt copied")).to_be_visible()
    assert complaints == []


@pytest.mark.parametrize("path", sorted({tab.href for tab in TABS} | {KEYS}))
def test_every_page_breaks_no_policy(context: BrowserContext, complaints: list[str], path: str) -> None:
    """Each that the header leads to."""
    page = context.new_page()
    page.goto(path)
    page.locator("main").wait_for()
    page.wait_for_load_state("networkidle")
    assert complaints == []


def test_the_docs_work_and_break_no_policy(context: BrowserContext, complaints: list[str]) -> None:
    """They list the routes, and trying one out gets an answer."""
    page = context.new_page()
    page.goto("/api/docs")
    page.locator("#operations-health-health_api_health_get").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    assert complaints == []


def test_the_redirect_of_the_docs_is_gone(server: Server) -> None:
    """Nobody signs in there, so there is nothing to come back to."""
    for path in ("/docs/oauth2-redirect", "/api/docs/oauth2-redirect"):
        assert "window.opener" not in httpx.get(f"{server.url}{path}").text


INJECTED = {
    "inline": "s.textContent = 'window.injected = 1'",
    "elsewhere": "s.src = 'https://evil.example/x.js'",
    "data": "s.src = 'data:text/javascript,window.injected=1'",
    "blob": "s.src = URL.createObjectURL(new Blob(['window.injected = 1']))",
}


@pytest.mark.parametrize("how", INJECTED)
def test_a_script_that_is_slipped_in_does_not_run(context: BrowserContext, how: str) -> None:
    """Whether it is written into the page or loaded from another place."""
    page = studio(context)
    blocked = page.evaluate(
        "(how) => new Promise(done => {"
        " addEventListener('securitypolicyviolation', event => done(event.effectiveDirective));"
        " const s = document.createElement('script'); s.onload = () => done('loaded');"
        " new Function('s', how)(s); document.body.append(s); if (window.injected) done('ran'); })",
        INJECTED[how],
    )
    assert blocked == "script-src-elem"
    assert page.evaluate("window.injected") is None


def test_no_other_page_holds_ours_in_a_frame(context: BrowserContext, server: Server) -> None:
    """So nobody is led to click on what they do not see."""
    page: Page = context.new_page()
    page.route(
        "http://evil.example/",
        lambda route: route.fulfill(body="<iframe></iframe>", content_type="text/html"),
    )
    page.goto("http://evil.example/")
    page.evaluate("url => { document.querySelector('iframe').src = url }", f"{server.url}/")
    page.wait_for_function("document.querySelector('iframe').contentDocument === null")
    frame = page.frames[1]
    try:
        frame.wait_for_load_state()
        assert frame.locator("#hw-form").count() == 0
    except Error:
        # A refused frame may have no document to look into.
        pass
