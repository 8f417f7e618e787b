"""Thread and namespace of a config, the start of a run, and the notes that we put into configs of runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.runnables import RunnableConfig

from session_core.errors import ConfigError, InputError
from session_core.ports import Checkpoint, Plain, SessionStore
from session_core.ranges import Ranges
from session_core.turns import Key

FORK = "fork"
"""A note in a config of ours: the checkpoint was requested by its id, so what follows replaces the head."""
BASE = "base"
"""A note in a config of ours: the messages' version, their part of the record, and what a view hid of it."""
BORN = "born"
"""A note in a config of ours: which session, of all that may have had this name, the numbers of `base` belong to."""
GONE = "gone"
"""A note in a config of ours: the record that the run started from was deleted, so all that the run has is its own."""
HANDED = "handed"
"""A note in a config of ours: the list of messages that the run got whole (see `whole_state`)."""
DOUBT = "doubt"
"""A note in a config of ours: a checkpoint that we have and the inner saver lacked when the run started."""
FROM = "from"
"""A note in a config of ours, for `reject`: the checkpoint that the run started from."""
TURN = "__pregel_llm_sessions_turn"
"""In the config of a run that holds the turn of its thread: the holder's name. Streams omit keys with this prefix."""
RUNTIME = "__pregel_runtime"
"""In the config of a `get_tuple` that LangGraph calls for a run, and in no other."""
READ = "__pregel_read"
"""In the config of a task that LangGraph runs: a function that reads the channels of its graph."""
BEGAN = "00000000-0000-6000-8000-000000000000"
"""The id of the unstored checkpoint of a conversation that began outside of a graph; older than any other id."""
ELSEWHERE = Plain("elsewhere", b"")
"""The body of a row whose checkpoint is in an inner saver (see `inner`); the row has its part of the record only."""


class NotedThreadId(str):
    """A thread id in a config of ours, with notes on what was returned with it.

    LangGraph passes the config back with what is stored next. It also appears in snapshots and streams, where it
    behaves like any other string; copies and pickles of it are plain strings.
    """

    notes: Mapping[str, Any]

    def __reduce_ex__(self, protocol: object) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


def with_notes(config: RunnableConfig, **notes: Any) -> RunnableConfig:
    """`config` with these notes added; as it is, if there are none."""
    if not notes:
        return config
    old = notes_of(config)
    thread = NotedThreadId(config["configurable"]["thread_id"])
    thread.notes = {**old, **notes}
    return {**config, "configurable": {**config["configurable"], "thread_id": thread}}


def notes_of(config: RunnableConfig) -> Mapping[str, Any]:
    """The notes in a config of ours; empty for other configs."""
    thread = config["configurable"]["thread_id"]
    return thread.notes if isinstance(thread, NotedThreadId) else {}


def forget(config: RunnableConfig) -> None:
    """Remove the notes from a run's config: the run starts from nothing, although LangGraph reuses a config of another
    checkpoint or of a parent graph."""
    names = config["configurable"]
    if isinstance(names["thread_id"], NotedThreadId):
        names["thread_id"] = str(names["thread_id"])


def forget_record(config: RunnableConfig) -> None:
    """Remove from the notes of a run what they say of the record that it started from, since that is deleted; all later
    puts of the run have these notes too."""
    thread = config["configurable"]["thread_id"]
    if isinstance(thread, NotedThreadId):
        thread.notes = {**thread.notes, BASE: (None, (), ()), BORN: None, HANDED: None, GONE: True}


def begin_anew(config: RunnableConfig | None, before: RunnableConfig | None) -> None:
    """Note in a run's config that the list before a checkpoint was empty: a subgraph is replayed from a time when it
    had no checkpoint. LangGraph continues with this config, and what it stores is a fork."""
    if config is not None and before is not None and RUNTIME in config["configurable"]:
        config["configurable"]["thread_id"] = with_notes(without_notes(config), **{FORK: True})["configurable"][
            "thread_id"
        ]


def key_of(config: RunnableConfig, tenant: str) -> Key:
    """The session of `tenant` for a config's thread and namespace.

    Raises: ConfigError if the config names another tenant, whose messages would otherwise be stored in this one;
    InputError without a thread id, since all such threads would share one session.
    """
    names = config["configurable"]
    require_tenant(names, tenant)
    if names.get("thread_id") is None:
        raise InputError(
            "the config's thread_id is None, or missing; pass the id of the conversation, as "
            'config={"configurable": {"thread_id": "user-42"}}'
        )
    return Key(str(names["thread_id"]), tenant, str(names.get("checkpoint_ns") or ""))


def require_tenant(names: Mapping[str, Any], tenant: str) -> None:
    """Raises: ConfigError if the names of a config include a tenant other than `tenant`."""
    named = names.get("tenant")
    if named is not None and str(named) != tenant:
        raise ConfigError(
            f"thread {names.get('thread_id')}: the config names tenant {str(named)!r}, but this SessionSaver has the "
            f"threads of {tenant!r}; compile the graph with SessionSaver(..., tenant={str(named)!r}) for that one, "
            "or rename that key of the config if it does not mean a tenant of sessions"
        )


def is_of_a_task(key: Key) -> bool:
    """Whether the session belongs to one call of a subgraph, so that what a run finds there is its own and recent.

    LangGraph puts the task id behind a colon; a subgraph that keeps its messages between calls has none.
    """
    return ":" in key.namespace


async def is_the_same(store: SessionStore, key: Key, born: str | None) -> bool:
    """Whether the session is still the one that was `born` so."""
    state = await store.state(key)
    return state is not None and state.born == born


async def starting_part(
    store: SessionStore, key: Key, part: Ranges, *, named: bool, run: bool
) -> tuple[Ranges, bool, str | None]:
    """The part of the record that a run or reader starts from, whether it is the head, and when the session was `born`:
    a `named` checkpoint's own part (its birth for a run only), else the current conversation. A thread with pending
    tool calls continues from its own part; what others added since comes after it."""
    state = await store.state(key) if run or not named else None
    born = state.born if state is not None else None
    if named:
        return part, False, born
    if state is None or state.head == part:
        return part, True, born
    last = await store.record(key, Ranges.span(part.last, part.last))
    return (part, False, born) if last and last[0].tool_calls else (state.head, True, born)


async def notes_without_list(store: SessionStore, found: Checkpoint, channel: str) -> dict[str, Any]:
    """The notes for a checkpoint whose conversation is no list of messages, such as None: a list that a run stores
    after it replaces the messages from before."""
    if not isinstance(found.values.get(channel), Plain):
        return {}
    state = await store.state(found.key)
    return {BASE: (found.versions[channel], state.head.pairs, ())} if state is not None and state.head else {}


def state_key(channel: str) -> str:
    """`channel`, checked to be a state key. Raises: ConfigError."""
    if not isinstance(channel, str) or not channel:
        raise ConfigError(f"channel={channel!r}; pass the key of the state that holds the messages, as 'messages'")
    return channel


def config_of(key: Key, checkpoint_id: str | None) -> RunnableConfig:
    """The config that names a checkpoint of a session's thread."""
    return {
        "configurable": {
            "thread_id": key.session_id,
            "checkpoint_ns": key.namespace,
            "checkpoint_id": checkpoint_id,
        }
    }


def without_notes(config: RunnableConfig) -> RunnableConfig:
    """`config` without our notes."""
    names = {name: value for name, value in config["configurable"].items() if name != TURN}
    return {
        **config,
        "configurable": {**names, "thread_id": str(names["thread_id"])} if "thread_id" in names else names,
    }
