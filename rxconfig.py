"""Reflex's configuration. What Hexwave itself can be told is in hexwave_app/settings.py."""

import re
from pathlib import Path
from typing import Any

import reflex as rx
from reflex.constants import StateManagerMode

from hexwave_app.identity.origins import own_origins
from hexwave_app.settings import read_settings


class SameOrigin(rx.plugins.Plugin):
    """Lets the built pages find the backend where they came from.

    Reflex writes one absolute backend URL into the bundle, port included. Here the page's own origin takes
    its place, so one build serves every port, host name and TLS proxy.
    """

    def post_build(self, **context: Any) -> None:
        assets = Path(context["static_dir"]) / "assets"
        chunks = list(assets.glob("reflex-env-*.js"))
        changed = [self._relate(chunk) for chunk in chunks]
        if not any(changed):
            raise RuntimeError(f"No backend URL was found in {assets}: the pages would not reach the server.")

    @staticmethod
    def _relate(chunk: Path) -> int:
        pattern = r'(["\'`])(ws|http)://localhost:\d+(/[^"\'`]*)\1'
        text, count = re.subn(pattern, r'(location.origin.replace(/^http/,"\2")+"\3")', chunk.read_text())
        chunk.write_text(text)
        return count


settings = read_settings()

config = rx.Config(
    app_name="hexwave_app",
    telemetry_enabled=False,
    show_built_with_reflex=False,
    # All that must last is in the store: without Redis, pages load it afresh after a restart.
    state_manager_mode=StateManagerMode.REDIS if settings.redis_url else StateManagerMode.MEMORY,
    redis_url=settings.redis_url,
    cors_allowed_origins=own_origins(settings.host, settings.port, settings.public_url),
    plugins=[
        rx.plugins.RadixThemesPlugin(
            theme=rx.theme(
                accent_color="mint",
                gray_color="sage",
                radius="medium",
                panel_background="solid",
                appearance="inherit",
            )
        ),
        rx.plugins.TailwindV4Plugin(),
        SameOrigin(),
    ],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
