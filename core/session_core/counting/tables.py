"""Finds a provider's token table on this machine, without network access."""

from __future__ import annotations

import base64
import hashlib
import importlib
import importlib.util
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

O200K = "o200k_base"
CL100K = "cl100k_base"

PIECE_CHARACTERS = 50_000
"""Longest text that is encoded in one go; byte-pair encoders slow down on long runs of one character."""


def table(encoding: str) -> Callable[[str], int] | None:
    """A function that counts tokens of `encoding`, or None if this machine has no table for it.

    Sources, in this order: the package `bpe-openai`, then a table file for `tiktoken` (its cache folders, the copy
    in llama-index-core). tiktoken releases the GIL for each text: beside a busy thread it takes 5 ms to get it back,
    for work of 10 us. Special tokens in a text count as text. Texts over `PIECE_CHARACTERS` are counted in pieces,
    cut at white space if possible: the result may be a few tokens off, usually too high.
    """
    encode = _from_bpe_openai(encoding) or _from_tiktoken(encoding)
    if encode is None:
        return None
    return lambda text: sum(len(encode(piece)) for piece in pieces(text))


def pieces(text: str) -> Iterator[str]:
    """`text` in parts of at most `PIECE_CHARACTERS`, each cut before white space if possible."""
    start = 0
    while len(text) - start > PIECE_CHARACTERS:
        end = start + PIECE_CHARACTERS
        cut = max(text.rfind(" ", start + 1, end), text.rfind("\n", start + 1, end))
        cut = cut if cut > start else end
        yield text[start:cut]
        start = cut
    yield text[start:]


def _from_tiktoken(encoding: str) -> Callable[[str], list[int]] | None:
    """`tiktoken`'s own encoder for a local table file.

    Its constructor runs with a reader of local files in place of the downloader, in a copy of its namespace:
    tiktoken itself and the process environment are not changed.
    """
    if importlib.util.find_spec("tiktoken") is None or importlib.util.find_spec("tiktoken_ext") is None:
        return None
    public = importlib.import_module("tiktoken_ext.openai_public")
    constructor = getattr(public, "ENCODING_CONSTRUCTORS", {}).get(encoding)
    if not isinstance(constructor, FunctionType) or "load_tiktoken_bpe" not in constructor.__code__.co_names:
        return None
    local = FunctionType(constructor.__code__, {**constructor.__globals__, "load_tiktoken_bpe": _read_ranks})
    try:
        parts: dict[str, Any] = local()
    except FileNotFoundError:
        return None
    encode: Callable[[str], list[int]] = importlib.import_module("tiktoken").Encoding(**parts).encode_ordinary
    return encode


def _from_bpe_openai(encoding: str) -> Callable[[str], list[int]] | None:
    if importlib.util.find_spec("bpe_openai") is None:
        return None
    with warnings.catch_warnings():
        # It opens its tables with a function that is deprecated in Python 3.11 and 3.12; users' tests must not fail.
        warnings.simplefilter("ignore", DeprecationWarning)
        package: Any = importlib.import_module("bpe_openai")
        if encoding not in package.list_encoding_names():
            return None
        encode: Callable[[str], list[int]] = package.get_encoding(encoding).encode_ordinary
    return encode


def _read_ranks(url: str, expected_hash: str | None = None) -> dict[bytes, int]:
    """The table for `url` from a local copy with the right hash. Raises: FileNotFoundError."""
    name = hashlib.sha1(url.encode(), usedforsecurity=False).hexdigest()
    for folder in _folders():
        path = folder / name
        if not path.is_file():
            continue
        data = path.read_bytes()
        if expected_hash is None or hashlib.sha256(data).hexdigest() == expected_hash:
            pairs = (line.split() for line in data.splitlines() if line)
            return {base64.b64decode(token): int(rank) for token, rank in pairs}
    raise FileNotFoundError(f"no local copy of {url}")


def _folders() -> Iterator[Path]:
    for variable in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        if os.environ.get(variable):
            yield Path(os.environ[variable])
    yield Path(tempfile.gettempdir()) / "data-gym-cache"
    # Only the top name is looked up: the spec of a sub-module would import its parents.
    spec = importlib.util.find_spec("llama_index")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(place) / "core" / "_static" / "tiktoken_cache"
