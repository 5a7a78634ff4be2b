"""The scenario as the command line gives it: words, a file, or standard input."""

import sys
from pathlib import Path
from typing import BinaryIO

from windtunnel.domain.policy import SCENARIO_MAX_CHARS
from windtunnel.domain.scenarios import check_text

MAX_BYTES = SCENARIO_MAX_CHARS * 4 + 3
"""The longest scenario in UTF-8, with a byte order mark."""


class InputError(Exception):
    """Something on the command line cannot be used; the message is one sentence."""


def scenario_text(text: str | None, file: str | None) -> str:
    """The scenario, checked. Raises InputError or ValidationError."""
    if text is not None and file is not None:
        raise InputError("Give the scenario as TEXT or with --file, not both.")
    if text is None and file is None:
        raise InputError('Give the scenario: windtunnel simulate "TEXT", or --file FILE; - is standard input.')
    if file is not None and file != "-":
        return _checked(_read_file(file), f"The file {file!r}")
    if file == "-" or text == "-":
        return _checked(_limited(sys.stdin.buffer), "Standard input")
    return check_text(text or "", ("TEXT",))


def _read_file(name: str) -> bytes:
    try:
        with Path(name).open("rb") as opened:
            return _limited(opened)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"The file {name!r} cannot be read: {reason.lower()}.") from None


def _limited(stream: BinaryIO) -> bytes:
    data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise InputError(
            f"The scenario is too long; at most {SCENARIO_MAX_CHARS:,} characters are accepted. Shorten it."
        )
    return data


def _checked(data: bytes, name: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} is not UTF-8 text: byte {error.start + 1} cannot be read. Save it as UTF-8."
        ) from None
    return check_text(text, ("--file",))
