"""What a first visit costs."""

from playwright.sync_api import Browser, Request

from tests.e2e.conftest import Server, studio

_BUDGET = 400_000
"""Bytes of script, as they travel."""


def test_the_studio_needs_less_than_400_kb_of_script(browser: Browser, server: Server) -> None:
    """Compressed, as any browser asks for it."""
    context = browser.new_context(base_url=server.url)
    finished: list[Request] = []
    context.on("requestfinished", lambda request: finished.append(request))
    studio(context).wait_for_load_state("networkidle")
    weights = {
        request.url: request.sizes()["responseBodySize"]
        for request in finished
        if request.resource_type == "script"
    }
    assert 100_000 < sum(weights.values()) < _BUDGET, weights
    context.close()
