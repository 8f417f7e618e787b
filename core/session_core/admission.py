"""Validation of messages (types, lengths, sizes); every store runs it before it writes anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import get_args

from session_core.errors import InputError, MessageTooLarge, named_type
from session_core.turns import Importance, Key, Media, MediaKind, Message, Native, ToolCall

MAX_ID_CHARACTERS = 65_536
"""Longest id of a message or tool call. Some providers put signatures of several thousand characters into one."""
MAX_LABEL_CHARACTERS = 8_192
"""Longest author, name of a message, or name of a tool."""
MAX_BATCH_MESSAGES = 100_000
"""Most messages that are appended at once."""
MAX_BATCH_BYTES = 256 * 1024 * 1024
"""Most bytes of text and data that are appended at once; servers end somewhere above it."""
MAX_TOKENS = 2**31 - 1
_KINDS = frozenset(get_args(MediaKind))
_SHOWN_CHARACTERS = 80


def require_storable(key: Key, messages: Sequence[Message], *, author_characters: int = MAX_LABEL_CHARACTERS) -> None:
    """Raises: InputError, MessageTooLarge for what cannot be stored and come back as it is; nothing was written."""
    if len(messages) > MAX_BATCH_MESSAGES:
        raise InputError(
            f"session {key}: {len(messages):,} messages in one append, the limit is {MAX_BATCH_MESSAGES:,}; "
            "append them in several parts"
        )
    size = 0
    for message in messages:
        if not isinstance(message, Message):
            raise InputError(f"session {key}: {named_type(message)} is not a message; pass a Message")
        if not _is_plainly_valid(message, author_characters) and (
            wrong := next(_problems(message, author_characters), "")
        ):
            named = f" {message.id[:_SHOWN_CHARACTERS]!r}" if isinstance(message.id, str) and message.id else ""
            raise InputError(f"session {key}: message{named} has {wrong}; nothing of the batch was written")
        size += _max_bytes(message)
    if size > MAX_BATCH_BYTES and (size := sum(map(_bytes, messages))) > MAX_BATCH_BYTES:
        raise MessageTooLarge(
            f"session {key}: {size:,} bytes in one append, the limit is {MAX_BATCH_BYTES:,}; append them in parts, "
            "and keep large files elsewhere, with a reference in the message"
        )


def _is_plainly_valid(message: Message, author_characters: int) -> bool:
    """A fast check that accepts most valid messages; the full check takes five times as long."""
    author, name, time_s = message.author, message.name, message.time_s
    call_id, native = message.tool_call_id, message.native
    return (
        type(message.content) is type(message.id) is type(message.aside) is str
        and len(message.id) <= MAX_ID_CHARACTERS
        and (author is None or (type(author) is str and len(author) <= author_characters))
        and (name is None or (type(name) is str and len(name) <= MAX_LABEL_CHARACTERS))
        and (time_s is None or (type(time_s) is float and -1e308 < time_s < 1e308))
        and type(message.tokens) is type(message.clip_tokens) is int
        and 0 <= message.tokens <= MAX_TOKENS
        and 0 <= message.clip_tokens <= MAX_TOKENS
        and type(message.importance) is Importance
        and (message.clip is None or type(message.clip) is str)
        and (call_id is None or (type(call_id) is str and len(call_id) <= MAX_ID_CHARACTERS))
        and (native is None or _is_plainly_valid_native(native))
        and not message.tool_calls
        and not message.media
    )


def _is_plainly_valid_native(native: Native) -> bool:
    return type(native) is Native and type(native.format) is str and type(native.data) is type(native.note) is bytes


def _problems(message: Message, author_characters: int) -> Iterator[str]:
    """What is wrong with a message, as the end of an error text without any of its content."""
    yield from _text_problems("id", message.id, MAX_ID_CHARACTERS)
    yield from _text_problems("content", message.content)
    yield from _text_problems("aside", message.aside)
    for name in ("tool_call_id", "name", "author", "clip"):
        value = getattr(message, name)
        if value is not None:
            yield from _text_problems(name, value, _max_characters(name, author_characters))
    for call in message.tool_calls:
        if not isinstance(call, ToolCall):
            yield f"{named_type(call)} among its tool calls; pass ToolCall objects"
        else:
            yield from _text_problems("tool call id", call.id, MAX_ID_CHARACTERS)
            yield from _text_problems("tool name", call.name, MAX_LABEL_CHARACTERS)
            yield from _text_problems("arguments of a tool call", call.arguments)
    for part in message.media:
        yield from _media_problems(part)
    yield from _native_problems(message.native)
    yield from _figure_problems(message)


def _max_characters(name: str, author_characters: int) -> int | None:
    most = {"tool_call_id": MAX_ID_CHARACTERS, "name": MAX_LABEL_CHARACTERS, "author": author_characters}
    return most.get(name)


def _text_problems(name: str, value: object, most: int | None = None) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{name} of type {type(value).__name__}; pass a text"
    elif most is not None and len(value) > most:
        yield f"{name} of {len(value):,} characters; the limit is {most:,}"


def _media_problems(part: object) -> Iterator[str]:
    if not isinstance(part, Media):
        yield f"{named_type(part)} among its media; pass Media objects"
        return
    if part.kind not in _KINDS:
        yield f"media of an unknown kind; use one of {', '.join(sorted(_KINDS))}"
    yield from _text_problems("data of media", part.data)
    if part.mime is not None:
        yield from _text_problems("mime type", part.mime, MAX_LABEL_CHARACTERS)


def _native_problems(native: object) -> Iterator[str]:
    if native is None:
        return
    if not isinstance(native, Native):
        yield f"native of type {type(native).__name__}; pass a Native"
    elif not _is_plainly_valid_native(native):
        yield "native data that is no bytes"


def _figure_problems(message: Message) -> Iterator[str]:
    time_s = message.time_s
    if time_s is not None:
        if isinstance(time_s, bool) or not isinstance(time_s, (int, float)):
            yield f"time_s of type {type(time_s).__name__}; pass seconds since the epoch"
        elif not -1e308 < time_s < 1e308:
            yield "an invalid time_s; pass seconds since the epoch"
    for name in ("tokens", "clip_tokens"):
        value = getattr(message, name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_TOKENS:
            yield f"invalid {name}; pass a whole number from 0 to {MAX_TOKENS:,}"
    if not isinstance(message.importance, Importance):
        yield "an invalid importance; pass an Importance"


def _texts(message: Message) -> list[str]:
    texts = [message.id, message.content, message.aside, message.clip or "", message.name or "", message.author or ""]
    for call in message.tool_calls:
        texts += (call.id, call.name, call.arguments)
    return [*texts, *(part.data for part in message.media)]


def _max_bytes(message: Message) -> int:
    """An upper bound of the message's bytes; an exact count would copy every text."""
    native = message.native
    size = len(message.content) + len(message.id) + len(message.aside) + len(message.clip or "")
    if message.tool_calls or message.media or message.name or message.author:
        size = sum(map(len, _texts(message)))
    return 4 * size + (len(native.data) + len(native.note) if native else 0)


def _bytes(message: Message) -> int:
    native = message.native
    texts = sum(len(text.encode("utf-8", "surrogatepass")) for text in _texts(message))
    return texts + (len(native.data) + len(native.note) if native else 0)
