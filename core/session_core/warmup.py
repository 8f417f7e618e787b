"""Preloads what first calls would wait for."""

from __future__ import annotations

from session_core.errors import ConfigError
from session_core.services import Services
from session_core.turns import Key
from session_core.vectors import is_fast

NOBODY = Key("nobody")
"""A session that need not exist: reading it opens a connection."""


class Warming:
    """Preloads for one `Sessions`; idempotent."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def load(self) -> None:
        """Load the token tables and the vectors of the static embedder. Others are not called, since that may cost
        money; one that is not installed is not asked again."""
        self._services.counter.count("ready")
        embedder, vectors = self._services.embedder, self._services.vectors
        if embedder is None or not is_fast(embedder) or vectors.lost:
            return
        try:
            await embedder.embed(["ready"])
        except ConfigError:
            vectors.lost = True
