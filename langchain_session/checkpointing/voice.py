"""What the saver needs in each voice (sync or async)."""

from __future__ import annotations

from dataclasses import dataclass

from session_core import Policy, Sessions
from session_core.errors import ConfigError
from session_core.leasing import Pause
from session_core.ports import Leasing, SessionStore
from session_core.services import Services
from session_core.session import Flow
from session_core.turns import Key


@dataclass(frozen=True, slots=True)
class Voice:
    """The store of one voice, and session flows over it."""

    store: SessionStore
    services: Services
    pause: Pause
    leases: Leasing

    def flow(self, key: Key) -> Flow:
        return Flow(key, self.store, self.services)


DEFAULT_URL = "memory://"


def sessions_at(place: Sessions | str, url: str | None, policy: Policy | None) -> Sessions:
    """The sessions passed to a saver, or those at a URL. Raises: ConfigError for anything else."""
    if url is not None:
        if place != DEFAULT_URL:
            raise ConfigError(f"SessionSaver({type(place).__name__}, url=...) names two stores; pass only one")
        place = url
    if isinstance(place, Sessions):
        if policy is not None:
            raise ConfigError("these sessions have their own policy; pass it to Sessions(..., policy=...)")
        return place
    if not isinstance(place, str):
        raise ConfigError(f"SessionSaver({type(place).__name__}); pass a URL such as sqlite:///chat.db, or a Sessions")
    return Sessions(place, policy=policy)
