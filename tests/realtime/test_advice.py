"""What an error of the SDK is said to mean."""

import pytest
from ably.util.exceptions import AblyException
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from hexwave_app.realtime.advice import advice


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (AblyException("Invalid credentials", 401, 40101), "ABLY_API_KEY"),
        (AblyException("No such app", 404, 40400), "ABLY_API_KEY"),
        (AblyException("Key revoked", 401, 40131), "revoked"),
        (AblyException("Denied", 401, 40160), "publish and subscribe"),
        (AblyException("Rate limit exceeded", 429, 42913), "limits"),
        (AblyException("Error opening websocket connection: no name", 400, 40000), "DNS"),
        (AblyException("Connection cancelled due to request timeout", 504, 50003), "network"),
        (AblyException("Odd", 500, 50000), "50000"),
        (TimeoutError(), "network"),
        (None, "network"),
    ],
)
def test_each_error_comes_with_its_remedy(error: Exception | None, remedy: str) -> None:
    """Codes are Ably's."""
    assert remedy in advice(error)


def test_a_close_code_of_the_websocket_is_none_of_ably() -> None:
    """The SDK hands out its websocket library's errors as reasons."""
    assert "1011" not in advice(ConnectionClosedError(Close(1011, "internal error"), None))
