"""A JSON file that somebody wrote by hand: read in full, and refused where it would not mean what it seems to."""

import codecs
import json
from collections import Counter
from pathlib import Path

from app.commands.scenario_input import InputError

FILE_MAX_BYTES = 4 * 1024 * 1024
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_json(path: Path) -> bytes:
    """The file without its byte order mark. Whether it is JSON at all is told by who knows what should be in it.

    Raises InputError for what cannot be read, is too long, in another encoding, nested too deeply, or has a key twice
    in one object: only the last one would count.
    """
    data = _bytes(path)
    if data.startswith(_UTF_16):
        raise InputError(f"The file {str(path)!r} is UTF-16. Save it as UTF-8.")
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        json.loads(data, object_pairs_hook=_told_once)
    except _TwiceError as twice:
        raise InputError(f"The file {str(path)!r} has the key {str(twice)[:80]!r} twice in one object.") from None
    except RecursionError:
        raise InputError(f"The file {str(path)!r} is nested too deeply.") from None
    except ValueError:
        pass
    return data


class _TwiceError(Exception):
    """A key is there twice."""


def _told_once(pairs: list[tuple[str, object]]) -> None:
    if len(counted := Counter(key for key, _ in pairs)) < len(pairs):
        raise _TwiceError(counted.most_common(1)[0][0])


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as opened:
            data = opened.read(FILE_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"The file {str(path)!r} cannot be read: {reason.lower()}.") from None
    if len(data) > FILE_MAX_BYTES:
        raise InputError(f"The file {str(path)!r} is too long; at most {FILE_MAX_BYTES:,} bytes are accepted.")
    return data
