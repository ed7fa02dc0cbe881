"""Where providers report, and the token that lets them."""

from urllib.parse import urlencode

from hexwave_app.identity.secret import sign, signed
from hexwave_app.processes.errors import WebhookRefused


class Webhooks:
    """One URL a process, `{base}/api/webhook/{category}?processId=...&token=...`.

    The token is HMAC-SHA256 of the process id under a key of its own: the id alone is no secret. The first of
    `keys` signs; tokens of the others are taken too.
    """

    def __init__(self, base_url: str, *keys: bytes) -> None:
        self._base_url = base_url
        self._keys = keys

    def url(self, category: str, process_id: str) -> str:
        query = urlencode({"processId": process_id, "token": sign(self._keys[0], process_id)})
        return f"{self._base_url}/api/webhook/{category}?{query}"

    def check(self, process_id: str, token: str) -> None:
        """Raise `WebhookRefused` unless `token` is the process's own."""
        if not any(signed(key, process_id, token) for key in self._keys):
            raise WebhookRefused(
                "The webhook's token is missing or wrong. Use the webhook_url as it was given."
            )
