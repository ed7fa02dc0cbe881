"""Capabilities: which operations on which channels (https://ably.com/docs/auth/capabilities)."""

import json
from collections.abc import Iterable, Mapping
from typing import Self, cast

from .error import AblyError

ANY = "*"


class Capability:
    """Maps resources (a channel name, or a pattern whose `*` stands for whole segments) to operations."""

    def __init__(self, grants: Mapping[str, Iterable[str]]) -> None:
        self._grants: dict[str, frozenset[str]] = {}
        for resource, operations in grants.items():
            # `[*]*` means queues, metachannels and channels; only channels exist here.
            name = ANY if resource == "[*]*" else resource
            self._grants[name] = self._grants.get(name, frozenset()) | frozenset(operations)

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read the JSON text (RSA9f) or map of a token request. Raises AblyError 40003."""
        try:
            grants: object = json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError):
            grants = None
        if not isinstance(grants, dict):
            raise AblyError(40003, "capability must be a JSON object of resource names and operation lists.")
        for resource, operations in cast(dict[object, object], grants).items():
            if not isinstance(resource, str) or not _is_list_of_text(operations):
                raise AblyError(40003, "capability must map each resource name to a list of operation names.")
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
        grants: dict[str, frozenset[str]] = {}
        for resource, operations in self._grants.items():
            for other_resource, other_operations in other._grants.items():
                shared = _meet(resource.split(":"), other_resource.split(":"))
                allowed = _meet_operations(operations, other_operations)
                if shared and allowed:
                    name = ":".join(shared)
                    grants[name] = grants.get(name, frozenset()) | allowed
        return Capability(grants)

    def __bool__(self) -> bool:
        return bool(self._grants)

    def __str__(self) -> str:
        """The canonical JSON text: sorted, without white space."""
        grants = {resource: sorted(operations) for resource, operations in self._grants.items()}
        return json.dumps(grants, sort_keys=True, separators=(",", ":"))


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in cast(list[object], value))


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
