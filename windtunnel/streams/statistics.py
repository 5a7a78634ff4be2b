"""Counters of one process's streams: what a test of lost events alone cannot see."""

from dataclasses import dataclass


@dataclass(slots=True)
class Statistics:
    """Items delivered to followers by how they came, and what went wrong on the way.

    `replayed` were stored before the follower had caught up, `live` came over the bus, `reread` had to be read from
    the log after that. `lagged` counts buffers given up because their client was slow, `reconnects` lost connections
    to the bus server, `dropped` messages that were never sent, `failed_reads` reads of the log that were tried again.
    """

    replayed: int = 0
    live: int = 0
    reread: int = 0
    lagged: int = 0
    reconnects: int = 0
    dropped: int = 0
    failed_reads: int = 0

    @property
    def live_share(self) -> float:
        """The share of items that came over the bus, of all that came after the replay; 1 when none did."""
        followed = self.live + self.reread
        return self.live / followed if followed else 1.0
