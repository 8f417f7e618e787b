"""Marks on LangChain messages that are not the record's own words, and how to tell that one still holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from langchain_core.messages import BaseMessage

from session_core.serial.blocks import read_blocks
from session_core.serial.marks import MARK, words_hash

M = TypeVar("M", bound=BaseMessage)


def text_of(message: BaseMessage) -> str:
    """All text of `message`, as the record has it."""
    return read_blocks(message.content).content


def marked(message: M, mark: Mapping[str, Any]) -> M:
    """A copy of `message` with `mark`, and with what is needed to see later that nobody changed it."""
    kwargs = {**message.additional_kwargs, MARK: {**mark, "hash": words_hash(text_of(message))}}
    return message.model_copy(update={"additional_kwargs": kwargs})


def mark_of(message: BaseMessage) -> dict[str, Any] | None:
    """The mark `message` carries; None when it has none, or was changed since it got it."""
    mark = message.additional_kwargs.get(MARK)
    if not isinstance(mark, dict):
        return None
    known = "origin" in mark or message.id == mark.get("ref")
    return mark if known and mark.get("hash") == words_hash(text_of(message)) else None
