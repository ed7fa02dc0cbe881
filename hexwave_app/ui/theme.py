"""What the look needs of `rx.App`: stylesheet, fonts, script, toasts, and our own connection overlay."""

from pathlib import Path
from typing import Any
from zlib import crc32

import reflex as rx

from hexwave_app.ui.components import connection

ASSETS = Path(__file__).parents[2] / "assets"

STYLESHEETS = [
    "hexwave.css",
    "gallery.css",
    "inspector.css",
    "keys.css",
    "person.css",
    "process.css",
    "video.css",
]
SCRIPTS = [
    "hexwave.js",
    "gallery.js",
    "inspector.js",
    "keys.js",
    "process.js",
    "studio.js",
    "video.js",
]
"""Assets of the pages: the shared one first, then a page's own, each under its page's name."""


def app_options() -> dict[str, Any]:
    """Keyword arguments for `rx.App`."""
    return {
        "stylesheets": [f"/{name}" for name in STYLESHEETS],
        "head_components": _head(),
        "html_lang": "en-GB",
        "toaster": _toaster(),
        # The key is that of Reflex' default overlay, which this one replaces.
        "extra_app_wraps": {(5, "Overlay"): lambda stateful: connection.overlay() if stateful else None},
    }


def _head() -> list[rx.Component]:
    return [
        rx.el.link(
            rel="preload",
            href="/fonts/hanken-grotesk-latin.woff2",
            custom_attrs={"as": "font", "type": "font/woff2", "crossOrigin": "anonymous"},
        ),
        rx.el.link(rel="icon", href="/favicon.ico", sizes="32x32"),
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.link(rel="apple-touch-icon", href="/apple-touch-icon.png"),
        *[rx.el.script(src=f"/{name}?v={_version(name)}", defer=True) for name in SCRIPTS],
    ]


def _version(asset: str) -> str:
    """Changes with the file, so that no browser keeps an old one beside a new page."""
    return f"{crc32((ASSETS / asset).read_bytes()):08x}"


def _toaster() -> rx.Component:
    narrow = "typeof window !== 'undefined' && window.matchMedia('(max-width: 640px)').matches"
    return rx.toast.provider(
        position=rx.Var(f"({narrow} ? 'top-center' : 'bottom-right')"),
        visible_toasts=3,
        rich_colors=False,
        gap=8,
        toast_options=rx.toast.options(duration=5000, class_name="hw-toast"),  # pyright: ignore[reportCallIssue]
        class_name="hw-toaster",
    )
