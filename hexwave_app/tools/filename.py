"""What a picture is called once it is saved."""

import re

_LONGEST = 48


def slug(prompt: str) -> str:
    """The beginning of `prompt` in `[a-z0-9-]`, at most 48 characters, never empty."""
    words = re.findall(r"[a-z0-9]+", prompt.lower())
    return "-".join(words)[:_LONGEST].rstrip("-") or "hexwave"
