"""The only reader of the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from hexwave_app.processes.errors import SettingsError

_ROOT = Path(__file__).parents[1]


def _named(name: str) -> AliasChoices:
    return AliasChoices(name)


class Settings(BaseSettings):
    """Read from the environment, then `.env.local`, then `.env`. Every one is optional."""

    model_config = SettingsConfigDict(
        env_file=(_ROOT / ".env", _ROOT / ".env.local"), extra="ignore", frozen=True, populate_by_name=True
    )

    data_dir: Annotated[Path, Field(validation_alias=_named("HEXWAVE_DATA_DIR"))] = _ROOT / "data"
    secret_key: Annotated[str | None, Field(validation_alias=_named("HEXWAVE_SECRET_KEY"), min_length=32)] = None
    public_url: Annotated[str | None, Field(validation_alias=_named("HEXWAVE_PUBLIC_URL"))] = None
    host: Annotated[str, Field(validation_alias=_named("HEXWAVE_HOST"))] = "127.0.0.1"
    port: Annotated[int, Field(validation_alias=_named("HEXWAVE_PORT"), ge=1, le=65535)] = 3000
    ably_api_key: Annotated[
        str | None, Field(validation_alias=_named("ABLY_API_KEY"), pattern=r"^[^.:]+\.[^.:]+:.+$")
    ] = None
    ably_endpoint: Annotated[str | None, Field(validation_alias=_named("ABLY_ENDPOINT"))] = None

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
        raise SettingsError(f"{first['loc'][0]} cannot work: {first['msg']}.") from error
