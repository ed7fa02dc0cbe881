"""Reports to our own webhook, over real HTTP."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from hexwave_app.providers import own_webhook
from hexwave_app.providers.exchange import open_client
from hexwave_app.providers.own_webhook import Reports
from tests.conftest import free_port
from tests.providers.servers import Webhook, listening


@pytest_asyncio.fixture
async def webhook(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Webhook]:
    monkeypatch.setattr(own_webhook, "_PAUSES", (0.01, 0.01))
    async with listening() as webhook:
        yield webhook


async def test_only_the_newest_progress_waits_and_none_follows_the_end(webhook: Webhook) -> None:
    """While a report is under way the next ones take each other's place, and the end takes the last one's."""
    async with open_client(read=60.0) as client, Reports.open(client, webhook.url) as reports:
        webhook.open.clear()
        reports.progress({"status": "processing", "progress": 1})
        await webhook.first(lambda report: report.get("progress") == 1)
        reports.progress({"status": "processing", "progress": 2})
        reports.progress({"status": "processing", "progress": 3})
        webhook.open.set()
        await webhook.first(lambda report: report.get("progress") == 3)
        webhook.open.clear()
        reports.progress({"status": "processing", "progress": 4})
        await webhook.first(lambda report: report.get("progress") == 4)
        reports.progress({"status": "processing", "progress": 5})
        webhook.failures = 1
        webhook.open.set()
        assert await reports.final({"status": "success"})
    assert [report.get("progress") for report in webhook.reports] == [1, 3, 4, None]


async def test_the_end_is_told_until_it_is_taken(webhook: Webhook) -> None:
    webhook.failures = 2
    async with open_client(read=60.0) as client, Reports.open(client, webhook.url) as reports:
        assert await reports.final({"status": "success"})
    assert webhook.reports == [{"status": "success"}]


async def test_it_is_not_told_for_ever(webhook: Webhook) -> None:
    """Neither to a webhook that fails, nor to one that is not there."""
    webhook.failures = 100
    async with open_client(read=60.0) as client:
        for url in (webhook.url, f"http://127.0.0.1:{free_port()}/hook"):
            async with Reports.open(client, url) as reports:
                reports.progress({"status": "processing"})
                assert not await reports.final({"status": "success"})
    assert webhook.reports == []
