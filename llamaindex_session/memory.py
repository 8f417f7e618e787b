"""`SessionMemoryBuffer`: a LlamaIndex memory that keeps everything and always fits."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.bridge.pydantic import ConfigDict, Field, SerializeAsAny, model_validator
from llama_index.core.llms.llm import LLM
from llama_index.core.memory.chat_memory_buffer import (
    DEFAULT_TOKEN_LIMIT,
    DEFAULT_TOKEN_LIMIT_RATIO,
    ChatMemoryBuffer,
)
from llama_index.core.memory.types import BaseMemory
from llama_index.core.storage.chat_store.base import BaseChatStore
from llama_index.core.utils import get_tokenizer

from llamaindex_session.changes import as_new
from llamaindex_session.chat_store import SessionChatStore
from llamaindex_session.concurrent_runs import note_question, note_set, seen_by_run
from llamaindex_session.import_export import session_id_of, to_record
from llamaindex_session.in_run import for_record, forget_stored, left_behind, run_of
from llamaindex_session.marks import ViewMessage
from llamaindex_session.messages import as_list, from_core_many
from session_core import Budget, Message, Policy, Session, Sessions
from session_core.advisers import require_method
from session_core.budget import MIN_LIMIT_TOKENS
from session_core.errors import BudgetError, ConfigError, named_type
from session_core.importing import aimport_messages, import_messages
from session_core.policy import require_policy
from session_core.ranges import Ranges
from session_core.turns import Key, text_of_id


class SessionMemoryBuffer(ChatMemoryBuffer):
    """The memory of one session: `get` returns its view, never over `token_limit`; `get_all` its record.

    Create one with `from_defaults`. When serialized, pickled or copied it refers to its session and reattaches to it;
    the messages stay in the store.
    """

    model_config = ConfigDict(extra="forbid")

    chat_store: SerializeAsAny[SessionChatStore] = Field(default_factory=SessionChatStore)
    chat_store_key: str = Field(default_factory=lambda: uuid.uuid4().hex)

    @model_validator(mode="before")
    @classmethod
    def _is_made_by_from_defaults(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and given.keys() & {"session_id", "url", "sessions"}:
            raise ValueError("create a memory with SessionMemoryBuffer.from_defaults(session_id=..., url=...)")
        return given

    @classmethod
    def class_name(cls) -> str:
        """The class name in serialized forms."""
        return "SessionMemoryBuffer"

    def __repr__(self) -> str:
        key, place = self.session.key, self.session.sessions.place
        return f"SessionMemoryBuffer({str(key)!r}, {place!r}, token_limit={self.token_limit})"

    def __str__(self) -> str:
        # Pydantic's own repr would show the URL, and a password in it.
        return repr(self)

    @classmethod
    def from_defaults(  # type: ignore[override]  # no unknown keywords, and names of ours
        cls,
        chat_history: list[ChatMessage] | None = None,
        llm: LLM | None = None,
        chat_store: BaseChatStore | None = None,
        chat_store_key: str | None = None,
        token_limit: int | None = None,
        tokenizer_fn: Callable[[str], list[Any]] | None = None,
        *,
        session_id: str | uuid.UUID | None = None,
        url: str | None = None,
        sessions: Sessions | None = None,
        policy: Policy | None = None,
        tenant: str = "default",
    ) -> Self:
        """The memory of session `session_id` (alias: `chat_store_key`), or of a new session with a generated id.

        The store is that of `sessions`, of a `SessionChatStore`, or the one at `url` (default:
        "sqlite:///llm-sessions.db"), shared by all memories of this process. `token_limit` is the maximum size of a
        view, message framing and tool calls included. Default: the budget of `policy`, `sessions` or `chat_store`,
        else three quarters of the context window of `llm`, else 3,000. With `sessions` or `chat_store` it can only be
        smaller than their budget, and folds happen at their thresholds. `chat_history` is the beginning of the
        session: it is set unless the session already begins with it. `tokenizer_fn` is what chat engines use to count
        their own prompts; views are counted for `policy.model`.
        Raises: ConfigError, BudgetError (a ValueError), StoreError.
        """
        if None not in (session_id, chat_store_key) and session_id != chat_store_key:
            raise ConfigError(f"session_id={session_id!r}, chat_store_key={chat_store_key!r}; pass only one")
        if chat_store is not None or sessions is not None:
            store = _chat_store_of(chat_store, sessions, url, policy, tenant)
            token_limit = _checked_limit(token_limit, store)
        else:
            policy = _policy(policy, llm, token_limit)
            store, token_limit = SessionChatStore(url, policy=policy, tenant=tenant), _limit(policy)
        made = cls(
            token_limit=token_limit,
            tokenizer_fn=tokenizer_fn or get_tokenizer(),
            chat_store=store,
            chat_store_key=_named(session_id if session_id is not None else chat_store_key, tenant),
        )
        if chat_history is not None:
            chat_history = as_list(chat_history)
        if chat_history and made.get_all()[: len(chat_history)] != chat_history:
            made.set(chat_history)
        return made

    @classmethod
    def import_from(cls, memory: BaseMemory, session_id: str | uuid.UUID | None = None, **made_with: Any) -> Self:
        """A memory of session `session_id` with all messages of `memory`.

        Without `session_id` the session has the name of `memory`. An empty source makes an empty conversation. Other
        arguments are those of `from_defaults`; the token limit defaults to that of `memory`. Repeated calls add only
        what is new. Raises: ConfigError if `memory` has no session name; Diverged if it no longer begins with what
        was imported; InputError.
        """
        require_method(memory, "get_all", "a memory")
        made = cls.from_defaults(session_id=session_id or session_id_of(memory), **_with_token_limit(made_with, memory))
        import_messages(made.session, to_record(memory.get_all()))
        return made

    @classmethod
    async def aimport_from(
        cls, memory: BaseMemory, session_id: str | uuid.UUID | None = None, **made_with: Any
    ) -> Self:
        """Async form of `import_from`."""
        require_method(memory, "aget_all", "a memory")
        made = cls.from_defaults(session_id=session_id or session_id_of(memory), **_with_token_limit(made_with, memory))
        await aimport_messages(made.session, to_record(await memory.aget_all()))
        return made

    @classmethod
    def from_dict(cls, data: dict[str, Any], **kwargs: Any) -> Self:
        """The memory that `to_dict` described, attached to its session.

        `sessions=` is where to attach it, for memories that were created with `sessions`; a smaller budget there is
        its new `token_limit`. Raises: ConfigError if `data` is from another memory class, or its sessions are unknown
        in this process.
        """
        stored = data.get("chat_store") if isinstance(data, Mapping) else None
        if not isinstance(stored, Mapping) or stored.get("class_name") != SessionChatStore.class_name():
            raise ConfigError(
                "this was not written by a SessionMemoryBuffer; to move its messages, load it with the class "
                "that wrote it and pass get_all() to put_messages()"
            )
        sessions = kwargs.pop("sessions", None)
        if sessions is not None:
            store = SessionChatStore(sessions=sessions, tenant=stored.get("tenant", "default"))
        else:
            store = SessionChatStore.from_dict(dict(stored))
        values = {name: value for name, value in data.items() if name != "class_name"}
        if sessions is not None and "token_limit" in values:
            values["token_limit"] = min(values["token_limit"], _limit(sessions.policy))
        return cls(**{**values, "chat_store": store, **kwargs})

    @property
    def session_id(self) -> str:
        """The session's id."""
        return self.chat_store_key

    @property
    def session(self) -> Session:
        """The session: for stats, search, notices, and everything that this interface lacks."""
        return self.chat_store.session(self.chat_store_key)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return type(self).from_dict, (self.to_dict(),)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """This memory; with `update` another one with these values, attached to the session that they name with
        `session_id`.

        Messages are never copied, so `deep` changes nothing. Raises: pydantic's ValidationError.
        """
        if not update:
            return self
        named = {"chat_store_key" if name == "session_id" else name: value for name, value in update.items()}
        return type(self)(**{**{name: getattr(self, name) for name in type(self).model_fields}, **named})

    def get(
        self,
        input: str | ChatMessage | None = None,
        initial_token_count: int = 0,
        **kwargs: Any,
    ) -> list[ChatMessage]:
        """The view for the next model call, in at most `token_limit` minus `initial_token_count` tokens.

        `input`, a text or a message as in `Memory.get`, quotes old messages that are relevant to it. Each call returns
        new objects. They may be set again (`set`, `chat_history=`), with what they leave out; made into plain
        `ChatMessage`s, as by your own JSON, they are taken at their word: keep `get_all()` there, or put only what is
        new.
        Raises: BudgetError (a ValueError) if `initial_token_count` leaves no room.
        """
        session = self.session
        seen = session.view(_query(input), overhead_tokens=self._overhead(initial_token_count))
        return _view_messages(session, seen.messages, seen.lineage)

    async def aget(
        self,
        input: str | ChatMessage | None = None,
        initial_token_count: int = 0,
        **kwargs: Any,
    ) -> list[ChatMessage]:
        """Async form of `get`. Within an agent's run the view leaves room for the messages of the run so far.

        The run's tool outputs are shortened if both do not fit; the record gets them whole. What the agent itself
        adds (its prompt, tool schemas, the messages of a retry) is not counted, and an agent with a `scratchpad_key` or
        `reasoning_key` of its own is not found. Messages of concurrent runs that came after this run's question are
        visible from the next question on.
        """
        session, overhead_tokens, query = self.session, self._overhead(initial_token_count), _query(input)
        seen = await session.aview(query, overhead_tokens=overhead_tokens)
        part = await seen_by_run(seen.lineage, session)
        if part != seen.lineage:
            seen = await session.aflow.view(query, overhead_tokens=overhead_tokens, lineage=part)
        run = await run_of(session)
        shown = await run.fit(seen, session, overhead_tokens) if run else seen.messages
        return _view_messages(session, shown, seen.lineage)

    def put(self, message: ChatMessage) -> None:
        """Store `message`; durable on return."""
        self.put_messages([message])

    async def aput(self, message: ChatMessage) -> None:
        """Async form of `put`."""
        await self.aput_messages([message])

    def put_messages(self, messages: list[ChatMessage]) -> None:
        """Store `messages`, all or none."""
        self.session.append(map(as_new, as_list(messages)), lenient=True)

    async def aput_messages(self, messages: list[ChatMessage]) -> None:
        """Async form of `put_messages`."""
        session, messages = self.session, as_list(messages)
        left = await left_behind(messages, session)
        whole = [*left, *await for_record(messages, session)]
        done = await session.aappend(whole, lenient=True)
        await forget_stored(messages, session, left=bool(left))
        await note_question(whole, done.seqs, session)

    async def aset(self, messages: list[ChatMessage]) -> None:
        """Async form of `set`. What an ended run left is stored before what is new."""
        session = self.session
        if left := await left_behind([], session):
            await self.chat_store.aset_behind(left, self.chat_store_key, messages)
            await forget_stored([], session, left=True)
        else:
            await super().aset(messages)
        await note_set(session)

    def reset(self) -> None:
        """Start afresh: the conversation is empty, but the record keeps the old messages."""
        self.session.reset(carry=False)

    async def areset(self) -> None:
        """Async form of `reset`."""
        await self.session.areset(carry=False)

    def _overhead(self, initial_token_count: int) -> int:
        if not isinstance(initial_token_count, int) or initial_token_count < 0:
            raise BudgetError(f"session {self.session.key}: initial_token_count={initial_token_count!r}; pass a count")
        left = _checked_limit(self.token_limit, self.chat_store) - initial_token_count
        if left < 0:
            raise BudgetError(
                f"session {self.session.key}: Initial token count exceeds token limit "
                f"({initial_token_count} of {self.token_limit}); shorten the prompt, or raise token_limit"
            )
        if left < MIN_LIMIT_TOKENS:
            raise BudgetError(
                f"session {self.session.key}: initial_token_count={initial_token_count} leaves {left} of "
                f"{self.token_limit} tokens for the view; at least {MIN_LIMIT_TOKENS} are needed"
            )
        return max(0, _limit(self.chat_store.sessions.policy) - left)


