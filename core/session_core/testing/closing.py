"""The promise of a store about its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from session_core.errors import StoreClosed
from session_core.plan import Digest
from session_core.ports import Lease, Marks, Plain, SessionStore, Write
from session_core.ranges import Ranges
from session_core.testing.fakes import KEY, Promise, bare_checkpoint, message


async def takes_no_call_once_it_is_closed(store: SessionStore) -> None:
    """After `close` every call raises StoreClosed, except `close` itself, which does nothing."""
    checkpoint = bare_checkpoint("1", None)
    await store.append(KEY, [message(1), message(2)])
    await store.put_checkpoint(checkpoint, {}, head_channel=None, merge=False)
    await store.close()
    await store.close()
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "append": lambda: store.append(KEY, [message(3)]),
        "load": lambda: store.load(KEY),
        "record": lambda: store.record(KEY),
        "find": lambda: store.find(KEY, "m1"),
        "search": lambda: store.search(KEY, ["words"], max_hits=1),
        "state": lambda: store.state(KEY),
        "put_digest": lambda: store.put_digest(KEY, Digest(Ranges.span(1, 1), "said"), expected=0),
        "mark": lambda: store.mark(KEY, Marks(tier=1)),
        "notices": lambda: store.notices(KEY),
        "take_lease": lambda: store.take_lease(KEY, holder="me", ttl_s=1.0),
        "drop_lease": lambda: store.drop_lease(Lease(KEY, 1, "me", 1.0)),
        "sessions": lambda: store.sessions(),
        "put_checkpoint": lambda: store.put_checkpoint(checkpoint, {}, head_channel=None, merge=False),
        "put_writes": lambda: store.put_writes(KEY, "1", [Write("task", 0, "channel", Plain("t", b"x"))]),
        "checkpoint": lambda: store.checkpoint(KEY),
        "begin": lambda: store.begin(KEY),
        "checkpoints": lambda: store.checkpoints(KEY.tenant, KEY.session_id, None),
        "fill": lambda: store.fill(checkpoint),
        "ancestors": lambda: store.ancestors(KEY, "1", ["messages"]),
        "checkpoints_of_runs": lambda: store.checkpoints_of_runs(KEY.tenant, ["run"]),
        "parts": lambda: store.parts(KEY, ["messages"]),
        "drop_checkpoints": lambda: store.drop_checkpoints(KEY, ["1"]),
        "copy_session": lambda: store.copy_session(KEY, "a copy"),
        "holdings": lambda: store.holdings(KEY),
        "delete": lambda: store.delete(KEY),
    }
    for name, call in calls.items():
        try:
            await call()
        except StoreClosed:
            continue
        raise AssertionError(f"a closed store took a call of {name}")


CLOSING_PROMISES: tuple[Promise, ...] = (takes_no_call_once_it_is_closed,)
