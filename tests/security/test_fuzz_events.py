"""The events as a page that lost its mind would send them."""

import json
from collections.abc import Callable

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import PATIENCE
from tests.e2e.conftest import Server
from tests.security.page_socket import PageSocket
from tests.security.test_events import HANDLERS, REACHABLE

GOODBYES = {"1", "41/_event,"}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
ids = st.text(max_size=80) | st.sampled_from(["p_x", "*", "a:*", "[meta]x", "../secret.key", "%00", "\0"])
forms = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text(max_size=80) | values,
        "prompt": st.sampled_from(["", " ", "\0"]) | values,
        "seed": st.text(max_size=20) | values,
        "leaveOut": values,
        "click": st.text(max_size=80) | values,
        "__reflex_form_data__": st.lists(st.lists(st.text(max_size=5), max_size=3), max_size=3) | values,
    },
)
payloads = st.one_of(
    st.dictionaries(st.sampled_from(["process_id", "job_id", "key_id"]), ids, max_size=2),
    st.fixed_dictionaries({"job_id": ids, "on_screen": st.booleans()}),
    st.fixed_dictionaries({"process_id": ids, "on": st.booleans()}),
    *(
        st.fixed_dictionaries({name: ids})
        for name in ("process_id", "key_id", "shape", "count", "model", "seed", "style")
    ),
    st.fixed_dictionaries({"kept": st.text(max_size=60) | st.just('{"shape": "3:2"}')}),
    st.fixed_dictionaries({"form": forms}),
    st.fixed_dictionaries({"info": st.text(), "component_stack": st.text()}),
    st.fixed_dictionaries({"vars": st.none() | values, "hashes": st.lists(st.text(max_size=5)) | values}),
    st.just({}),
    st.dictionaries(st.text(max_size=8), values, max_size=3),
    values,
)
names = st.sampled_from(
    sorted(REACHABLE | {f"{state}.{name}" for state, handlers in HANDLERS.items() for name in handlers})
)
locations = st.just({"pathname": "/"}) | st.fixed_dictionaries(
    {"pathname": st.text(max_size=20)}, optional={"asPath": st.text(max_size=20), "query": values}
)
events = st.fixed_dictionaries({"name": names, "payload": payloads, "router_data": locations | values})
messages = st.one_of(
    events.map(lambda event: "42/_event," + json.dumps(["event", event])),
    values.map(lambda value: "42/_event," + json.dumps(value)),
    events.map(lambda event: "40/_event," + json.dumps({"event": event})),
    st.text(max_size=60),
)


@settings(
    max_examples=150,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(batch=st.lists(messages, min_size=1, max_size=4))
async def test_no_message_makes_a_handler_stumble(
    server: Server, printed: Callable[[], str], batch: list[str]
) -> None:
    """Its sender is answered afterwards, the log has no stack trace, and the server is well."""
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as guest:
        await guest.get("/api/processes")
        async with PageSocket.open(server.url, guest) as page:
            for message in batch:
                await page.socket.send_str(message)
            if not GOODBYES & set(batch):
                await page.told_until_now()
        for process in (await guest.get("/api/processes")).json()["processes"]:
            await guest.post(f"/api/processes/{process['processId']}/cancel")
        assert (await guest.get("/api/health")).json() == {"status": "up", "live": "up"}
    assert "Traceback" not in printed()
