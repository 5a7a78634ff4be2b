"""Unpacking one entry piece by piece: never more than its headers promised, whatever the data says."""

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from windtunnel.packages.entries import Entry
from windtunnel.packages.records import STORED

PIECE_BYTES = 64 * 1024


class DamagedError(Exception):
    """The data of an entry is not what its headers say; the message is one sentence."""


def unpacked(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    """The content of an entry, in pieces of at most PIECE_BYTES.

    Raises DamagedError as soon as it is longer than promised, and at its end when it is shorter or its checksum wrong.
    """
    size = crc = 0
    for piece in (_stored if entry.method == STORED else _inflated)(file, entry):
        size += len(piece)
        if size > entry.size:
            raise DamagedError(f"It unpacks to more than the {entry.size:,} bytes that its headers promise.")
        crc = zlib.crc32(piece, crc)
        yield piece
    if size != entry.size:
        raise DamagedError(f"It unpacks to {size:,} bytes; its headers promise {entry.size:,}.")
    if crc != entry.crc:
        raise DamagedError("Its checksum is not that of its headers.")


def _stored(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    at, end = entry.data_at, entry.data_at + entry.packed
    while at < end:
        piece = _read(file, at, min(PIECE_BYTES, end - at))
        at += len(piece)
        yield piece


def _inflated(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    at, end = entry.data_at, entry.data_at + entry.packed
    waiting = b""
    try:
        while not inflater.eof:
            if not waiting and at < end:
                waiting = _read(file, at, min(PIECE_BYTES, end - at))
                at += len(waiting)
            given = len(waiting)
            piece = inflater.decompress(waiting, PIECE_BYTES)
            waiting = inflater.unconsumed_tail
            if piece:
                yield piece
            elif not inflater.eof and at == end and len(waiting) == given:
                raise DamagedError("Its packed data ends too early.")
    except zlib.error:
        raise DamagedError("Its packed data is no deflate stream.") from None
    if at < end or inflater.unused_data or waiting:
        raise DamagedError("There is more packed data than its content needs.")


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    if not (piece := file.read(size)):
        raise DamagedError("The archive ends in the middle of it.")
    return piece
