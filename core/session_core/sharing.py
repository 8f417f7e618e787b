"""One `Sessions` for each URL of a process, for objects that frameworks make anew for each call."""

from __future__ import annotations

import atexit
import os
import threading

from session_core.errors import ConfigError
from session_core.policy import Policy
from session_core.sessions import Sessions

_shared: dict[tuple[str, Policy, int], Sessions] = {}
_sharing = threading.Lock()


def shared(url: str, policy: Policy | None = None) -> Sessions:
    """The one `Sessions` that this process keeps open for `url` and `policy`; one that was forked has its own.

    Closed at exit.
    """
    if not isinstance(url, str):
        raise ConfigError(f"url={type(url).__name__}; pass a URL such as sqlite:///chat.db")
    place = (url, policy or Policy(), os.getpid())
    with _sharing:
        found = _shared.get(place)
        if found is None:
            found = _shared[place] = Sessions(url, policy=policy)
            atexit.register(found.close)
        return found
