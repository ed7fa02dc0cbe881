"""What the environment may say, and what is answered when it cannot work."""

from pathlib import Path

import pytest

from hexwave_app.processes.errors import SettingsError
from hexwave_app.settings import Settings, read_settings


def test_everything_is_optional() -> None:
    """With nothing set there is a place for data, a loopback address, and no key."""
    settings = read_settings()
    assert (settings.host, settings.port, settings.secure) == ("127.0.0.1", 3000, False)
    assert settings.base_url == "http://127.0.0.1:3000"
    assert settings.database_path.parent == settings.data_dir
    assert settings.secret_key is settings.ably_api_key is settings.ably_endpoint is None


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the names of the documentation; an empty one is unset."""
    for name, value in {
        "HEXWAVE_DATA_DIR": "/srv/hexwave",
        "HEXWAVE_HOST": "0.0.0.0",
        "HEXWAVE_PORT": "8080",
        "HEXWAVE_PUBLIC_URL": "",
        "ABLY_API_KEY": "app.key:secret",
        "ABLY_ENDPOINT": "127.0.0.1:4100",
    }.items():
        monkeypatch.setenv(name, value)
    settings = read_settings()
    assert settings.data_dir == Path("/srv/hexwave")
    assert settings.base_url == "http://127.0.0.1:8080"
    assert (settings.ably_api_key, settings.ably_endpoint) == ("app.key:secret", "127.0.0.1:4100")


def test_names_without_our_prefix_are_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """HOST and PORT are set by shells and build tools for their own ends."""
    for name in ("HOST", "PORT", "DATA_DIR", "SECRET_KEY", "PUBLIC_URL"):
        monkeypatch.setenv(name, "9" * 40)
    assert read_settings() == Settings()


@pytest.mark.parametrize(
    ("public_url", "base_url", "secure"),
    [
        ("https://hexwave.example/", "https://hexwave.example", True),
        ("http://10.0.0.2:8000", "http://10.0.0.2:8000", False),
    ],
)
def test_the_public_url_is_where_all_reach_us(public_url: str, base_url: str, secure: bool) -> None:
    """Webhooks go there, and its scheme says whether cookies are secure."""
    settings = Settings(public_url=public_url)
    assert (settings.base_url, settings.secure) == (base_url, secure)


@pytest.mark.parametrize(("host", "base"), [("::1", "[::1]"), ("::", "[::1]"), ("localhost", "localhost")])
def test_this_machine_can_be_named_in_any_way(host: str, base: str) -> None:
    """An address of all interfaces is reached by loopback; IPv6 is bracketed."""
    assert Settings(host=host, port=80).base_url == f"http://{base}:80"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HEXWAVE_PORT", "many"),
        ("HEXWAVE_PORT", "0"),
        ("HEXWAVE_PORT", "65536"),
        ("HEXWAVE_SECRET_KEY", "tooshort"),
        ("HEXWAVE_PUBLIC_URL", "hexwave.example"),
        ("ABLY_API_KEY", "hunter2"),
        ("ABLY_ENDPOINT", "ably.example:80"),
        ("ABLY_ENDPOINT", "127.0.0.1"),
        ("REPLICATE_WEBHOOK_SECRET", "hunter2"),
        ("S3_BUCKET", "x"),
        ("S3_ENDPOINT", "minio:9000"),
    ],
)
def test_what_cannot_work_is_one_line(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """It names the variable to change, and never shows a secret's value."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        read_settings()
    assert refused.value.message.startswith(f"{name} cannot work: ")
    assert "\n" not in refused.value.message
    assert value in ("0",) or value not in refused.value.message


def test_a_bucket_without_its_keys_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start says which is missing."""
    monkeypatch.setenv("S3_BUCKET", "hexwave-media")
    monkeypatch.setenv("S3_ACCESS_KEY_ID", "AKIA")
    with pytest.raises(SettingsError, match="S3_SECRET_ACCESS_KEY cannot work"):
        read_settings()
