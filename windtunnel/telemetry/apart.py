"""Calibration in a process of its own: what others upload takes neither this process's time nor its memory."""

import asyncio
import io
import os
import resource
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from threading import Thread

from windtunnel.domain.architectures import Architecture
from windtunnel.domain.errors import ErrorCode, UnavailableError, ValidationError
from windtunnel.telemetry.calibrating import Calibrated

WALL_S = 120.0
"""Longer than any traces take that are small enough to be read."""
MEMORY_MAX_BYTES = 2 * 1024**3
"""Three times what any traces were seen to take that say something."""
NICENESS = 10
"""Answering people comes first."""

_Refused = tuple[str, str, tuple[str, ...] | None]


async def calibrated_apart(
    architecture: Architecture, traces: bytes, largest: int, *, matches: Mapping[str, str] | None = None
) -> Calibrated:
    """As `calibration_of`, of traces that were uploaded. Raises ValidationError, and UnavailableError when it fails."""
    answer = await asyncio.to_thread(_asked, architecture, traces, largest, dict(matches or {}))
    if answer is None:
        raise UnavailableError(
            "The traces could not be read in time, or take too much memory. Try again with fewer.",
            code=ErrorCode.TIMEOUT,
        )
    if isinstance(answer, Calibrated):
        return answer
    message, rule, path = answer
    raise ValidationError(message, rule=rule, path=path)


def _asked(
    architecture: Architecture, traces: bytes, largest: int, matches: dict[str, str]
) -> Calibrated | _Refused | None:
    """The answer of a fresh process; None when it did not answer in time, or died."""
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(theirs, architecture, traces, largest, matches), daemon=True)
    with ours:
        with theirs:
            process.start()
        try:
            answer: Calibrated | _Refused | None = ours.recv() if ours.poll(WALL_S) else None
        except EOFError:
            answer = None
        finally:
            process.kill()
            process.join()
            process.close()
    return answer


def _work(answer: Connection, architecture: Architecture, traces: bytes, largest: int, matches: dict[str, str]) -> None:
    _keep_small()
    from windtunnel.telemetry.calibration import calibration_of

    with answer:
        try:
            answer.send(calibration_of(architecture, io.BytesIO(traces), largest, matches=matches))
        except ValidationError as refused:
            answer.send((refused.message, refused.rule, refused.path))


def _keep_small() -> None:
    """Bounds for this process, and an end with the one that started it."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_MAX_BYTES, MEMORY_MAX_BYTES))
    with suppress(OSError):
        os.nice(NICENESS)
    Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
