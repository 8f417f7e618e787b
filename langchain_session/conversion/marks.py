"""Marks on LangChain messages changed or generated for a view, and whether a mark still applies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from langchain_core.messages import AIMessage, BaseMessage

from session_core.serial.blocks import read_blocks
from session_core.serial.marks import MARK, words_hash

M = TypeVar("M", bound=BaseMessage)
HELD = f"{MARK}_held"
"""The key of a mark that is stored with its message, since it says where the message came from."""


def text_of(message: BaseMessage) -> str:
    """All text of `message`, as in the record."""
    return read_blocks(message.content).content


def with_mark(message: M, mark: Mapping[str, Any]) -> M:
    """A copy of `message` with `mark`, and with a hash that detects later changes."""
    kwargs = {**message.additional_kwargs, MARK: {**mark, "hash": _seal(message)}}
    return message.model_copy(update={"additional_kwargs": kwargs})


def mark_of(message: BaseMessage) -> dict[str, Any] | None:
    """The mark of `message`; None if it has none, or was changed since."""
    mark = message.additional_kwargs.get(MARK)
    if not isinstance(mark, dict):
        return None
    known = "origin" in mark or message.id == mark.get("ref")
    return mark if known and mark.get("hash") == _seal(message) else None


def unmarked(message: BaseMessage) -> BaseMessage:
    """The message without a mark, as something that was said so."""
    if MARK not in message.additional_kwargs:
        return message
    kwargs = {name: value for name, value in message.additional_kwargs.items() if name != MARK}
    return message.model_copy(update={"additional_kwargs": kwargs})


def set_mark_aside(message: BaseMessage) -> BaseMessage:
    """The message with its mark moved aside, so that it can be stored together with the mark."""
    return _move_mark(message, MARK, HELD) if mark_of(message) else message


def restore_mark(message: BaseMessage) -> BaseMessage:
    """The inverse of `set_mark_aside`; a mark that the message received since takes precedence."""
    return _move_mark(message, HELD, MARK) if HELD in message.additional_kwargs else message


def _move_mark(message: BaseMessage, name: str, to: str) -> BaseMessage:
    kwargs = dict(message.additional_kwargs)
    mark = kwargs.pop(name)
    return message.model_copy(update={"additional_kwargs": {to: mark} | kwargs})


def _seal(message: BaseMessage) -> str:
    """A hash of what the message says and of its tool calls."""
    calls = message.tool_calls if isinstance(message, AIMessage) else []
    return words_hash(text_of(message), *(repr(call) for call in calls))
