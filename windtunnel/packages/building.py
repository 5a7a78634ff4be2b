"""Building a package of a directory: the same files give the same bytes, on every machine."""

import json
import os
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from windtunnel.domain.packages import PackageCheck
from windtunnel.domain.policy import PACKAGE_FILES_MAX, PACKAGE_MANIFEST_MAX_BYTES, PACKAGE_UNPACKED_MAX_BYTES
from windtunnel.packages.checking import check_package
from windtunnel.packages.entries import MANIFEST_PATH
from windtunnel.packages.paths import fault_of, shown
from windtunnel.packages.reading import UnreadableError, parse_object
from windtunnel.packages.zipping import ArchiveWriter

ARCHIVE_SUFFIX, SIGNATURE_SUFFIX = ".agent.zip", ".dsse.json"
LEFT_OUT_DIRECTORIES = frozenset(
    {".git", ".hg", ".svn", ".venv", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".idea", ".vscode"}
)
LEFT_OUT_FILES = frozenset({".DS_Store", "Thumbs.db"})
_LEFT_OUT_SUFFIXES = (".pyc", ARCHIVE_SUFFIX, SIGNATURE_SUFFIX)
_PIECE_BYTES = 1024 * 1024


class BuildError(Exception):
    """No package can be built of this directory; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Built:
    """A package that was written to `path`; `left_out` are the paths that are never packed."""

    path: Path
    digest: str
    size_bytes: int
    checks: tuple[PackageCheck, ...]
    left_out: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether no finding keeps it from being deployed."""
        return not any(check.blocks for check in self.checks)


def build_package(directory: Path, output: Path | None = None) -> Built:
    """Pack a directory with its `agent.json`, in which `files` is filled in.

    Without `output` it is written to the working directory, by the name and version of the agent. What comes out is
    checked as the server would: it is written also when it does not pass. Raises BuildError.
    """
    left_out: list[str] = []
    files = dict(sorted(_found(directory, left_out), key=lambda found: found[0].encode()))
    draft = _draft(directory, files)
    target = output or Path(_file_name(draft))
    digests = {path: _digest_and_size(file) for path, file in files.items() if path != MANIFEST_PATH}
    draft["files"] = {path: {"sha256": digest, "size": size} for path, (digest, size) in digests.items()}
    manifest = (json.dumps(draft, ensure_ascii=False, indent=2) + "\n").encode()
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("w+b") as file:
            writer = ArchiveWriter(file)
            writer.add(MANIFEST_PATH, [manifest])
            for path in digests:
                writer.add(path, _pieces(files[path]))
            writer.finish()
            checked = check_package(file)
        digest, size = _digest_and_size(temporary)
        temporary.replace(target)
    except OSError as error:
        raise BuildError(f"{str(target)!r} cannot be written: {_reason(error)}.") from None
    finally:
        temporary.unlink(missing_ok=True)
    return Built(target, digest, size, checked.checks, tuple(left_out))


def _found(directory: Path, left_out: list[str]) -> Iterator[tuple[str, Path]]:
    """Every file to be packed, with its path in the package."""
    number = total = 0
    for root, directories, names in os.walk(directory, onerror=_refuse):
        base = Path(root).relative_to(directory)
        left_out += [f"{(base / name).as_posix()}/" for name in sorted({*directories} & LEFT_OUT_DIRECTORIES)]
        directories[:] = sorted({*directories} - LEFT_OUT_DIRECTORIES)
        for name in [name for name in directories if (Path(root) / name).is_symlink()]:
            raise BuildError(f"{(base / name).as_posix()!r} is a link; put the files themselves in its place.")
        for name in sorted(names):
            path = (base / name).as_posix()
            if name in LEFT_OUT_FILES or name.endswith(_LEFT_OUT_SUFFIXES):
                left_out.append(path)
                continue
            if fault := fault_of(path):
                raise BuildError(f"{shown(path)!r} cannot be packed. {fault[1]}")
            about = (Path(root) / name).lstat()
            if not stat.S_ISREG(about.st_mode):
                raise BuildError(f"{shown(path)!r} is no plain file; put the file itself in its place.")
            number, total = number + 1, total + about.st_size
            if number > PACKAGE_FILES_MAX or total > PACKAGE_UNPACKED_MAX_BYTES:
                raise BuildError(
                    f"The directory has more than {PACKAGE_FILES_MAX:,} files or"
                    f" {PACKAGE_UNPACKED_MAX_BYTES // 2**20} MiB; leave out what the agent does not need."
                )
            yield path, Path(root) / name


def _draft(directory: Path, files: dict[str, Path]) -> dict[str, Any]:
    if MANIFEST_PATH not in files:
        raise BuildError(f"There is no {MANIFEST_PATH} in {str(directory)!r}.")
    try:
        with files[MANIFEST_PATH].open("rb") as file:
            return parse_object(file.read(PACKAGE_MANIFEST_MAX_BYTES + 1))
    except UnreadableError as error:
        raise BuildError(f"{MANIFEST_PATH} cannot be used. {error}") from None
    except OSError as error:
        raise BuildError(f"{MANIFEST_PATH} cannot be read: {_reason(error)}.") from None


def _file_name(draft: dict[str, Any]) -> str:
    """`name-version.agent.zip` of the agent's slug, or of whatever there is in its place."""
    stem = f"{str(draft.get('name', '')).rpartition('/')[2] or 'agent'}-{draft.get('version', '0')}"
    return "".join(char if char.isalnum() or char in ".-+_" else "-" for char in stem)[:150] + ARCHIVE_SUFFIX


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def _digest_and_size(path: Path) -> tuple[str, int]:
    digest, size = sha256(), 0
    for piece in _pieces(path):
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


def _refuse(error: OSError) -> None:
    raise BuildError(f"{str(error.filename)!r} cannot be read: {_reason(error)}.")


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
