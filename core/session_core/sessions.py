"""The public entry point: `Sessions` opens a store, and `Session` is one conversation in it."""

from __future__ import annotations

import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast
from uuid import UUID

from session_core.advisers import Index, require_method, require_observers
from session_core.append_args import AppendArgument, messages_from_argument
from session_core.budget import Tier
from session_core.display import session_html_or_error
from session_core.embedder_voices import blocking_and_async
from session_core.embedding import embedder_of
from session_core.events import Event, Notice
from session_core.fold_queue import FoldQueue
from session_core.folds.folding import Folder
from session_core.folds.pipeline import Background
from session_core.folds.shared_folding import SharedFolding, queue_of
from session_core.leasing import TurnLease, held_by
from session_core.logs import log
from session_core.plan import Digest, View
from session_core.policy import Policy, require_policy
from session_core.ports import Appended, Marks, Observer, SessionStore, State, Store
from session_core.ranges import Ranges
from session_core.runtime.process_bound import ProcessBound
from session_core.sealed import require_unsealed
from session_core.serial.chat_shape import chat_message
from session_core.services import Clock, Services
from session_core.session import Flow
from session_core.stats import SessionStats, stats_of
from session_core.stores.from_arguments import degraded, open_from_arguments, shown_place
from session_core.stores.index_deletion import with_index_deletion
from session_core.stores.retention import require_purging
from session_core.turns import Key, Message, text_of_id
from session_core.voices import SERIAL_THREADS, THREADS, awaitable, in_thread, run_blocking, threaded
from session_core.warmup import NOBODY, preload

if TYPE_CHECKING:
    from session_core.stores.keyring import Keyring


