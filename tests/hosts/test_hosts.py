"""Two servers of one app behind a proxy, and a browser that does not care which of them it talks to."""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

import dev
from tests.conftest import PATIENCE, free_port
from tests.e2e.conftest import PATIENCE as PAGE_PATIENCE
from tests.e2e.conftest import browser as browser
from tests.e2e.conftest import studio
from tests.e2e.test_journey import done, generate, pictures
from tests.hosts import proxy
from tests.hosts.external_api import ExternalApi, external_api
from tests.hosts.host import ROOT, Host, copied
from tests.identity import redis_server
from tests.stores import mongod
from tests.stores.conftest import no_server

KEY = "app.key:secret"
SENTENCE = "This server is being restarted. Try again in a few seconds."
DRAIN = 3
"""Seconds, in which a click and three requests are answered."""

GUESSES = 2
"""Tokens that a stranger may try in a minute."""

# The first test's time is that of all that it runs on as well: a database, Redis, Ably, nginx and the server.
pytestmark = pytest.mark.timeout(240)

expect.set_options(timeout=PAGE_PATIENCE)


@dataclass
class Cluster:
    url: str
    one: Host
    other: Host
    api: ExternalApi
    proxy_log: Path
    redis: redis_server.RedisServer


def wait_until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (answer := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return answer


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A database, Redis, an Ably server and a proxy; two servers of two workers, of which none is started."""
    folder = tmp_path_factory.mktemp("cluster")
    with ExitStack() as stack:
        binary = mongod.binary()
        if binary is None:
            no_server(f"MongoDB does not run here. {mongod.INSTALL}.")
        redis = stack.enter_context(redis_server.running(folder))
        if redis is None:
            no_server(f"There is no redis-server. {redis_server.INSTALL}.")
        if proxy.program() is None:
            no_server(f"There is no nginx. {proxy.INSTALL}.")
        database = stack.enter_context(mongod.running(binary, folder))
        api = stack.enter_context(external_api())
        ably = stack.enter_context(_ably(folder))
        port = free_port()
        settings = {
            "HEXWAVE_DATA_DIR": str(folder / "data"),
            "HEXWAVE_PUBLIC_URL": f"https://127.0.0.1:{port}",
            "HEXWAVE_SECRET_KEY": "s" * 32,
            "HEXWAVE_TRUSTED_PROXIES": "127.0.0.1",
            "HEXWAVE_DRAIN_SECONDS": str(DRAIN),
            "HEXWAVE_WORKERS": "2",
            "HEXWAVE_ADDRESS_SIGN_INS_PER_MINUTE": str(GUESSES),
            "HEXWAVE_EXTERNAL_API_URL": api.url,
            "MONGODB_URI": database.uri(),
            "REDIS_URL": redis.url,
            "ABLY_API_KEY": KEY,
            "ABLY_ENDPOINT": ably,
        }
        with dev.only_one():
            dev.build()
        copied(folder)
        one, other = Host(folder, settings), Host(folder, settings)
        stack.callback(one.kill)
        stack.callback(other.kill)
        url = stack.enter_context(proxy.running(folder, port, [one.address, other.address]))
        assert url is not None
        yield Cluster(url, one, other, api, folder / "nginx.log", redis)


@contextmanager
def _ably(folder: Path) -> Iterator[str]:
    """Where an Ably server of its own listens."""
    file = folder / "ably.port"
    words = [sys.executable, "-m", "hexwave_app.ably_local", "--port", "0", "--key", KEY]
    process = subprocess.Popen([*words, "--port-file", str(file)], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        yield f"127.0.0.1:{wait_until(lambda: file.exists() and file.read_text().strip())}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture(scope="module")
def page(cluster: Cluster, browser: Browser) -> Iterator[Page]:
    """A guest's page that came by the proxy while only `other` ran, and so hangs on that one."""
    cluster.other.start()
    context = browser.new_context(
        base_url=cluster.url, viewport={"width": 1440, "height": 900}, ignore_https_errors=True
    )
    context.set_default_timeout(PAGE_PATIENCE)
    yield studio(context)
    context.close()


def _begin(page: Page, cluster: Cluster, prompt: str) -> dict[str, Any]:
    """The job that a click became, as the provider was given it."""
    before = len(cluster.api.jobs)
    generate(page, prompt)
    return wait_until(lambda: cluster.api.jobs[before:])[0]


def _token(page: Page) -> str:
    return page.evaluate("sessionStorage.getItem('token')")


def test_what_one_server_is_told_the_page_of_the_other_shows(cluster: Cluster, page: Page) -> None:
    """The webhook comes to a server that neither took the job nor has the page."""
    job = _begin(page, cluster, "Fog over a quiet harbour")
    cluster.one.start()
    cluster.api.report(job, cluster.one, status="processing", progress=40)
    row = page.locator("article").first
    expect(row.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "40")
    cluster.api.finish(job, cluster.one)
    done(row)
    expect(pictures(row)).to_have_count(1)


def test_a_page_outlives_the_server_it_hangs_on(cluster: Cluster, page: Page) -> None:
    """kill -9 in mid-job: the proxy leads to the other server, where the tab's State and the job go on."""
    job = _begin(page, cluster, "A lighthouse in rain")
    cluster.api.report(job, cluster.other, status="processing", progress=20)
    row = page.locator("article").first
    expect(row.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "20")
    page.get_by_role("textbox", name="Describe a picture").fill("Half a sentence")
    token = _token(page)
    cluster.other.kill()
    cluster.api.report(job, cluster.one, status="processing", progress=60)
    expect(row.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "60")
    cluster.api.finish(job, cluster.one)
    done(row)
    assert _token(page) == token
    expect(page.locator("article")).to_have_count(2)
    expect(page.get_by_role("textbox", name="Describe a picture")).to_have_value("Half a sentence")


def test_a_server_that_is_told_to_end_drains(cluster: Cluster, page: Page) -> None:
    """It is alive and not ready, takes no job, finishes what it is at, and its pages go on elsewhere."""
    cluster.other.start()
    job = _begin(page, cluster, "Pine forest at dusk")
    one = cluster.one
    with socket.create_connection(("127.0.0.1", one.port)) as upload:
        body = json.dumps({"prompt": "x"}).encode()
        head = f"POST /api/zip HTTP/1.1\r\nHost: {one.address}\r\nContent-Type: application/json\r\n"
        upload.sendall(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body[:3])
        one.terminate()
        wait_until(lambda: one.status("/api/ready") == 503)
        assert one.status("/api/health") == 200
        refused = httpx.post(f"{one.url}/api/generate-image", json={"prompt": "Late"}, timeout=PATIENCE)
        assert (refused.status_code, refused.json()["error"]["message"]) == (503, SENTENCE)
        assert int(refused.headers["Retry-After"]) > 0
        page.locator("textarea[name=prompt]").fill("Later still")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#hw-hint")).to_have_text(SENTENCE)
        upload.sendall(body[3:])
        assert upload.recv(12).startswith(b"HTTP/1.1 4")
    token = _token(page)
    assert one.process is not None
    assert one.process.wait(PATIENCE) == 0
    cluster.api.finish(job, cluster.other)
    done(page.locator("article").first)
    job = _begin(page, cluster, "Later still")
    cluster.api.finish(job, cluster.other)
    done(page.locator("article").first)
    assert _token(page) == token


def test_the_proxy_says_who_asks(cluster: Cluster, page: Page) -> None:
    """What a visitor writes into X-Forwarded-For is not believed: he counts as one all the same."""
    statuses = list[int]()
    for number in range(GUESSES + 1):
        headers = {"Authorization": f"Bearer hw_{number}", "X-Forwarded-For": f"203.0.113.{number}"}
        answer = httpx.get(f"{cluster.url}/api/processes", headers=headers, verify=False, timeout=PATIENCE)
        statuses.append(answer.status_code)
    assert statuses == [*[401] * GUESSES, 429]


def test_nothing_broke_meanwhile(cluster: Cluster) -> None:
    """Neither server had anything to tell of but each other's going, and the proxy always knew one."""
    assert "no live upstreams" not in cluster.proxy_log.read_text()
    for host in (cluster.one, cluster.other):
        assert not re.search(r"traceback|error|exception", host.log.read_text(), re.IGNORECASE)


def test_pages_outlive_a_redis_that_comes_back_empty(cluster: Cluster, page: Page) -> None:
    """While States cannot be had nothing is lost, and afterwards nobody has to reload."""
    job = _begin(page, cluster, "Mist over the marsh")
    cluster.redis.kill()
    cluster.api.report(job, cluster.other, status="processing", progress=30)
    page.get_by_role("textbox", name="Describe a picture").fill("Asked in vain")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Something went wrong here")).to_be_visible()
    late = page.context.new_page()
    late.goto("/")
    expect(late.get_by_text("Something went wrong here")).to_be_visible()
    cluster.redis.start()
    row = page.locator("article").first
    expect(row.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "30")
    cluster.api.finish(job, cluster.other)
    done(row)
    done(late.locator("article").first)
    expect(page.get_by_role("textbox", name="Describe a picture")).to_have_value("Asked in vain")
    late.close()
