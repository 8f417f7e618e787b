"""The basic types of a conversation: keys, messages, tool calls, and units that are never separated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal
from uuid import UUID

from session_core.errors import EmptyMessage, InputError, UnknownRole, shown
from session_core.ranges import Ranges

GIVEN_ID = "~"
"""Prefix of ids that the session gives to messages without one; frameworks never see them."""

MAX_NAME_CHARACTERS = 512
"""Longest session id, tenant or namespace."""


class Role(StrEnum):
    """The speaker of a message. Adapters map the frameworks' roles to these four."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"

    @classmethod
    def parse(cls, name: str) -> Role:
        """The role called `name`. Raises: UnknownRole."""
        try:
            return cls(name)
        except ValueError:
            known = ", ".join(role.value for role in cls)
            raise UnknownRole(f"unknown role {shown(name)}; use one of {known}") from None


class Importance(StrEnum):
    """What compression may do with a message; decided once, when it is appended."""

    MUST_KEEP = "must_keep"
    SUMMARIZE = "summarize"
    DISCARD = "discard"


Origin = Literal["record", "digest", "recall", "refresh"]
"""Where a message of a view comes from: the record, or generated for the view."""

Rendition = Literal["whole", "clip", "named", "foreign"]
"""How a view shows a message of the record: unchanged, shortened, with the author's name before it, or in the form of
another framework than the one that stored it."""


@dataclass(frozen=True, slots=True)
class Key:
    """The name of one session.

    `namespace` is empty for the conversation itself; a LangGraph subgraph that keeps its own messages has its
    checkpoint namespace here, so that they never enter the conversation's record.
    """

    session_id: str
    tenant: str = "default"
    namespace: str = ""

    def __post_init__(self) -> None:
        for part, name in ((self.session_id, "session id"), (self.tenant, "tenant")):
            if not isinstance(part, str) or not part:
                number = isinstance(part, int) and not isinstance(part, bool)
                wanted = f"the string {str(part)!r}" if number else "a string that is not empty"
                raise InputError(f"{name} {part!r} is not a name; pass {wanted}")
        if not isinstance(self.namespace, str):
            raise InputError(f"namespace {self.namespace!r} is not a name; pass a string")
        for part in (self.session_id, self.tenant, self.namespace):
            if len(part) > MAX_NAME_CHARACTERS or "\x00" in part:
                raise InputError(
                    f"name {part[:40]!r}... is invalid; use at most {MAX_NAME_CHARACTERS} characters, no NUL"
                )

    @property
    def whole(self) -> Key:
        """The session that this is a namespace of; itself if it has no namespace."""
        return Key(self.session_id, self.tenant) if self.namespace else self

    def __str__(self) -> str:
        name = self.session_id if self.tenant == "default" else f"{self.tenant}/{self.session_id}"
        name = f"{name}#{self.namespace}" if self.namespace else name
        # A line break in a name must not start a new line in a log.
        return name if name.isprintable() else ascii(name)


