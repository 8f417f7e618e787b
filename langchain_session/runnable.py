"""`with_session`: calls any runnable with the view of a session, and stores its turns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.base import RunnableBindingBase, RunnableLike, coerce_to_runnable
from langchain_core.runnables.config import ensure_config
from langchain_core.runnables.utils import ConfigurableFieldSpec, get_unique_config_specs

from langchain_session.appending import aappend_said, append_said
from langchain_session.runnable_turn import Keys, Turn
from session_core import Policy, Session, Sessions
from session_core.errors import ConfigError
from session_core.leasing import TurnLease
from session_core.sharing import shared_sessions
from session_core.turns import Message
from session_core.voices import finish_or_undo, run_blocking

DEFAULT_URL = "sqlite:///llm-sessions.db"
_WHOLE = {"stream_mode": "values", "subgraphs": False, "version": "v1"}
"""The options with which a graph streams its state, and nothing around or beside it."""


def with_session(
    runnable: RunnableLike[Any, Any],
    sessions: Sessions | str = DEFAULT_URL,
    *,
    url: str | None = None,
    policy: Policy | None = None,
    tenant: str = "default",
    input_messages_key: str | None = None,
    history_messages_key: str | None = None,
    output_messages_key: str | None = None,
    overhead_tokens: int = 0,
    lease: bool = False,
    lease_ttl_s: float = 60.0,
    lease_wait_s: float = 30.0,
) -> SessionRunnable:
    """`runnable`, or a function, with a memory: each call reads the view of its session and stores its turn.

    Pass `sessions`, or their URL, first or as `url`; all runnables of this process share a URL's connections.

    The session is `configurable["session_id"]` (or `"thread_id"`) of the call's config, in `configurable["tenant"]`
    if given. The input is a string, a message, a list of messages, or a dict with one of these under
    `input_messages_key`. The history goes to `history_messages_key`, for a MessagesPlaceholder, or before the input
    if that is not set. `output_messages_key` is the key of the messages in a dict output. Both keys may be left out
    for a dict with one key, and for "messages". The input is also the query of the view. `overhead_tokens` is what
    the runnable adds (the text of its prompt, tool schemas).

    A call reads once before the runnable runs (twice if old messages may be relevant to the input), and writes once
    after it, input and answer together, so that turns never interleave. The user's input is never lost: if the
    runnable raises, or a stream is interrupted, it is stored together with the part of the answer that arrived, whose
    `response_metadata` then has `broken_off`. Only the turns of a process that is killed are not stored.

    With `lease`, calls on one session run one at a time: each waits up to `lease_wait_s` seconds for the turn and
    holds it for `lease_ttl_s`. Raises: ConfigError for a config without a session; InputError, before the runnable
    runs, for input that cannot be stored; TurnTaken and TurnLost with `lease`.
    """
    return SessionRunnable(
        _runnable(runnable),
        _opened(sessions, url, policy),
        Keys(input_messages_key, history_messages_key, output_messages_key),
        tenant=tenant,
        overhead_tokens=overhead_tokens,
        lease=(lease_ttl_s, lease_wait_s) if lease else None,
    )


def _runnable(given: RunnableLike[Any, Any]) -> Runnable[Any, Any]:
    if not isinstance(given, Runnable | Mapping) and not callable(given):
        raise ConfigError(f"with_session({type(given).__name__}); pass a runnable, such as a model or a chain")
    return coerce_to_runnable(given)


def _stream_mode(runnable: Runnable[Any, Any]) -> object:
    """What a graph streams unless it is told otherwise; None for what is no graph."""
    while isinstance(runnable, RunnableBindingBase):
        if mode := runnable.kwargs.get("stream_mode"):
            return mode
        runnable = runnable.bound
    return getattr(runnable, "stream_mode", None)


def _opened(sessions: Sessions | str, url: str | None, policy: Policy | None) -> Sessions:
    if isinstance(sessions, Sessions):
        if url is not None or policy is not None:
            raise ConfigError("sessions has its own store and policy; pass sessions, or url= and policy=")
        return sessions
    if not isinstance(sessions, str):
        raise ConfigError(
            f"with_session({type(sessions).__name__}); it needs no factory of histories: pass a URL such as "
            'sqlite:///chat.db, or a Sessions, and call with config={"configurable": {"session_id": "user-42"}}'
        )
    if url is not None and sessions != DEFAULT_URL:
        raise ConfigError("with_session(str, url=...) names two stores; pass only one")
    return shared_sessions(sessions if url is None else url, policy)


class SessionRunnable(Runnable[Any, Any]):
    """The result of `with_session`: a runnable, sync and async, with streaming and batches."""

    def __init__(
        self,
        runnable: Runnable[Any, Any],
        sessions: Sessions,
        keys: Keys,
        *,
        tenant: str,
        overhead_tokens: int,
        lease: tuple[float, float] | None,
    ) -> None:
        self.runnable = runnable
        self.sessions = sessions
        self.tenant = tenant
        self._keys = keys
        self._overhead_tokens = overhead_tokens
        self._lease = lease

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """The fields of the config of a call."""
        ours = [
            ConfigurableFieldSpec(id="session_id", annotation=str, name="Session id", default=""),
            ConfigurableFieldSpec(id="tenant", annotation=str, name="Tenant", default=self.tenant),
        ]
        return get_unique_config_specs([*self.runnable.config_specs, *ours])

    def session(self, config: RunnableConfig) -> Session:
        """The session of a call with `config`. Raises: ConfigError."""
        names = config.get("configurable", {})
        name = names.get("session_id") or names.get("thread_id")
        if not name:
            raise ConfigError(
                'the config names no session; call with config={"configurable": {"session_id": "user-42"}}'
            )
        return self.sessions.session(str(name), tenant=str(names.get("tenant") or self.tenant))

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """The runnable's answer, returned once the turn is durable."""
        config = ensure_config(config)
        with self._recorded_call(input, config) as call:
            call.came = self.runnable.invoke(call.given, config, **kwargs)
        return call.came

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Async form of `invoke`."""
        config = ensure_config(config)
        async with self._arecorded_call(input, config) as call:
            call.came = await self.runnable.ainvoke(call.given, config, **kwargs)
        return call.came

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[Any]:
        """The answer in chunks; the turn is stored when the stream ends or is interrupted.

        A graph streams what its nodes update, or single tokens, and not what its turn is. Raises: ConfigError for it
        with another `stream_mode` than "values", with `subgraphs`, or with another `version` than "v1".
        """
        config = ensure_config(config)
        self._require_whole_answers(kwargs)
        with self._recorded_call(input, config) as call:
            for piece in self.runnable.stream(call.given, config, **kwargs):
                call.came = _sum_chunks(call.came, piece)
                yield piece

    async def astream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncIterator[Any]:
        """Async form of `stream`."""
        config = ensure_config(config)
        self._require_whole_answers(kwargs)
        async with self._arecorded_call(input, config) as call:
            async for piece in self.runnable.astream(call.given, config, **kwargs):
                call.came = _sum_chunks(call.came, piece)
                yield piece

    @contextmanager
    def _recorded_call(self, input: Any, config: RunnableConfig) -> Iterator[_Call]:
        """A call with the view as its history. Its turn is stored at the end, or as far as it came."""
        session, turn = self._start_turn(input, config)
        with ExitStack() as held:
            lease = held.enter_context(self._turn_lease(session)) if self._lease else None
            call = None
            try:
                seen = session.flow.view(turn.query, pending=turn.input_messages, overhead_tokens=self._overhead_tokens)
                call = _Call(turn.to_read(run_blocking(seen)))
                yield call
                said = turn.complete(call.came)
            except BaseException as exc:
                if _lost_otherwise(call, exc):
                    append_said(session, turn.interrupted(call and call.came), lease)
                raise
            append_said(session, said, lease)

    def _arecorded_call(self, input: Any, config: RunnableConfig) -> _AsyncCall:
        """Async form of `_recorded_call`."""
        session, turn = self._start_turn(input, config)
        return _AsyncCall(session, turn, self._turn_lease(session) if self._lease else None, self._overhead_tokens)

    def _require_whole_answers(self, options: Mapping[str, Any]) -> None:
        mode = options.get("stream_mode") or _stream_mode(self.runnable)
        if mode is None:
            return
        asked = {"subgraphs": False, "version": "v1", **options, "stream_mode": mode}
        parts = [f"{name}={asked[name]!r}" for name, whole in _WHOLE.items() if asked[name] != whole]
        if parts:
            raise ConfigError(
                f"a graph with {', '.join(parts)} does not stream its messages as a whole; pass only "
                "stream_mode='values', or compile the graph with checkpointer=SessionSaver(url)"
            )

    def _start_turn(self, input: Any, config: RunnableConfig) -> tuple[Session, Turn]:
        return self.session(config), Turn(input, self._keys, self.sessions.services)

    def _turn_lease(self, session: Session) -> TurnLease:
        ttl_s, wait_s = self._lease or (60.0, 30.0)
        return session.lease(ttl_s=ttl_s, wait_s=wait_s)


@dataclass(slots=True)
class _Call:
    """The input of the runnable, and the pieces of its answer that arrived."""

    given: Any
    came: Any = None


@dataclass(slots=True)
class _AsyncCall:
    """`async with`: a call as of `_recorded_call`.

    No generator: when a stream is left behind, an event loop closes each generator that it finds, in any order, and one
    within another twice.
    """

    session: Session
    turn: Turn
    turn_lease: TurnLease | None
    overhead_tokens: int
    call: _Call | None = None
    lease: TurnLease | None = None
    held: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> _Call:
        if self.turn_lease is not None:
            self.lease = await self.held.enter_async_context(self.turn_lease)
        try:
            seen = await self.session.aflow.view(
                self.turn.query, pending=self.turn.input_messages, overhead_tokens=self.overhead_tokens
            )
            self.call = _Call(self.turn.to_read(seen))
        except BaseException as exc:
            await self._failed(exc)
            raise
        return self.call

    async def __aexit__(self, kind: object, exc: BaseException | None, trace: object) -> None:
        if exc is not None:
            await self._failed(exc)
            return
        try:
            said = self.turn.complete(self.call and self.call.came)
        except BaseException as failed:
            await self._failed(failed)
            raise
        await finish_or_undo(_ended(self.session, said, self.lease, self.held))

    async def _failed(self, exc: BaseException) -> None:
        if _lost_otherwise(self.call, exc):
            try:
                said = self.turn.interrupted(self.call and self.call.came)
            except BaseException:
                await self.held.aclose()
                raise
            await finish_or_undo(_ended(self.session, said, self.lease, self.held))
        else:
            await self.held.aclose()


def _lost_otherwise(call: _Call | None, exc: BaseException) -> bool:
    """Whether the user's input has to be stored now: the runnable had it, or the caller went away before that. An error
    of the view reaches the caller, who sends the input again."""
    return call is not None or not isinstance(exc, Exception)


async def _ended(session: Session, said: Sequence[Message], lease: TurnLease | None, held: AsyncExitStack) -> None:
    """Store what the turn said, then release it.

    To be run whole: web frameworks cancel the handler of a client that went away again at each of its waits.
    """
    async with held:
        await aappend_said(session, said, lease)


def _sum_chunks(came: Any, piece: Any) -> Any:
    """All pieces added up; the last one if they cannot be added."""
    if came is None:
        return piece
    try:
        return came + piece
    except TypeError:
        return piece
