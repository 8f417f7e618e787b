"""Compression with Zstandard: short texts with `dictionary.DICTIONARY`, long ones without.

A compressor serves one thread at a time and is expensive to create. So unused ones are kept for the next caller; the
child of a fork does not use one that another thread was using.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar
from zlib import crc32

from zstandard import (
    ZstdCompressionDict,
    ZstdCompressionParameters,
    ZstdCompressor,
    ZstdDecompressor,
    ZstdError,
)

from session_core.serial.dictionary import DICTIONARY

T = TypeVar("T")

SHORT_TO_BYTES = 16_000
"""Above this size the dictionary saves less than it costs."""
_CHECK_BYTES = 3
_HEAD = b"\x28\xb5\x2f\xfd" + bytes((0, 4 << 3))
"""The constant frame header: format, no length, name or checksum, and a window of 16 KB; it is not stored."""
_SHORTEST_TO_BYTES = 1_500
_SHORTEST_LEVEL, _SHORT_LEVEL, _LONG_LEVEL = 4, 5, 3
"""300 characters take 4 us, and one more level would save 1 % in twice the time; of 4 KB it saves 6 %, in 44 us."""


class _Pool(Generic[T]):
    """A pool of idle compressors; another is created whenever all are in use."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._waiting: list[T] = []

    def take(self) -> T:
        try:
            return self._waiting.pop()
        except IndexError:
            return self._make()

    def give_back(self, one: T) -> None:
        self._waiting.append(one)


_told = ZstdCompressionDict(DICTIONARY)


def _writer(level: int) -> ZstdCompressor:
    parameters = ZstdCompressionParameters.from_level(
        level,
        source_size=_SHORTEST_TO_BYTES,
        dict_size=len(DICTIONARY),
        write_content_size=False,
        write_checksum=False,
        write_dict_id=False,
    )
    return ZstdCompressor(dict_data=_told, compression_params=parameters)


def _reader() -> ZstdDecompressor:
    return ZstdDecompressor(dict_data=_told)


_shortest = _Pool(partial(_writer, _SHORTEST_LEVEL))
_short = _Pool(partial(_writer, _SHORT_LEVEL))
_readers = _Pool(_reader)


def compress_short(data: bytes) -> bytes:
    """`data`, at most `SHORT_TO_BYTES`, compressed with the dictionary."""
    idle = _shortest if len(data) <= _SHORTEST_TO_BYTES else _short
    writer = idle.take()
    made = writer.compress(data)
    idle.give_back(writer)
    return _check(data) + made[len(_HEAD) :]


def decompress_short(data: bytes) -> bytes:
    """The inverse of `compress_short`. Raises: ZstdError if it is damaged."""
    reader = _readers.take()
    frame = _HEAD + data[_CHECK_BYTES:]
    found = reader.decompress(frame, max_output_size=SHORT_TO_BYTES, allow_extra_data=False)
    _readers.give_back(reader)
    if _check(found) != data[:_CHECK_BYTES]:
        raise ZstdError("another check")
    return found


def compress(data: bytes) -> bytes:
    """`data` of any length, compressed without the dictionary."""
    return ZstdCompressor(level=_LONG_LEVEL, write_checksum=True).compress(data)


def decompress(data: bytes) -> bytes:
    """The inverse of `compress`. Raises: ZstdError if it is damaged."""
    # In chunks: the header of damaged data could request any amount of memory.
    reader = ZstdDecompressor().decompressobj()
    found = reader.decompress(data)
    if not reader.eof or reader.unused_data:
        raise ZstdError("another end")
    return found


def _check(data: bytes) -> bytes:
    return (crc32(data) & 0xFFFFFF).to_bytes(_CHECK_BYTES, "big")
