"""Compression inside a run: the messages a model is about to get, made to fit, with the state left raw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import BaseMessage, SystemMessage
from langchain_core.utils.function_calling import convert_to_openai_tool

from langchain_session.marks import mark_of, marked
from langchain_session.messages import from_core, to_core
from session_core.compress.ladder import plan
from session_core.plan import Digest
from session_core.ranges import Ranges
from session_core.serial.codec import digest_from_plain
from session_core.turns import Message
from session_core.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Squeeze:
    """Makes lists of messages fit the policy of `shop`; the same list always gives the same result.

    As a list grows within a run its result changes only at its end, but for the steps where the sum
    crosses the facts threshold (see `session_core.compress.ladder`). Messages that are shortened or
    written for the view carry a mark, so that a saver maps them back when a node returns them.
    """

    shop: Workshop

    def __call__(self, messages: Sequence[BaseMessage], *, overhead_tokens: int = 0) -> list[BaseMessage]:
        """`messages` within the budget; the very same objects where nothing had to change."""
        limits = self.shop.policy.limits
        tools = replace(self.shop.tools, limits=replace(limits, budget=limits.budget.less(overhead_tokens)))
        numbered = [replace(self._prepared(message), seq=index + 1) for index, message in enumerate(messages)]
        digest, rest = _digest_of(messages, numbered)
        made = plan(rest, digest, tools=tools)
        live = {index + 1: message for index, message in enumerate(messages)}
        handed = next((m for m in messages if (mark_of(m) or {}).get("origin") == "digest"), None)
        return [self._live(message, live, handed) for message in made.messages]

    def overhead(self, system: SystemMessage | None, tools: Sequence[Any]) -> int:
        """Tokens of a system message and of tool schemas, as a provider is sent them."""
        count = self.shop.counter.count
        schemas = sum(count(str(convert_to_openai_tool(tool))) for tool in tools)
        return schemas + (self.shop.measure(to_core(system)) if system is not None else 0)

    def _prepared(self, message: BaseMessage) -> Message:
        return self.shop.prepare(to_core(message))

    def _live(self, message: Message, live: dict[int, BaseMessage], handed: BaseMessage | None) -> BaseMessage:
        """The framework's message. A digest keeps the id and the mark of the one that the run was handed: a
        node may name it, and one that returns it says no more than that the old part is still there."""
        if message.origin == "record" and message.rendition == "whole" and message.seq in live:
            return live[message.seq]
        if message.origin == "digest" and handed is not None and message.content == handed.content:
            return handed
        made = from_core(replace(message, covers=Ranges()))
        if message.origin == "digest" and handed is not None:
            return marked(made.model_copy(update={"id": handed.id}), mark_of(handed) or {})
        return made


def _digest_of(messages: Sequence[BaseMessage], numbered: Sequence[Message]) -> tuple[Digest | None, list[Message]]:
    """The digest that a run was handed with its messages, and the messages behind it."""
    for message, neutral in zip(messages, numbered, strict=True):
        mark = mark_of(message)
        if mark and mark.get("origin") == "digest" and "digest" in mark:
            rest = [one for one in numbered if one is not neutral]
            return replace(digest_from_plain(mark["digest"]), covers=Ranges()), rest
    return None, list(numbered)
