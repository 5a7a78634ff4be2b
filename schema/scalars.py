"""Scalars beyond the built-in ones: date-times, durations, versions and JSON."""

import re
from datetime import UTC, datetime, timedelta
from typing import NewType

import strawberry
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

from windtunnel.domain.durations import format_duration, parse_duration
from windtunnel.domain.packages import is_version

SemVer = NewType("SemVer", str)
"""An exact version by Semantic Versioning 2.0.0."""

_RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?P<fraction>\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})", re.ASCII)


def write_datetime(value: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, e.g. `2026-01-02T03:04:05.678Z`."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def read_datetime(value: object) -> datetime:
    """The UTC time that an RFC 3339 text with an offset names; digits beyond the microsecond are dropped.

    Raises ValueError for anything else, times without an offset included.
    """
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise ValueError("not an RFC 3339 date-time with an offset, e.g. 2026-01-02T03:04:05.678Z")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except OverflowError:
        raise ValueError("a date-time outside the years 1 to 9999") from None


def read_duration(value: object) -> timedelta:
    """The duration that an ISO 8601 text names; ValueError for anything else."""
    if not isinstance(value, str):
        raise ValueError("not an ISO 8601 duration, e.g. PT4M30S")  # noqa: TRY004 - graphql-core expects ValueError
    return parse_duration(value)


def read_version(value: object) -> str:
    """The version that a text names; ValueError for anything else."""
    if not isinstance(value, str) or not is_version(value):
        raise ValueError("not an exact semantic version, e.g. 1.4.0")
    return value


def _same(value: object) -> object:
    return value


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="RFC 3339 date-time in UTC, e.g. 2026-01-02T03:04:05.678Z.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        serialize=write_datetime,
        parse_value=read_datetime,
    ),
    timedelta: strawberry.scalar(
        name="Duration",
        description="ISO 8601 duration, e.g. PT4M30S.",
        specified_by_url="https://en.wikipedia.org/wiki/ISO_8601#Durations",
        serialize=format_duration,
        parse_value=read_duration,
    ),
    SemVer: strawberry.scalar(
        name="SemVer",
        description="Semantic version, e.g. 1.4.0.",
        specified_by_url="https://semver.org/spec/v2.0.0.html",
        serialize=_same,
        parse_value=read_version,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value.",
        specified_by_url="https://ecma-international.org/wp-content/uploads/ECMA-404_2nd_edition_december_2017.pdf",
        serialize=_same,
        parse_value=_same,
    ),
}
"""Python types and the scalars that they are shown as."""
