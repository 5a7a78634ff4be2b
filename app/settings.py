"""Settings: the only module that reads the environment. A bad one stops the start with one sentence."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.refusals import PREFIX, refused, unknown
from app.setting_forms import (
    CollectorUrl,
    DaskAddress,
    DatabaseUrl,
    Destinations,
    Headers,
    Issuer,
    Networks,
    Origins,
    RedisUrl,
    SecretKeys,
    ServerUrl,
)
from windtunnel.domain.policy import POINTS_PER_MINUTE, SIMULATIONS_WAITING_PER_TENANT, SOCKETS_PER_VIEWER
from windtunnel.telemetry.collector import Collector, collector_of

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


class SettingsError(Exception):
    """A setting cannot be used; the message is one sentence for the operator."""


class Settings(BaseSettings):
    """Everything that can be set from outside, with the embedded defaults."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", frozen=True, populate_by_name=True, env_ignore_empty=True
    )

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    data_dir: Path = Path(".windtunnel")
    database_url: DatabaseUrl | None = Field(None, repr=False)
    owner_database_url: DatabaseUrl | None = Field(None, repr=False)
    worker_database_url: DatabaseUrl | None = Field(None, repr=False)
    redis_url: RedisUrl | None = Field(None, repr=False)
    auth: Literal["dev", "token", "oidc"] = "dev"
    oidc_issuer: Issuer | None = None
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
    allowed_origins: Origins = []
    trusted_proxies: Networks = []
    prices: Path | None = None
    dask_scheduler: DaskAddress | None = None
    webhook_allow: Destinations = []
    secrets_key: SecretKeys = Field([], repr=False)
    server: ServerUrl = "http://127.0.0.1:8000"
    token: str | None = Field(None, repr=False)
    metrics_token: Annotated[str, Field(min_length=16)] | None = Field(None, repr=False)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    test_clock: Literal["0", "1"] = "0"
    clock_offset: timedelta = timedelta(0)
    openai_api_key: str | None = Field(None, validation_alias="OPENAI_API_KEY", repr=False)
    openai_base_url: str | None = Field(None, validation_alias="OPENAI_BASE_URL", repr=False)
    otlp_endpoint: CollectorUrl | None = Field(None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT", repr=False)
    otlp_headers: Headers | None = Field(None, validation_alias="OTEL_EXPORTER_OTLP_HEADERS", repr=False)
    semconv_opt_in: str | None = Field(None, validation_alias="OTEL_SEMCONV_STABILITY_OPT_IN")

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
