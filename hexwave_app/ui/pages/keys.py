"""API keys: made, looked through and revoked by the person whose they are."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import reflex as rx

from hexwave_app.identity.api_key import ApiKey, KeyRequest
from hexwave_app.processes.errors import HexwaveError
from hexwave_app.processes.model import Process
from hexwave_app.services import current
from hexwave_app.ui import layout
from hexwave_app.ui.components.api_keys import key_form, key_list, made_key, revoke_dialog
from hexwave_app.ui.routes import KEYS
from hexwave_app.ui.status import ProcessStatus


@dataclass
class Key:
    """A key as its row shows it; times are ISO 8601 in UTC, `used` is empty where it never was."""

    id: str
    name: str
    start: str
    created: str
    used: str

    @classmethod
    def of(cls, key: ApiKey) -> "Key":
        used = "" if key.used_at is None else key.used_at.isoformat()
        return cls(key.id, key.name, key.start, key.created_at.isoformat(), used)


class KeysState(ProcessStatus, rx.State):
    """The user's keys. No token is ever kept here: it goes to the page that asked, and no further."""

    keys: list[Key] = []
    known: bool = False
    """True once `keys` has been read."""
    hint: str = ""
    announcement: str = ""

    @rx.var
    def running(self) -> int:
        return len(self._running)

    @rx.event(background=True)
    async def read(self) -> AsyncIterator[Any]:
        async with self:
            user_id = self._user_id()
        try:
            keys = await current().keys.list(user_id)
        except HexwaveError as error:
            yield rx.toast(error.message)
            return
        async with self:
            self._tell(keys)

    @rx.event(background=True)
    async def make(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        async with self:
            user_id, address = self._user_id(), self._address()
        try:
            request = KeyRequest.read({"name": form.get("name", "")})
            key, token = await current().keys.make(user_id, request, address)
            keys = await current().keys.list(user_id)
        except HexwaveError as error:
            async with self:
                self.hint = error.message
            return
        async with self:
            self._tell(keys)
            self.announcement = f"Key made: {key.name}. Copy it: it is not shown again."
        # By the page's own script, since a var would be sent again, and kept with the session.
        yield rx.run_script(f"window.hexwave.showKey({json.dumps(token)}, {json.dumps(key.name)})")

    @rx.event(background=True)
    async def revoke(self, key_id: str) -> AsyncIterator[Any]:
        async with self:
            user_id = self._user_id()
        try:
            await current().keys.revoke(key_id, user_id)
            keys = await current().keys.list(user_id)
        except HexwaveError as error:
            yield rx.toast(error.message)
            return
        async with self:
            self._tell(keys)
            self.announcement = "Key revoked."
        yield rx.toast("Key revoked")

    def _tell(self, keys: list[ApiKey]) -> None:
        self.keys, self.known, self.hint = [Key.of(key) for key in keys], True, ""

    def _show(self, process: Process) -> None:
        """Only how many run is shown here."""


@rx.page(route=KEYS, title="API keys · Hexwave", on_load=[KeysState.watch, KeysState.read])
def keys() -> rx.Component:
    return view(KeysState)


def view(state: Any) -> rx.Component:
    """The page, drawn from a State class.

    Vars: keys (list[Key], newest first), known (bool), hint (why a key was refused, or ""), running,
    behind, announcement. Handlers: make(form: dict) with name; revoke(key_id).
    """
    return layout.page(
        rx.el.section(
            rx.el.div(
                rx.el.h2("API keys", class_name="hw-title"),
                rx.el.p(
                    "For scripts. A key is you: it starts jobs and reads what you made. "
                    "It cannot make or revoke keys.",
                    class_name="hw-keys-intro",
                ),
            ),
            key_form(make=state.make, hint=state.hint),
            made_key(),
            key_list(state.keys, known=state.known),
            id="results",
            tab_index=-1,
            class_name="hw-keys",
            custom_attrs={"aria-label": "API keys"},
        ),
        revoke_dialog(state.revoke),
        current=KEYS,
        running=state.running,
        demo=rx.Var.create(False),
        behind=state.behind,
        announcement=state.announcement,
    )
