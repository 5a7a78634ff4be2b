"""Throwing away bytes that belong to no package: of uploads that nobody finished, or that were never put on record."""

from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.policy import PACKAGE_LEFTOVERS_KEPT_S
from windtunnel.packages.blobs import BlobStore
from windtunnel.storage import packages
from windtunnel.storage.store import Store

_ASKED_AT_ONCE = 1_000


async def sweep_packages(store: Store, blobs: BlobStore, *, older_than_s: float = PACKAGE_LEFTOVERS_KEPT_S) -> int:
    """Delete what nobody has written to for so long and no tenant has on record; how many things it were.

    Raises UnavailableError.
    """
    try:
        swept = await blobs.sweep(older_than_s)
        digests = await blobs.untouched(older_than_s)
        for begin in range(0, len(digests), _ASKED_AT_ONCE):
            asked = digests[begin : begin + _ASKED_AT_ONCE]
            known = await packages.of_anybody(store, asked)
            for digest in asked:
                if digest not in known:
                    swept += await blobs.delete(digest, older_than_s=older_than_s)
    except OSError as error:
        raise UnavailableError(f"The packages cannot be swept: {error.strerror}.") from error
    return swept
