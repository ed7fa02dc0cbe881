"""Capabilities: patterns, operations and intersection."""

import pytest

from hexwave_app.ably_local import AblyError
from hexwave_app.ably_local.capability import Capability


@pytest.mark.parametrize(
    ("resource", "channel", "matches"),
    [
        ("*", "anything", True),
        ("*", "a:b:c", True),
        ("[*]*", "a:b", True),
        ("namespace:*", "namespace:channel", True),
        ("namespace:*", "namespace:channel:other", True),
        ("namespace:*", "namespace", False),
        ("foo:*:baz", "foo:bar:baz", True),
        ("foo:*:baz", "foo:bar:bam:baz", False),
        ("foo*", "foo*", True),
        ("foo*", "foobar", False),
        ("foo", "foo", True),
        ("foo", "foo:bar", False),
    ],
)
def test_resource_patterns_match_whole_segments(resource: str, channel: str, matches: bool) -> None:
    """A wildcard stands for one whole segment, the last one for one or more."""
    assert Capability({resource: ["subscribe"]}).allows("subscribe", channel) is matches


def test_operations() -> None:
    """An operation is allowed when listed, or when the list holds the wildcard."""
    capability = Capability({"a": ["publish"], "b": ["*"]})
    assert capability.allows("publish", "a")
    assert not capability.allows("subscribe", "a")
    assert capability.allows("subscribe", "b")


@pytest.mark.parametrize(
    ("requested", "allowed", "result"),
    [
        ({"*": ["*"]}, {"process:*": ["subscribe"]}, '{"process:*":["subscribe"]}'),
        ({"process:1": ["subscribe"]}, {"*": ["*"]}, '{"process:1":["subscribe"]}'),
        (
            {"process:1": ["publish", "subscribe"]},
            {"process:*": ["subscribe"]},
            '{"process:1":["subscribe"]}',
        ),
        ({"a:*:c": ["publish"]}, {"a:b:*": ["publish"]}, '{"a:b:c":["publish"]}'),
        ({"a:*": ["publish"]}, {"*:b": ["publish"]}, '{"a:b":["publish"]}'),
        ({"other": ["subscribe"]}, {"process:*": ["subscribe"]}, "{}"),
        ({"process:1": ["publish"]}, {"process:*": ["subscribe"]}, "{}"),
        ({"b": ["stats", "history"], "a": ["*"]}, {"*": ["*"]}, '{"a":["*"],"b":["history","stats"]}'),
    ],
)
def test_intersection_never_exceeds_either_side(
    requested: dict[str, list[str]], allowed: dict[str, list[str]], result: str
) -> None:
    """The meeting of two capabilities is what both allow, in canonical form."""
    assert str(Capability(requested).intersect(Capability(allowed))) == result
    assert str(Capability(allowed).intersect(Capability(requested))) == result


@pytest.mark.parametrize(
    "value", ["", "no", "[]", "7", {"a": "publish"}, {"a": [1]}, {"a": []}, "[" * 100_000, None]
)
def test_malformed_capability_is_refused(value: object) -> None:
    """Anything but a map of names to lists of Ably's operations is refused with 40000."""
    with pytest.raises(AblyError) as refusal:
        Capability.parse(value)
    assert refusal.value.code == 40000
