"""Converts the arguments of `append` (our messages, or dicts in the formats of OpenAI and Anthropic) to messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from session_core.errors import InputError, named_type
from session_core.serial.plain_messages import messages_from_plain
from session_core.turns import Message, Role

FRAMEWORKS = ("langchain_core", "llama_index")
AppendArgument = Message | Mapping[str, Any]
"""What `append` accepts: a `Message`, or a dict in the format of OpenAI or Anthropic."""


def messages_from_argument(messages: AppendArgument | Iterable[AppendArgument], author: str | None) -> list[Message]:
    """The messages, those of users with `author` if they name none; a dict with several tool results becomes one
    message each. Raises: InputError."""
    # A framework's message is iterable too, and the error would name its fields instead of it.
    foreign = hasattr(messages, "content") or hasattr(messages, "model_dump")
    one = isinstance(messages, (Message, Mapping)) or foreign or not isinstance(messages, Iterable)
    given = [messages] if one else list(cast(Iterable[AppendArgument], messages))
    read = [message for one in given for message in _messages(one)]
    if author is None:
        return read
    return [replace(m, author=m.author or author) if m.role is Role.USER else m for m in read]


def _messages(one: object) -> list[Message]:
    if isinstance(one, Message):
        return [one]
    if isinstance(one, Mapping):
        found = messages_from_plain(one)
        if not found:
            raise InputError("a reasoning item without readable text; leave it out")
        return found
    more = ""
    if hasattr(one, "model_dump") and type(one).__module__.partition(".")[0] not in FRAMEWORKS:
        more = "; what an SDK answered is one by its model_dump()"
    elif hasattr(one, "content"):
        more = "; a framework's messages go in through its adapter"
    raise InputError(f"{named_type(one)} is not a message; pass a Message or a dict with role and content{more}")