def text_of_id(session_id: str | UUID) -> str:
    """The name of a session that an application identifies by a UUID; anything else is left for `Key` to check."""
    return str(session_id) if isinstance(session_id, UUID) else session_id


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool call of an assistant. `arguments` is JSON text, as models write it."""

    id: str
    name: str
    arguments: str = "{}"


MediaKind = Literal["image", "audio", "video", "file"]


@dataclass(frozen=True, slots=True)
class Media:
    """A part of a message that is not text. `data` is a URL, a data URL or base64, unchanged."""

    kind: MediaKind
    data: str
    mime: str | None = None


@dataclass(frozen=True, slots=True)
class Native:
    """A framework's own serialized message, without what the neutral fields already hold.

    `format` names the codec that reads `data` ("langchain/1"); no other code looks inside. `note` has what may differ
    between equal messages, such as which fields were set explicitly: it is stored, but is not part of the message's
    content.
    """

    format: str
    data: bytes
    note: bytes = b""


@dataclass(frozen=True, slots=True)
class Message:
    """One immutable entry of the record, or of a view.

    - `seq` orders the record, from 1; 0 means "not in a record".
    - `tokens` is counted once, when the message is appended, framing and tool calls included.
    - `time_s` is seconds since the epoch, for information only: `seq` gives the order.
    - `clip` is the shortened rendition of a large tool output, made when it was appended; `clip_tokens` is its size.
    - `aside` is other text of the message that is sent to a provider (reasoning, results of the provider's own
      tools): it counts tokens, but is never summarized.
    - `covers` is the part of the record that a message generated for a view (`origin` other than "record") stands
      for.
    """

    role: Role
    content: str = ""
    id: str = field(default="", kw_only=True)
    tool_calls: tuple[ToolCall, ...] = field(default=(), kw_only=True)
    tool_call_id: str | None = field(default=None, kw_only=True)
    name: str | None = field(default=None, kw_only=True)
    author: str | None = field(default=None, kw_only=True)
    media: tuple[Media, ...] = field(default=(), kw_only=True)
    aside: str = field(default="", kw_only=True)
    native: Native | None = field(default=None, kw_only=True)
    time_s: float | None = field(default=None, kw_only=True)
    seq: int = field(default=0, kw_only=True)
    tokens: int = field(default=0, kw_only=True)
    importance: Importance = field(default=Importance.SUMMARIZE, kw_only=True)
    clip: str | None = field(default=None, kw_only=True)
    clip_tokens: int = field(default=0, kw_only=True)
    origin: Origin = field(default="record", kw_only=True)
    rendition: Rendition = field(default="whole", kw_only=True)
    covers: Ranges = field(default=Ranges(), kw_only=True)
    _content_hash: bytes = field(default=b"", init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.role, Role):
            object.__setattr__(self, "role", Role.parse(self.role))
        if self.role is Role.TOOL and not self.tool_call_id:
            raise InputError("a tool message has no tool_call_id; pass the id of the call it answers")
        for name in ("tool_calls", "media"):
            # Lists are accepted, and converted to what a store returns.
            if type(given := getattr(self, name)) is list:
                object.__setattr__(self, name, tuple(given))

    def content_hash(self, digest: Callable[[Message], bytes]) -> bytes:
        """A hash of the message's content (`digest`), computed once: a graph passes the same objects at each step.
        `with_figures` keeps it; `dataclasses.replace` drops it."""
        if not self._content_hash:
            object.__setattr__(self, "_content_hash", digest(self))
        return self._content_hash

    @property
    def empty(self) -> bool:
        """Whether it has nothing for a model to read."""
        return not (self.content.strip() or self.tool_calls or self.media)

    @property
    def view_tokens(self) -> int:
        """Its size once it is no longer recent: of the clip if there is one, else of the whole message."""
        return self.clip_tokens if self.clip is not None else self.tokens

    def with_figures(
        self, name: str, time_s: float, *, tokens: int, importance: Importance, clip: str | None, clip_tokens: int
    ) -> Message:
        """The same message with the values computed at its append; `dataclasses.replace` would take twice as long."""
        made = Message(
            self.role,
            self.content,
            id=name,
            tool_calls=self.tool_calls,
            tool_call_id=self.tool_call_id,
            name=self.name,
            author=self.author,
            media=self.media,
            aside=self.aside,
            native=self.native,
            time_s=time_s,
            seq=self.seq,
            tokens=tokens,
            importance=importance,
            clip=clip,
            clip_tokens=clip_tokens,
            origin=self.origin,
            rendition=self.rendition,
            covers=self.covers,
        )
        if self._content_hash:
            object.__setattr__(made, "_content_hash", self._content_hash)
        return made

    def require_content(self, key: Key) -> None:
        """Raises: EmptyMessage if a message that must have content has none."""
        if self.empty and self.role in (Role.USER, Role.SYSTEM):
            raise EmptyMessage(f"session {key}: a {self.role} message is empty; send text, media or nothing at all")


@dataclass(frozen=True, slots=True)
class Unit:
    """Messages that are kept, clipped or folded together.

    One message, or one assistant message with all results of its tool calls. `complete` is false while a call waits
    for its result.
    """

    messages: tuple[Message, ...]
    complete: bool = True

    @property
    def tokens(self) -> int:
        messages = self.messages
        return messages[0].tokens if len(messages) == 1 else sum([message.tokens for message in messages])

    @property
    def view_tokens(self) -> int:
        return sum(message.view_tokens for message in self.messages)

    @property
    def long_outputs(self) -> int:
        """The number of messages with a clip."""
        return sum([message.clip is not None for message in self.messages[1:]])

    @property
    def first(self) -> Message:
        return self.messages[0]

    @property
    def starts_turn(self) -> bool:
        return self.first.role is Role.USER

    @property
    def seqs(self) -> Iterator[int]:
        return (message.seq for message in self.messages if message.seq)


@dataclass(slots=True)
class _Exchange:
    """A message with tool calls and the results so far: its index among the units, and the ids of calls without a
    result."""

    place: int
    messages: list[Message]
    waiting: set[str]


def units(messages: Sequence[Message]) -> list[Unit]:
    """`messages` as units, in order, with the results of a call right after it.

    A result without a preceding call, or a second result, would be refused by providers and is left out; a call
    without its result makes its unit incomplete.
    """
    made: list[Unit] = []
    exchanges: list[_Exchange] = []
    of_call: dict[str, _Exchange] = {}
    for message in messages:
        if message.role is Role.TOOL:
            called = message.tool_call_id or ""
            exchange = of_call.pop(called, None)
            if exchange is not None:
                exchange.messages.append(message)
                exchange.waiting.discard(called)
            continue
        if message.tool_calls:
            exchange = _Exchange(len(made), [message], {call.id for call in message.tool_calls})
            exchanges.append(exchange)
            of_call.update(dict.fromkeys(exchange.waiting, exchange))
        made.append(Unit((message,)))
    for exchange in exchanges:
        made[exchange.place] = Unit(tuple(exchange.messages), complete=not exchange.waiting)
    return made


def numbered(messages: Sequence[Message], first_seq: int) -> tuple[Message, ...]:
    """`messages` with sequence numbers from `first_seq` on."""
    return tuple(replace(m, seq=first_seq + i) for i, m in enumerate(messages))
