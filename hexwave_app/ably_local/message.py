"""Messages as clients publish them (TM2): checked, completed and bounded before a channel takes them."""

import json
from typing import cast

from .credential import Credential
from .error import AblyError
from .wire import Fields, Format, encode

MAX_BATCH = 1_000
MAX_ID_LENGTH = 256
CREATE = 0  # TM2j


def read_messages(body: object, publisher: Credential, max_bytes: int) -> list[Fields]:
    """Return the messages of a publish body, a map or a list of maps, with the rules for them applied.

    Raises AblyError: 40001 wrong shape, 40006 connectionKey, 40009 more than `max_bytes` in all
    (TM6), 40012 clientId, 40013 data or encoding, 40016 name, 40031 id, 40032 extras, 40034 too many
    messages, 93002 an update.
    """
    items = cast(list[object], body) if isinstance(body, list) else [body]
    if not items:
        raise AblyError(40001, "The list of messages is empty: publish at least one.")
    if len(items) > MAX_BATCH:
        raise AblyError(40034, f"Too many messages in one publish: at most {MAX_BATCH}.")
    messages = [_read_message(item, publisher) for item in items]
    if len(messages) > 1:
        _check_batch_ids(messages)
    size = sum(map(message_size, messages))
    if size > max_bytes:
        raise AblyError(40009, f"Maximum message length exceeded: {size} bytes, at most {max_bytes}.", 413)
    return messages


def _read_message(item: object, publisher: Credential) -> Fields:
    if not isinstance(item, dict):
        raise AblyError(40001, "A message must be an object with name and data.")
    fields = cast(Fields, item)
    if fields.get("action") not in (None, CREATE) or fields.get("serial") is not None:
        raise AblyError(93002, "This local server has no message updates, deletes or appends.")
    if fields.get("connectionKey") is not None:
        raise AblyError(40006, "This local server has no publishing on behalf of a connection (TM2h).")
    message: Fields = {}
    for name, code in (("id", 40031), ("name", 40016), ("clientId", 40012)):
        value = fields.get(name)
        if value is not None and not isinstance(value, str):
            raise AblyError(code, f"The message's {name} must be text.")
        if value is not None:
            message[name] = value
    if not 0 < len(cast(str, message.get("id", "-"))) <= MAX_ID_LENGTH:
        raise AblyError(40031, f"The message's id must have 1 to {MAX_ID_LENGTH} characters.")
    _set_client_id(message, publisher)
    _set_data(message, fields.get("data"), fields.get("encoding"))
    _set_extras(message, fields.get("extras"))
    return message


def _set_client_id(message: Fields, publisher: Credential) -> None:
    """Apply RSL1m and RTL6g: implicit when identified, refused when another's or when none may be assumed."""
    given = message.get("clientId")
    identity = None if publisher.client_id == "*" else publisher.client_id
    if given is None:
        if identity is not None:
            message["clientId"] = identity
    elif given in ("", "*"):
        raise AblyError(40012, "The message's clientId must be a name, neither empty nor the wildcard.")
    elif given != identity and not publisher.may_assume:
        raise AblyError(40012, "The message's clientId does not fit the credentials: leave it out.")


def _set_data(message: Fields, data: object, encoding: object) -> None:
    """Keep text and bytes with their encoding as sent; turn a bare object or array into JSON text (RSL4)."""
    if encoding is not None and not isinstance(encoding, str):
        raise AblyError(40013, "The message's encoding must be text.")
    if isinstance(data, dict | list):
        try:
            data = json.dumps(data, separators=(",", ":"))
        except (TypeError, ValueError, RecursionError) as error:
            raise AblyError(40013, "The message's data holds values that JSON has no form for.") from error
        encoding = f"{encoding}/json" if encoding else "json"
    if data is not None and not isinstance(data, str | bytes):
        raise AblyError(40013, "The message's data must be text, bytes, an object or an array.")
    if data is not None:
        message["data"] = data
    if encoding:
        message["encoding"] = encoding


def _set_extras(message: Fields, extras: object) -> None:
    if extras is None:
        return
    try:
        if not isinstance(extras, dict):
            raise TypeError
        headers = cast(Fields, extras).get("headers", {})
        if not isinstance(headers, dict) or any(
            isinstance(value, dict | list) for value in cast(Fields, headers).values()
        ):
            raise TypeError
        for format in Format:
            encode(cast(object, extras), format)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise AblyError(
            40032, "The message's extras must be a JSON object with flat headers (TM2i)."
        ) from error
    message["extras"] = cast(object, extras)


def _check_batch_ids(messages: list[Fields]) -> None:
    """Hold the ids of a batch to `<base>:<index>` with one base, or to none at all (RSL1k1)."""
    ids = [cast(str | None, message.get("id")) for message in messages]
    if not any(ids):
        return
    base = (ids[0] or "").rpartition(":")[0]
    if not base or ids != [f"{base}:{index}" for index in range(len(ids))]:
        raise AblyError(40031, "The ids of a batch must be <base>:0, <base>:1, ... or be left out.")


def message_size(message: Fields) -> int:
    """Return the bytes of name, data, clientId and extras (TM6)."""
    size = sum(len(cast(str, message.get(name, "")).encode()) for name in ("name", "clientId"))
    data = message.get("data", b"")
    size += len(data) if isinstance(data, bytes) else len(cast(str, data).encode())
    if isinstance(data, str) and cast(str, message.get("encoding", "")).endswith("base64"):
        size += len(data.rstrip("=")) * 3 // 4 - len(data)  # TM6c: binary counts as such, not as base64
    return size + (len(json.dumps(message["extras"])) if "extras" in message else 0)
