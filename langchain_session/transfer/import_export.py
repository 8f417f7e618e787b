"""Import and export of LangGraph threads between any checkpointers, with all checkpoints, writes and namespaces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Self, cast

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import WRITES_IDX_MAP, BaseCheckpointSaver

from langchain_session.conversion.marks import unmarked
from langchain_session.conversion.message_cache import is_same
from langchain_session.conversion.messages import to_core
from langchain_session.graph_state.channels import is_message_list
from langchain_session.graph_state.imported_numbers import NUMBERED, ImportedNumbers
from langchain_session.graph_state.pruning import is_unlisted
from langchain_session.graph_state.threads import BASE, FORK, with_notes
from langchain_session.transfer.channel_versions import VersionTranslator
from langchain_session.transfer.checkpoint_place import CheckpointPlace
from langchain_session.transfer.saver_voice import SaverVoice, config_at
from session_core import Message, Sessions
from session_core.advisers import require_method
from session_core.errors import ConfigError, Diverged, InputError, NotFound
from session_core.importing import RefusedConversations, stable_id
from session_core.logs import logger
from session_core.serial.codec import body_digest
from session_core.turns import Key
from session_core.voices import run_blocking

_NO_PART = ((2**31 - 1, 2**31 - 1),)
"""An empty part of a record: a list with this base keeps its own order."""


class ImportExport(BaseCheckpointSaver[str]):
    """The import and export methods of a `SessionSaver`."""

    sessions: Sessions
    tenant: str
    channel: str

    @classmethod
    def import_from(
        cls,
        saver: BaseCheckpointSaver[Any],
        thread_id: str | None = None,
        *,
        url: str | None = None,
        sessions: Sessions | str | None = None,
        **made_with: Any,
    ) -> Self:
        """A checkpointer with `thread_id`, or every thread, of `saver`.

        Checkpoints are copied with parents, metadata, pending writes and subgraphs, so that state, history, time
        travel and pending interrupts are preserved; each message is stored once. The store is the one at `url`, or
        `sessions`; other arguments are those of the constructor. Repeated calls continue where the last one ended and
        add only what is new; `saver` is not changed. A thread that is refused does not stop the others.
        Raises: ConfigError if no store is given; NotFound if `saver` has nothing of `thread_id`; Diverged if the
        thread also continued here; InputError for a message that cannot be stored.
        """
        made = cast(Any, cls)(_where(url, sessions), **made_with)
        run_blocking(_copy_threads(SaverVoice(saver, False), SaverVoice(made, False), thread_id))
        return cast(Self, made)

    @classmethod
    async def aimport_from(
        cls,
        saver: BaseCheckpointSaver[Any],
        thread_id: str | None = None,
        *,
        url: str | None = None,
        sessions: Sessions | str | None = None,
        **made_with: Any,
    ) -> Self:
        """Async form of `import_from`, from an async saver. Raises: VoiceError if that saver has no async methods."""
        made = cast(Any, cls)(_where(url, sessions), **made_with)
        await _copy_threads(SaverVoice(saver, True), SaverVoice(made, True), thread_id)
        return cast(Self, made)

    def export_to(self, saver: BaseCheckpointSaver[Any], thread_id: str | None = None) -> int:
        """Copy `thread_id`, or every thread, to `saver`; returns the number of new checkpoints.

        The newest checkpoint has the whole record of the conversation, including messages added outside of the graph
        (these are omitted only while the thread has pending tool calls). Repeated calls add only what is new. Raises:
        NotFound if `thread_id` has no checkpoint; Diverged if the thread also continued in `saver`.
        """
        return run_blocking(_copy_threads(SaverVoice(self, False), SaverVoice(saver, False), thread_id))

    async def aexport_to(self, saver: BaseCheckpointSaver[Any], thread_id: str | None = None) -> int:
        """Async form of `export_to`, to an async saver. Raises: VoiceError if that saver has no async methods."""
        return await _copy_threads(SaverVoice(self, True), SaverVoice(saver, True), thread_id)


def _where(url: str | None, sessions: Sessions | str | None) -> Sessions | str:
    where = url if sessions is None else sessions
    if where is None:
        raise ConfigError("name the store to import into: import_from(saver, url=...), or sessions=...")
    return where


async def _copy_threads(source: SaverVoice, target: SaverVoice, thread_id: str | None) -> int:
    require_method(source.saver, "list", "the saver to import from")
    require_method(target.saver, "put", "the saver to export to")
    named = None if thread_id is None else str(thread_id)
    threads = await source.threads() if named is None else {named: await source.places(named)}
    several, new = RefusedConversations(), 0
    for thread, places in threads.items():
        with several.one():
            new += await _copy_thread(source, target, thread, places, named=named is not None)
    several.tell()
    return new


async def _copy_thread(
    source: SaverVoice, target: SaverVoice, thread_id: str, places: Sequence[CheckpointPlace], *, named: bool
) -> int:
    """Copy one thread with its checkpoints at `places`, oldest first; returns how many were new. A `named` thread must
    exist."""
    theirs = sorted([*places, *await _unlisted(source, thread_id)])
    if named and not theirs:
        raise await _not_found(source, thread_id)
    unread: set[CheckpointPlace] = set()
    known = {*await target.places(thread_id), *await _unlisted(target, thread_id)}
    new = set(theirs) - known
    if new:
        await _require_same(source, target, thread_id, known, set(theirs))
    counted, read = VersionTranslator(target.saver), dict[str, BaseMessage]()
    numbers = defaultdict[str, ImportedNumbers](ImportedNumbers)
    for place in theirs:
        found = await source.read(place)
        if found is None:
            unread.add(place)
            continue
        checkpoint, changed = counted.of(found, place)
        if place in new:
            values = checkpoint["channel_values"]
            checkpoint["channel_values"] = {name: _converted_value(values[name], target, name, read) for name in values}
            config = _config_for_put(target, place, found.parent_config, numbers[place.namespace])
            await target.put(config, checkpoint, found.metadata, changed)
        for task_id, writes, path in _by_task(found.pending_writes or ()):
            await target.put_writes(config_at(place), writes, task_id, path)
    await _require_read(source, thread_id, unread)
    newest = max((place for place in theirs if not place.namespace), default=None)
    if newest is not None:
        await _append_unsaved(source, target, newest)
    logger.info("thread %s: %d of %d checkpoints were copied, the others were there", thread_id, len(new), len(theirs))
    return len(new)


async def _unlisted(hand: SaverVoice, thread_id: str) -> list[CheckpointPlace]:
    """The places of our unlisted rows, which exist only because other checkpoints depend on them."""
    saver = hand.saver
    if not isinstance(saver, ImportExport):
        return []
    found = await hand.store(saver.sessions).checkpoints(saver.tenant, thread_id, None)
    return [CheckpointPlace(one.id, one.key.namespace, thread_id) for one in found if is_unlisted(one)]


async def _not_found(source: SaverVoice, thread_id: str) -> NotFound:
    """The error for a named thread without checkpoints."""
    saver, mend = source.saver, "name a thread that its list() shows, or none for all of them"
    if isinstance(saver, ImportExport) and await source.store(saver.sessions).state(Key(thread_id, saver.tenant)):
        mend = "no graph ran on this conversation yet: move it with SessionChatMessageHistory"
    return NotFound(
        f"session {thread_id}: the {type(saver).__name__} has no checkpoint of that thread, nothing was moved; {mend}"
    )


async def _require_read(source: SaverVoice, thread_id: str, unread: set[CheckpointPlace]) -> None:
    """Raises: InputError if checkpoints still cannot be read; those deleted meanwhile do not count."""
    lost = sorted(unread.intersection(await source.places(thread_id))) if unread else ()
    if lost:
        raise InputError(
            f"session {thread_id}: the {type(source.saver).__name__} lists {len(lost)} checkpoints that it does not "
            f"read, {lost[0].id} first; the rest of the thread was moved: repair those or delete them"
        )


async def _require_same(
    source: SaverVoice, target: SaverVoice, thread_id: str, known: set[CheckpointPlace], theirs: set[CheckpointPlace]
) -> None:
    """Raises: Diverged if the target has checkpoints of the thread that the source lacks."""
    apart = bool(await _without_shared_descendants(target, known - theirs, known & theirs))
    apart = apart and (bool(known & theirs) or not await _begins_with_target(source, target, known, theirs))
    if isinstance(target.saver, ImportExport) and not apart:
        there = {message.id for message in await _without_place(target, target.saver, thread_id, known)}
        if isinstance(source.saver, ImportExport) and there:
            there -= {message.id for message in await _without_place(source, source.saver, thread_id, theirs)}
        apart = bool(there)
    if apart:
        raise Diverged(
            f"session {thread_id}: the thread in the {type(target.saver).__name__} went on since it was moved there, "
            f"is another conversation, or the {type(source.saver).__name__} keeps no older checkpoints and its newest "
            f"does not begin with what is there; nothing was written: call delete_thread({thread_id!r}) of the "
            f"{type(target.saver).__name__} and move the thread again, or continue with it"
        )


async def _begins_with_target(
    source: SaverVoice, target: SaverVoice, known: set[CheckpointPlace], theirs: set[CheckpointPlace]
) -> bool:
    """Whether the source's newest conversation begins with all messages of the target: then it is the same thread,
    continued, in a saver that keeps only the newest checkpoint, and nobody continued it in the target."""
    saver = target.saver if isinstance(target.saver, ImportExport) else source.saver
    ends = [max((place for place in places if not place.namespace), default=None) for places in (known, theirs)]
    if not isinstance(saver, ImportExport) or ends[0] is None or ends[1] is None or ends[1] < ends[0]:
        return False
    lists: list[list[BaseMessage]] = []
    for hand, place in ((target, ends[0]), (source, ends[1])):
        found = await hand.read(place.newest)
        said = found.checkpoint["channel_values"].get(saver.channel) if found is not None else None
        lists.append(list(said) if said is not None and is_message_list(said) else [])
    had, has = lists
    return bool(had) and len(had) <= len(has) and all(map(is_same, had, has))


async def _without_shared_descendants(
    target: SaverVoice, apart: set[CheckpointPlace], shared: set[CheckpointPlace]
) -> set[CheckpointPlace]:
    """The places in `apart` that no `shared` checkpoint descends from; the source deleted the others since the last
    copy."""
    left, follow = set(apart), list(shared) if apart else []
    while follow and left:
        place = follow.pop()
        found = await target.read(place)
        before = found.parent_config["configurable"]["checkpoint_id"] if found and found.parent_config else ""
        parent = CheckpointPlace(before, place.namespace, place.thread_id)
        if parent in left:
            left.remove(parent)
            follow.append(parent)
    return left


async def _without_place(
    hand: SaverVoice, saver: ImportExport, thread_id: str, places: set[CheckpointPlace]
) -> list[Message]:
    """Messages of a conversation of ours that are not in its newest checkpoint, since other adapters added them."""
    store, key = hand.store(saver.sessions), Key(thread_id, saver.tenant)
    state = await store.state(key)
    newest = max((place for place in places if not place.namespace), default=None)
    own = await hand.read(newest) if newest is not None else None
    checkpoint: Any = own.checkpoint if own is not None else {"channel_values": {}, "channel_versions": {}}
    if saver.channel in checkpoint["channel_versions"] and saver.channel not in checkpoint["channel_values"]:
        # The graph computes it from the writes, which give the same conversation.
        return []
    said = checkpoint["channel_values"].get(saver.channel, [])
    had = {message.id for message in said if isinstance(message, BaseMessage)}
    return [message for message in await store.record(key, state.head) if message.id not in had] if state else []


async def _append_unsaved(source: SaverVoice, target: SaverVoice, newest: CheckpointPlace) -> None:
    """Add to the target what was appended to a conversation of ours after its newest checkpoint."""
    ours, theirs = source.saver, target.saver
    if not isinstance(ours, ImportExport):
        return
    there = await target.read(newest.newest)
    if there is None or there.checkpoint["id"] != newest.id:
        return
    if isinstance(theirs, ImportExport):
        behind = await _without_place(source, ours, newest.thread_id, {newest})
        prepare = theirs.sessions.services.prepare
        added = [prepare(replace(message, seq=0)) for message in behind]
        if added:
            await target.store(theirs.sessions).append(Key(newest.thread_id, theirs.tenant), added)
        return
    now = await source.read(newest.newest)
    said = now.checkpoint["channel_values"].get(ours.channel) if now is not None else None
    whole = _converted_value(said, target, ours.channel, {})
    if said is not None and whole != there.checkpoint["channel_values"].get(ours.channel):
        checkpoint, changed = VersionTranslator(theirs).with_new_versions(there.checkpoint, {ours.channel: whole})
        await target.put(_config_for_put(target, newest, there.parent_config), checkpoint, there.metadata, changed)


def _config_for_put(
    target: SaverVoice, place: CheckpointPlace, parent: RunnableConfig | None, numbers: ImportedNumbers | None = None
) -> RunnableConfig:
    """The config to put a checkpoint with; ours keeps the order of its message list."""
    config = config_at(place)
    config["configurable"]["checkpoint_id"] = parent["configurable"]["checkpoint_id"] if parent else None
    if isinstance(target.saver, ImportExport):
        known = {NUMBERED: numbers} if numbers is not None else {}
        return with_notes(config, **{FORK: True, BASE: (None, _NO_PART, ())}, **known)
    return config


def _converted_value(value: Any, target: SaverVoice, channel: str, read: dict[str, BaseMessage]) -> Any:
    """A channel's value for the target, without marks of ours. Messages without an id get the same new one in each
    checkpoint, so that they are stored once. Messages `read` in an earlier checkpoint are the same objects again, so
    that their conversion is reused."""
    if not is_message_list(value):
        return value
    plain = [unmarked(_deduplicated(message, read)) for message in value]
    if not isinstance(target.saver, ImportExport) or all(message.id for message in plain):
        return plain
    said: dict[bytes, int] = {}
    for at, message in enumerate(plain):
        if not message.id:
            digest = body_digest(to_core(message))
            said[digest] = said.get(digest, -1) + 1
            plain[at] = message.model_copy(update={"id": stable_id(digest, said[digest], f" in {channel}")})
    return plain


def _deduplicated(message: BaseMessage, read: dict[str, BaseMessage]) -> BaseMessage:
    """The equal message that was read before, or else `message`."""
    if not message.id:
        return message
    before = read.setdefault(message.id, message)
    if before is not message and not is_same(before, message):
        read[message.id] = before = message
    return before


def _by_task(writes: Sequence[tuple[str, str, Any]]) -> Iterator[tuple[str, list[tuple[str, Any]], str]]:
    """The writes of each task, special ones separately, under a path that keeps the tasks' order.

    Savers do not return the real path, which only determines the order. Writes without a task have none.
    """
    tasks: dict[str, list[tuple[str, Any]]] = {}
    for task_id, channel, value in writes:
        tasks.setdefault(task_id, []).append((channel, value))
    for rank, (task_id, own) in enumerate(tasks.items()):
        path = f"{rank:06d}" if task_id.strip("0-") else ""
        special = [write for write in own if write[0] in WRITES_IDX_MAP]
        plain = [write for write in own if write[0] not in WRITES_IDX_MAP]
        yield from ((task_id, part, path) for part in (plain, special) if part)
