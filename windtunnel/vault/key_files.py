"""Key files: readable by their owner alone, made whole or not at all, made once."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_SIZE_MAX = 16 * 1024


class KeyRefusedError(Exception):
    """A key cannot be used; the message is one sentence for the operator, without the key."""


def read_or_create(path: Path, make: Callable[[], bytes]) -> bytes:
    """The content of the key file at `path`; a missing one is made, with what `make` returns.

    Of many processes that come at once, one makes it and all read the same. Raises KeyRefusedError.
    """
    try:
        if not path.exists():
            _create(path, make())
        return _read(path)
    except OSError as error:
        raise KeyRefusedError(f"The key file {str(path)!r} cannot be used: {error.strerror}.") from None


def _create(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process was quicker
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        if os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o077:
            raise KeyRefusedError(f"The key file {str(path)!r} is open to others; run `chmod 600` on it.")
        content = file.read(_SIZE_MAX + 1)
    if len(content) > _SIZE_MAX:
        raise KeyRefusedError(f"The key file {str(path)!r} is too large to be one.")
    return content
