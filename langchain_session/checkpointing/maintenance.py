"""Maintenance of threads: copies, pruning, deletion of runs, and the history of DeltaChannels."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import Checkpoint as GraphCheckpoint
from langgraph.checkpoint.base import CheckpointMetadata, DeltaChannelHistory, get_checkpoint_id
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer

from langchain_session.graph_state.channels import Storage, is_message_list
from langchain_session.graph_state.deltas import conversation_name, history_of
from langchain_session.graph_state.pruning import UNLISTED, Rows, drop, head_after_drop, is_unlisted
from langchain_session.graph_state.threads import ELSEWHERE, key_of
from langchain_session.transfer.import_export import ImportExport
from session_core.errors import ConfigError, Conflict, InputError
from session_core.ports import Checkpoint, SessionStore
from session_core.turns import Key
from session_core.voices import run_blocking

TRIES = 8
"""Attempts to delete a run while others write to the thread."""
STRATEGIES = ("keep_latest", "delete")
PREVIOUS = "__previous__"
"""The channel in which LangGraph keeps what an entrypoint saves for its next run."""

logger = logging.getLogger(__name__)


def _is_kept(key: str) -> bool:
    """Whether the graph keeps `key` from run to run, as an entrypoint what it saves; not so its input and output."""
    return key == PREVIOUS or not key.startswith("__")


class Maintenance(ImportExport):
    """The maintenance methods of a `SessionSaver`."""

    _warned_of_channel = False

    def _warn_unencrypted(self) -> None:
        """Log a warning if `serde` encrypts, since messages never go through a serializer."""
        store: Any = self.sessions.store
        sealed = any(hasattr(one, "keyring") for one in (store, getattr(store, "cold", None)))
        if isinstance(self.serde, EncryptedSerializer) and not sealed:
            logger.warning(
                "serde= encrypts what it serializes; messages go to the record of the %s store in clear: "
                "pass Sessions(..., keyring=...) to seal them too",
                store.scheme,
            )

    def _warn_of_another_channel(
        self, config: RunnableConfig, checkpoint: GraphCheckpoint, metadata: CheckpointMetadata
    ) -> None:
        """Log a warning, once, if the graph keeps its messages under another key than `channel`: its runs get all.

        Only after a node has run, since an input may have other messages than the conversation's.
        """
        if (
            self._warned_of_channel
            or self.channel in checkpoint["channel_versions"]
            or metadata.get("step", 1) < 1
            or config["configurable"].get("checkpoint_ns")
        ):
            return
        values = checkpoint["channel_values"]
        found = next((key for key, value in values.items() if is_message_list(value) and _is_kept(key)), None)
        if found is not None:
            self._warned_of_channel = True
            logger.warning(
                "the graph keeps messages under the state key %r and none under %r, so its runs get all of them: pass "
                "SessionSaver(..., channel=%r) if they are the conversation",
                found,
                self.channel,
                found,
            )

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread to `target_thread_id`: record, digests, checkpoints, pending writes, subgraphs.

        The two are independent from then on. An unknown thread copies nothing.
        Raises: Conflict if the target exists; nothing is written then.
        """
        run_blocking(self._copy_thread(self.sessions.store, source_thread_id, target_thread_id))

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Async form of `copy_thread`."""
        await self._copy_thread(self.sessions.awaited, source_thread_id, target_thread_id)

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Delete the old checkpoints of threads ("keep_latest"), or whole threads ("delete").

        The newest checkpoint of each namespace stays, with its pending writes and everything that its DeltaChannels
        are computed from. Subgraphs called by deleted checkpoints are deleted with them. The record stays whole.
        Unknown threads are ignored. A thread with a run in progress stays intact, unless that run continues from
        another checkpoint than the newest (concurrent runs, or a replay): values that only its own checkpoints had
        may then be missing.
        Raises: InputError for another strategy.
        """
        run_blocking(self._prune(self.sessions.store, thread_ids, strategy))

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Async form of `prune`."""
        await self._prune(self.sessions.awaited, thread_ids, strategy)

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Remove the checkpoints and writes of runs, by the `run_id` in their metadata, from all threads.

        The remaining checkpoints keep their values and get remaining ones as parents. The conversation becomes that of
        the newest remaining checkpoint, with what others added since; the log keeps every message.
        """
        run_blocking(self._delete_runs(self.sessions.store, run_ids))

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Async form of `delete_for_runs`."""
        await self._delete_runs(self.sessions.awaited, run_ids)

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """For each channel the nearest value before the checkpoint, and the writes since; read in one go."""
        return run_blocking(self._history(self.sessions.store, config, channels))

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Async form of `get_delta_channel_history`."""
        return await self._history(self.sessions.awaited, config, channels)

    async def _copy_thread(self, store: SessionStore, source: str, target: str) -> None:
        await store.copy_session(Key(str(source), self.tenant), str(target))

    async def _prune(self, store: SessionStore, thread_ids: Sequence[str], strategy: str) -> None:
        if strategy not in STRATEGIES:
            raise InputError(f"prune(strategy={strategy!r}); use one of {', '.join(STRATEGIES)}")
        for thread_id in map(str, thread_ids):
            if strategy == "delete":
                await store.delete(Key(thread_id, self.tenant))
                continue
            found = _by_session(await store.checkpoints(self.tenant, thread_id, None))
            roots = found.get(Key(thread_id, self.tenant), Rows({}))
            for rows in found.values():
                kept = None if self._is_over(rows, roots) else rows.newest
                if any(name != kept and not is_unlisted(one) for name, one in rows.own.items()):
                    await drop(self._storage(store), rows, set(rows.own) - {kept})

    def _is_over(self, rows: Rows, roots: Rows) -> bool:
        """Whether a namespace belongs to one call from a checkpoint that is deleted. Runs store in the background, so a
        call may be stored before the checkpoint that it was made from."""
        newest = rows.own.get(rows.newest or "")
        if newest is None or ":" not in newest.key.namespace:
            return False
        called_from = self._metadata(newest).get("parents", {}).get("")
        return called_from in roots.own and called_from != roots.newest

    async def _delete_runs(self, store: SessionStore, run_ids: Sequence[str]) -> None:
        wanted = [str(run_id) for run_id in run_ids]
        found = await store.checkpoints_of_runs(self.tenant, wanted) if wanted else ()
        for key, of_runs in _by_session(found).items():
            for tried in range(1, TRIES + 1):
                try:
                    await self._delete_checkpoints(store, key, set(of_runs.own))
                    break
                except Conflict:
                    if tried == TRIES:
                        raise

    async def _delete_checkpoints(self, store: SessionStore, key: Key, names: set[str]) -> None:
        rows = Rows.of(await store.checkpoints(key.tenant, key.session_id, key.namespace))
        state, gone = await store.state(key), names & set(rows.own)
        if state is None:
            return
        parts = await store.parts(key, (conversation_name(self.channel), self.channel))
        head = head_after_drop(state.head, rows, gone, parts) if gone else state.head
        await drop(self._storage(store), rows, gone, head=head, expected=state.version)

    async def _history(
        self, store: SessionStore, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        key = key_of(config, self.tenant)
        return await history_of(self._storage(store), key, get_checkpoint_id(config), channels)

    def _storage(self, store: SessionStore) -> Storage:
        return Storage(store, self.channel, self.serde)

    def _metadata(self, found: Checkpoint) -> Mapping[str, Any]:
        metadata: Mapping[str, Any] = self._body(found)["metadata"]
        return metadata

    def _body(self, found: Checkpoint) -> Any:
        """The checkpoint as it was put, without its values."""
        if found.body.type == ELSEWHERE.type:
            raise ConfigError(
                f"session {found.key}: the checkpoints of this thread are with another saver; "
                "pass it as SessionSaver(inner=...)"
            )
        return self.serde.loads_typed((found.body.type.removeprefix(UNLISTED), found.body.data))


def _by_session(found: Iterable[Checkpoint]) -> dict[Key, Rows]:
    own: dict[Key, list[Checkpoint]] = {}
    for one in found:
        own.setdefault(one.key, []).append(one)
    return {key: Rows.of(kept) for key, kept in own.items()}
