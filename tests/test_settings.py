"""What the environment may say, and what is answered when it cannot work."""

import re
import traceback
from pathlib import Path

import pytest

from hexwave_app.processes.errors import SettingsError
from hexwave_app.settings import Settings, read_settings

SECRET = "s" * 32


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
        "HEXWAVE_SECRET_KEY": SECRET,
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


def test_every_setting_is_documented() -> None:
    """Under the name that the environment has it by."""
    told = (Path(__file__).parents[1] / "docs" / "settings.md").read_text()
    fields = Settings.model_fields.items()
    names = [str(field.validation_alias or f"HEXWAVE_{name.upper()}") for name, field in fields]
    assert [name for name in names if f"`{name}`" not in told] == []


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
    settings = Settings(public_url=public_url, secret_key=SECRET)
    assert (settings.base_url, settings.secure) == (base_url, secure)


@pytest.mark.parametrize(("host", "base"), [("::1", "[::1]"), ("::", "[::1]"), ("localhost", "localhost")])
def test_this_machine_can_be_named_in_any_way(host: str, base: str) -> None:
    """An address of all interfaces is reached by loopback; IPv6 is bracketed."""
    assert Settings(host=host, port=80, secret_key=SECRET).base_url == f"http://{base}:80"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HEXWAVE_PORT", "many"),
        ("HEXWAVE_PORT", "0"),
        ("HEXWAVE_PORT", "65536"),
        ("HEXWAVE_SECRET_KEY", "tooshort"),
        ("HEXWAVE_OLD_SECRET_KEYS", f"{SECRET},tooshort"),
        ("HEXWAVE_TRUSTED_PROXIES", "10.0.0.0/8,proxy.example"),
        ("HEXWAVE_USER_RUNNING", "-1"),
        ("HEXWAVE_PUBLIC_URL", "hexwave.example"),
        ("ABLY_API_KEY", "hunter2"),
        ("ABLY_ENDPOINT", "ably.example:80"),
        ("ABLY_ENDPOINT", "127.0.0.1"),
        ("REPLICATE_WEBHOOK_SECRET", "hunter2"),
        ("CLERK_PUBLISHABLE_KEY", "pk_test_="),
        ("CLERK_PUBLISHABLE_KEY", "pk_live_é"),
        ("CLERK_PUBLISHABLE_KEY", "sk_test_Y2xlcmsuZXhhbXBsZSQ="),
        ("CLERK_PUBLISHABLE_KEY", "pk_test_Y2xlcmsuZXhhbXBsZQ=="),
        ("CLERK_PUBLISHABLE_KEY", "pk_test_ZXZpbC5leGFtcGxlL3gk"),
        ("CLERK_SECRET_KEY", "hunter2"),
        ("CLERK_ISSUER", "http://clerk.example"),
        ("CLERK_API_URL", "http://127.0.0.1.example"),
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "redis://localhost:port/0"),
        ("HEXWAVE_WORKERS", "0"),
        ("HEXWAVE_DRAIN_SECONDS", "-1"),
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


