"""Putting the files of a checked package into a directory, where they can be looked at and run, and not be changed."""

import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from windtunnel.domain.packages import PackageCheck
from windtunnel.packages.checking import check_package
from windtunnel.packages.contents import DamagedError, unpacked
from windtunnel.packages.entries import MANIFEST_PATH, Entry
from windtunnel.packages.manifest import Manifest

FILE_MODE, DIRECTORY_MODE = 0o444, 0o755


class PackageRefusedError(Exception):
    """The package did not pass; `checks` say why. Nothing of it was unpacked."""

    def __init__(self, checks: tuple[PackageCheck, ...]) -> None:
        super().__init__(
            next((f"{check.code}: {check.detail}" for check in checks if check.blocks), "It did not pass.")
        )
        self.checks = checks


def unpack_package(file: BinaryIO, directory: Path) -> Manifest:
    """Check the package in a seekable file and put its files into an empty directory; its manifest.

    Nothing that exists is overwritten and no link is followed; a directory that is taken away meanwhile is not made
    again. Raises PackageRefusedError; OSError, and DamagedError for bytes that changed meanwhile, may leave a part of
    the files behind.
    """
    checked = check_package(file)
    if checked.manifest is None or not checked.passed:
        raise PackageRefusedError(checked.checks)
    for entry in checked.entries:
        *folders, name = entry.path.split("/")
        target = _inside(directory, folders) / name
        digest = _write(file, entry, target)
        expected = checked.manifest_digest
        if entry.path != MANIFEST_PATH:
            expected = checked.manifest.files[entry.path].sha256
        if digest != expected:
            raise DamagedError(f"{entry.path!r} has changed while it was unpacked.")
    return checked.manifest


def _inside(directory: Path, folders: Sequence[str]) -> Path:
    """The folder in the directory, made when missing."""
    for folder in folders:
        directory /= folder
        directory.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
    return directory


def _write(file: BinaryIO, entry: Entry, target: Path) -> str:
    digest = sha256()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as opened:
        for piece in unpacked(file, entry):
            digest.update(piece)
            opened.write(piece)
    return digest.hexdigest()
