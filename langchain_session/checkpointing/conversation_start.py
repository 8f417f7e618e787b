"""An unstored checkpoint for a conversation that began outside of the graph, so that the graph can continue it."""

from __future__ import annotations

from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.serde.base import SerializerProtocol

from langchain_session.graph_state.threads import BEGAN
from session_core.ports import Checkpoint, Plain, SessionStore, Stored
from session_core.turns import Key


async def unstored_checkpoint(
    store: SessionStore, key: Key, channel: str, version: str, serde: SerializerProtocol
) -> Checkpoint | None:
    """The session's conversation as an unstored checkpoint of a graph with the messages in `channel`; None if it is
    empty."""
    state = await store.state(key)
    if state is None or not state.head:
        return None
    metadata = {"source": "input", "step": -2, "parents": {}}
    checkpoint = {name: value for name, value in empty_checkpoint().items() if not name.startswith("channel_")}
    body = Plain(*serde.dumps_typed({"checkpoint": {**checkpoint, "id": BEGAN}, "metadata": metadata}))
    return Checkpoint(key, BEGAN, None, body, {channel: version}, {channel: Stored(state.head)})
