"""How deep a JSON text is nested, without parsing it: parsers recurse, this does not."""

import re

import numpy as np

# A text that ends within a string is matched to its end, so no character is looked at twice.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_SHORT = 256
"""Characters outside of strings for which NumPy takes longer than a loop."""

_OPENING, _CLOSING = b"[{", b"]}"
_STEPS = np.zeros(256, np.int8)
_STEPS[[ord("["), ord("{")]] = 1
_STEPS[[ord("]"), ord("}")]] = -1


def json_depth(text: bytes) -> int:
    """The greatest number of arrays and objects that are open at once in `text`, which may be anything."""
    bare = _STRING.sub(b"", text)
    if len(bare) <= _SHORT:
        return _counted(bare)
    steps = _STEPS[np.frombuffer(bare, np.uint8)]
    return max(0, int(np.cumsum(steps, dtype=np.int64).max(initial=0)))


def _counted(bare: bytes) -> int:
    depth = greatest = 0
    for character in bare:
        if character in _OPENING:
            depth += 1
            greatest = max(greatest, depth)
        elif character in _CLOSING:
            depth -= 1
    return greatest
