"""How ably-js renews a token of `GET /api/ably/token` while statuses are published."""

import asyncio
from pathlib import Path

import pytest

from hexwave_app.ably_local import Limits
from hexwave_app.processes import Failed, Progressed
from hexwave_app.realtime import ably
from tests.ably_js.conftest import ably_js, backend
from tests.api.conftest import visit
from tests.conftest import PATIENCE

RENEWALS = 3


@pytest.mark.parametrize(("renewal_lead", "expires"), [(0, True), (2_000, False)], ids=["late", "early"])
async def test_renewing_a_short_token_loses_no_message(
    renewal_lead: int, expires: bool, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a token of three seconds runs out, which cuts the connection, or is replaced before."""
    monkeypatch.setattr(ably, "TOKEN_TTL", 3)
    async with backend(data_dir, Limits(renewal_lead=renewal_lead)) as server, visit(server) as guest:
        process = await guest.begin()
        process_id = process.process_id
        async with ably_js(server, guest, authParams={"processId": process_id}) as client:
            await client.call("subscribe", f"process:{process_id}")
            async with asyncio.timeout(PATIENCE):
                while len(client.tokens) <= RENEWALS:
                    update = Progressed(notice=f"Line {process.sequence}")
                    process = await server.services.processes.update(process_id, update)
                    await client.heard(process.sequence - 1)
            end = await server.services.processes.update(process_id, Failed("No.", "provider_refused"))
            heard = await client.heard(end.sequence - 1)
    assert [message["data"]["sequence"] for message in heard] == list(range(2, end.sequence + 1))
    cuts = [event for event in client.connection if event["state"] == "disconnected"]
    assert (len(cuts) >= RENEWALS) == expires
