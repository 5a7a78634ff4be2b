"""Which database this is, among all that there are: whoever makes things outside of it marks them as its own."""

from hashlib import sha256

from windtunnel.storage.store import Store

_MARK_CHARS = 16
_FACTS = {
    "sqlite": (
        "SELECT file || ' ' || (SELECT MIN(applied_ms) FROM schema_revisions) AS facts"
        " FROM pragma_database_list WHERE name = 'main'"
    ),
    "postgres": (
        "SELECT concat_ws(' ', system_identifier, current_schema(),"
        " (SELECT oid FROM pg_database WHERE datname = current_database())) AS facts FROM pg_control_system()"
    ),
}


async def identity_of(store: Store) -> str:
    """The same for all who have this database open, another for any other database, also for a copy of it; in hex."""
    facts: str = (await store.fetch(_FACTS[store.dialect]))[0]["facts"]
    return sha256(facts.encode()).hexdigest()[:_MARK_CHARS]
