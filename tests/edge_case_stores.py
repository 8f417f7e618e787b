"""Where the corner tests run: SQLite and Redis, each in both voices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from every_store import Servers
from side_by_side import SMALL, Build, Script, under_ours, under_theirs

from session_core import Policy


class CornerCase:
    """One store in one voice; each call has an empty place of its own."""

    def __init__(self, url: str, voice: str) -> None:
        self.url = url
        self.voice = voice

    def ours(self, build: Build, script: Script, policy: Policy = SMALL) -> Any:
        """What `script` returns of the graph under `SessionSaver`."""
        return under_ours(build, script, self.url, self.voice, policy)

    def same(self, build: Build, script: Script, policy: Policy = SMALL) -> Any:
        """What `script` returns, which must be the same under InMemorySaver."""
        ours = self.ours(build, script, policy)
        assert ours == under_theirs(build, script, self.voice)
        return ours


PLACES = ("sqlite-blocking", "sqlite-awaiting", "redis-blocking", "redis-awaiting")


def corner_at(place: str, folder: Path, servers: Servers) -> CornerCase:
    """One of `PLACES`, empty."""
    kind, voice = place.split("-")
    if kind == "sqlite":
        return CornerCase(f"sqlite:///{folder}/chat.db", voice)
    with servers.redis.client() as client:
        client.flushall()
    return CornerCase(servers.redis.url, voice)
