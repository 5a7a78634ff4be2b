"""How many sockets and event streams each person holds open in this process."""

from collections import Counter

from windtunnel.domain.errors import QuotaError
from windtunnel.domain.viewers import Viewer

Person = tuple[str, str]


class Connections:
    """Counts connections by person; `most` None: as many as they like."""

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._open: Counter[Person] = Counter()

    def opened(self, viewer: Viewer) -> None:
        """One more, to be ended by `closed`. Raises QuotaError when the person has too many."""
        person = _person(viewer)
        used = self._open[person]
        if self._most is not None and used >= self._most:
            raise QuotaError(f"You have {used} sockets and streams open; close one first.", limit=self._most, used=used)
        self._open[person] += 1

    def closed(self, viewer: Viewer) -> None:
        """One less."""
        person = _person(viewer)
        self._open[person] -= 1
        if self._open[person] <= 0:
            del self._open[person]


def _person(viewer: Viewer) -> Person:
    return viewer.tenant_id, viewer.user.id
