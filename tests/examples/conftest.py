"""The browser that the examples are looked at in."""

from tests.e2e.conftest import browser

__all__ = ["browser"]
