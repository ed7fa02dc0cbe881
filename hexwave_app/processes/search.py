"""What a process is searched by, so that every store finds the same."""

import unicodedata


def searchable(text: str) -> str:
    """`text` as it is searched: without the case of letters, and in one of Unicode's many forms."""
    return unicodedata.normalize("NFKC", text).casefold().replace("\0", " ")


def words(search: str) -> list[str]:
    """What must all be parts of a searchable text."""
    return searchable(search).split()
