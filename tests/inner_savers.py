"""Savers of others to put inside ours: real ones, opened for a test, and one that offers all a saver can."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import talking_graphs
from blocking_voice import BlockingVoice
from langchain_core.messages import AnyMessage, HumanMessage, RemoveMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from postgres_server import PostgresServer
from psycopg.rows import dict_row
from talking_graphs import CONFIG

from langchain_session.saver import InnerSaver

_schemas = count(1)
talker = partial(talking_graphs.talker, strict=True)
EDITS = [RemoveMessage("h16"), HumanMessage("edited", id="h3")]


class WholeSaver(InMemorySaver):
    """An in-memory saver with the three methods that those at hand leave out."""

    def delete_for_runs(self, run_ids):
        for run_id in run_ids:
            for found in list(self.list(None, filter={"run_id": run_id})):
                names = found.config["configurable"]
                thread, namespace, name = names["thread_id"], names["checkpoint_ns"], names["checkpoint_id"]
                del self.storage[thread][namespace][name]
                self.writes.pop((thread, namespace, name), None)

    def copy_thread(self, source_thread_id, target_thread_id):
        for namespace, kept in self.storage[source_thread_id].items():
            self.storage[target_thread_id][namespace].update(kept)
        for kept in (self.writes, self.blobs):
            for place in [place for place in kept if place[0] == source_thread_id]:
                kept[(target_thread_id, *place[1:])] = kept[place]

    def prune(self, thread_ids, *, strategy="keep_latest"):
        for thread in thread_ids:
            for namespace, kept in list(self.storage[thread].items()):
                for name in sorted(kept)[: None if strategy == "delete" else -1]:
                    del kept[name]
                    self.writes.pop((thread, namespace, name), None)

    async def adelete_for_runs(self, run_ids):
        self.delete_for_runs(run_ids)

    async def acopy_thread(self, source_thread_id, target_thread_id):
        self.copy_thread(source_thread_id, target_thread_id)

    async def aprune(self, thread_ids, *, strategy="keep_latest"):
        self.prune(thread_ids, strategy=strategy)


class BlockingInner(BlockingVoice, InnerSaver):
    """The blocking voice under the awaiting names, with an inner saver."""


def _connected(server: PostgresServer) -> dict[str, Any]:
    """How to connect to a schema of its own."""
    name = f"inner_{next(_schemas)}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    options = f"-csearch_path={name}"
    return {"conninfo": server.url, "autocommit": True, "row_factory": dict_row, "options": options}


@contextmanager
def blocking_savers(kind: str, server: PostgresServer, *paths: Path) -> Iterator[list[BaseCheckpointSaver[Any]]]:
    """One saver for each path, each on data of its own."""
    with ExitStack() as stack:
        savers: list[BaseCheckpointSaver[Any]] = []
        for path in paths:
            if kind == "memory":
                savers.append(InMemorySaver())
            elif kind == "sqlite":
                savers.append(stack.enter_context(SqliteSaver.from_conn_string(str(path))))
            else:
                opened = stack.enter_context(psycopg.connect(**_connected(server), prepare_threshold=0))
                savers.append(PostgresSaver(opened))
                savers[-1].setup()
        yield savers


@asynccontextmanager
async def awaiting_saver(kind: str, server: PostgresServer, path: Path) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    """A saver that awaits, on data of its own."""
    if kind == "memory":
        yield InMemorySaver()
    elif kind == "whole":
        yield WholeSaver()
    elif kind == "sqlite":
        async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
            yield saver
    else:
        async with await psycopg.AsyncConnection.connect(**_connected(server), prepare_threshold=0) as opened:
            saver = AsyncPostgresSaver(opened)
            await saver.setup()
            yield saver


def kept(saver: BaseCheckpointSaver[Any], config: dict[str, Any] = CONFIG) -> list[AnyMessage]:
    """The messages of the thread, as `saver` has them."""
    found = saver.get_tuple(config)
    return found.checkpoint["channel_values"].get("messages", []) if found else []


def questions(messages: list[AnyMessage]) -> list[str]:
    return [str(message.content) for message in messages if message.type == "human"]


def history(saver: BaseCheckpointSaver[Any], config: dict[str, Any] = CONFIG) -> list[Any]:
    """All checkpoints of the thread, without what is drawn at random."""
    return [
        (found.metadata["source"], found.metadata["step"], found.checkpoint["channel_values"].get("messages"))
        for found in saver.list(config)
    ]


def turn_ends(graph: Any, messages: int) -> Any:
    """The config of the checkpoint that ended a turn with so many messages."""
    states = graph.get_state_history(CONFIG)
    return next(s.config for s in states if len(s.values.get("messages", [])) == messages and not s.next)