def test_several_workers_must_share_what_they_know(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of the three is missing, the start says which they are."""
    shared = {
        "MONGODB_URI": "mongodb://localhost/hexwave?replicaSet=rs0",
        "REDIS_URL": "redis://localhost:6379/0",
        "ABLY_API_KEY": "app.key:secret",
    }
    monkeypatch.setenv("HEXWAVE_WORKERS", "2")
    for missing in shared:
        with monkeypatch.context() as patch:
            for name in shared.keys() - {missing}:
                patch.setenv(name, shared[name])
            with pytest.raises(
                SettingsError,
                match=r"^HEXWAVE_WORKERS cannot work: .*MONGODB_URI, REDIS_URL and ABLY_API_KEY",
            ):
                read_settings()
    for name, value in shared.items():
        monkeypatch.setenv(name, value)
    assert read_settings().workers == 2


def test_one_key_of_clerk_does_not_sign_anybody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both or neither: the start says which goes with which."""
    keys = {"CLERK_PUBLISHABLE_KEY": "pk_test_Y2xlcmsuZXhhbXBsZSQ=", "CLERK_SECRET_KEY": "sk_test_x"}
    assert read_settings().clerk_frontend_api is None
    for name, value in keys.items():
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            with pytest.raises(
                SettingsError, match=r"^CLERK_SECRET_KEY cannot work: .*CLERK_PUBLISHABLE_KEY"
            ):
                read_settings()
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    assert read_settings().clerk_frontend_api == "https://clerk.example"
    monkeypatch.setenv("CLERK_ISSUER", "https://sign-in.example")
    assert read_settings().clerk_frontend_api == "https://sign-in.example"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HEXWAVE_PUBLIC_URL", "https://hexwave.example"),
        ("HEXWAVE_PUBLIC_URL", "http://10.0.0.2:8000"),
        ("HEXWAVE_PUBLIC_URL", "http://127.0.0.1.hexwave.example"),
        ("HEXWAVE_PUBLIC_URL", "http://127.0.0.1@hexwave.example"),
        ("HEXWAVE_HOST", "0.0.0.0"),
        ("HEXWAVE_HOST", "::"),
        ("HEXWAVE_HOST", "hexwave.example"),
    ],
)
def test_where_others_come_a_secret_must_be_set(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """One that was made here is none; the start says in one line what to set."""
    monkeypatch.setenv(name, value)
    with pytest.raises(
        SettingsError, match=r"^HEXWAVE_SECRET_KEY cannot work: .*openssl rand -hex 32"
    ) as refused:
        read_settings()
    assert "\n" not in refused.value.message
    monkeypatch.setenv("HEXWAVE_SECRET_KEY", "tooshort")
    with pytest.raises(SettingsError, match=r"^HEXWAVE_SECRET_KEY cannot work: "):
        read_settings()
    monkeypatch.setenv("HEXWAVE_SECRET_KEY", SECRET)
    assert read_settings().secret_key == SECRET


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_on_this_machine_alone_no_secret_is_asked_for(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """Whatever it is called, where it listens and where it is reached."""
    monkeypatch.setenv("HEXWAVE_HOST", host)
    monkeypatch.setenv("HEXWAVE_PUBLIC_URL", f"http://[{host}]:80" if ":" in host else f"http://{host}:80")
    assert read_settings().secret_key is None


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spaces do not count, a single address is a network of one, and empty is none."""
    monkeypatch.setenv("HEXWAVE_OLD_SECRET_KEYS", f"{SECRET}, {SECRET[::-1]},")
    monkeypatch.setenv("HEXWAVE_TRUSTED_PROXIES", "127.0.0.1, fd00::/8")
    settings = read_settings()
    assert settings.old_secret_keys == (SECRET, SECRET)
    assert [str(network) for network in settings.trusted_proxies] == ["127.0.0.1/32", "fd00::/8"]
    monkeypatch.setenv("HEXWAVE_OLD_SECRET_KEYS", "")
    assert read_settings().old_secret_keys == ()


def test_a_refusal_repeats_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither does what it came from, which a stack trace would print."""
    monkeypatch.setenv("ABLY_API_KEY", "hunter2hunter2")
    with pytest.raises(SettingsError) as refused:
        read_settings()
    assert "hunter2" not in "".join(traceback.format_exception(refused.value))


def test_every_setting_that_is_secret_is_known_as_one() -> None:
    """By its name, or as the password of an address."""
    named = {name for name in Settings.model_fields if re.search("key|token|secret|password", name)}
    counts = {"user_tokens_per_minute", "address_tokens_per_minute"}
    values = {name: f"a.{name}:{name}-{'x' * 32}" for name in named - counts}
    values["clerk_publishable_key"] = "pk_test_Y2xlcmsuZXhhbXBsZSQ="
    values["clerk_secret_key"] = f"sk_test_{'z' * 32}"
    values["replicate_webhook_secret"] = f"whsec_{'y' * 32}"
    uri = "mongodb://hexwave:pass%40word@localhost:27017/"
    assert set(Settings.model_validate(values | {"mongodb_uri": uri}).secrets) == {
        *values.values(),
        f"ably_api_key-{'x' * 32}",
        "pass%40word",
        "pass@word",
    }
