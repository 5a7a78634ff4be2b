"""Settings: the only module that reads the environment. A bad one stops the start with one sentence."""

import os
import re
import tomllib
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.refusals import PREFIX, refused, unknown
from app.sign_in.addresses import is_safe
from windtunnel.delivery.addresses import read_allowance
from windtunnel.domain.errors import ValidationError as RefusedError
from windtunnel.domain.policy import POINTS_PER_MINUTE, SIMULATIONS_WAITING_PER_TENANT, SOCKETS_PER_VIEWER
from windtunnel.domain.prices import ModelPrice
from windtunnel.telemetry.collector import Collector, collector_of, headers_of

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


class SettingsError(Exception):
    """A setting cannot be used; the message is one sentence for the operator."""


def _comma_separated(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _is_address(url: str, schemes: str) -> bool:
    """Whether it is a URL of one of the schemes, with a port that can be one; several hosts pass."""
    if not re.match(rf"({schemes})://", url):
        return False
    try:
        return "," in urlsplit(url).netloc or urlsplit(url).port != 0
    except ValueError:
        return False


class Settings(BaseSettings):
    """Everything that can be set from outside, with the embedded defaults."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", frozen=True, populate_by_name=True, env_ignore_empty=True
    )

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    data_dir: Path = Path(".windtunnel")
    database_url: str | None = Field(None, repr=False)
    owner_database_url: str | None = Field(None, repr=False)
    worker_database_url: str | None = Field(None, repr=False)
    redis_url: str | None = Field(None, repr=False)
    auth: Literal["dev", "token", "oidc"] = "dev"
    oidc_issuer: str | None = None
    oidc_audience: str | None = None
    planner: Literal["offline", "openai"] | None = None
    model: str = "gpt-5-mini"
    model_api: Literal["auto", "responses", "chat"] = "auto"
    max_queued: int = Field(SIMULATIONS_WAITING_PER_TENANT, ge=1)
    rate_limit: Annotated[int, Field(ge=1, le=1_000_000_000)] | Literal["off"] | None = None
    max_sockets: Annotated[int, Field(ge=1)] | Literal["off"] | None = None
    documents: Literal["off", "allow", "only"] = "allow"
    document_manifest: Path | None = None
    worker_concurrency: int = Field(400, ge=1, le=1000)
    graphiql: Literal["on", "off"] = "on"
    warm_up: Literal["on", "off"] = "on"
    allowed_origins: Annotated[list[str], NoDecode, BeforeValidator(_comma_separated)] = []
    trusted_proxies: Annotated[list[str], NoDecode, BeforeValidator(_comma_separated)] = []
    prices: Path | None = None
    dask_scheduler: str | None = None
    webhook_allow: Annotated[list[str], NoDecode, BeforeValidator(_comma_separated)] = []
    secrets_key: Annotated[list[str], NoDecode, BeforeValidator(_comma_separated)] = Field([], repr=False)
    server: str = "http://127.0.0.1:8000"
    token: str | None = Field(None, repr=False)
    metrics_token: Annotated[str, Field(min_length=16)] | None = Field(None, repr=False)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    test_clock: Literal["0", "1"] = "0"
    clock_offset: timedelta = timedelta(0)
    openai_api_key: str | None = Field(None, validation_alias="OPENAI_API_KEY", repr=False)
    openai_base_url: str | None = Field(None, validation_alias="OPENAI_BASE_URL", repr=False)
    otlp_endpoint: str | None = Field(None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT", repr=False)
    otlp_headers: str | None = Field(None, validation_alias="OTEL_EXPORTER_OTLP_HEADERS", repr=False)
    semconv_opt_in: str | None = Field(None, validation_alias="OTEL_SEMCONV_STABILITY_OPT_IN")

    @field_validator("database_url", "owner_database_url", "worker_database_url")
    @classmethod
    def _database(cls, value: str | None) -> str | None:
        if value and not (re.match(r"sqlite:///.", value) or _is_address(value, r"postgres(ql)?")):
            raise ValueError("sqlite:///PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE")
        return value or None

    @field_validator("server")
    @classmethod
    def _server(cls, value: str) -> str:
        if not _is_address(value, "https?"):
            raise ValueError("http://HOST:PORT or https://HOST")
        return value.rstrip("/")

    @field_validator("otlp_endpoint")
    @classmethod
    def _otlp_endpoint(cls, value: str | None) -> str | None:
        if value and not (_is_address(value, "https?") and re.fullmatch(r"[^\s?#]+", value)):
            raise ValueError("http://HOST:PORT or https://HOST, of a collector that takes OTLP over HTTP")
        return value or None

    @field_validator("otlp_headers")
    @classmethod
    def _otlp_headers(cls, value: str | None) -> str | None:
        try:
            headers_of(value or "")
        except RefusedError as error:
            raise ValueError("a list like name=value,other=value") from error
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str | None) -> str | None:
        if value and not _is_address(value, "rediss?|unix"):
            raise ValueError("redis://HOST:PORT/DATABASE, rediss:// or unix://")
        return value or None

    @field_validator("dask_scheduler")
    @classmethod
    def _dask_scheduler(cls, value: str | None) -> str | None:
        if value and not (_is_address(value, "tcp|tls") and re.fullmatch(r"\w+://[^\s/?#@,]+:\d+", value)):
            raise ValueError("tcp://HOST:PORT or tls://HOST:PORT, of a Dask scheduler")
        return value or None

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer(cls, value: str | None) -> str | None:
        if value and not (is_safe(value) and re.fullmatch(r"[^\s?#]+", value)):
            raise ValueError("https://HOST/PATH as in the `iss` of its tokens, or http:// on this machine")
        return value or None

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, value: list[str]) -> list[str]:
        if not all(re.fullmatch(r"https?://[^/\s]+", origin) for origin in value):
            raise ValueError("origins like https://app.example.org, separated by commas")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, value: list[str]) -> list[str]:
        return [str(ip_network(each)) if "/" in each else str(ip_address(each)) for each in value]

    @field_validator("webhook_allow")
    @classmethod
    def _webhook_allow(cls, value: list[str]) -> list[str]:
        read_allowance(value)
        return value

    @field_validator("secrets_key")
    @classmethod
    def _secrets_key(cls, value: list[str]) -> list[str]:
        if value:
            from windtunnel.vault.key_files import KeyRefusedError
            from windtunnel.vault.sealing import Vault

            try:
                Vault.of_text(value)
            except KeyRefusedError as error:
                raise ValueError(str(error)) from None
        return value

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        if self.auth == "dev" and self.host not in LOOPBACK_HOSTS:
            raise SettingsError(
                f"WINDTUNNEL_HOST={self.host!r} is refused: dev sign-in gives every role to every caller and works "
                f"on loopback addresses only ({', '.join(sorted(LOOPBACK_HOSTS))})."
            )
        if self.auth == "oidc" and not (self.oidc_issuer and self.oidc_audience):
            raise SettingsError(
                "WINDTUNNEL_AUTH='oidc' needs WINDTUNNEL_OIDC_ISSUER and WINDTUNNEL_OIDC_AUDIENCE: whose tokens count, "
                "and for whom they must have been issued."
            )
        if self.clock_offset and self.test_clock != "1":
            raise SettingsError(
                "WINDTUNNEL_CLOCK_OFFSET is refused: it shifts every deadline and is meant for tests; "
                "set WINDTUNNEL_TEST_CLOCK=1 to allow it."
            )
        if self.documents == "only" and self.document_manifest is None:
            raise SettingsError(
                "WINDTUNNEL_DOCUMENTS='only' needs WINDTUNNEL_DOCUMENT_MANIFEST: without it nothing could be asked."
            )
        if self.uses_openai and not self.openai_api_key:
            raise SettingsError("WINDTUNNEL_PLANNER='openai' needs OPENAI_API_KEY; set it, or choose 'offline'.")
        return self

    @property
    def uses_openai(self) -> bool:
        """True when a model endpoint plans: asked for, or by default when there is a key."""
        return self.planner == "openai" or (self.planner is None and bool(self.openai_api_key))

    @property
    def shows_graphiql(self) -> bool:
        """Whether there is a page to write documents in; of no use where only known ones run."""
        return self.graphiql == "on" and self.documents != "only"

    @property
    def points_per_minute(self) -> int | None:
        """What a tenant may spend; None for no limit."""
        return self._limit(self.rate_limit, POINTS_PER_MINUTE)

    @property
    def sockets_per_viewer(self) -> int | None:
        """How many sockets and streams a person may hold open; None for no limit."""
        return self._limit(self.max_sockets, SOCKETS_PER_VIEWER)

    def _limit(self, given: int | str | None, default: int) -> int | None:
        """A set limit counts in every mode; dev sign-in has none by itself."""
        if given is None:
            return None if self.auth == "dev" else default
        return given if isinstance(given, int) else None

    @property
    def collector(self) -> Collector | None:
        """Where simulated telemetry goes when somebody asks for it."""
        return collector_of(self.otlp_endpoint, self.otlp_headers) if self.otlp_endpoint else None

    @property
    def database(self) -> str:
        """The database's URL: as set, else SQLite in the data directory."""
        return self.database_url or f"sqlite:///{self.data_dir / 'windtunnel.db'}"


def load_settings(**overrides: Any) -> Settings:
    """Settings from the environment; `overrides` (from the command line) win when not None.

    Raises SettingsError with one sentence that names the variable, the value and what is allowed.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    if sentence := unknown(os.environ, (f"{PREFIX}{name.upper()}" for name in Settings.model_fields)):
        raise SettingsError(sentence)
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError(refused(error.errors(include_url=False)[0], os.environ, given)) from None


_PRICES = TypeAdapter(dict[str, ModelPrice])


def price_of_model(settings: Settings) -> ModelPrice | None:
    """What the model costs by the user's table; None without a table, or when the model is not in it."""
    return load_prices(settings.prices).get(settings.model)


def load_prices(path: Path | None) -> dict[str, ModelPrice]:
    """The user's price table: a TOML with one table per model, `input` and `output` in USD per million tokens."""
    if path is None:
        return {}
    try:
        return _PRICES.validate_python(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        reason = error.strerror or str(error)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    raise SettingsError(
        f"WINDTUNNEL_PRICES={str(path)!r} is refused: {reason}; allowed: a TOML file with tables like "
        "[gpt-5-mini] input = 0.25, output = 2.0 (USD per million tokens)."
    )
