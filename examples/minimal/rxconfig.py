import reflex as rx

config = rx.Config(app_name="minimal", telemetry_enabled=False, disable_plugins=[rx.plugins.SitemapPlugin])
