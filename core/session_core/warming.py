"""Preloads what first calls would wait for."""

from __future__ import annotations

from session_core.errors import ConfigError
from session_core.turns import Key
from session_core.vectors import quick
from session_core.workshop import Workshop

NOBODY = Key("nobody")
"""A session that may be there or not: to ask for it opens a connection."""


class Warming:
    """Loads for one `Sessions`; may be asked any number of times."""

    def __init__(self, workshop: Workshop) -> None:
        self._shop = workshop

    async def load(self) -> None:
        """The tables that count tokens, and the vectors of an embedder that has them itself; another is not asked,
        since that may cost money. An embedder that is not there at all is not asked again."""
        self._shop.counter.count("ready")
        embedder, vectors = self._shop.embedder, self._shop.vectors
        if embedder is None or not quick(embedder) or vectors.lost:
            return
        try:
            await embedder.embed(["ready"])
        except ConfigError:
            vectors.lost = True
