"""The kept files."""

from pathlib import Path

import pytest

from hexwave_app.media.library import Library


@pytest.fixture
def library(data_dir: Path) -> Library:
    return Library(data_dir / "media")


async def test_what_is_put_can_be_got(library: Library) -> None:
    """Under the URL that `put` returns; the same name again replaces it."""
    assert await library.put("p_a", "0.webp", b"one") == "/media/p_a/0.webp"
    assert await library.get("p_a", "0.webp") == b"one"
    await library.put("p_a", "0.webp", b"two")
    assert await library.get("p_a", "0.webp") == b"two"


async def test_what_is_not_there_is_none(library: Library) -> None:
    """No such process, no such name."""
    await library.put("p_a", "0.webp", b"one")
    assert await library.get("p_b", "0.webp") is None
    assert await library.get("p_a", "1.webp") is None


async def test_deleting_by_prefix_spares_the_rest(library: Library) -> None:
    """Previews go, pictures stay; another process whose id begins alike keeps everything."""
    for process_id, name in (("p_a", "preview-0.webp"), ("p_a", "0.webp"), ("p_ab", "preview-0.webp")):
        await library.put(process_id, name, b"x")
    await library.delete("p_a", "preview-")
    assert await library.get("p_a", "preview-0.webp") is None
    assert await library.get("p_a", "0.webp") == b"x"
    await library.delete("p_a")
    assert await library.get("p_a", "0.webp") is None
    assert await library.get("p_ab", "preview-0.webp") == b"x"


async def test_deleting_nothing_is_no_error(library: Library) -> None:
    """Whether it never was or is gone already."""
    await library.delete("p_a")
    await library.put("p_a", "0.webp", b"x")
    await library.delete("p_a")
    await library.delete("p_a")


@pytest.mark.parametrize("name", ["../secret.key", "../p_b/0.webp", "..", "a/../../../secret.key"])
async def test_no_name_leads_out_of_the_library(library: Library, data_dir: Path, name: str) -> None:
    """Whatever asks for it, a file beside the library is not read."""
    (data_dir / "secret.key").write_text("s")
    await library.put("p_b", "0.webp", b"x")
    try:
        found = await library.get("p_a", name)
    except Exception:
        found = None
    assert found is None
