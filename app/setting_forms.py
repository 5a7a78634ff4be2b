"""What settings may look like: the forms of addresses, lists and keys, each with what is allowed instead."""

import re
from ipaddress import ip_address, ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

from app.sign_in.addresses import is_safe
from windtunnel.delivery.addresses import read_allowance
from windtunnel.domain.errors import ValidationError
from windtunnel.telemetry.collector import headers_of


def _is_address(url: str, schemes: str) -> bool:
    """Whether it is a URL of one of the schemes, with a port that can be one; several hosts pass."""
    if not re.match(rf"({schemes})://", url):
        return False
    try:
        return "," in urlsplit(url).netloc or urlsplit(url).port != 0
    except ValueError:
        return False


def _database(value: str) -> str | None:
    if value and not (re.match(r"sqlite:///.", value) or _is_address(value, r"postgres(ql)?")):
        raise ValueError("sqlite:///PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE")
    return value or None


def _redis(value: str) -> str | None:
    if value and not _is_address(value, "rediss?|unix"):
        raise ValueError("redis://HOST:PORT/DATABASE, rediss:// or unix://")
    return value or None


def _dask(value: str) -> str | None:
    if value and not (_is_address(value, "tcp|tls") and re.fullmatch(r"\w+://[^\s/?#@,]+:\d+", value)):
        raise ValueError("tcp://HOST:PORT or tls://HOST:PORT, of a Dask scheduler")
    return value or None


def _server(value: str) -> str:
    if not _is_address(value, "https?"):
        raise ValueError("http://HOST:PORT or https://HOST")
    return value.rstrip("/")


def _collector(value: str) -> str | None:
    if value and not (_is_address(value, "https?") and re.fullmatch(r"[^\s?#]+", value)):
        raise ValueError("http://HOST:PORT or https://HOST, of a collector that takes OTLP over HTTP")
    return value or None


def _headers(value: str) -> str:
    try:
        headers_of(value)
    except ValidationError as error:
        raise ValueError("a list like name=value,other=value") from error
    return value


def _issuer(value: str) -> str | None:
    if value and not (is_safe(value) and re.fullmatch(r"[^\s?#]+", value)):
        raise ValueError("https://HOST/PATH as in the `iss` of its tokens, or http:// on this machine")
    return value or None


def _comma_separated(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _origins(value: list[str]) -> list[str]:
    if not all(re.fullmatch(r"https?://[^/\s]+", origin) for origin in value):
        raise ValueError("origins like https://app.example.org, separated by commas")
    return value


def _networks(value: list[str]) -> list[str]:
    return [str(ip_network(each)) if "/" in each else str(ip_address(each)) for each in value]


def _destinations(value: list[str]) -> list[str]:
    read_allowance(value)
    return value


def _secret_keys(value: list[str]) -> list[str]:
    if value:
        from windtunnel.vault.key_files import KeyRefusedError
        from windtunnel.vault.sealing import Vault

        try:
            Vault.of_text(value)
        except KeyRefusedError as error:
            raise ValueError(str(error)) from None
    return value


DatabaseUrl = Annotated[str, AfterValidator(_database)]
RedisUrl = Annotated[str, AfterValidator(_redis)]
DaskAddress = Annotated[str, AfterValidator(_dask)]
ServerUrl = Annotated[str, AfterValidator(_server)]
CollectorUrl = Annotated[str, AfterValidator(_collector)]
Headers = Annotated[str, AfterValidator(_headers)]
Issuer = Annotated[str, AfterValidator(_issuer)]

_Listed = Annotated[list[str], NoDecode, BeforeValidator(_comma_separated)]
Origins = Annotated[_Listed, AfterValidator(_origins)]
Networks = Annotated[_Listed, AfterValidator(_networks)]
Destinations = Annotated[_Listed, AfterValidator(_destinations)]
SecretKeys = Annotated[_Listed, AfterValidator(_secret_keys)]
