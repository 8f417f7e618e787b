"""Caches state of sessions with recent checkpoints, to save a query before the next one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from session_core.ports import Checkpoint, MessageList, Version
from session_core.stores.list_parts import Before
from session_core.stores.postgres.checkpoint_plan import CheckpointPlan, ParentState, Values
from session_core.stores.postgres.states import state_from
from session_core.turns import Key

SESSIONS = 128
MESSAGES = 1_000
"""How many sessions are cached, and how many messages of each at most; views have no more."""


@dataclass(frozen=True, slots=True)
class _RecentState:
    """A session after a checkpoint: what `read_parent` would return for the next one."""

    checkpoint_id: str
    versions: Mapping[str, Version]
    seen: ParentState


class RecentStates:
    """Replaces `read_parent` when a checkpoint follows the last one that this process put.

    The cache is not trusted: a write names the state that it was computed from, and the server refuses it if the
    session has changed, or if it has a message that was assumed to be new.
    """

    def __init__(self) -> None:
        self._then: OrderedDict[Key, _RecentState] = OrderedDict()

    def seen(self, checkpoint: Checkpoint, values: Values) -> ParentState | None:
        """The cached session before `checkpoint`; None if it must be read."""
        then = self._before(checkpoint)
        lists = [channel for channel, value in values.items() if isinstance(value, MessageList)]
        if then is None or any(name in then.versions and name not in then.seen.before for name in lists):
            return None
        return then.seen

    def note(
        self, checkpoint: Checkpoint, values: Values, planned: CheckpointPlan | None, state: Mapping[str, Any]
    ) -> None:
        """Cache the session with `state` after `checkpoint`."""
        then, read = self._before(checkpoint), (state["version"], state["messages"], state["values_kept"])
        before = dict(then.seen.before) if then is not None else {}
        known: Mapping[str, Mapping[bytes, int]] = {}
        if planned is not None:
            before.update(planned.seen.before)
            known = planned.known
        elif then is not None and then.seen.born == state["born"] and then.seen.read[:2] == read[:2]:
            known = then.seen.known
        versions = checkpoint.versions
        before = {name: one for name, one in before.items() if name not in values and one.version == versions.get(name)}
        before.update((name, Before(versions[name], part)) for name, part in (planned.parts if planned else {}).items())
        self.forget(checkpoint.key)
        if len(known) <= MESSAGES:
            seen = ParentState(state_from(state), read, state["born"], before, known)
            self._then[checkpoint.key] = _RecentState(checkpoint.id, dict(versions), seen)
            while len(self._then) > SESSIONS:
                self._then.popitem(last=False)

    def forget(self, key: Key) -> None:
        """Drop the session."""
        self._then.pop(key, None)

    def forget_session(self, key: Key) -> None:
        """Drop the session and its namespaces."""
        for one in [one for one in list(self._then) if one.whole == key.whole]:
            self.forget(one)

    def forget_all(self) -> None:
        """Drop all sessions."""
        self._then.clear()

    def _before(self, checkpoint: Checkpoint) -> _RecentState | None:
        then = self._then.get(checkpoint.key)
        return then if then is not None and then.checkpoint_id == checkpoint.parent_id else None
