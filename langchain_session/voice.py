"""What the saver's work needs of the voice that was called."""

from __future__ import annotations

from dataclasses import dataclass

from session_core.leasing import Pause
from session_core.ports import SessionStore
from session_core.session import Flow
from session_core.turns import Key
from session_core.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Voice:
    """The store of the voice that was called, and flows over it."""

    store: SessionStore
    shop: Workshop
    pause: Pause

    def flow(self, key: Key) -> Flow:
        return Flow(key, self.store, self.shop)
