"""The closed state of a store, shared by both voices and everything that opens connections."""

from __future__ import annotations

import threading
from typing import Any

from session_core.errors import StoreClosed
from session_core.runtime.forks import FORK_GUARD


class Closing:
    """Set once and never reset, since connections opened after it would never be closed.

    It is checked at the start of each call. Calls in progress end normally, and what they hold is closed with them.
    """

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self.begun = False

    def begin(self) -> None:
        """Accept no more calls."""
        self.begun = True

    def require_open(self) -> None:
        """Raises: StoreClosed after `begin`."""
        if self.begun:
            raise StoreClosed(f"{self._shown} was closed and stays so; make a new Sessions or saver to continue")


class LockWhileOpen:
    """A reentrant lock that can be taken until the store is closed. A fork waits until it is released."""

    def __init__(self, closing: Closing) -> None:
        self._closing = closing
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._closing.require_open()
        FORK_GUARD.__enter__()
        try:
            self._lock.acquire()
        except BaseException:
            # Ctrl-C while waiting: otherwise a fork would wait for a block that never ends.
            FORK_GUARD.__exit__(None, None, None)
            raise

    def __exit__(self, *raised: Any) -> None:
        self._lock.release()
        FORK_GUARD.__exit__(*raised)
