"""The Inspector, in a real browser, over a database and an Ably server that can be taken away."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.e2e.conftest import PATIENCE, Server, free_port, studio
from tests.stores.mongod import Mongod, binary, running

KEY = "app.key:secret-of-the-tests"

expect.set_options(timeout=PATIENCE)


class Ably:
    """An Ably-compatible server in a process of its own."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "hexwave_app.ably_local", "--port", str(self.port), "--key", KEY]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture(scope="module")
def ably() -> Iterator[Ably]:
    ably = Ably()
    ably.start()
    yield ably
    ably.kill()


@pytest.fixture(scope="module")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod | None]:
    """`None` where its binary does not run: then there is SQLite."""
    path = binary()
    if path is None:
        yield None
        return
    with running(path, tmp_path_factory.mktemp("mongod")) as mongod:
        yield mongod


@pytest.fixture(scope="module")
def server(ably: Ably, mongod: Mongod | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("data"), free_port())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ABLY_API_KEY", KEY)
        patch.setenv("ABLY_ENDPOINT", f"127.0.0.1:{ably.port}")
        if mongod is not None:
            patch.setenv("MONGODB_URI", mongod.uri("inspector"))
        server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def visited(browser: Browser, server: Server) -> Iterator[tuple[BrowserContext, str]]:
    """A guest with one finished job that a page was shown, and its id."""
    context = browser.new_context(base_url=server.url, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = studio(context)
    page.locator("textarea[name=prompt]").fill("Cold harbour at dawn")
    page.keyboard.press("Control+Enter")
    row = page.locator("article").first
    expect(row).to_have_attribute("data-state", "done")
    page.close()
    process_id = (row_id := context.request.get("/api/processes").json()["processes"][0])["processId"]
    assert row_id["status"] == "completed"
    yield context, process_id
    context.close()


@pytest.fixture
def page(visited: tuple[BrowserContext, str]) -> Iterator[Page]:
    page = visited[0].new_page()
    page.goto("/inspector")
    expect(log(page).get_by_role("button").first).to_be_visible()
    yield page
    page.close()


@pytest.fixture
def process_id(visited: tuple[BrowserContext, str]) -> str:
    return visited[1]


def log(page: Page) -> Locator:
    return page.get_by_role("log", name="Channel activity")


def tile(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name="Health").get_by_role("article").filter(has_text=name)


def begin(page: Page) -> str:
    answer = page.request.post("/api/generate-image", data={"prompt": "Storm over a grey sea"})
    return answer.json()["processId"]


def test_what_happened_is_told_from_the_click_to_the_page(page: Page, process_id: str) -> None:
    """Also what happened before anybody looked."""
    for event in ("created", "submitted", "webhook", "saved", "published", "delivered"):
        expect(
            log(page).get_by_role("button", name=re.compile(f"{process_id} {event}")).first
        ).to_be_attached()


def test_what_happens_is_told_as_it_happens(page: Page) -> None:
    process_id = begin(page)
    expect(log(page).get_by_role("button", name=re.compile(f"{process_id} saved"))).to_be_visible()


def test_lines_are_filtered_by_what_they_are(page: Page) -> None:
    """Each filter says how many it lets through."""
    chip = page.get_by_role("group", name="Filter").get_by_role("button", name=re.compile("^Progress"))
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "true")
    rows = log(page).get_by_role("button")
    expect(rows.first).to_contain_text("progress")
    assert all("progress" in text for text in rows.all_inner_texts())
    expect(chip).to_have_text(re.compile(rf"{rows.count()}$"))


def test_p_pauses_and_goes_on(page: Page) -> None:
    """Paused, what comes is counted and held; then nothing of it is missing."""
    pause = page.get_by_role("button", name="Pause")
    page.keyboard.press("p")
    expect(pause).to_have_attribute("aria-pressed", "true")
    process_id = begin(page)
    newer = page.get_by_role("button", name=re.compile(r"^\d+ new$"))
    expect(newer).to_be_visible()
    expect(log(page).get_by_role("button", name=re.compile(process_id))).to_have_count(0)
    newer.click()
    expect(pause).to_have_attribute("aria-pressed", "false")
    expect(log(page).get_by_role("button", name=re.compile(f"{process_id} created"))).to_be_visible()
    expect(log(page).get_by_role("button", name=re.compile(f"{process_id} saved"))).to_be_visible()


