"""What can go wrong, as one tree.

HexwaveError                 says what happened and what to do; has a `code` and an HTTP `status`
├── InvalidRequest           400/422  the request is wrong; `field` names the part
├── NotSignedIn              401      no valid session
├── NotAllowed               403      known, but this is not for them to do
├── WebhookRefused           401      no, or a wrong, webhook token or signature
├── ProcessNotFound          404      no such process, or another user's
├── KeyNotFound              404      no such API key, or another user's
├── ProcessConflict          409      the process is not in a state that allows it
├── TooManyKeys              409      as many API keys as a user can have
├── TooManyRequests          429      a limit is used up; `retry_after` says when it is not
├── ProviderError            502      what a provider said or failed to say
│   ├── ProviderRefused      422      it declined the request
│   │   └── ContentRefused   422      its safety filter declined what was asked for
│   ├── ProviderNotReady     502      it refused our key, or our account's credit is spent
│   ├── ProviderUnavailable  502      it is not taking jobs; nothing was submitted
│   │   └── ProviderBusy     502      it takes no more at the moment; `retry_after` says when
│   └── SubmissionUnknown    502      it may or may not have started
├── ResultLost               502      made, but it cannot be kept: gone, forbidden, or no such picture
├── ResultUnavailable        502      made, and it cannot be had at the moment: worth asking again
├── ChannelUnavailable       503      the live channel does not answer; the store is still right
│   └── StatusTooLarge       500      a status message over the channel's limit
├── SignInUnavailable        503      who signs people in does not answer, so nothing is known of who asks
├── StoreUnavailable         503      the database does not answer
├── ServerDraining           503      this server is about to end and takes no more jobs
└── SettingsError            500      a setting that cannot work; stops the start
"""

from collections.abc import Mapping
from typing import Any


class HexwaveError(Exception):
    """Base of every error of ours.

    `code` is stable and lower-case, for programs; the message is a sentence for people;
    `field` names the wire name of the offending input, where there is one.
    """

    code = "internal"
    status = 500

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidRequest(HexwaveError):
    code = "invalid_request"
    status = 422

    @classmethod
    def of(cls, error: Mapping[str, Any], *, within: int = 0) -> "InvalidRequest":
        """One of pydantic's errors, as the field's wire name and a sentence.

        `within` is how many parts of the location lie outside what the caller sent.
        """
        field = ".".join(str(part) for part in error["loc"][within:]) or "body"
        return cls(_sentence(field, error), field=field)


class NotSignedIn(HexwaveError):
    code = "not_signed_in"
    status = 401


class NotAllowed(HexwaveError):
    code = "not_allowed"
    status = 403


class SignInUnavailable(HexwaveError):
    code = "sign_in_unavailable"
    status = 503

    def __init__(self) -> None:
        super().__init__("Sign-in cannot be reached at the moment. Try again in a moment.")


class WebhookRefused(HexwaveError):
    code = "webhook_refused"
    status = 401


class ProcessNotFound(HexwaveError):
    code = "process_not_found"
    status = 404

    def __init__(self, message: str = "There is no such process, or it belongs to someone else.") -> None:
        super().__init__(message)


class KeyNotFound(HexwaveError):
    code = "key_not_found"
    status = 404

    def __init__(self, message: str = "There is no such API key, or it belongs to someone else.") -> None:
        super().__init__(message)


class ProcessConflict(HexwaveError):
    code = "process_conflict"
    status = 409


class TooManyKeys(HexwaveError):
    code = "too_many_keys"
    status = 409


class TooManyRequests(HexwaveError):
    """`retry_after` is in whole seconds."""

    code = "too_many_requests"
    status = 429

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ProviderError(HexwaveError):
    code = "provider_error"
    status = 502


class ProviderRefused(ProviderError):
    code = "provider_refused"
    status = 422


class ContentRefused(ProviderRefused):
    code = "content_refused"


class ProviderNotReady(ProviderError):
    code = "provider_not_ready"


class ProviderUnavailable(ProviderError):
    code = "provider_unavailable"


class ProviderBusy(ProviderUnavailable):
    """`retry_after` is in seconds; `None` where the provider does not say."""

    code = "provider_busy"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SubmissionUnknown(ProviderError):
    code = "submission_unknown"


class ResultLost(HexwaveError):
    code = "result_lost"
    status = 502


class ResultUnavailable(HexwaveError):
    code = "result_unavailable"
    status = 502


class ChannelUnavailable(HexwaveError):
    code = "channel_unavailable"
    status = 503


class StatusTooLarge(ChannelUnavailable):
    code = "status_too_large"
    status = 500


class StoreUnavailable(HexwaveError):
    code = "store_unavailable"
    status = 503


class ServerDraining(HexwaveError):
    code = "server_draining"
    status = 503

    def __init__(self) -> None:
        super().__init__("This server is being restarted. Try again in a few seconds.")


class SettingsError(HexwaveError):
    code = "settings"


def _sentence(field: str, error: Mapping[str, Any]) -> str:
    match error["type"]:
        case "missing":
            return f"{field} is missing."
        case "string_too_short":
            return f"{field} is empty."
        case "string_too_long":
            return f"{field} is longer than {error['ctx']['max_length']} characters."
        case "extra_forbidden":
            return f"{field} is not a field of this request."
        case _:
            return f"{field}: {error['msg'].removeprefix('Input ')}."
