"""`SessionChatStore`: a LlamaIndex chat store over sessions; a key is a session id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.bridge.pydantic import ConfigDict, Field, PrivateAttr
from llama_index.core.storage.chat_store.base import BaseChatStore
from llama_index.core.storage.chat_store.base_db import AsyncDBChatStore

from llamaindex_session.changes import as_new, change_to
from llamaindex_session.import_export import akeys_of, amessages_of, keys_of, messages_of, missing_messages, to_record
from llamaindex_session.messages import as_list, from_core, from_core_many
from llamaindex_session.references import DEFAULT_URL, place_at, place_of, sessions_at
from session_core import Message, Policy, Session, Sessions
from session_core.errors import ConfigError, InputError
from session_core.importing import RefusedConversations, aimport_messages, import_messages
from session_core.policy import require_policy
from session_core.ports import Marks
from session_core.ranges import Ranges
from session_core.voices import run_blocking


class SessionChatStore(BaseChatStore):
    """Whole conversations by session id; messages are returned exactly as they were added.

    Pass a `url` that all stores of this process share (default: "sqlite:///llm-sessions.db"), or your own `sessions`.
    Setting and deleting messages changes the current conversation; the record keeps the old ones until
    `delete_messages` deletes the session everywhere. When serialized it contains its URL (including a password) and
    reattaches; it is never copied. Raises: ConfigError, StoreError.
    """

    model_config = ConfigDict(extra="forbid")

    tenant: str = "default"
    place: dict[str, Any] = Field(default_factory=dict)
    _sessions: Sessions = PrivateAttr()

    def __init__(
        self,
        url: str | None = None,
        *,
        sessions: Sessions | None = None,
        policy: Policy | None = None,
        tenant: str = "default",
        place: dict[str, Any] | None = None,
    ) -> None:
        if sessions is not None and (url is not None or policy is not None):
            raise ConfigError("sessions has its own store and policy; pass sessions=, or url= and policy=")
        if sessions is not None and not isinstance(sessions, Sessions):
            raise ConfigError(f"sessions={type(sessions).__name__}; pass a Sessions, or url=")
        if sessions is not None:
            place = place_of(sessions)
        elif not place:
            place = place_at(DEFAULT_URL if url is None else url, require_policy(policy))
        fields = {"tenant": tenant, "place": place}
        super().__init__(**fields)
        self._sessions = sessions_at(place)

    def __repr__(self) -> str:
        return f"SessionChatStore({self.sessions.place!r}, tenant={self.tenant!r})"

    def __str__(self) -> str:
        # Pydantic's own repr would show the URL, and a password in it.
        return repr(self)

    @classmethod
    def class_name(cls) -> str:
        """The class name in serialized forms."""
        return "SessionChatStore"

    @classmethod
    def import_from(
        cls,
        chat_store: BaseChatStore,
        keys: Iterable[str] | None = None,
        *,
        url: str | None = None,
        sessions: Sessions | None = None,
        policy: Policy | None = None,
        tenant: str = "default",
    ) -> Self:
        """A store with all messages of `chat_store` under `keys`, or under all of its keys.

        A `RedisChatStore` lists every key of its database: pass `keys` if other data is in it. Repeated calls
        continue where the last one ended and add only what is new; `chat_store` is not changed. A key that is refused
        does not stop the others. Raises: NotFound for one of `keys` that `chat_store` lacks; Diverged if a key no
        longer begins with what was imported; InputError for a message that cannot be stored; ConfigError.
        """
        made = cls(url, sessions=sessions, policy=policy, tenant=tenant)
        several = RefusedConversations()
        for key in keys_of(chat_store, keys):
            with several.one():
                import_messages(made.session(key), to_record(messages_of(chat_store, key, named=keys is not None)))
        several.tell()
        return made

    @classmethod
    async def aimport_from(
        cls,
        chat_store: BaseChatStore | AsyncDBChatStore,
        keys: Iterable[str] | None = None,
        *,
        url: str | None = None,
        sessions: Sessions | None = None,
        policy: Policy | None = None,
        tenant: str = "default",
    ) -> Self:
        """Async form of `import_from`; also from an `AsyncDBChatStore`, including its archived messages."""
        made = cls(url, sessions=sessions, policy=policy, tenant=tenant)
        several = RefusedConversations()
        for key in await akeys_of(chat_store, keys):
            with several.one():
                messages = await amessages_of(chat_store, key, named=keys is not None)
                await aimport_messages(made.session(key), to_record(messages))
        several.tell()
        return made

    def export_to(self, chat_store: BaseChatStore, keys: Iterable[str] | None = None) -> int:
        """Add the messages of the sessions `keys`, or of all, that `chat_store` lacks; returns their number.

        Raises: NotFound for one of `keys` that is not a session; Diverged if a key there has messages that its
        session does not begin with.
        """
        several, added = RefusedConversations(), 0
        for key in keys_of(self, keys):
            with several.one():
                messages = messages_of(self, key, named=keys is not None)
                for message in missing_messages(messages, chat_store.get_messages(key), chat_store, key):
                    chat_store.add_message(key, message)
                    added += 1
        several.tell()
        return added

    async def aexport_to(self, chat_store: BaseChatStore, keys: Iterable[str] | None = None) -> int:
        """Async form of `export_to`."""
        several, added = RefusedConversations(), 0
        for key in await akeys_of(self, keys):
            with several.one():
                messages = await amessages_of(self, key, named=keys is not None)
                there = await chat_store.aget_messages(key)
                for message in missing_messages(messages, there, chat_store, key):
                    await chat_store.async_add_message(key, message)
                    added += 1
        several.tell()
        return added

    @property
    def sessions(self) -> Sessions:
        """The sessions that this store reads and writes."""
        return self._sessions

    def session(self, key: str) -> Session:
        """The session called `key`."""
        return self._sessions.session(key, tenant=self.tenant)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """This store; with `update` another one with these values, such as another `tenant`."""
        return type(self)(**{"tenant": self.tenant, "place": self.place, **update}) if update else self

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return type(self).from_dict, (self.to_dict(),)

    def get_messages(self, key: str) -> list[ChatMessage]:
        """The whole conversation, every message as it was added."""
        return from_core_many(self.session(key).record())

    async def aget_messages(self, key: str) -> list[ChatMessage]:
        """Async form of `get_messages`."""
        return from_core_many(await self.session(key).arecord())

    def set_messages(self, key: str, messages: list[ChatMessage]) -> None:
        """Make `messages` the conversation; those already in it are not stored again."""
        session = self.session(key)
        change = change_to(as_list(messages), session.record(), session.key)
        done = session.append(change.new, lenient=True)
        if not change.grows:
            run_blocking(self._sessions.store.mark(session.key, change.marks(done)))

    async def aset_messages(self, key: str, messages: list[ChatMessage]) -> None:
        """Async form of `set_messages`."""
        await self.aset_behind((), key, messages)

    async def aset_behind(self, left: Sequence[Message], key: str, messages: list[ChatMessage]) -> None:
        """As `aset_messages`, with `left` stored before what is new.

        It is in the conversation if `messages` continue that, and in the record only if they are another one.
        """
        session = self.session(key)
        change = change_to(as_list(messages), await session.arecord(), session.key)
        done = await session.aappend([*left, *change.new], lenient=True)
        if not change.grows:
            await self._sessions.awaited.mark(session.key, change.marks(done))

    def add_message(self, key: str, message: ChatMessage) -> None:
        """Store `message` at the end; durable on return."""
        self.session(key).append(as_new(message), lenient=True)

    async def async_add_message(self, key: str, message: ChatMessage) -> None:
        """Async form of `add_message`."""
        await self.session(key).aappend(as_new(message), lenient=True)

    def delete_messages(self, key: str) -> list[ChatMessage] | None:
        """Delete the session everywhere, with its record; returns the old conversation, None for an unknown key.

        LlamaIndex' own buffers call it in `reset()`. To start afresh and keep the record, set an empty list.
        """
        found = self.session(key).record()
        return from_core_many(found) if self.session(key).delete() else None

    async def adelete_messages(self, key: str) -> list[ChatMessage] | None:
        """Async form of `delete_messages`."""
        found = await self.session(key).arecord()
        return from_core_many(found) if await self.session(key).adelete() else None

    def delete_message(self, key: str, idx: int) -> ChatMessage | None:
        """Remove the message at `idx` from the conversation; None if there is none.

        The record keeps it: `session(key).record(all_branches=True)`.
        """
        session = self.session(key)
        found, head = _without(session.record(), idx)
        if found is not None:
            run_blocking(self._sessions.store.mark(session.key, Marks(head=head)))
        return found

    async def adelete_message(self, key: str, idx: int) -> ChatMessage | None:
        """Async form of `delete_message`."""
        session = self.session(key)
        found, head = _without(await session.arecord(), idx)
        if found is not None:
            await self._sessions.awaited.mark(session.key, Marks(head=head))
        return found

    def delete_last_message(self, key: str) -> ChatMessage | None:
        """Remove the last message from the conversation, like `delete_message`."""
        return self.delete_message(key, -1)

    async def adelete_last_message(self, key: str) -> ChatMessage | None:
        """Async form of `delete_last_message`."""
        return await self.adelete_message(key, -1)

    def get_keys(self) -> list[str]:
        """The ids of all sessions of the tenant, most recently used first."""
        return [state.key.session_id for state in self._sessions.list(self.tenant)]

    async def aget_keys(self) -> list[str]:
        """Async form of `get_keys`."""
        return [state.key.session_id for state in await self._sessions.alist(self.tenant)]


def _without(record: Sequence[Message], idx: int) -> tuple[ChatMessage | None, Ranges]:
    if not isinstance(idx, int):
        raise InputError(f"idx={type(idx).__name__}; pass the index of a message")
    if not -len(record) <= idx < len(record):
        return None, Ranges()
    gone = record[idx]
    return from_core(gone), Ranges.of(message.seq for message in record if message.seq != gone.seq)
