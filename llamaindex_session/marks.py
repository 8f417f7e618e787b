"""Marks on LlamaIndex messages changed or generated for a view, and whether a mark still applies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, TextBlock
from llama_index.core.bridge.pydantic import PrivateAttr

from session_core.serial.marks import MARK, words_hash


class ViewMessage(ChatMessage):
    """A message written or shortened for a view.

    Its mark is kept beside its fields, since integrations of LlamaIndex send `additional_kwargs` to
    the provider as they are, and providers refuse what they do not know.
    """

    _mark: dict[str, Any] = PrivateAttr(default_factory=dict)


def text_of(message: ChatMessage) -> str:
    """All text blocks of `message`."""
    return "\n".join(block.text for block in message.blocks if isinstance(block, TextBlock))


def with_mark(message: ChatMessage, mark: Mapping[str, Any]) -> ViewMessage:
    """`message` with `mark`, and with a hash that detects later changes."""
    made = ViewMessage.model_construct(
        role=message.role, blocks=message.blocks, additional_kwargs=message.additional_kwargs
    )
    made._mark = {**mark, "hash": words_hash(text_of(message))}
    return made


def mark_of(message: ChatMessage) -> dict[str, Any] | None:
    """The mark of `message`; None if it has none, or was changed since. A message rebuilt as a plain `ChatMessage` may
    have it in `additional_kwargs`."""
    mark = message._mark if isinstance(message, ViewMessage) else message.additional_kwargs.get(MARK)
    if not isinstance(mark, dict) or mark.get("hash") != words_hash(text_of(message)):
        return None
    return mark
