"""A privileged statement: a text that SQLite runs as it is, and that is a function of the database on PostgreSQL."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from windtunnel.storage.dialects import POSTGRES, render

Caller = Literal["api", "worker"]

PREFIX = "windtunnel_"


@dataclass(frozen=True, slots=True)
class Privileged:
    """One statement in `dialects.render`'s language; `parameters` are PostgreSQL types, `returns` what follows RETURNS.

    It may not use more than its parameters and `{now}`. `callers`: the processes that may call it. One that is called
    for every request is worth keeping its plan (`keeps_plan`, for a SELECT that returns a TABLE): PostgreSQL plans a
    function in SQL anew each time, which takes three times as long as running it.
    """

    name: str
    parameters: Sequence[str]
    returns: str
    sql: str
    callers: Sequence[Caller]
    keeps_plan: bool = False

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
        language = "sql"
        if self.keeps_plan:
            language, body = "plpgsql", f"#variable_conflict use_column\nBEGIN RETURN QUERY {self._typed(body)}; END"
        return (
            f"CREATE FUNCTION {self.function} RETURNS {self.returns} LANGUAGE {language} VOLATILE SECURITY DEFINER"
            f" SET search_path = {{schema}}, pg_temp AS $privileged$ {body} $privileged$"
        )

    def _typed(self, body: str) -> str:
        """The SELECT with the very types of `returns`: this language does not convert them."""
        columns = re.findall(r"(\w+) (\w+)[,)]", self.returns)
        cast = ", ".join(f"CAST(found.{name} AS {type_})" for name, type_ in columns)
        return f"SELECT {cast} FROM ({body}) AS found"  # noqa: S608
