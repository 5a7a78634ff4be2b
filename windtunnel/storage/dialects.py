"""One text for every statement: the few words in which SQLite and PostgreSQL differ."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import orjson

DialectName = Literal["sqlite", "postgres"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """`now` is the database's clock in epoch milliseconds, the same throughout one statement."""

    name: DialectName
    now: str
    for_update: str
    skip_locked: str
    for_key_share: str


SQLITE = Dialect(
    name="sqlite",
    now="CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
    for_update="",  # BEGIN IMMEDIATE has locked everything already
    skip_locked="",
    for_key_share="",
)
POSTGRES = Dialect(
    name="postgres",
    now="CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000 AS BIGINT)",
    for_update="FOR UPDATE",
    skip_locked="FOR UPDATE SKIP LOCKED",
    for_key_share="FOR KEY SHARE",
)


@lru_cache(maxsize=1024)
def render(sql: str, dialect: Dialect, offset_ms: int) -> str:
    """The statement as the database understands it.

    In `sql`, `$1` is an argument, `= ANY($1)` takes a list, and `{now}` (the clock plus `offset_ms`), `{for_update}`,
    `{skip_locked}` and `{for_key_share}` (others may change the row, not delete it) stand for the dialect's words.
    """
    now = f"({dialect.now} + {offset_ms})" if offset_ms else dialect.now
    sql = (
        sql.replace("{now}", now)
        .replace("{for_update}", dialect.for_update)
        .replace("{skip_locked}", dialect.skip_locked)
        .replace("{for_key_share}", dialect.for_key_share)
    )
    if dialect.name == "sqlite":
        sql = re.sub(r"= ANY\((\$\d+)\)", r"IN (SELECT value FROM json_each(\1))", sql)
        sql = re.sub(r"\$(\d+)", r"?\1", sql)
    return sql


def sqlite_arguments(arguments: Sequence[Any]) -> list[Any]:
    """SQLite has no arrays: a list travels as JSON, see `render`."""
    return [orjson.dumps(value).decode() if isinstance(value, list) else value for value in arguments]
