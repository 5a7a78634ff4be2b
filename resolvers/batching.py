"""What one query asks for in the same breath becomes one statement."""

from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Generic, TypeVar

from strawberry.dataloader import DataLoader

G = TypeVar("G", bound=Hashable)
T = TypeVar("T")


class Grouped(Generic[G, T]):
    """Loads by (id, how): one statement for all ids that are asked for in the same way."""

    def __init__(self, load: Callable[[list[str], G], Awaitable[Mapping[str, T]]]) -> None:
        self._load = load
        self._loader: DataLoader[tuple[str, G], T] = DataLoader(self._load_all)

    async def load(self, id: str, how: G) -> T:
        """What there is of `id`, read `how`."""
        return await self._loader.load((id, how))

    async def _load_all(self, keys: list[tuple[str, G]]) -> list[T]:
        groups: dict[G, list[str]] = {}
        for raw, how in keys:
            groups.setdefault(how, []).append(raw)
        found = {how: await self._load(ids, how) for how, ids in groups.items()}
        return [found[how][raw] for raw, how in keys]


def by_id(load: Callable[[list[str]], Awaitable[Mapping[str, T]]]) -> DataLoader[str, T | None]:
    """Loads by id: None for what there is not."""

    async def load_all(ids: list[str]) -> list[T | None]:
        found = await load(ids)
        return [found.get(raw) for raw in ids]

    return DataLoader(load_all)
