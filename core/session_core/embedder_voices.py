"""One embedder for sync and async callers, and the queue that its calls wait in."""

from __future__ import annotations

from session_core.embedding import StaticEmbedder
from session_core.ports import Embedder
from session_core.retrieval.vectors import is_fast
from session_core.runtime.offload import SerialExecutor, inline_serially
from session_core.voices import SERIAL_THREADS, awaitable, executed_by, threaded, threaded_through


def blocking_and_async(embedder: Embedder | None) -> tuple[Embedder | None, Embedder | None]:
    """The embedder for blocking and for async callers. Our static one shares the queue of questions; a user's fast one
    has its own, since it may hang."""
    if embedder is None:
        return None, None
    if isinstance(embedder, StaticEmbedder):
        return executed_by(embedder, inline_serially), executed_by(embedder, SERIAL_THREADS)
    embedder = awaitable(embedder, "embed")
    if not is_fast(embedder):
        return embedder, threaded(embedder)
    own = SerialExecutor()
    return executed_by(embedder, own), threaded_through(embedder, own.run)
