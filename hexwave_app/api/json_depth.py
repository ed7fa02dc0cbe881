"""How deep a JSON text is nested, without parsing it: parsers recurse, this does not."""

import re

import numpy as np

# A text that ends within a string is matched to its end, so no character is looked at twice.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_STEPS = np.zeros(256, np.int8)
_STEPS[[ord("["), ord("{")]] = 1
_STEPS[[ord("]"), ord("}")]] = -1


def json_depth(text: bytes) -> int:
    """The greatest number of arrays and objects that are open at once in `text`, which may be anything."""
    steps = _STEPS[np.frombuffer(_STRING.sub(b"", text), np.uint8)]
    return max(0, int(np.cumsum(steps, dtype=np.int64).max(initial=0)))
