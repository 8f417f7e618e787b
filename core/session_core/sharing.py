"""One shared store per URL and process, for adapters that frameworks create anew for each call."""

from __future__ import annotations

import atexit
import os
import warnings
from dataclasses import dataclass, field

from session_core.errors import ConfigError
from session_core.policy import Policy, require_policy
from session_core.ports import SessionStore
from session_core.runtime.forks import ForkSafeLock
from session_core.sessions import Sessions
from session_core.stores.open import open_store
from session_core.stores.urls import shown_url
from session_core.voices import run_blocking

MANY_POLICIES = 16
"""So many policies for one URL may be intended; more probably mean that each call creates one."""


@dataclass(slots=True)
class _Opened:
    """What is open for one URL."""

    store: SessionStore
    by_policy: dict[Policy, Sessions] = field(default_factory=dict)


_opened: dict[tuple[str, int], _Opened] = {}
_sharing = ForkSafeLock()


def shared_sessions(url: str, policy: Policy | None = None) -> Sessions:
    """The `Sessions` that this process keeps open for `url` and `policy`; a forked process has its own.

    All policies of a URL share one store and its connections. They are closed at exit. A policy that is created for
    each call costs nothing as long as it equals the last one; if none does, a warning says so.
    """
    if not isinstance(url, str):
        raise ConfigError(f"url={type(url).__name__}; pass a URL such as sqlite:///chat.db, or sessions=")
    policy = require_policy(policy)
    with _sharing:
        at = _opened.get((url, os.getpid()))
        if at is None:
            at = _opened[url, os.getpid()] = _Opened(open_store(url))
            atexit.register(_close, at)
        found = at.by_policy.get(policy)
        if found is None:
            found = at.by_policy[policy] = Sessions(at.store, policy=policy)
            found.place = shown_url(url)
            if len(at.by_policy) == MANY_POLICIES + 1:
                warnings.warn(
                    f"{len(at.by_policy)} policies are in use for {shown_url(url)} in this process, each with folds of "
                    "its own until the process ends; make the Policy and its helpers once, and pass the same each time",
                    stacklevel=3,
                )
        return found


def _close(at: _Opened) -> None:
    for sessions in at.by_policy.values():
        sessions.close()
    run_blocking(at.store.close())