def _query(given: str | ChatMessage | None) -> str | None:
    return given.content if isinstance(given, ChatMessage) else given


def _view_messages(session: Session, view: Sequence[Message], lineage: Ranges) -> list[ChatMessage]:
    """The messages of a view of `lineage`; what was made for it is marked with the session.

    Digest and quotes, else clips, stand for all that the view leaves out, so that setting a view loses nothing of it.
    """
    messages = from_core_many(view)
    made = [message for message in messages if isinstance(message, ViewMessage)]
    for message in made:
        message._mark["session"] = str(session.key)
    if made:
        left_out = lineage.minus(Ranges.of(message.seq for message in view if message.origin == "record"))
    for message in [message for message in made if "origin" in message._mark] or made:
        message._mark["covers"] = [list(pair) for pair in left_out.pairs]
    return messages


def _chat_store_of(
    chat_store: BaseChatStore | None,
    sessions: Sessions | None,
    url: str | None,
    policy: Policy | None,
    tenant: str,
) -> SessionChatStore:
    if chat_store is None:
        return SessionChatStore(url, sessions=sessions, policy=policy, tenant=tenant)
    if not isinstance(chat_store, SessionChatStore):
        raise ConfigError(
            f"a SessionMemoryBuffer keeps its messages in a session, not in {named_type(chat_store)}; "
            "leave chat_store out and pass url= or sessions="
        )
    if sessions is not None or url is not None or policy is not None:
        raise ConfigError("chat_store has its own store and policy; leave out sessions=, url= and policy=")
    return chat_store


