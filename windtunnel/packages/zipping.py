"""Writing an archive of which every byte follows from the files alone.

What a deflate compressor puts out depends on its implementation and version (zlib, zlib-ng, libdeflate), so that equal
levels do not mean equal bytes. Entries are therefore deflate streams of nothing but stored blocks, which every reader
of deflate understands and for which there is only one way to write them. The price is size: nothing is compressed.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from windtunnel.packages.entries import CANONICAL_DATE, CANONICAL_MODE
from windtunnel.packages.records import CENTRAL_SIGNATURE, DEFLATED, END_SIGNATURE, LOCAL_SIGNATURE, UTF8, VERSION_KNOWN

BLOCK_BYTES = 0xFFFF
_UNIX = 3
_COMMON = struct.Struct("<5H3L2H")


@dataclass(frozen=True, slots=True)
class _Written:
    name: bytes
    common: bytes
    at: int


class ArchiveWriter:
    """Writes files into a seekable file that is open for writing, in the order in which they are added."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._written: list[_Written] = []

    def add(self, path: str, content: Iterable[bytes]) -> None:
        """Append a file; its content comes in pieces of any size."""
        at, name = self._file.tell(), path.encode()
        self._file.write(LOCAL_SIGNATURE + _common(name, 0, 0, 0) + name)
        begin = self._file.tell()
        crc = size = 0
        blocks = _blocks(content)
        block, following = next(blocks, b""), next(blocks, None)
        while True:
            crc, size = zlib.crc32(block, crc), size + len(block)
            last = following is None
            self._file.write(struct.pack("<BHH", last, len(block), len(block) ^ BLOCK_BYTES) + block)
            if following is None:
                break
            block, following = following, next(blocks, None)
        end = self._file.tell()
        common = _common(name, crc, end - begin, size)
        self._file.seek(at + len(LOCAL_SIGNATURE))
        self._file.write(common)
        self._file.seek(end)
        self._written.append(_Written(name, common, at))

    def finish(self) -> None:
        """Write the central directory."""
        begin = self._file.tell()
        for each in self._written:
            made = struct.pack("<H", _UNIX << 8 | VERSION_KNOWN)
            rest = struct.pack("<3H2L", 0, 0, 0, CANONICAL_MODE << 16, each.at)
            self._file.write(CENTRAL_SIGNATURE + made + each.common + rest + each.name)
        size, entries = self._file.tell() - begin, len(self._written)
        self._file.write(END_SIGNATURE + struct.pack("<4H2LH", 0, 0, entries, entries, size, begin, 0))


def _common(name: bytes, crc: int, packed: int, size: int) -> bytes:
    """The part that both headers of an entry have."""
    flags = 0 if name.isascii() else UTF8
    return _COMMON.pack(VERSION_KNOWN, flags, DEFLATED, 0, CANONICAL_DATE, crc, packed, size, len(name), 0)


def _blocks(content: Iterable[bytes]) -> Iterator[bytes]:
    """The same content in pieces of exactly BLOCK_BYTES, the last one perhaps shorter."""
    waiting = bytearray()
    for piece in content:
        waiting += piece
        while len(waiting) >= BLOCK_BYTES:
            yield bytes(waiting[:BLOCK_BYTES])
            del waiting[:BLOCK_BYTES]
    if waiting:
        yield bytes(waiting)