class Sessions(ProcessBound):
    """All sessions of one store, under one policy.

    `url` names the store ("sqlite:///chat.db"; "memory://" if nothing is given). A store object can be passed
    instead; it is used as it is and not closed. `hot` and `cold` name the two sides of a hybrid store: a cache for
    views, and a durable store that every write waits for. With a `keyring`, message content is encrypted before it
    reaches the store (`session_core.stores.encrypted`). With a `fold_queue` on Redis, workers on any machine fold
    (`llm-sessions worker`), instead of a thread of this process. `observers` receive every event; `on_event` is the
    same as a plain function. Safe to share between threads. Raises: ConfigError, StoreError if the store cannot be
    opened.
    """

    def __init__(
        self,
        url: str | SessionStore | None = None,
        *,
        hot: str | None = None,
        cold: str | None = None,
        keyring: Keyring | None = None,
        fold_queue: str | FoldQueue | None = None,
        policy: Policy | None = None,
        observers: Sequence[Observer] = (),
        on_event: Callable[[Event], None] | None = None,
        clock: Clock = time.time,
    ) -> None:
        self.policy = require_policy(policy)
        self._observers = require_observers(observers)
        self._on_event = on_event and require_method(on_event, "__call__", "on_event")
        self._owned = url is None or isinstance(url, str)
        queue = queue_of(fold_queue, self.policy, cold or url)
        given = self.policy.index
        index = None if given is None else cast(Index, awaitable(given, "add", "near", "forget"))
        self.store: SessionStore = with_index_deletion(open_from_arguments(url, hot, cold, keyring), index)
        self.place = shown_place(url, hot, cold)
        embedder, aembedder = blocking_and_async(embedder_of(self.policy))
        self.services = Services(self.policy, self._tell, clock, embedder, index)
        aindex = threaded(index) if index else None
        self.aservices = replace(
            self.services, embedder=aembedder, index=aindex, executor=THREADS, serial_executor=SERIAL_THREADS
        )
        self.awaited: SessionStore = self.store.awaiting()
        self.folder = Folder(self.store, self.services, self.policy.summarizer)
        self._afolder = threaded(self.folder)
        self._local = Background(self.folder, self.services)
        self.pipeline = SharedFolding(self._local, queue, owned=queue is not fold_queue) if queue else self._local

    def __repr__(self) -> str:
        return f"Sessions({self.place!r})"

    def session(self, session_id: str | UUID, *, tenant: str = "default", namespace: str = "") -> Session:
        """The session called `session_id`; a UUID names the same one as its text. Nothing is read or written yet.

        `namespace` names a separate record within it, such as that of a LangGraph subgraph; both are deleted together.
        """
        return Session(self, Key(text_of_id(session_id), tenant, namespace))

    def observe(self, observer: Observer) -> None:
        """Send `observer` every event from now on; one that is registered already is not added twice."""
        if not any(observer is told for told in self._observers):
            self._observers.append(require_method(observer, "observe", "an observer"))

    def list(self, tenant: str | None = None) -> tuple[State, ...]:
        """The state of every session, most recently used first."""
        return run_blocking(self.store.sessions(tenant))

    async def alist(self, tenant: str | None = None) -> tuple[State, ...]:
        """Async form of `list`."""
        return await self.awaited.sessions(tenant)

    def export(self, tenant: str = "default") -> Iterator[dict[str, Any]]:
        """Every session of `tenant`, most recently used first, as `{"session_id": ..., "messages": [...]}`.

        The messages are those of `Session.export`. Only one session at a time is in memory.
        """
        for state in self.list(tenant):
            yield _export_of(state.key, self.session(state.key.session_id, tenant=tenant).export())

    async def aexport(self, tenant: str = "default") -> AsyncIterator[dict[str, Any]]:
        """Async form of `export`: `async for one in sessions.aexport()`."""
        for state in await self.alist(tenant):
            yield _export_of(state.key, await self.session(state.key.session_id, tenant=tenant).aexport())

    def purge(self, older_than_s: float, *, tenant: str | None = None) -> tuple[Key, ...]:
        """Delete all sessions without a write for `older_than_s` seconds, everywhere; returns those deleted.

        Raises: ConfigError if the store cannot purge, or if it hides tenants from each other and none is named.
        """
        return run_blocking(require_purging(self.store).purge(older_than_s, tenant=tenant))

    async def apurge(self, older_than_s: float, *, tenant: str | None = None) -> tuple[Key, ...]:
        """Async form of `purge`."""
        return await require_purging(self.awaited).purge(older_than_s, tenant=tenant)

    @property
    def degraded(self) -> str | None:
        """Which side of a hybrid store is unavailable, and why; None if both answered last."""
        return degraded(self.store)

    def drain(self, timeout_s: float = 30.0) -> bool:
        """Wait for background folds; False if they were not done within `timeout_s` seconds."""
        return self.pipeline.drain(timeout_s)

    def warm(self) -> None:
        """Load ahead what first calls would wait for: token tables, static vectors, a connection.

        Takes half a second and 80 MB. For services, before their first request. Raises: StoreError if the store does
        not answer.
        """
        run_blocking(preload(self.services))
        run_blocking(self.store.state(NOBODY))

    async def awarm(self) -> None:
        """Async form of `warm`."""
        await in_thread(run_blocking, preload(self.services))
        await self.awaited.state(NOBODY)

    def ask_fold(self, key: Key, tier: Tier = Tier.FACTS) -> None:
        """Request a fold of a session in this tier, as the policy says; inline folds are done on return.

        A fold that fails emits an event instead of raising: the messages are stored, and an error would make callers
        send them again.
        """
        if self.policy.folding == "background":
            self.pipeline.ask(key, tier)
        elif self.policy.folding == "inline":
            with self._local.reporting_failures(key):
                run_blocking(self.folder.fold(key))

    async def aask_fold(self, key: Key, tier: Tier = Tier.FACTS) -> None:
        """Async form of `ask_fold`."""
        if self.policy.folding == "inline":
            with self._local.reporting_failures(key):
                await self._afolder.fold(key)
        elif self.policy.folding == "background":
            await self.pipeline.aask(key, tier)

    def close(self) -> None:
        """Stop folding, and close the store if this object opened it."""
        self.pipeline.close()
        if self._owned:
            run_blocking(self.store.close())

    async def aclose(self) -> None:
        """Async form of `close`."""
        await in_thread(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _tell(self, event: Event) -> None:
        log(event)
        told = [observer.observe for observer in self._observers]
        for tell in [*told, *([self._on_event] if self._on_event is not None else [])]:
            try:
                tell(event)
            except Exception as exc:  # noqa: BLE001 (what is stored is stored, whatever a listener makes of it)
                name = getattr(tell, "__qualname__", type(tell).__name__)
                warnings.warn(f"{name} raised {type(exc).__name__} on {type(event).__name__}; continuing", stacklevel=2)


class Session(ProcessBound):
    """One conversation: append its messages, and get the view before each model call.

    Methods block, and also work inside a running event loop; their async forms start with `a`.
    """

    def __init__(self, sessions: Sessions, key: Key) -> None:
        self.sessions = sessions
        self.key = key
        self.flow = Flow(key, sessions.store, sessions.services)
        self.aflow = Flow(key, sessions.awaited, sessions.aservices)

    def __repr__(self) -> str:
        return f"Session({str(self.key)!r}, {self.sessions.place!r})"

    def _repr_html_(self) -> str:
        return run_blocking(session_html_or_error(self.sessions.store, self.key, self.sessions.policy))

    def append(
        self,
        messages: AppendArgument | Iterable[AppendArgument],
        *,
        author: str | None = None,
        expected: int | None = None,
        lenient: bool = False,
        lease: TurnLease | None = None,
    ) -> Appended:
        """Store `messages`, all or none; durable on return.

        A message with the same id and content is stored once. `author` is the speaker of the user messages,
        `expected` the version that the caller read, `lease` the turn that the caller holds. `lenient` accepts empty
        answers and tool results without a call, which views then leave out.
        Raises: InputError and subclasses, Conflict, TurnLost, StoreError.
        """
        said = messages_from_argument(messages, author)
        held = held_by(lease)
        done, fold = run_blocking(self.flow.append(said, expected=expected, lenient=lenient, lease=held))
        if fold:
            self.sessions.ask_fold(self.key, fold)
        return done

    async def aappend(
        self,
        messages: AppendArgument | Iterable[AppendArgument],
        *,
        author: str | None = None,
        expected: int | None = None,
        lenient: bool = False,
        lease: TurnLease | None = None,
    ) -> Appended:
        """Async form of `append`."""
        said = messages_from_argument(messages, author)
        held = held_by(lease)
        done, fold = await self.aflow.append(said, expected=expected, lenient=lenient, lease=held)
        if fold:
            await self.sessions.aask_fold(self.key, fold)
        return done

    def view(self, query: str | None = None, *, overhead_tokens: int = 0) -> View:
        """The messages for the next model call: within the budget, valid, and equal for equal versions.

        `query` quotes what old messages say about it. `overhead_tokens` is what the caller adds to the view (system
        prompt, tool schemas). Raises: PinnedTooLarge, BudgetError.
        """
        return run_blocking(self.flow.view(query, overhead_tokens=overhead_tokens))

    async def aview(self, query: str | None = None, *, overhead_tokens: int = 0) -> View:
        """Async form of `view`."""
        return await self.aflow.view(query, overhead_tokens=overhead_tokens)

    def lease(self, *, ttl_s: float = 60.0, wait_s: float = 30.0) -> TurnLease:
        """The turn of this session, held by one caller at a time in a `with` or `async with` block.

        Entering waits up to `wait_s` seconds for another holder. The lease expires after `ttl_s` seconds unless
        renewed. Raises, on entering the block: TurnTaken.
        """
        return TurnLease(self.key, self.sessions.store, self.sessions.awaited, ttl_s=ttl_s, wait_s=wait_s)

    def record(self, *, all_branches: bool = False) -> list[Message]:
        """The whole conversation, verbatim and in order.

        With `all_branches` also the messages that edits and forks replaced.
        """
        return list(run_blocking(_record(self.sessions.store, self.key, all_branches)))

    async def arecord(self, *, all_branches: bool = False) -> list[Message]:
        """Async form of `record`."""
        return list(await _record(self.sessions.awaited, self.key, all_branches))

    def export(self) -> list[dict[str, Any]]:
        """The whole conversation as dicts in the format of the OpenAI chat API, each with its id and time.

        `append` accepts them again.
        """
        return list(map(chat_message, self.record()))

    async def aexport(self) -> list[dict[str, Any]]:
        """Async form of `export`."""
        return await self.sessions.aservices.offload_each(chat_message, await self.arecord())

    def search(self, query: str, *, max_hits: int = 5) -> list[Message]:
        """Up to `max_hits` messages of the record that match `query`, best first."""
        return run_blocking(self.flow.search(query, max_hits=max_hits))

    async def asearch(self, query: str, *, max_hits: int = 5) -> list[Message]:
        """Async form of `search`."""
        return await self.aflow.search(query, max_hits=max_hits)

    def expand(self, reference: str) -> Message:
        """The original message that a clip refers to. Raises: NotFound."""
        return run_blocking(self.flow.expand(reference))

    async def aexpand(self, reference: str) -> Message:
        """Async form of `expand`."""
        return await self.aflow.expand(reference)

    def stats(self) -> SessionStats:
        """Totals, tokens per turn, pressure, tier and lag; reads the record once."""
        return run_blocking(stats_of(self.sessions.store, self.key, self.sessions.services))

    async def astats(self) -> SessionStats:
        """Async form of `stats`."""
        return await stats_of(self.sessions.awaited, self.key, self.sessions.aservices)

    def notices(self) -> list[Notice]:
        """The notices for the user about this session, oldest first."""
        return list(run_blocking(self.sessions.store.notices(self.key)))

    async def anotices(self) -> list[Notice]:
        """Async form of `notices`."""
        return list(await self.sessions.awaited.notices(self.key))

    def fold(self) -> Digest | None:
        """Fold now, in this thread. Views use the digest from the next turn on; None if there is nothing to fold."""
        return run_blocking(self.sessions.folder.fold(self.key))

    async def afold(self) -> Digest | None:
        """Async form of `fold`."""
        return await threaded(self.sessions.folder).fold(self.key)

    def reset(self, *, carry: bool = True) -> None:
        """Start afresh: views begin empty, or with a digest of everything so far (`carry`). The record is kept.

        Without `carry`, messages that are appended again belong to the new conversation, and a graph's run that is
        under way brings back the one that it began with: reset between runs.
        """
        run_blocking(_reset(self.sessions.folder, self.sessions.store, self.key, carry))

    async def areset(self, *, carry: bool = True) -> None:
        """Async form of `reset`."""
        await _reset(threaded(self.sessions.folder), self.sessions.awaited, self.key, carry)

    def delete(self) -> int:
        """Delete the session everywhere (record, digests, index, checkpoints); returns the number of messages."""
        return run_blocking(self.sessions.store.delete(self.key))

    async def adelete(self) -> int:
        """Async form of `delete`."""
        return await self.sessions.awaited.delete(self.key)


def _export_of(key: Key, messages: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"session_id": key.session_id, "messages": messages}


async def _record(store: Store, key: Key, all_branches: bool) -> tuple[Message, ...]:
    state = None if all_branches else await store.state(key)
    if state is None and not all_branches:
        return ()
    messages = await store.record(key, state.head if state else None)
    require_unsealed(key, messages)
    return messages


async def _reset(folder: Folder, store: Store, key: Key, carry: bool) -> None:
    if carry:
        await folder.fold(key, everything=True)
    # A reset conversation gets notices again (`notices.is_news`).
    last = (await store.state(key) or State(key)).ledger.messages
    head = None if carry else Ranges()
    await store.mark(key, Marks(resumed_after_seq=last, absent_s=0.0, head=head, activate=carry))
