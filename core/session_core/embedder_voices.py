"""One embedder for sync and async callers, and the queue that its calls wait in."""

from __future__ import annotations

from session_core.embedding import StaticEmbedder
from session_core.offload import OwnTurn, in_turn
from session_core.ports import Embedder
from session_core.vectors import quick
from session_core.voices import BESIDE_IN_TURN, awaitable, run_apart, threaded, threaded_in_turn


def in_both_voices(embedder: Embedder | None) -> tuple[Embedder | None, Embedder | None]:
    """The embedder for blocking and for async callers. Our static one shares the queue of questions; a user's fast one
    has its own, since it may hang."""
    if embedder is None:
        return None, None
    if isinstance(embedder, StaticEmbedder):
        return run_apart(embedder, in_turn), run_apart(embedder, BESIDE_IN_TURN)
    embedder = awaitable(embedder, "embed")
    if not quick(embedder):
        return embedder, threaded(embedder)
    own = OwnTurn()
    return run_apart(embedder, own), threaded_in_turn(embedder, own.done)
