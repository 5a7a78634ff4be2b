"""The record of a run: what the launcher notes for whoever has to know how it went, or has to end it."""

import os


def started_at(pid: int) -> int:
    """When the process started, in ticks since the host did: with the pid it names one process for good.

    Raises OSError when there is none.
    """
    return int(fields_of(pid)[19])


def fields_of(pid: int) -> list[bytes]:
    """What the kernel tells of the process, from its state on (`man 5 proc`: stat). Raises OSError."""
    descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    try:
        text = os.read(descriptor, 4096)
    finally:
        os.close(descriptor)
    if not text:
        raise ProcessLookupError(pid)
    return text[text.rindex(b")") + 2 :].split()


def note(descriptor: int, *words: object) -> None:
    """Add a line; its first word says what it is."""
    os.write(descriptor, (" ".join(str(word) for word in words) + "\n").encode("utf-8", "replace"))
