"""Preloads what first calls would wait for."""

from __future__ import annotations

from session_core.errors import ConfigError
from session_core.retrieval.vectors import is_fast
from session_core.services import Services
from session_core.turns import Key

NOBODY = Key("nobody")
"""A session that need not exist: reading it opens a connection."""


async def preload(services: Services) -> None:
    """Load the token tables and the vectors of the static embedder; idempotent. Others are not called, since that may
    cost money; one that is not installed is not asked again."""
    services.counter.count("ready")
    embedder, vectors = services.embedder, services.vectors
    if embedder is None or not is_fast(embedder) or vectors.lost:
        return
    try:
        await embedder.embed(["ready"])
    except ConfigError:
        vectors.lost = True
