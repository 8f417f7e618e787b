"""Marks on LlamaIndex messages changed or generated for a view, and whether a mark still applies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from llama_index.core.base.llms.types import ChatMessage, TextBlock
from llama_index.core.bridge.pydantic import PrivateAttr, model_serializer, model_validator

from session_core.serial.marks import MARK, words_hash


class ViewMessage(ChatMessage):
    """A message written or shortened for a view.

    Its mark is kept beside its fields, since integrations of LlamaIndex send `additional_kwargs` to
    the provider as they are, and providers refuse what they do not know. A dump has it under a key that this class
    reads again, as the serializers of contexts do, and a plain `ChatMessage` does not.
    """

    _mark: dict[str, Any] = PrivateAttr(default_factory=dict)

    @model_serializer(mode="wrap")
    def _dump(self, dump: Callable[[Self], dict[str, Any]]) -> dict[str, Any]:
        return {**dump(self), MARK: self._mark} if self._mark else dump(self)

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, given: Any, read: Callable[[Any], Self]) -> Self:
        if not isinstance(given, Mapping) or not isinstance(given.get(MARK), Mapping):
            return read(given)
        made = read({key: value for key, value in given.items() if key != MARK})
        made._mark = dict(given[MARK])
        return made


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
