"""Whom code runs as: root gives it a user of the run's own, anybody else can only give their own."""

import os
import secrets
from pathlib import Path

_FIRST_OF_OURS = 0x6000_0000
_LAST_OF_OURS = 0x6FFF_FFFF
"""Far from the users of people, services and containers."""
_SMALLEST_SHARE = 1_000


def own_user() -> int:
    """A user of the host that nothing else runs as, -1 when we are not root and cannot give one."""
    if os.geteuid() != 0:
        return -1
    ranges = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    first, count = max(((inside, count) for inside, _, count in ranges), key=lambda share: share[1])
    if first <= _FIRST_OF_OURS and first + count > _LAST_OF_OURS:
        return _FIRST_OF_OURS + secrets.randbelow(_LAST_OF_OURS - _FIRST_OF_OURS)
    if count < _SMALLEST_SHARE:
        return -1
    return first + count // 2 + secrets.randbelow(count // 2)  # in a container: its upper half
