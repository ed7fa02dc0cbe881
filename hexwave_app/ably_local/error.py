"""Ably's ErrorInfo (TI1): one type for every refusal, with the codes of the public error list."""


class AblyError(Exception):
    """A refusal with Ably's numeric `code` (five digits) and the HTTP `status_code` closest to it.

    The status is the first three digits of a 4xxxx or 5xxxx code, else 400.
    """

    def __init__(self, code: int, message: str, status_code: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status_code = status_code or (code // 100 if 40000 <= code < 60000 else 400)

    def to_dict(self) -> dict[str, object]:
        """Return the wire form (TI1, TI4)."""
        return {
            "code": self.code,
            "statusCode": self.status_code,
            "message": self.message,
            "href": f"https://help.ably.io/error/{self.code}",
        }
