"""The door: `Sessions` opens a store, `Session` is one conversation in it; plain names block, a-names await."""

from __future__ import annotations

import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from session_core.advisers import require_power
from session_core.budget import Tier
from session_core.display import drawn
from session_core.embedder_voices import in_both_voices
from session_core.embedding import chosen
from session_core.errors import BudgetError
from session_core.events import Event, Notice
from session_core.folding import Folder
from session_core.leasing import TurnLease, held_by
from session_core.pipeline import Background
from session_core.plan import Digest, View
from session_core.policy import Policy
from session_core.ports import Appended, Marks, Observer, SessionStore, State, Store
from session_core.ranges import Ranges
from session_core.sealed import require_unsealed
from session_core.serial.chat_shape import chat_message
from session_core.session import Flow
from session_core.stats import SessionStats, stats_of
from session_core.stores.forgetting import forgetting
from session_core.stores.opened import degraded, opened, place_of
from session_core.stores.retention import purging
from session_core.taking import Said, taken
from session_core.turns import Key, Message
from session_core.voices import BESIDE, BESIDE_IN_TURN, awaitable, run_blocking, threaded
from session_core.warming import NOBODY, Warming
from session_core.workshop import Clock, Workshop

if TYPE_CHECKING:
    from session_core.stores.keyring import Keyring


class Sessions:
    """All sessions of one store, under one policy.

    `url` names the store ("sqlite:///chat.db"; "memory://" when nothing is named); a store object is
    taken as it is and is not closed. `hot` and `cold` name the two sides of a hybrid store instead: a
    cache for views, and a durable store that every write waits for. With a `keyring` all that is said is
    sealed before it gets there (`session_core.stores.encrypted`). `observers` are told every event, and
    `on_event` is a plain function for the same.
    Safe to share between threads. Raises: ConfigError, StoreError when the store cannot be opened.
    """

    def __init__(
        self,
        url: str | SessionStore | None = None,
        *,
        hot: str | None = None,
        cold: str | None = None,
        keyring: Keyring | None = None,
        policy: Policy | None = None,
        observers: Sequence[Observer] = (),
        on_event: Callable[[Event], None] | None = None,
        clock: Clock = time.time,
    ) -> None:
        if policy is not None and not isinstance(policy, Policy):
            raise BudgetError(f"policy={type(policy).__name__}; pass Policy(Budget(window_tokens=...))")
        self.policy = policy or Policy()
        self._owned = url is None or isinstance(url, str)
        index = self.policy.index and awaitable(self.policy.index, "add", "near", "forget")
        self.store: SessionStore = forgetting(opened(url, hot, cold, keyring), index)
        self.place = place_of(url, hot, cold)
        self._observers = [require_power(observer, "observe", "an observer") for observer in observers]
        self._on_event = on_event and require_power(on_event, "__call__", "on_event")
        embedder, aembedder = in_both_voices(chosen(self.policy))
        self.workshop = Workshop(self.policy, self._tell, clock, embedder, index)
        aindex = threaded(index) if index else None
        self.aworkshop = replace(self.workshop, embedder=aembedder, index=aindex, apart=BESIDE, in_turn=BESIDE_IN_TURN)
        self.awaited: SessionStore = self.store.awaiting()
        self.folder = Folder(self.store, self.workshop, self.policy.summarizer)
        self._afolder = threaded(self.folder)
        self._warming = Warming(self.workshop)
        self.pipeline = Background(self.folder, self.workshop)

    def __repr__(self) -> str:
        return f"Sessions({self.place!r})"

    def session(self, session_id: str, *, tenant: str = "default", namespace: str = "") -> Session:
        """The session called `session_id`; nothing is read or written yet."""
        return Session(self, Key(session_id, tenant, namespace))

    def observe(self, observer: Observer) -> None:
        """Tell `observer` every event from now on; one that is told already is not told twice."""
        if not any(observer is told for told in self._observers):
            self._observers.append(require_power(observer, "observe", "an observer"))

    def list(self, tenant: str | None = None) -> tuple[State, ...]:
        """The state of every session, newest activity first."""
        return run_blocking(self.store.sessions(tenant))

    async def alist(self, tenant: str | None = None) -> tuple[State, ...]:
        """As `list`, awaited."""
        return await self.awaited.sessions(tenant)

    def export(self, tenant: str = "default") -> Iterator[dict[str, Any]]:
        """Every session of `tenant`, newest activity first, as `{"session_id": ..., "messages": [...]}`.

        The messages are those of `Session.export`; one session at a time is in memory.
        """
        for state in self.list(tenant):
            yield _exported(state.key, self.session(state.key.session_id, tenant=tenant).export())

    async def aexport(self, tenant: str = "default") -> AsyncIterator[dict[str, Any]]:
        """As `export`, awaited: `async for one in sessions.aexport()`."""
        for state in await self.alist(tenant):
            yield _exported(state.key, await self.session(state.key.session_id, tenant=tenant).aexport())

    def purge(self, older_than_s: float, *, tenant: str | None = None) -> tuple[Key, ...]:
        """Delete the sessions that nobody wrote to for `older_than_s` seconds, everywhere; those that went.

        Raises: ConfigError when the store cannot purge, or hides a tenant from others and none is named.
        """
        return run_blocking(purging(self.store).purge(older_than_s, tenant=tenant))

    async def apurge(self, older_than_s: float, *, tenant: str | None = None) -> tuple[Key, ...]:
        """As `purge`, awaited."""
        return await purging(self.awaited).purge(older_than_s, tenant=tenant)

    @property
    def degraded(self) -> str | None:
        """Which side of a hybrid store is not to be had, and why; None when both answered last."""
        return degraded(self.store)

    def drain(self, timeout_s: float = 30.0) -> bool:
        """Wait for background folds; False when they were not done in `timeout_s` seconds."""
        return self.pipeline.drain(timeout_s)

    def warm(self) -> None:
        """Make ready what first calls would wait for, half a second and 80 MB: the tables that count tokens, the
        static vectors, a connection. For a service, before it takes its first request.

        Raises: StoreError when the store does not answer.
        """
        run_blocking(self._warming.load())
        run_blocking(self.store.state(NOBODY))

    async def awarm(self) -> None:
        """As `warm`, awaited."""
        await threaded(self._warming).load()
        await self.awaited.state(NOBODY)

    def ask_fold(self, key: Key, tier: Tier = Tier.FACTS) -> None:
        """Have a session of this tier folded as the policy says; returns when it is asked for or, inline, done.

        A fold that fails is told by an event: what it was asked for is stored, and an error would have it sent again.
        """
        if self.policy.folding == "background":
            self.pipeline.ask(key, tier)
        elif self.policy.folding == "inline":
            with self.pipeline.telling(key):
                run_blocking(self.folder.fold(key))

    async def aask_fold(self, key: Key, tier: Tier = Tier.FACTS) -> None:
        """As `ask_fold`, awaited."""
        if self.policy.folding == "inline":
            with self.pipeline.telling(key):
                await self._afolder.fold(key)
        else:
            self.ask_fold(key, tier)

    def close(self) -> None:
        """Stop folding and close the store this object opened."""
        self.pipeline.close()
        if self._owned:
            run_blocking(self.store.close())

    async def aclose(self) -> None:
        """As `close`, awaited."""
        await threaded(_Closing(self)).close()

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
        told = [observer.observe for observer in self._observers]
        for tell in [*told, *([self._on_event] if self._on_event is not None else [])]:
            try:
                tell(event)
            except Exception as exc:  # noqa: BLE001 (what is stored is stored, whatever a listener makes of it)
                name = getattr(tell, "__qualname__", type(tell).__name__)
                warnings.warn(f"{name} raised {type(exc).__name__} on {type(event).__name__}; go on", stacklevel=2)


