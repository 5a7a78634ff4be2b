"""How much a database keeps."""

from windtunnel.storage.store import Store

_BYTES = {
    # What was freed is used again before the file grows.
    "sqlite": (
        "SELECT (page_count - freelist_count) * page_size AS bytes"
        " FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
    ),
    "postgres": (
        "SELECT CAST(COALESCE(SUM(pg_total_relation_size(oid)), 0) AS BIGINT) AS bytes"
        " FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
    ),
}


async def bytes_of(store: Store) -> int:
    """What the tables of this database take, with their indexes; on PostgreSQL those of its schema."""
    rows = await store.fetch(_BYTES[store.dialect])
    return int(rows[0]["bytes"])
