"""Checking a package without running anything of it: archive, manifest, and every file against the manifest.

Whatever is wrong is a finding, never an exception; memory does not grow with the package.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO

from windtunnel.domain.packages import PackageCheck
from windtunnel.domain.policy import PACKAGE_MANIFEST_MAX_BYTES
from windtunnel.domain.words import counted
from windtunnel.packages.archive import Archive, read_archive
from windtunnel.packages.codes import Code, Passed
from windtunnel.packages.contents import DamagedError, unpacked
from windtunnel.packages.entries import MANIFEST_PATH, Entry
from windtunnel.packages.findings import Findings, passed
from windtunnel.packages.manifest import Manifest
from windtunnel.packages.reading import identity_of, read_manifest
from windtunnel.packages.references import check_references


@dataclass(frozen=True, slots=True)
class CheckedPackage:
    """What is known of a package once it was checked. `manifest_digest` is that of the bytes of `agent.json`.

    `entries` are the files that can be read; there may be some also when the package did not pass.
    """

    manifest: Manifest | None
    manifest_digest: str | None
    entries: tuple[Entry, ...]
    checks: tuple[PackageCheck, ...]

    @property
    def passed(self) -> bool:
        """Whether no finding keeps it from being deployed."""
        return not any(check.blocks for check in self.checks)


def check_package(file: BinaryIO, *, namespace: str | None = None) -> CheckedPackage:
    """Check the package in a seekable file; with a `namespace`, its name must be in that one.

    Takes as long as unpacking it does, and blocks for so long: call it in a thread. Raises OSError alone.
    """
    findings = Findings()
    archive = read_archive(file, findings)
    done = (
        []
        if findings.block
        else [passed(Passed.ARCHIVE_SOUND, f"{counted(len(archive.entries), 'file')}, nothing hidden.")]
    )
    before = findings.number
    data = _manifest_bytes(file, archive, findings)
    manifest = None if data is None else read_manifest(data, findings)
    if manifest:
        if namespace is not None and manifest.namespace != namespace:
            findings.add(Code.NAMESPACE_FOREIGN, f"name: Its namespace is not {namespace!r}.", MANIFEST_PATH)
        check_references(manifest, findings)
    if manifest and findings.number == before:
        done.append(passed(Passed.MANIFEST_VALID, f"{manifest.name} {manifest.version}"))
    before = findings.number
    _check_files(file, archive, manifest, findings)
    if manifest and not archive.bomb and findings.number == before:
        done.append(passed(Passed.FILES_COMPLETE, f"{counted(len(manifest.files), 'file')}, as the manifest says."))
    return CheckedPackage(
        manifest=manifest,
        manifest_digest=None if data is None else sha256(data).hexdigest(),
        entries=archive.entries,
        checks=(*findings.checks, *done),
    )


def identify(file: BinaryIO) -> tuple[str | None, str | None]:
    """Name and version of the package in a seekable file, each None when it does not tell; only that is unpacked."""
    findings = Findings()
    data = _manifest_bytes(file, read_archive(file, findings), findings)
    return (None, None) if data is None else identity_of(data)


def _manifest_bytes(file: BinaryIO, archive: Archive, findings: Findings) -> bytes | None:
    if MANIFEST_PATH not in archive.names:
        if archive.names or not findings.block:  # else nothing could be found
            findings.add(Code.MANIFEST_MISSING, f"There is no {MANIFEST_PATH}.", MANIFEST_PATH)
        return None
    if archive.first != MANIFEST_PATH:
        findings.add(Code.MANIFEST_NOT_FIRST, f"The first entry is not {MANIFEST_PATH}.", MANIFEST_PATH)
    if (entry := archive.entry(MANIFEST_PATH)) is None:
        return None  # what is wrong with it has been said
    if entry.size > PACKAGE_MANIFEST_MAX_BYTES:
        limit = f"{PACKAGE_MANIFEST_MAX_BYTES:,}"
        findings.add(Code.MANIFEST_UNREADABLE, f"It has {entry.size:,} bytes; {limit} are allowed.", MANIFEST_PATH)
        return None
    try:
        return b"".join(unpacked(file, entry))
    except DamagedError as damaged:
        findings.add(Code.ENTRY_DAMAGED, str(damaged), MANIFEST_PATH)
        return None


def _check_files(file: BinaryIO, archive: Archive, manifest: Manifest | None, findings: Findings) -> None:
    """Unpack every file into nothing, and compare it with what the manifest says of it."""
    for entry in archive.entries:
        if archive.bomb or entry.path == MANIFEST_PATH:
            continue
        digest = sha256()
        try:
            for piece in unpacked(file, entry):
                digest.update(piece)
        except DamagedError as damaged:
            findings.add(Code.ENTRY_DAMAGED, str(damaged), entry.path)
            continue
        if manifest is None:
            continue
        listed = manifest.files.get(entry.path)
        if listed is None:
            findings.add(Code.FILE_UNLISTED, "The manifest does not list the file.", entry.path)
        elif (listed.size, listed.sha256) != (entry.size, digest.hexdigest()):
            findings.add(Code.FILE_DIFFERENT, "The file is not the one that the manifest lists.", entry.path)
    for path in manifest.files if manifest else ():
        if path not in archive.names:
            findings.add(Code.FILE_MISSING, "The manifest lists the file, and the archive does not have it.", path)
