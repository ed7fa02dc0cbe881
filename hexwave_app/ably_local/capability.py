"""Capabilities: which operations on which channels (https://ably.com/docs/auth/capabilities)."""

import json
from collections.abc import Iterable, Mapping
from typing import Self, cast

from .error import AblyError

ANY = "*"
OPERATIONS = {
    *("publish", "subscribe", "presence", "history", "stats", "channel-metadata", "privileged-headers"),
    *("object-subscribe", "object-publish", "annotation-subscribe", "annotation-publish"),
    *("message-update-any", "message-update-own", "message-delete-any", "message-delete-own"),
    *("push-subscribe", "push-admin"),
}


class Capability:
    """Maps resources (a channel name, or a pattern whose `*` stands for whole segments) to operations."""

    def __init__(self, grants: Mapping[str, Iterable[str]]) -> None:
        self._grants: dict[str, frozenset[str]] = {}
        for resource, operations in grants.items():
            # `[*]*` means queues, metachannels and channels; only channels exist here.
            self._add(ANY if resource == "[*]*" else resource, operations)

    def _add(self, resource: str, operations: Iterable[str]) -> None:
        self._grants[resource] = self._grants.get(resource, frozenset()).union(operations)

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read the JSON text (RSA9f) or map of a token request. Raises AblyError 40000."""
        try:
            grants: object = json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError):
            grants = None
        if not isinstance(grants, dict) or not all(
            isinstance(resource, str) and _are_operations(operations)
            for resource, operations in cast(dict[object, object], grants).items()
        ):
            raise AblyError(40000, 'capability must be JSON: resource names to Ably\'s operations or ["*"].')
        return cls(cast(dict[str, list[str]], grants))

    def allows(self, operation: str, channel: str) -> bool:
        exact = self._grants.get(channel)
        if exact and (operation in exact or ANY in exact):
            return True
        segments = channel.split(":")
        return any(
            (operation in operations or ANY in operations) and _matches(resource.split(":"), segments)
            for resource, operations in self._grants.items()
            if ANY in resource
        )

    def intersect(self, other: "Capability") -> "Capability":
        """Return what both allow, so that a token never exceeds its key."""
        both = Capability({})
        for resource, operations in self._grants.items():
            for other_resource, other_operations in other._grants.items():
                shared = _meet(resource.split(":"), other_resource.split(":"))
                allowed = _meet_operations(operations, other_operations)
                if shared and allowed:
                    both._add(":".join(shared), allowed)
        return both

    def __bool__(self) -> bool:
        return bool(self._grants)

    def __str__(self) -> str:
        """The canonical JSON text: sorted, without white space."""
        grants = {resource: sorted(operations) for resource, operations in self._grants.items()}
        return json.dumps(grants, sort_keys=True, separators=(",", ":"))


def _are_operations(value: object) -> bool:
    if not isinstance(value, list) or not value:
        return False
    operations = cast(list[object], value)
    return operations == [ANY] or all(isinstance(item, str) and item in OPERATIONS for item in operations)


def _matches(pattern: list[str], segments: list[str]) -> bool:
    if pattern[-1] == ANY:
        segments = segments[: len(pattern)]  # a last `*` stands for one or more segments
    return len(pattern) == len(segments) and all(
        part in (ANY, segment) for part, segment in zip(pattern, segments, strict=True)
    )


def _meet(left: list[str], right: list[str]) -> list[str] | None:
    """Return the pattern of the names that both patterns match, or None when there are none."""
    if left == [ANY] or right == [ANY]:
        return (right if left == [ANY] else left) or None
    if not left or not right:
        return [] if left == right else None
    if left[0] != right[0] and ANY not in (left[0], right[0]):
        return None
    rest = _meet(left[1:], right[1:])
    return None if rest is None else [right[0] if left[0] == ANY else left[0], *rest]


def _meet_operations(left: frozenset[str], right: frozenset[str]) -> frozenset[str]:
    if ANY in left:
        return right
    return left if ANY in right else left & right
