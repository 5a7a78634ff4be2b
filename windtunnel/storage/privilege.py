"""A privileged statement: a text that SQLite runs as it is, and that is a function of the database on PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from windtunnel.storage.dialects import POSTGRES, render

Caller = Literal["api", "worker"]

PREFIX = "windtunnel_"


@dataclass(frozen=True, slots=True)
class Privileged:
    """One statement in `dialects.render`'s language; `parameters` are PostgreSQL types, `returns` what follows RETURNS.

    It may not use more than its parameters and `{now}`. `callers`: the processes that may call it.
    """

    name: str
    parameters: Sequence[str]
    returns: str
    sql: str
    callers: Sequence[Caller]

    @property
    def function(self) -> str:
        """The function's signature; the last parameter shifts the clock, in milliseconds."""
        return f"{PREFIX}{self.name}({', '.join((*self.parameters, 'bigint'))})"

    @property
    def call(self) -> str:
        """The statement that calls it."""
        places = ", ".join(f"${number}" for number in range(1, len(self.parameters) + 2))
        return f"SELECT * FROM {PREFIX}{self.name}({places})"  # noqa: S608

    @property
    def definition(self) -> str:
        """The statement that makes it; `{schema}` stands for where."""
        shifted = f"({POSTGRES.now} + ${len(self.parameters) + 1})"
        body = render(self.sql.replace("{now}", shifted), POSTGRES, 0)
        return (
            f"CREATE FUNCTION {self.function} RETURNS {self.returns} LANGUAGE sql VOLATILE SECURITY DEFINER"
            f" SET search_path = {{schema}}, pg_temp AS $privileged$ {body} $privileged$"
        )
