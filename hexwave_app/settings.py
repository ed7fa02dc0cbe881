"""The only reader of the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from hexwave_app.processes.errors import SettingsError

_ROOT = Path(__file__).parents[1]


_PREFIX = "HEXWAVE_"


class Settings(BaseSettings):
    """Read from the environment, then `.env.local`, then `.env`. Every one is optional; empty is unset."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_file=(_ROOT / ".env", _ROOT / ".env.local"),
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    data_dir: Path = _ROOT / "data"
    secret_key: Annotated[str | None, Field(min_length=32)] = None
    public_url: Annotated[
        str | None, Field(pattern=r"^https?://[^/\s]+", description="an address such as https://example.org")
    ] = None
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 3000
    mongodb_uri: Annotated[
        str | None,
        Field(
            validation_alias="MONGODB_URI",
            pattern=r"^mongodb(\+srv)?://",
            description="a MongoDB URI such as mongodb://localhost:27017/hexwave?replicaSet=rs0",
        ),
    ] = None
    ably_api_key: Annotated[
        str | None,
        Field(
            validation_alias="ABLY_API_KEY",
            pattern=r"^[^.:]+\.[^.:]+:.+$",
            description="an Ably API key, app.key:secret",
        ),
    ] = None
    # Plain text, so never beyond this machine: the key goes with it.
    ably_endpoint: Annotated[
        str | None,
        Field(
            validation_alias="ABLY_ENDPOINT",
            pattern=r"^(localhost|127\.0\.0\.1|\[::1\]):\d+$",
            description="host:port of a server on this machine",
        ),
    ] = None

    @property
    def database_path(self) -> Path:
        return self.data_dir / "hexwave.db"

    @property
    def base_url(self) -> str:
        """Where providers on this machine, or in the world where `public_url` is set, reach us."""
        return (self.public_url or f"http://{self._loopback}:{self.port}").rstrip("/")

    @property
    def secure(self) -> bool:
        """Whether browsers reach us over TLS."""
        return self.base_url.startswith("https://")

    @property
    def _loopback(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"[{host}]" if ":" in host else host


def read_settings() -> Settings:
    """The settings, or a `SettingsError` whose one line says which to change."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise SettingsError(f"{_variable(name)} cannot work: {_reason(name, first['msg'])}.") from error


def _variable(name: str) -> str:
    return name if name.isupper() else _PREFIX + name.upper()


def _reason(name: str, said: str) -> str:
    form = Settings.model_fields[name.lower()].description
    return f"it must be {form}" if form else said
