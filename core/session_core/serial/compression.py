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
_CHECKSUM_BYTES = 3
_HEAD = b"\x28\xb5\x2f\xfd" + bytes((0, 4 << 3))
"""The constant frame header: format, no length, name or checksum, and a window of 16 KB; it is not stored."""
_SHORTEST_TO_BYTES = 1_500
_SHORTEST_LEVEL, _SHORT_LEVEL, _LONG_LEVEL = 4, 5, 3
"""300 characters take 4 us, and one more level would save 1 % in twice the time; of 4 KB it saves 6 %, in 44 us."""


class _Pool(Generic[T]):
    """A pool of idle compressors; another is created whenever all are in use."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._idle: list[T] = []

    def take(self) -> T:
        try:
            return self._idle.pop()
        except IndexError:
            return self._make()

    def give_back(self, compressor: T) -> None:
        self._idle.append(compressor)


_dictionary = ZstdCompressionDict(DICTIONARY)


def _compressor(level: int) -> ZstdCompressor:
    parameters = ZstdCompressionParameters.from_level(
        level,
        source_size=_SHORTEST_TO_BYTES,
        dict_size=len(DICTIONARY),
        write_content_size=False,
        write_checksum=False,
        write_dict_id=False,
    )
    return ZstdCompressor(dict_data=_dictionary, compression_params=parameters)


def _decompressor() -> ZstdDecompressor:
    return ZstdDecompressor(dict_data=_dictionary)


_shortest = _Pool(partial(_compressor, _SHORTEST_LEVEL))
_short = _Pool(partial(_compressor, _SHORT_LEVEL))
_decompressors = _Pool(_decompressor)


def compress_short(data: bytes) -> bytes:
    """`data`, at most `SHORT_TO_BYTES`, compressed with the dictionary."""
    pool = _shortest if len(data) <= _SHORTEST_TO_BYTES else _short
    compressor = pool.take()
    compressed = compressor.compress(data)
    pool.give_back(compressor)
    return _checksum(data) + compressed[len(_HEAD) :]


def decompress_short(data: bytes) -> bytes:
    """The inverse of `compress_short`. Raises: ZstdError if it is damaged."""
    decompressor = _decompressors.take()
    frame = _HEAD + data[_CHECKSUM_BYTES:]
    found = decompressor.decompress(frame, max_output_size=SHORT_TO_BYTES, allow_extra_data=False)
    _decompressors.give_back(decompressor)
    if _checksum(found) != data[:_CHECKSUM_BYTES]:
        raise ZstdError("wrong checksum")
    return found


def compress(data: bytes) -> bytes:
    """`data` of any length, compressed without the dictionary."""
    return ZstdCompressor(level=_LONG_LEVEL, write_checksum=True).compress(data)


def decompress(data: bytes) -> bytes:
    """The inverse of `compress`. Raises: ZstdError if it is damaged."""
    # In chunks: the header of damaged data could request any amount of memory.
    decompressor = ZstdDecompressor().decompressobj()
    found = decompressor.decompress(data)
    if not decompressor.eof or decompressor.unused_data:
        raise ZstdError("wrong end")
    return found


def _checksum(data: bytes) -> bytes:
    return (crc32(data) & 0xFFFFFF).to_bytes(_CHECKSUM_BYTES, "big")
