"""The default embedder: static vectors of the package `wordllama`, loaded from its own folder."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from session_core.errors import ConfigError
from session_core.policy import Policy
from session_core.ports import Embedder
from session_core.retrieval.word_pieces import counting_by_pieces

WEIGHTS = "weights/l2_supercat_256.safetensors"
TOKENS = "tokenizers/l2_supercat_tokenizer_config.json"
READ_CHARACTERS = 2_000
"""Characters of a longer text that are embedded: a mean of too many words says little."""


class StaticEmbedder:
    """Vectors of 256 numbers, each the mean of those of a text's tokens; nothing is downloaded, ever.

    Loaded with the first text, once for each process: 0.3 s and 100 MB. Some 20,000 short texts a second. Its own form
    of a vector is 260 bytes: the numbers in one byte each, and by how much to multiply. Safe with several threads.
    Raises: ConfigError, where the package is not as expected; then it is not asked again.
    """

    name = "static:wordllama"

    def __init__(self) -> None:
        self._loading = threading.Lock()
        self._loaded: tuple[Any, Any, Any] | None = None
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._reset_after_fork)

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """The normalized vectors of `texts`; zeros for a text without words."""
        _, _, numpy = self._load()
        return [self._mean(text, numpy).tolist() for text in texts]

    async def packed(self, texts: Sequence[str]) -> list[bytes]:
        """The vectors of `texts` in 260 bytes each."""
        _, _, numpy = self._load()
        return [_packed(self._mean(text, numpy), numpy) for text in texts]

    def nearness(self, query: bytes, vectors: Sequence[bytes]) -> list[float]:
        """The cosine similarity of `query` and each of `vectors`, all packed."""
        _, _, numpy = self._load()
        form = numpy.dtype([("numbers", numpy.int8, (256,)), ("scale", numpy.float32)])
        wanted = numpy.frombuffer(query, dtype=form)[0]
        many = numpy.frombuffer(b"".join(vectors), dtype=form)
        # Not `@`: a product of matrices starts a thread for each processor, which costs 8 ms and more than it saves.
        sums = numpy.einsum("ij,j->i", many["numbers"].astype(numpy.float32), wanted["numbers"].astype(numpy.float32))
        nearness: list[float] = (sums * many["scale"] * wanted["scale"]).tolist()
        return nearness

    def _mean(self, text: str, numpy: Any) -> Any:
        table, encode, _ = self._load()
        spoken = text[:READ_CHARACTERS].encode("utf-8", "replace").decode()
        tokens = encode(spoken)
        if not tokens:
            return numpy.zeros(256, dtype=numpy.float32)
        # As `mean`, without its checks of the array.
        mean = numpy.add.reduce(table.take(tokens, axis=0), axis=0) / numpy.float32(len(tokens))
        return mean / max(float(numpy.sqrt(numpy.dot(mean, mean))), 1e-9)

    def _load(self) -> tuple[Any, Any, Any]:
        """The table of vectors, the tokenizer function, and numpy."""
        if self._loaded is None:
            with self._loading:
                self._loaded = self._loaded or _read()
        return self._loaded

    def _reset_after_fork(self) -> None:
        """Replace the lock, which another thread may have held when the process forked."""
        self._loading = threading.Lock()


def _read() -> tuple[Any, Any, Any]:
    """Reads the package's files without importing its code, which would configure logging for the whole process."""
    found = find_spec("wordllama")
    folder = next(iter((found.submodule_search_locations if found else None) or ()), None)
    if folder is None:
        raise ConfigError("the static embedder needs its vectors; pip install 'llm-sessions[embeddings]'")
    try:
        numpy = import_module("numpy")
        with import_module("safetensors").safe_open(str(Path(folder, WEIGHTS)), framework="np") as weights:
            # As float32: converting from float16 for each text took three times as long as the rest of a mean.
            table = weights.get_tensor("embedding.weight").astype(numpy.float32)
        tokenizer = import_module("tokenizers").Tokenizer.from_file(str(Path(folder, TOKENS)))
    except Exception as exc:
        raise ConfigError(
            f"the static embedder cannot read the vectors of wordllama ({type(exc).__name__}); reinstall it, or "
            "pass Policy(embedder=None)"
        ) from exc
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if table.shape[1] != 256:
        raise ConfigError("the static embedder expects vectors of 256 dimensions; pip install 'wordllama>=0.4'")
    return table, counting_by_pieces(tokenizer), numpy


def _packed(vector: Any, numpy: Any) -> bytes:
    most = float(numpy.abs(vector).max())
    if not most:
        return bytes(260)
    numbers: bytes = numpy.rint(vector * (127 / most)).astype(numpy.int8).tobytes()
    scale: bytes = numpy.float32(most / 127).tobytes()
    return numbers + scale


_STATIC = StaticEmbedder()


def embedder_of(policy: Policy) -> Embedder | None:
    """The embedder that `policy` selects: by default the static one if its package is installed, else none."""
    if policy.embedder != "auto":
        return cast(Embedder | None, policy.embedder)  # a plain one is made to be awaited where it is used
    return _STATIC if find_spec("wordllama") is not None else None
