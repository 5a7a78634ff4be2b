"""Where the bytes of packages are kept: by the digest of what they are, written once, the same for everybody."""

from collections.abc import AsyncIterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that are kept: the SHA-256 of them in hex, and how many there are."""

    digest: str
    size_bytes: int


class BlobTooLargeError(Exception):
    """More bytes came than were allowed; nothing was kept."""


class BlobMissingError(Exception):
    """Nothing is kept under this digest."""


class BlobCorruptError(Exception):
    """What is kept under this digest is something else now: nobody may use it."""


class Draft(Protocol):
    """Bytes that are all there and safe on disk, and not kept: nobody finds them under their digest.

    Methods raise OSError when the store itself cannot be used.
    """

    @property
    def blob(self) -> Blob:
        """What they become once they are kept."""
        ...

    async def open(self) -> BinaryIO:
        """The bytes as a seekable file that the caller closes; to be asked for before they are kept."""
        ...

    async def keep(self) -> None:
        """Keep them; kept already, it is the same blob. Takes a moment, however many they are."""
        ...


class BlobStore(Protocol):
    """Keeps bytes under their digest. A directory does; a registry could. Safe to use from many tasks and processes.

    Methods raise OSError when the store itself cannot be used.
    """

    async def put(self, content: AsyncIterable[bytes], *, most: int) -> Blob:
        """Keep what comes, once all of it is there and safe on disk; kept already, it is the same blob.

        Memory does not grow with it. Raises BlobTooLargeError above `most` bytes; whatever `content` raises comes out.
        """
        ...

    def drafted(self, content: AsyncIterable[bytes], *, most: int) -> AbstractAsyncContextManager[Draft]:
        """What comes, as a draft once all of it is there: it is gone on leaving unless it was kept. Raises as `put`."""
        ...

    async def open(self, digest: str) -> BinaryIO:
        """The bytes, verified, as a seekable file that the caller closes. Raises BlobMissingError, BlobCorruptError."""
        ...

    async def path(self, digest: str) -> Path:
        """A file on this machine with the bytes, verified, not to be changed. Raises as `open` does."""
        ...

    async def exists(self, digest: str) -> bool:
        """Whether something is kept under this digest; what it is has not been looked at."""
        ...

    async def delete(self, digest: str, *, older_than_s: float = 0.0) -> bool:
        """Forget the bytes, if nobody has put them since; False when there were none, or when somebody has."""
        ...

    async def sweep(self, older_than_s: float) -> int:
        """Throw away what unfinished uploads have left and nobody wrote to for so long; how many they were."""
        ...

    async def untouched(self, older_than_s: float) -> list[str]:
        """The digests that were last put so long ago."""
        ...
