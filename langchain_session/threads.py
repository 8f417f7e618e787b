"""Thread and namespace of a config, the start of a run, and the notes that we put into configs of runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.runnables import RunnableConfig

from session_core.errors import ConfigError, InputError
from session_core.ports import Plain, SessionStore
from session_core.ranges import Ranges
from session_core.turns import Key

FORK = "fork"
"""A note in a config we made for a checkpoint that was asked for by its id: what follows replaces the head."""
BASE = "base"
"""A note in a config we made: the messages' version, the part of the record they were, and what of it a view hid."""
DOUBT = "doubt"
"""A note in a config we made: a checkpoint that we know and an inner saver did not have when a run began."""
FROM = "from"
"""A note in a config we made, for `reject`: the checkpoint that a run began with."""
TURN = "__pregel_llm_sessions_turn"
"""In the config of a run that has the turn of its thread: the holder's name. Streams leave out what begins so."""
RUNTIME = "__pregel_runtime"
"""In the config of a `get_tuple` that LangGraph makes for a run, and of no other."""
READ = "__pregel_read"
"""In the config of a task that LangGraph runs: a function that reads the channels of its graph."""
BEGAN = "00000000-0000-6000-8000-000000000000"
"""The id of the checkpoint that a conversation without a graph is; it is stored nowhere, and older than any other."""
ELSEWHERE = Plain("elsewhere", b"")
"""The body of a checkpoint that another saver keeps (see `inner`): here is only its part of the record."""


class Noted(str):
    """A thread's name in a config we made, with notes on what was handed out.

    The config comes back with what is stored next, and people see it too, in snapshots and streams. There it is
    a name like any other; copies and pickles of it are plain texts.
    """

    notes: Mapping[str, Any]

    def __reduce_ex__(self, protocol: object) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


def noted(config: RunnableConfig, **notes: Any) -> RunnableConfig:
    """`config` with these notes beside those that it has."""
    old = notes_of(config)
    thread = Noted(config["configurable"]["thread_id"])
    thread.notes = {**old, **notes}
    return {**config, "configurable": {**config["configurable"], "thread_id": thread}}


def notes_of(config: RunnableConfig) -> Mapping[str, Any]:
    """The notes in a config, if we made it."""
    thread = config["configurable"]["thread_id"]
    return thread.notes if isinstance(thread, Noted) else {}


def forget(config: RunnableConfig) -> None:
    """Take the notes out of a run's config: it begins with nothing, whatever config of another checkpoint was made
    use of for it, or handed down by a graph above."""
    names = config["configurable"]
    if isinstance(names["thread_id"], Noted):
        names["thread_id"] = str(names["thread_id"])


def begin_anew(config: RunnableConfig | None, before: RunnableConfig | None) -> None:
    """Note in a run's config that nothing was listed from `before` a checkpoint: a subgraph is replayed from a time
    when it had said nothing. LangGraph goes on with this very config, and what it stores is a fork."""
    if config is not None and before is not None and RUNTIME in config["configurable"]:
        config["configurable"]["thread_id"] = noted(bare(config), **{FORK: True})["configurable"]["thread_id"]


def key_of(config: RunnableConfig, tenant: str) -> Key:
    """The session of `tenant` that a config's thread and namespace are.

    Raises: ConfigError when the config names another tenant, whose words would go into the session of this one;
    InputError for a thread without an id, which all who have none would share.
    """
    names = config["configurable"]
    require_tenant(names, tenant)
    if names["thread_id"] is None:
        raise InputError("the config's thread_id is None; pass the id of the conversation, as a string")
    return Key(str(names["thread_id"]), tenant, str(names.get("checkpoint_ns") or ""))


def require_tenant(names: Mapping[str, Any], tenant: str) -> None:
    """Raises: ConfigError when a config's names have a tenant, and it is not `tenant`."""
    named = names.get("tenant")
    if named is not None and str(named) != tenant:
        raise ConfigError(
            f"thread {names.get('thread_id')}: the config names tenant {str(named)!r}, but this SessionSaver has the "
            f"threads of {tenant!r}; compile the graph with SessionSaver(..., tenant={str(named)!r}) for that one, "
            "or rename that key of the config if it does not mean a tenant of sessions"
        )


def is_of_a_task(key: Key) -> bool:
    """Whether the session is a subgraph's for one call of it: what a run finds there is its own, not long ago.

    LangGraph puts the task behind a colon; a subgraph that keeps its messages from call to call has none.
    """
    return ":" in key.namespace


async def starting_part(store: SessionStore, key: Key, part: Ranges, named: bool) -> tuple[Ranges, bool]:
    """What a run or a reader starts from, and whether it is the head: a `named` checkpoint's own part,
    else the conversation as it is.

    A thread that waits for the results of calls goes on from its own part; what others wrote since
    then stands behind it.
    """
    if named:
        return part, False
    state = await store.state(key)
    if state is None or state.head == part:
        return part, True
    last = await store.record(key, Ranges.span(part.last, part.last))
    return (part, False) if last and last[0].tool_calls else (state.head, True)


def state_key(channel: str) -> str:
    """`channel`, the key of a state. Raises: ConfigError."""
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


def bare(config: RunnableConfig) -> RunnableConfig:
    """`config` without what we wrote into it."""
    names = {name: value for name, value in config["configurable"].items() if name != TURN}
    return {
        **config,
        "configurable": {**names, "thread_id": str(names["thread_id"])} if "thread_id" in names else names,
    }