class _Closing:
    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def close(self) -> None:
        self._sessions.close()


class Session:
    """One conversation: append what was said, ask for the view before each model call.

    Plain names block and work inside a running event loop; names with an `a` before them await.
    """

    def __init__(self, sessions: Sessions, key: Key) -> None:
        self.sessions = sessions
        self.key = key
        self.flow = Flow(key, sessions.store, sessions.workshop)
        self.aflow = Flow(key, sessions.awaited, sessions.aworkshop)

    def __repr__(self) -> str:
        return f"Session({str(self.key)!r}, {self.sessions.place!r})"

    def _repr_html_(self) -> str:
        return run_blocking(drawn(self.sessions.store, self.key, self.sessions.policy))

    def append(
        self,
        messages: Said | Iterable[Said],
        *,
        author: str | None = None,
        expected: int | None = None,
        lenient: bool = False,
        lease: TurnLease | None = None,
    ) -> Appended:
        """Store `messages`, all or none; durable when it returns.

        One id with the same content is stored once. `author` names who speaks in the user messages,
        `expected` is the version the caller read, `lease` the turn that the caller holds. `lenient`
        takes empty answers and results without a call, which views then leave out.
        Raises: InputError and its kin, Conflict, TurnLost, StoreError.
        """
        said = taken(messages, author)
        held = held_by(lease)
        done, fold = run_blocking(self.flow.append(said, expected=expected, lenient=lenient, lease=held))
        if fold:
            self.sessions.ask_fold(self.key, fold)
        return done

    async def aappend(
        self,
        messages: Said | Iterable[Said],
        *,
        author: str | None = None,
        expected: int | None = None,
        lenient: bool = False,
        lease: TurnLease | None = None,
    ) -> Appended:
        """As `append`, awaited."""
        said = taken(messages, author)
        held = held_by(lease)
        done, fold = await self.aflow.append(said, expected=expected, lenient=lenient, lease=held)
        if fold:
            await self.sessions.aask_fold(self.key, fold)
        return done

    def view(self, query: str | None = None, *, overhead_tokens: int = 0) -> View:
        """The messages for the next model call: within the budget, valid, the same for the same version.

        `query` brings back old messages that bear on it. `overhead_tokens` is what the caller puts
        around the view (system prompt, tool schemas). Raises: PinnedTooLarge, BudgetError.
        """
        return run_blocking(self.flow.view(query, overhead_tokens=overhead_tokens))

    async def aview(self, query: str | None = None, *, overhead_tokens: int = 0) -> View:
        """As `view`, awaited."""
        return await self.aflow.view(query, overhead_tokens=overhead_tokens)

    def lease(self, *, ttl_s: float = 60.0, wait_s: float = 30.0) -> TurnLease:
        """The session's turn, to be held in a `with` or `async with` block by one caller at a time.

        Waits at most `wait_s` seconds for another holder, and is held for `ttl_s` seconds at most
        unless it is renewed. Raises, in the block's beginning: TurnTaken.
        """
        return TurnLease(self.key, self.sessions.store, self.sessions.awaited, ttl_s=ttl_s, wait_s=wait_s)

    def record(self, *, all_branches: bool = False) -> list[Message]:
        """The whole conversation, word for word, in its order; with `all_branches` also what edits and
        forks left behind."""
        return list(run_blocking(_record(self.sessions.store, self.key, all_branches)))

    async def arecord(self, *, all_branches: bool = False) -> list[Message]:
        """As `record`, awaited."""
        return list(await _record(self.sessions.awaited, self.key, all_branches))

    def export(self) -> list[dict[str, Any]]:
        """The whole conversation as dicts in the shape of the OpenAI chat API, each with its id and time.

        `append` takes them back.
        """
        return [chat_message(message) for message in self.record()]

    async def aexport(self) -> list[dict[str, Any]]:
        """As `export`, awaited."""
        return [chat_message(message) for message in await self.arecord()]

    def search(self, query: str, *, max_hits: int = 5) -> list[Message]:
        """At most `max_hits` messages of the record that match `query`, best first."""
        return run_blocking(self.flow.search(query, max_hits=max_hits))

    async def asearch(self, query: str, *, max_hits: int = 5) -> list[Message]:
        """As `search`, awaited."""
        return await self.aflow.search(query, max_hits=max_hits)

    def expand(self, reference: str) -> Message:
        """The whole message behind a clip's reference. Raises: NotFound."""
        return run_blocking(self.flow.expand(reference))

    async def aexpand(self, reference: str) -> Message:
        """As `expand`, awaited."""
        return await self.aflow.expand(reference)

    def stats(self) -> SessionStats:
        """Totals, tokens per turn, pressure, tier and lag; reads the record once."""
        return run_blocking(stats_of(self.sessions.store, self.key, self.sessions.policy))

    async def astats(self) -> SessionStats:
        """As `stats`, awaited."""
        return await stats_of(self.sessions.awaited, self.key, self.sessions.policy)

    def notices(self) -> list[Notice]:
        """What the user was to be told about this session, oldest first."""
        return list(run_blocking(self.sessions.store.notices(self.key)))

    async def anotices(self) -> list[Notice]:
        """As `notices`, awaited."""
        return list(await self.sessions.awaited.notices(self.key))

    def fold(self) -> Digest | None:
        """Fold now, in this thread; the next turn's views stand on the digest. None: nothing to fold."""
        return run_blocking(self.sessions.folder.fold(self.key))

    async def afold(self) -> Digest | None:
        """As `fold`, awaited."""
        return await threaded(self.sessions.folder).fold(self.key)

    def reset(self, *, carry: bool = True) -> None:
        """Begin afresh: views start empty, or with the digest of all so far (`carry`). The record stays."""
        run_blocking(_reset(self.sessions.folder, self.sessions.store, self.key, carry))

    async def areset(self, *, carry: bool = True) -> None:
        """As `reset`, awaited."""
        await _reset(threaded(self.sessions.folder), self.sessions.awaited, self.key, carry)

    def delete(self) -> int:
        """Remove the session everywhere: record, digests, index, checkpoints; how many messages went."""
        return run_blocking(self.sessions.store.delete(self.key))

    async def adelete(self) -> int:
        """As `delete`, awaited."""
        return await self.sessions.awaited.delete(self.key)


def _exported(key: Key, messages: Sequence[dict[str, Any]]) -> dict[str, Any]:
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
    # What begins here is told of its length again (`notices.is_news`).
    last = (await store.state(key) or State(key)).ledger.messages
    head = None if carry else Ranges()
    await store.mark(key, Marks(resumed_after_seq=last, absent_s=0.0, head=head, activate=carry))
