"""How many sockets and event streams each person holds open in this process."""

from collections import Counter
from typing import TypeVar

from windtunnel.domain.errors import QuotaError
from windtunnel.domain.viewers import Viewer

K = TypeVar("K")
Person = tuple[str, str]


class Connections:
    """Counts connections by person, and by address those that are nobody's yet; None: as many as they like."""

    def __init__(self, most: int | None = None, unnamed: int | None = None) -> None:
        self._most = most
        self._most_unnamed = unnamed
        self._open: Counter[Person] = Counter()
        self._unnamed: Counter[str] = Counter()

    def came(self, address: str) -> None:
        """One more that is nobody's yet, until `named`. Raises QuotaError when there are too many of the address."""
        used = self._unnamed[address]
        if self._most_unnamed is not None and used >= self._most_unnamed:
            raise QuotaError(f"{used} others wait for their connection_init.", limit=self._most_unnamed, used=used)
        self._unnamed[address] += 1

    def named(self, address: str) -> None:
        """One less that is nobody's: it is somebody's now, or gone."""
        _less(self._unnamed, address)

    def opened(self, viewer: Viewer) -> None:
        """One more, to be ended by `closed`. Raises QuotaError when the person has too many."""
        person = _person(viewer)
        used = self._open[person]
        if self._most is not None and used >= self._most:
            raise QuotaError(f"You have {used} sockets and streams open; close one first.", limit=self._most, used=used)
        self._open[person] += 1

    def closed(self, viewer: Viewer) -> None:
        """One less."""
        _less(self._open, _person(viewer))


def _less(counts: Counter[K], key: K) -> None:
    counts[key] -= 1
    if counts[key] <= 0:
        del counts[key]


def _person(viewer: Viewer) -> Person:
    return viewer.tenant_id, viewer.user.id
