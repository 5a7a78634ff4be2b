"""Calibration in a process of its own: what others upload takes neither this process's time nor its memory."""

import asyncio
import io
from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.connection import Connection

from windtunnel.domain.architectures import Architecture
from windtunnel.domain.errors import ErrorCode, UnavailableError, ValidationError
from windtunnel.telemetry.calibrating import Calibrated

WALL_S = 120.0
"""Longer than any traces take that are small enough to be read."""

_Refused = tuple[str, str, tuple[str, ...] | None]


async def calibrated_apart(
    architecture: Architecture, traces: bytes, largest: int, *, matches: Mapping[str, str] | None = None
) -> Calibrated:
    """As `calibration_of`, of traces that were uploaded. Raises ValidationError, and UnavailableError when it fails."""
    answer = await asyncio.to_thread(_asked, architecture, traces, largest, dict(matches or {}))
    if answer is None:
        raise UnavailableError("The traces could not be read in time. Try again with fewer.", code=ErrorCode.TIMEOUT)
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
    from windtunnel.telemetry.calibration import calibration_of

    with answer:
        try:
            answer.send(calibration_of(architecture, io.BytesIO(traces), largest, matches=matches))
        except ValidationError as refused:
            answer.send((refused.message, refused.rule, refused.path))
