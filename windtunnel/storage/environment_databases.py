"""The databases of environments: what every kind of them can do. Each is a database of its own, with its own store."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from windtunnel.domain.environments import EnvironmentKey
from windtunnel.storage.environment_files import EnvironmentFiles
from windtunnel.storage.environment_schemas import EnvironmentSchemas
from windtunnel.storage.store import Store


class EnvironmentDatabases(Protocol):
    """Makes, opens and removes the databases of environments; all of it can be repeated after a half-done try."""

    def locator(self, namespace: str) -> str:
        """Where the database is, in words for people: a file, a schema."""
        ...

    async def create(self, key: EnvironmentKey) -> None:
        """Make the database, empty and at the current schema, unless it is there. Raises UnavailableError."""
        ...

    async def open(self, key: EnvironmentKey) -> Store:
        """A store on the database, at the current schema. Raises UnavailableError, also when it is not there."""
        ...

    async def remove(self, namespace: str) -> None:
        """End what uses the database and remove all of it; nothing happens when there is none.

        Raises UnavailableError, and DependedOnError when something that is not ours belongs to it.
        """
        ...

    async def exists(self, namespace: str) -> bool:
        """Whether anything of the database is there."""
        ...

    async def all(self) -> Sequence[str]:
        """The namespaces of all the databases there are, whosever they are."""
        ...


def databases_beside(home: Store, directory: Path) -> EnvironmentDatabases:
    """Of the kind that the database at home is: schemas in it, or files in the directories of the environments."""
    return EnvironmentSchemas(home) if home.dialect == "postgres" else EnvironmentFiles(directory)
