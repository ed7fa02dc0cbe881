"""What an error of Ably's SDK means for whoever runs the app, and what to do about it."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from ably.util.exceptions import AblyException

_UNREACHABLE = "it cannot be reached or does not answer. Check the network and its names (DNS)."


def advice(error: BaseException | None) -> str:
    """One sentence. The codes are Ably's (https://ably.com/docs/platform/errors/codes).

    The SDK hands out errors of its websocket library too, whose `code` is a close code, not Ably's.
    """
    if not isinstance(error, AblyException) or "websocket" in str(error.message):
        return _UNREACHABLE
    match error.code:
        case 50003 | 80000 | 80002 | 80003:
            return _UNREACHABLE
        case 40131:
            return "the key was revoked (40131). Set ABLY_API_KEY to one that is in use."
        case 40160:
            return "the key may not do this (40160). Give it publish and subscribe on process:*."
        case code if code and (40100 <= code < 40200 or code in (40005, 40300, 40400)):
            return f"the key was refused ({code}). Compare ABLY_API_KEY with the key in Ably's dashboard."
        case code if code and 42900 <= code < 43000:
            return f"a limit of the account was reached ({code}). See its limits in Ably's dashboard."
        case code:
            return f"it answered with an error ({code}): {error.message}"
