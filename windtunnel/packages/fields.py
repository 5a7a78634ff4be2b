"""The kinds of values that a manifest is made of, with their bounds."""

import json
from typing import Annotated

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StringConstraints
from pydantic.alias_generators import to_camel

from windtunnel.domain.packages import DIGEST_PATTERN, NAME_PATTERN, VERSION_MAX_CHARS, VERSION_PATTERN
from windtunnel.domain.policy import PACKAGE_PATH_MAX_CHARS
from windtunnel.packages.entries import MANIFEST_PATH
from windtunnel.packages.paths import fault_of

META_MAX_BYTES = 64 * 1024

_LINE = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
_TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_IDENTIFIER = r"[A-Za-z_][A-Za-z0-9_]*"

CALLABLE_PATTERN = rf"^{_IDENTIFIER}(?:\.{_IDENTIFIER})*:{_IDENTIFIER}(?:\.{_IDENTIFIER})*$"
"""`package.module:function`."""
ADDRESS_PATTERN = r"^https://[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+$"


class Part(BaseModel):
    """An object in a manifest: nothing is converted, and what is not known is refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel, allow_inf_nan=False)


def _path(value: str) -> str:
    if fault := fault_of(value):
        raise ValueError(fault[1])
    if value == MANIFEST_PATH:
        raise ValueError(f"`{MANIFEST_PATH}` cannot hold its own digest and is not listed.")
    return value


def _specifier(value: str) -> str:
    try:
        SpecifierSet(value)
    except InvalidSpecifier as error:
        raise ValueError("It is no version specifier like `>=3.11`.") from error
    return value


def _host_and_port(value: str) -> str:
    if not 1 <= int(value.rpartition(":")[2]) <= 65_535:
        raise ValueError("A port is a number from 1 to 65535.")
    return value


def _small(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if len(json.dumps(value).encode()) > META_MAX_BYTES:
        raise ValueError(f"All of it together has at most {META_MAX_BYTES:,} bytes.")
    return value


Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_LINE)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=2_000, pattern=_TEXT)]
Argument = Annotated[str, StringConstraints(max_length=1_000, pattern=r"^[^\x00]*$")]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Address = Annotated[str, StringConstraints(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
AgentName = Annotated[str, StringConstraints(max_length=127, pattern=NAME_PATTERN)]
ExactVersion = Annotated[str, StringConstraints(max_length=VERSION_MAX_CHARS, pattern=VERSION_PATTERN)]
Digest = Annotated[str, StringConstraints(pattern=DIGEST_PATTERN)]
Path = Annotated[str, StringConstraints(min_length=1, max_length=PACKAGE_PATH_MAX_CHARS), AfterValidator(_path)]
PythonVersions = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_specifier)]
HostAndPort = Annotated[
    str,
    StringConstraints(
        max_length=261, pattern=r"^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$"
    ),
    AfterValidator(_host_and_port),
]
SecretName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,199}$")]
"""The key of an entry of production's configuration."""
MetaKey = Annotated[
    str, StringConstraints(max_length=200, pattern=rf"^{_LABEL}(?:\.{_LABEL})+(?:/[A-Za-z0-9][A-Za-z0-9._-]*)?$")
]
Meta = Annotated[dict[MetaKey, JsonValue], AfterValidator(_small)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
