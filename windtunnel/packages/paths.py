"""Paths inside of a package: which are safe to write anywhere, and which are the same on some file system."""

import unicodedata
from collections.abc import Callable, Iterator

from windtunnel.domain.policy import PACKAGE_DEPTH_MAX, PACKAGE_PATH_MAX_CHARS
from windtunnel.packages.codes import Code

_PART_MAX_BYTES = 255
_Fault = Callable[[str, list[str]], bool]
_FAULTS: tuple[tuple[_Fault, Code, str], ...] = (
    (lambda path, _: not path, Code.PATH_UNSAFE, "The path is empty."),
    (
        lambda path, _: not path.isprintable(),
        Code.PATH_CHARACTERS,
        "The path has control characters or others that cannot be seen, or is not UTF-8.",
    ),
    (
        lambda path, _: "\\" in path,
        Code.PATH_BACKSLASH,
        "The path has a backslash, which some systems take for a separator.",
    ),
    (lambda path, _: path.startswith("/"), Code.PATH_ABSOLUTE, "The path is absolute."),
    (lambda path, _: ":" in path, Code.PATH_DRIVE, "The path has a colon: a drive or a stream on some systems."),
    (lambda _, parts: ".." in parts, Code.PATH_TRAVERSAL, "The path leads out of the package."),
    (
        lambda _, parts: "" in parts or "." in parts,
        Code.PATH_UNSAFE,
        "The path has a part that is empty or `.`.",
    ),
    (
        lambda path, _: len(path) > PACKAGE_PATH_MAX_CHARS,
        Code.PATH_TOO_LONG,
        f"The path has more than {PACKAGE_PATH_MAX_CHARS} characters.",
    ),
    (
        lambda _, parts: any(len(part.encode()) > _PART_MAX_BYTES for part in parts),
        Code.PATH_TOO_LONG,
        f"A part of the path has more than {_PART_MAX_BYTES} bytes in UTF-8, which no file system takes.",
    ),
    (
        lambda _, parts: len(parts) > PACKAGE_DEPTH_MAX,
        Code.PATH_TOO_DEEP,
        f"The path has more than {PACKAGE_DEPTH_MAX} levels.",
    ),
)


def fault_of(path: str) -> tuple[Code, str] | None:
    """Why no file of a package may have this path; None when one may."""
    parts = path.split("/")
    return next(((code, detail) for fault, code, detail in _FAULTS if fault(path, parts)), None)


def folded(path: str) -> str:
    """Equal for paths that are the same file where letter case or the composition of accents makes no difference."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def parents(path: str) -> Iterator[str]:
    """The directories that a path goes through, the outermost first."""
    parts = path.split("/")
    return ("/".join(parts[:depth]) for depth in range(1, len(parts)))


def shown(path: str) -> str:
    """A path as it can be shown to anybody: what cannot be seen is escaped, and what is too long is cut."""
    text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in path[:300])
    return text if len(text) <= PACKAGE_PATH_MAX_CHARS else f"{text[:PACKAGE_PATH_MAX_CHARS]}…"
