"""An app of somebody else's, which knows of Hexwave only what docs/guide.md says."""

import reflex as rx

config = rx.Config(app_name="stranger", telemetry_enabled=False, disable_plugins=[rx.plugins.SitemapPlugin])
