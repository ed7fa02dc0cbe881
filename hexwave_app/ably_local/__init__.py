"""A small server that speaks Ably's protocol, for development and tests without an account.

It covers tokens, publish, subscribe, history, rewind and resume; it keeps everything in memory.
"""

from .app import create_app
from .error import AblyError
from .limits import Limits
from .server import LocalServer, serve
from .state import AppState

__all__ = ["AblyError", "AppState", "Limits", "LocalServer", "create_app", "serve"]
