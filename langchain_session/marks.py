"""Marks on LangChain messages that are not the record's own words, and how to tell that one still holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from langchain_core.messages import BaseMessage

from session_core.serial.blocks import read_blocks
from session_core.serial.marks import MARK, synthetic_id, words_hash

M = TypeVar("M", bound=BaseMessage)


def text_of(message: BaseMessage) -> str:
    """All text of `message`, as the record has it."""
    return read_blocks(message.content).content


def marked(message: M, mark: Mapping[str, Any]) -> M:
    """A copy of `message` with `mark`, and with what is needed to see later that nobody changed it."""
    words = {} if "origin" in mark else {"hash": words_hash(text_of(message))}
    kwargs = {**message.additional_kwargs, MARK: {**mark, **words}}
    return message.model_copy(update={"additional_kwargs": kwargs})


def mark_of(message: BaseMessage) -> dict[str, Any] | None:
    """The mark `message` carries; None when it has none, or was changed since it got it."""
    mark = message.additional_kwargs.get(MARK)
    if not isinstance(mark, dict):
        return None
    if "origin" in mark:
        holds = message.id == synthetic_id(mark["origin"], text_of(message), mark.get("covers", ()))
    else:
        holds = message.id == mark.get("ref") and mark.get("hash") == words_hash(text_of(message))
    return mark if holds else None
