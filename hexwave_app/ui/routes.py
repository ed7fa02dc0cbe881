"""Where the pages live, and which of them the header offers."""

from dataclasses import dataclass

STUDIO = "/"


@dataclass(frozen=True)
class Tab:
    """A page the header leads to; `icon` is a lucide name."""

    title: str
    href: str
    icon: str


TABS = [Tab("Image", STUDIO, "image")]