def _with_token_limit(made_with: dict[str, Any], memory: BaseMemory) -> dict[str, Any]:
    """Constructor arguments with the token limit of `memory`, unless another argument sets it."""
    if any(made_with.get(name) is not None for name in ("token_limit", "llm", "sessions", "policy", "chat_store")):
        return made_with
    return {**made_with, "token_limit": getattr(memory, "token_limit", None)}


def _checked_limit(token_limit: int | None, store: SessionChatStore) -> int:
    most = _limit(store.sessions.policy)
    if token_limit is None or _checked(token_limit) <= most:
        return most if token_limit is None else _checked(token_limit)
    raise BudgetError(
        f"token_limit={token_limit} exceeds the budget of the sessions, {most} tokens; "
        "leave it out, or raise their Policy(budget=...)"
    )


def _policy(policy: Policy | None, llm: LLM | None, token_limit: int | None) -> Policy:
    if policy is not None:
        policy = require_policy(policy)
        if token_limit is None:
            return policy
        budget = replace(policy.budget, window_tokens=_checked(token_limit), reply_reserve_tokens=0)
        return replace(policy, budget=budget)
    if llm is not None and not isinstance(llm, LLM):
        raise ConfigError(f"llm={type(llm).__name__}; pass a model of LlamaIndex, or token_limit=")
    metadata = llm.metadata if llm is not None else None
    if token_limit is None and metadata is not None:
        token_limit = int(metadata.context_window * DEFAULT_TOKEN_LIMIT_RATIO)
    if token_limit is None:
        token_limit = DEFAULT_TOKEN_LIMIT
    budget = Budget(_checked(token_limit), reply_reserve_tokens=0)
    return Policy(budget, model=(metadata.model_name if metadata is not None else None) or None)


def _named(session_id: str | uuid.UUID | None, tenant: str) -> str:
    return uuid.uuid4().hex if session_id is None else Key(text_of_id(session_id), tenant).session_id


def _checked(token_limit: int) -> int:
    if not isinstance(token_limit, int):
        raise BudgetError(f"token_limit={token_limit!r}; pass a whole number of tokens")
    if token_limit >= MIN_LIMIT_TOKENS:
        return token_limit
    raise BudgetError(f"token_limit={token_limit}; a view needs at least {MIN_LIMIT_TOKENS} tokens")


def _limit(policy: Policy) -> int:
    return policy.budget.limit_tokens
