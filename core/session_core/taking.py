"""What a session takes: messages of ours, or dicts in the shape of the OpenAI chat API, one or many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from session_core.errors import InputError
from session_core.transcripts import message_from_plain
from session_core.turns import Message, Role

Said = Message | Mapping[str, Any]
"""What `append` takes: a message of ours, or a dict in the shape of the OpenAI chat API."""


def taken(messages: Said | Iterable[Said], author: str | None) -> list[Message]:
    """The messages, those of users with `author` where they name none. Raises: InputError."""
    # A framework's message is iterable too, and what it yields would be named instead of it.
    one = isinstance(messages, (Message, Mapping)) or hasattr(messages, "content") or not isinstance(messages, Iterable)
    given = [messages] if one else list(cast(Iterable[Said], messages))
    read = [_message(one) for one in given]
    if author is None:
        return read
    return [replace(m, author=m.author or author) if m.role is Role.USER else m for m in read]


def _message(one: object) -> Message:
    if isinstance(one, Message):
        return one
    if isinstance(one, Mapping):
        return message_from_plain(one)
    more = "; a framework's messages go in through its adapter" if hasattr(one, "content") else ""
    raise InputError(f"a {type(one).__name__} is no message; pass a Message or a dict with role and content{more}")
