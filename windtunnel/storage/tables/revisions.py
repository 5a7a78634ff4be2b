"""What the database knows of itself."""

from typing import Any, cast

from piccolo.columns import BigInt, Integer, Varchar
from piccolo.table import Table

from windtunnel.storage.bindings import BoundEngine

_DB = cast("Any", BoundEngine())


class SchemaRevisions(Table, db=_DB, tablename="schema_revisions"):
    """Which migrations this database has seen."""

    number = Integer(primary_key=True)
    name = Varchar(100)
    applied_ms = BigInt()
