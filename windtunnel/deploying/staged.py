"""Packages that are unpacked where they run: read-only, whole, as they were packed."""

from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from windtunnel.deploying.target import FailureCode, Release, ReleaseError
from windtunnel.domain.packages import is_digest
from windtunnel.packages.entries import MANIFEST_PATH
from windtunnel.packages.findings import Findings
from windtunnel.packages.manifest import Manifest
from windtunnel.packages.reading import read_manifest
from windtunnel.packages.shelf import Shelf


class StagedPackages:
    """Below `directory` one shelf for each agent. Methods block, and raise OSError."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def place(self, release: Release) -> Path:
        """Where the files of the release are, or would be."""
        return self._shelf(release).place(release.digest)

    def put(self, release: Release, file: BinaryIO) -> None:
        """Unpack the package in `file`, which is closed, unless it is there; one that was changed is replaced.

        Raises ReleaseError, and what `Shelf.put` raises.
        """
        shelf = self._shelf(release)
        with file:
            (self._directory / release.agent_id).mkdir(mode=0o755, parents=True, exist_ok=True)
            shelf.put(file, release.digest)
            if not shelf.is_whole(release.digest, self.manifest(release)):
                shelf.discard(release.digest)
                file.seek(0)
                shelf.put(file, release.digest)
        if not shelf.is_whole(release.digest, self.manifest(release)):
            raise ReleaseError(FailureCode.DAMAGED, "Its files are not what its manifest says.")

    def all(self) -> list[tuple[str, str]]:
        """The agents' ids with the digests of what is staged for them."""
        found = (place for place in self._directory.glob("*/packages/*") if is_digest(place.name))
        return sorted((place.parent.parent.name, place.name) for place in found)

    def manifest(self, release: Release) -> Manifest:
        """The manifest of what is staged. Raises ReleaseError."""
        manifest = read_manifest(self._manifest_bytes(release), Findings())
        if manifest is None:
            raise ReleaseError(FailureCode.DAMAGED, "Its manifest cannot be read.")
        return manifest

    def manifest_digest(self, release: Release) -> str:
        """The digest of the very bytes of its manifest. Raises ReleaseError."""
        return sha256(self._manifest_bytes(release)).hexdigest()

    def discard(self, release: Release) -> None:
        """Take it away, if it is there."""
        self._shelf(release).discard(release.digest)

    def _manifest_bytes(self, release: Release) -> bytes:
        try:
            return (self.place(release) / MANIFEST_PATH).read_bytes()
        except FileNotFoundError:
            raise ReleaseError(FailureCode.DAMAGED, "It has no manifest.") from None

    def _shelf(self, release: Release) -> Shelf:
        return Shelf(self._directory / release.agent_id / "packages")