def test_a_line_leads_to_its_process(page: Page, process_id: str) -> None:
    """By the keyboard: one Tab to the log, arrows within, Enter to look it up."""
    rows = log(page).get_by_role("button")
    page.get_by_role("button", name="Pause").press("Enter")
    rows.first.focus()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    log(page).get_by_role("button", name=re.compile(f"{process_id} saved")).press("Enter")
    found = page.get_by_role("region", name="Look up a process")
    expect(found).to_contain_text("Cold harbour at dawn")
    expect(found).to_contain_text("Done in")
    for step in ("Created", "Sent to provider", "Webhook received", "Saved", "Published"):
        expect(found.get_by_role("listitem").filter(has_text=step).first).to_be_visible()
    expect(found.get_by_role("link", name="Open process")).to_have_attribute("href", f"/p/{process_id}")


def test_a_process_is_looked_up_by_its_id_and_copied(
    page: Page, process_id: str, visited: tuple[BrowserContext, str]
) -> None:
    """`/` leads to the field; the copy is the document, without the provider's answer."""
    visited[0].grant_permissions(["clipboard-read", "clipboard-write"])
    page.keyboard.press("/")
    page.keyboard.type(process_id)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Copy as JSON").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    document = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert document["processId"] == process_id
    assert document["status"] == "completed"
    assert "answer" not in document


def test_an_id_that_is_none_is_told_so(page: Page) -> None:
    field = page.get_by_role("textbox", name="Process id")
    field.fill("p_nothing")
    field.press("Enter")
    expect(page.get_by_text("No process with that id.").first).to_be_visible()


def test_a_replay_of_what_has_ended_is_ignored(page: Page, process_id: str) -> None:
    """It goes the way that the webhook went, and changes nothing."""
    deliveries = page.get_by_role("region", name="Webhook deliveries")
    before = page.request.get(f"/api/processes/{process_id}").json()
    deliveries.get_by_role("button", name=re.compile(f"^Replay: webhook of {process_id}")).first.click()
    expect(page.get_by_text("Replayed: ignored, already completed")).to_be_visible()
    expect(deliveries.get_by_role("listitem").first).to_contain_text("Replay of")
    after = page.request.get(f"/api/processes/{process_id}").json()
    assert (after["status"], after["sequence"]) == ("completed", before["sequence"])


def test_a_refused_webhook_is_explained_and_cannot_be_replayed(page: Page, process_id: str) -> None:
    """Three of a kind are a trouble."""
    for _ in range(3):
        page.request.post(f"/api/webhook/image?processId={process_id}&token=wrong", data={})
    deliveries = page.get_by_role("region", name="Webhook deliveries")
    refused = deliveries.get_by_role("listitem").filter(has_text="Refused").first
    expect(refused).to_contain_text("token is missing or wrong")
    expect(refused.get_by_role("button")).to_have_count(0)
    troubles = page.get_by_role("region", name="Troubles")
    expect(troubles).to_contain_text("Webhooks are refused")
    expect(troubles).to_contain_text("HEXWAVE_SECRET_KEY")


def test_a_token_that_was_refused_is_explained(page: Page, browser: Browser, server: Server) -> None:
    """Asked for without a session, which is the common mistake."""
    stranger = browser.new_context(base_url=server.url)
    assert stranger.request.get("/api/ably/token").status == 401
    stranger.close()
    expect(page.get_by_role("region", name="Troubles")).to_contain_text("401 on the token")


def test_ably_that_goes_away_turns_red_and_comes_back(page: Page, ably: Ably) -> None:
    """With what to do, and with what works meanwhile."""
    expect(tile(page, "Ably")).to_contain_text("Connected")
    ably.kill()
    try:
        expect(tile(page, "Ably")).to_contain_text(re.compile("Down|Reconnecting"), timeout=60_000)
        expect(tile(page, "Ably")).to_contain_text("Pages read the database meanwhile.")
        expect(page.get_by_role("region", name="Troubles")).to_contain_text("Live updates are late")
    finally:
        ably.start()
    expect(tile(page, "Ably")).to_contain_text("Connected", timeout=90_000)


def test_a_database_that_goes_away_turns_red_and_comes_back(page: Page, mongod: Mongod | None) -> None:
    """The page stays, and says which setting to look at."""
    if mongod is None:
        pytest.skip("No MongoDB server runs here.")
    expect(tile(page, "MongoDB")).to_contain_text("Healthy")
    mongod.kill()
    try:
        expect(tile(page, "MongoDB")).to_contain_text("Down", timeout=60_000)
        expect(tile(page, "MongoDB")).to_contain_text("See that the server of MONGODB_URI runs")
    finally:
        mongod.start()
    page.get_by_role("button", name="Check now").click()
    expect(tile(page, "MongoDB")).to_contain_text("Healthy", timeout=60_000)
