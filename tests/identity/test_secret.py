"""The installation's secret and its keys."""

import asyncio
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexwave_app.identity.secret import Secret, sign, signed
from hexwave_app.processes.errors import SettingsError
from hexwave_app.services import secret, sessions
from hexwave_app.settings import Settings


def test_a_secret_is_made_once_and_for_its_owner_alone(data_dir: Path) -> None:
    """The same at each start, in a file that nobody else can read, with nothing left beside it."""
    path = data_dir / "secret.key"
    first, second = Secret.kept_in(path), Secret.kept_in(path)
    assert first.key("session") == second.key("session")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(data_dir.iterdir()) == [path]


async def test_two_starting_at_once_read_one_secret(data_dir: Path) -> None:
    """However many: the first file is the one that stays."""
    path = data_dir / "secret.key"
    made = await asyncio.gather(*(asyncio.to_thread(Secret.kept_in, path) for _ in range(16)))
    assert len({secret.key("session") for secret in made}) == 1


@pytest.mark.parametrize("content", ["", "short"])
def test_a_damaged_secret_stops_the_start(tmp_path: Path, content: str) -> None:
    """An empty key would let anyone sign; the error names the file."""
    path = tmp_path / "secret.key"
    path.write_text(content)
    with pytest.raises(SettingsError, match=r"secret\.key"):
        Secret.kept_in(path)


def test_each_purpose_has_a_key_of_its_own() -> None:
    """And each installation other ones."""
    keys = {
        Secret(value).key(purpose) for value in ("a" * 32, "b" * 32) for purpose in ("session", "webhook")
    }
    assert len(keys) == 4
    assert all(len(key) == 32 for key in keys)


@given(st.binary(min_size=1), st.text(st.characters(exclude_categories=["Cs"])), st.text())
def test_no_text_passes_but_the_signature(key: bytes, message: str, other: str) -> None:
    """Any text may be offered as one, lone surrogates included; none but the right one is taken."""
    right = sign(key, message)
    assert signed(key, message, right)
    assert not signed(key, message, other)
    assert not signed(key, message + "x", right)


def test_old_values_are_accepted_and_sign_nothing_more(data_dir: Path) -> None:
    """The first key is that of the present value, set or kept; each purpose has its old ones behind it."""
    present, old, older = (Secret(letter * 32).key("session") for letter in "abc")
    rotated = Secret("a" * 32, ["b" * 32, "c" * 32])
    assert rotated.keys("session") == (present, old, older)
    assert rotated.key("session") == present
    kept = Secret.kept_in(data_dir / "secret.key", ["b" * 32])
    assert kept.keys("session")[1:] == (old,)


def test_a_secret_is_read_once(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask for it, at the start or later."""
    settings, read = Settings(data_dir=data_dir), list[Path]()
    kept_in = Secret.kept_in

    def counted(path: Path, old: Sequence[str] = ()) -> Secret:
        read.append(path)
        return kept_in(path, old)

    monkeypatch.setattr(Secret, "kept_in", counted)
    assert secret(settings) is secret(settings)
    assert sessions(settings).cookie_name == "hexwave"
    assert read == [data_dir / "secret.key"]
