"""The only reader of the environment."""

import base64
import re
import sys
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from hexwave_app.processes.errors import SettingsError

_ROOT = Path(__file__).parents[1]


_PREFIX = "HEXWAVE_"
_SECRET_LENGTH = 32
_SECRET = re.compile(r"(key|keys|key_id|token|secret)$")
_TLS_OR_LOOPBACK = r"^(https://[^/\s@]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?)$"
_PUBLISHABLE = re.compile(r"pk_(?:test|live)_([A-Za-z0-9+/=_-]+)")


def _listed(text: object) -> object:
    return [part.strip() for part in text.split(",") if part.strip()] if isinstance(text, str) else text


def _this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


_Amount = Annotated[int, Field(ge=0, description="a whole number; 0 is no limit")]


class Settings(BaseSettings):
    """Read from the environment, then `.env.local`, then `.env`. Every one is optional; empty is unset."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_file=(_ROOT / ".env", _ROOT / ".env.local"),
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        validate_default=True,
    )

    data_dir: Path = _ROOT / "data"
    public_url: Annotated[
        str | None, Field(pattern=r"^https?://[^/\s]+", description="an address such as https://example.org")
    ] = None
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 3000
    secret_key: Annotated[
        str | None,
        Field(
            min_length=_SECRET_LENGTH,
            description=f"{_SECRET_LENGTH} random characters or more, such as `openssl rand -hex 32` prints, "
            "and must be set where HEXWAVE_PUBLIC_URL or HEXWAVE_HOST lets others than this machine in",
        ),
    ] = None
    old_secret_keys: Annotated[
        tuple[Annotated[str, Field(min_length=_SECRET_LENGTH)], ...],
        NoDecode,
        BeforeValidator(_listed),
        Field(description=f"earlier secrets with commas, {_SECRET_LENGTH} characters or more each"),
    ] = ()
    log_format: Annotated[Literal["text", "json"], Field(description="text or json")] = "text"
    metrics_token: Annotated[
        str | None,
        Field(min_length=_SECRET_LENGTH, description=f"{_SECRET_LENGTH} random characters or more"),
    ] = None
    trusted_proxies: Annotated[
        tuple[IPv4Network | IPv6Network, ...],
        NoDecode,
        BeforeValidator(_listed),
        Field(description="addresses or networks with commas, such as 127.0.0.1,10.0.0.0/8"),
    ] = ()

    admins: Annotated[
        tuple[str, ...], NoDecode, BeforeValidator(_listed), Field(description="ids of users with commas")
    ] = ()

    user_creations_per_minute: _Amount = 60
    user_creations_per_day: _Amount = 2000
    user_running: _Amount = 50
    address_creations_per_minute: _Amount = 240
    user_references_per_minute: _Amount = 20
    address_references_per_minute: _Amount = 80
    user_tokens_per_minute: _Amount = 120
    address_tokens_per_minute: _Amount = 600
    process_webhooks_per_minute: _Amount = 600
    address_webhooks_per_minute: _Amount = 6000
    user_sign_ins_per_minute: _Amount = 30
    address_sign_ins_per_minute: _Amount = 120

    mongodb_uri: Annotated[
        str | None,
        Field(
            validation_alias="MONGODB_URI",
            pattern=r"^mongodb(\+srv)?://",
            description="a MongoDB URI such as mongodb://localhost:27017/hexwave?replicaSet=rs0",
        ),
    ] = None
    redis_url: Annotated[
        str | None,
        Field(
            validation_alias="REDIS_URL",
            pattern=r"^(rediss?|unix)://",
            description="an address such as redis://user:password@host:6379/0",
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

    otlp_endpoint: Annotated[
        str | None,
        Field(
            validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
            pattern=r"^https?://[^/\s@]+",
            description="the address of a collector such as http://127.0.0.1:4318",
        ),
    ] = None
    otlp_headers: Annotated[
        str | None,
        Field(
            validation_alias="OTEL_EXPORTER_OTLP_HEADERS",
            pattern=r"^\s*[^=,\s]+=[^,]*(,\s*[^=,\s]+=[^,]*)*$",
            description="headers with commas, name=value, their values percent-encoded",
        ),
    ] = None

    workers: Annotated[
        int,
        Field(
            ge=1,
            description="1, or a larger number where MONGODB_URI, REDIS_URL and ABLY_API_KEY are set, "
            "by which workers share what they know",
        ),
    ] = 1
    drain_seconds: Annotated[int, Field(ge=0, le=600, description="a whole number from 0 to 600")] = 0

    clerk_publishable_key: Annotated[
        str | None,
        Field(
            validation_alias="CLERK_PUBLISHABLE_KEY",
            description="a publishable key of Clerk, pk_test_... or pk_live_..., "
            "set where CLERK_SECRET_KEY is",
        ),
    ] = None
    clerk_secret_key: Annotated[
        str | None,
        Field(
            validation_alias="CLERK_SECRET_KEY",
            description="a secret key of Clerk, sk_test_... or sk_live_..., set where "
            "CLERK_PUBLISHABLE_KEY is",
        ),
    ] = None
    clerk_issuer: Annotated[
        str | None,
        Field(
            validation_alias="CLERK_ISSUER",
            pattern=_TLS_OR_LOOPBACK,
            description="the address of Clerk's frontend API such as https://clerk.example.org; "
            "plain http on this machine only",
        ),
    ] = None
    clerk_api_url: Annotated[
        str,
        Field(
            validation_alias="CLERK_API_URL",
            pattern=_TLS_OR_LOOPBACK,
            description="the address of Clerk's backend API; plain http on this machine only",
        ),
    ] = "https://api.clerk.com"

    provider: Annotated[str | None, Field(description="the name of a provider that is set up")] = None
    fallback_provider: Annotated[str | None, Field(description="the name of a provider that is set up")] = (
        None
    )
    replicate_api_token: Annotated[
        str | None, Field(validation_alias="REPLICATE_API_TOKEN", description="an API token of Replicate")
    ] = None
    replicate_webhook_secret: Annotated[
        str | None,
        Field(
            validation_alias="REPLICATE_WEBHOOK_SECRET",
            pattern=r"^whsec_[A-Za-z0-9+/]{24,}={0,2}$",
            description="a signing secret, whsec_...",
        ),
    ] = None
    external_api_url: Annotated[
        str | None,
        Field(pattern=r"^https?://[^/\s@]+", description="an address such as https://example.org/generate"),
    ] = None
    external_api_key: str | None = None
    openai_api_key: Annotated[
        str | None, Field(validation_alias="OPENAI_API_KEY", description="an OpenAI API key")
    ] = None
    openai_base_url: Annotated[
        str | None,
        Field(
            validation_alias="OPENAI_BASE_URL",
            pattern=r"^https?://[^/\s@]+",
            description="an address such as https://api.openai.com/v1",
        ),
    ] = None
    openai_image_models: Annotated[
        str | None,
        Field(validation_alias="OPENAI_IMAGE_MODELS", description="names of models with commas"),
    ] = None
    comfyui_url: Annotated[
        str | None,
        Field(
            validation_alias="COMFYUI_URL",
            pattern=r"^https?://[^/\s@]+",
            description="an address such as http://127.0.0.1:8188",
        ),
    ] = None
    comfyui_workflow: Annotated[
        Path | None,
        Field(validation_alias="COMFYUI_WORKFLOW", description="the path of a workflow in the API format"),
    ] = None
    comfyui_checkpoint: Annotated[
        str | None, Field(validation_alias="COMFYUI_CHECKPOINT", description="the file name of a checkpoint")
    ] = None
    fal_key: Annotated[str | None, Field(validation_alias="FAL_KEY", description="an API key of fal")] = None

    s3_bucket: Annotated[
        str | None,
        Field(
            validation_alias="S3_BUCKET",
            pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
            description="the name of a bucket, without its address",
        ),
    ] = None
    s3_endpoint: Annotated[
        str | None,
        Field(
            validation_alias="S3_ENDPOINT",
            pattern=r"^https?://[^/\s]+/?$",
            description="an address such as https://s3.example.org, without the bucket",
        ),
    ] = None
    s3_region: Annotated[str, Field(validation_alias="S3_REGION")] = "us-east-1"
    s3_access_key_id: Annotated[
        str | None, Field(validation_alias="S3_ACCESS_KEY_ID", description="set where S3_BUCKET is")
    ] = None
    s3_secret_access_key: Annotated[
        str | None, Field(validation_alias="S3_SECRET_ACCESS_KEY", description="set where S3_BUCKET is")
    ] = None

    @field_validator("secret_key")
    @classmethod
    def _set_where_others_come(cls, key: str | None, others: ValidationInfo) -> str | None:
        public = urlsplit(others.data.get("public_url") or "").hostname
        if key is None and not all(map(_this_machine, filter(None, (public, others.data.get("host"))))):
            raise ValueError("missing")
        return key

    @field_validator("redis_url")
    @classmethod
    def _has_a_port_or_none(cls, url: str | None) -> str | None:
        # Raises ValueError for one that is no number.
        _ = urlsplit(url or "").port
        return url

    @field_validator("workers")
    @classmethod
    def _several_share_what_they_know(cls, workers: int, others: ValidationInfo) -> int:
        shared = (others.data.get(name) for name in ("mongodb_uri", "redis_url", "ably_api_key"))
        if workers > 1 and not all(shared):
            raise ValueError("missing")
        return workers

    @field_validator("s3_access_key_id", "s3_secret_access_key")
    @classmethod
    def _goes_with_the_bucket(cls, key: str | None, others: ValidationInfo) -> str | None:
        if key is None and others.data.get("s3_bucket") is not None:
            raise ValueError("missing")
        return key

    @field_validator("clerk_publishable_key")
    @classmethod
    def _names_a_host(cls, key: str | None) -> str | None:
        if key is not None:
            _frontend_api(key)
        return key

    @field_validator("clerk_secret_key")
    @classmethod
    def _goes_with_the_publishable_key(cls, key: str | None, others: ValidationInfo) -> str | None:
        # A publishable key that is wrong is told of by itself.
        if "clerk_publishable_key" in others.data and (
            (key is None) != (others.data["clerk_publishable_key"] is None)
        ):
            raise ValueError("one of two")
        if key is not None and not key.startswith(("sk_test_", "sk_live_")):
            raise ValueError("no secret key")
        return key

    @property
    def clerk_frontend_api(self) -> str | None:
        """Where Clerk's tokens and scripts come from; `None` where nobody signs in."""
        if self.clerk_publishable_key is None:
            return None
        return self.clerk_issuer or f"https://{_frontend_api(self.clerk_publishable_key)}"

    @property
    def local(self) -> bool:
        """Whether only this machine is let in."""
        public = urlsplit(self.public_url or "").hostname
        return all(map(_this_machine, filter(None, (public, self.host))))

    @property
    def secrets(self) -> Iterator[str]:
        """Every value that must not be logged."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            if _SECRET.search(name) and value:
                yield from (value,) if isinstance(value, str) else value
            elif isinstance(value, str) and (password := urlsplit(value).password):
                yield from {password, unquote(password)}
        yield from self.collector_headers.values()
        if self.ably_api_key is not None:
            # A key of Ably is its name and what is secret of it.
            yield self.ably_api_key.partition(":")[2]

    @property
    def collector_headers(self) -> dict[str, str]:
        """What a collector of traces is sent with each request, such as a key."""
        pairs = (each.strip().partition("=") for each in (self.otlp_headers or "").split(",") if each.strip())
        return {name: unquote(value).strip() for name, _, value in pairs}

    @property
    def database_path(self) -> Path:
        return self.data_dir / "hexwave.db"

    @property
    def base_url(self) -> str:
        """Where providers on this machine, or in the world where `public_url` is set, reach us."""
        return (self.public_url or self.listened_at).rstrip("/")

    @property
    def listened_at(self) -> str:
        """Where this machine reaches us."""
        return f"http://{self._loopback}:{self.port}"

    @property
    def secure(self) -> bool:
        """Whether browsers reach us over TLS."""
        return self.base_url.startswith("https://")

    @property
    def _loopback(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"[{host}]" if ":" in host else host


def _frontend_api(publishable_key: str) -> str:
    """The host, in base64 with a `$` behind it, that a publishable key is made of; else ValueError."""
    form = _PUBLISHABLE.fullmatch(publishable_key)
    encoded = form[1] if form else ""
    host = base64.b64decode(encoded + "=" * (-len(encoded) % 4)).decode("ascii")
    if not re.fullmatch(r"[a-z0-9.-]+(:\d+)?\$", host):
        raise ValueError("no host")
    return host.removesuffix("$")


def read_settings() -> Settings:
    """The settings, or a `SettingsError` whose one line says which to change."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        # Without pydantic's own words, which repeat the value.
        raise SettingsError(f"{_variable(name)} cannot work: {_reason(name, first['msg'])}.") from None


def _check() -> None:
    """End with the line in which a setting that cannot work is named."""
    try:
        read_settings()
    except SettingsError as error:
        sys.exit(error.message)


def _variable(name: str) -> str:
    alias = Settings.model_fields[name.lower()].validation_alias
    return alias if isinstance(alias, str) else _PREFIX + name.upper()


def _reason(name: str, said: str) -> str:
    form = Settings.model_fields[name.lower()].description
    return f"it must be {form}" if form else said


if __name__ == "__main__":
    _check()
