"""Compression within a run: fits the messages of a model call, without changing the state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from langchain_core.messages import BaseMessage, SystemMessage
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from langchain_session.conversion.conversion_cache import ConversionCache, ConvertedMessage
from langchain_session.conversion.marks import with_mark
from langchain_session.conversion.messages import from_core, to_core
from session_core.compress.fixed import Extras
from session_core.compress.ladder import plan
from session_core.plan import Plan
from session_core.ranges import Ranges
from session_core.runtime.offload import BUSY_TOKENS, Executor
from session_core.serial.cache import BoundedCache
from session_core.services import Services
from session_core.turns import Message
from session_core.voices import ThreadExecutor

T = TypeVar("T")
KNOWN_TOOLS = 1_024
"""How many tool schemas' token counts a process remembers."""


@dataclass(frozen=True, slots=True)
class Fit:
    """The messages shown to a model, and what each one that is not in `raw` stands for.

    `stands_for` is keyed by the id of the shown message; notes about an absence and quotes stand for nothing.
    """

    raw: Sequence[BaseMessage]
    shown: list[BaseMessage]
    stands_for: dict[str, tuple[BaseMessage, ...]]


@dataclass(frozen=True, slots=True)
class RunFitter:
    """Fits lists of messages into the policy of `services`; equal lists give equal results.

    As a list grows within a run, its result changes only at the end, except when the total crosses the facts
    threshold (see `session_core.compress.ladder`). Shortened and generated messages are marked, so that a saver can
    map them back if a node returns them. Each message is parsed once and cached as long as it lives.
    """

    services: Services
    executor: Executor = field(default_factory=ThreadExecutor)
    known: ConversionCache = field(init=False)
    _tools: BoundedCache[tuple[Any, int]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "known", ConversionCache(self.services.prepare))
        object.__setattr__(self, "_tools", BoundedCache[tuple[Any, int]](KNOWN_TOOLS))

    def __call__(
        self, messages: Sequence[BaseMessage], *, overhead_tokens: int = 0, recalled: str = ""
    ) -> list[BaseMessage]:
        """`messages` within the budget; unchanged messages are the same objects."""
        return self.fit(messages, overhead_tokens=overhead_tokens, recalled=recalled).shown

    def fit(self, messages: Sequence[BaseMessage], *, overhead_tokens: int = 0, recalled: str = "") -> Fit:
        """`messages` within the budget, with `recalled` right before the newest question, and the mapping back."""
        limits = self.services.policy.limits
        context = replace(
            self.services.plan_context, limits=replace(limits, budget=limits.budget.minus_overhead(overhead_tokens))
        )
        known = [self.known(message, place) for place, message in enumerate(messages, start=1)]
        head = next((place for place, one in enumerate(known) if one.digest is not None), None)
        rest = [one.neutral for place, one in enumerate(known) if place != head]
        digest = known[head].digest if head is not None else None
        made = plan(rest, digest, context=context, extras=Extras(recalled))
        return _fit(messages, known, head, made)

    async def offload(self, messages: Sequence[BaseMessage], fit: Callable[[], T]) -> T:
        """The result of `fit`; computed off the event loop for large inputs."""
        characters = sum([len(m.content if isinstance(m.content, str) else str(m.content)) for m in messages])
        return fit() if characters <= BUSY_TOKENS * 4 else await self.executor(fit)

    def overhead_tokens(self, system: SystemMessage | None, tools: Sequence[Any], schemas: Sequence[Any] = ()) -> int:
        """Tokens of a system message, tools and other schemas, in the form sent to a provider."""
        count = self.services.counter.count
        priced = sum(map(self._schema_tokens, tools)) + sum(count(str(schema)) for schema in schemas)
        return priced + (self.services.measure(to_core(system)) if system is not None else 0)

    def _schema_tokens(self, tool: Any) -> int:
        """Tokens of a tool's schema, cached per tool."""
        count = self.services.counter.count
        if not isinstance(tool, BaseTool):
            return count(str(convert_to_openai_tool(tool)))
        key = id(tool), tool.name, tool.description, id(tool.args_schema)
        # The entry keeps the tool alive, so that no other object gets its id.
        return self._tools.get(key, lambda: (tool, count(str(convert_to_openai_tool(tool)))))[1]


def _fit(messages: Sequence[BaseMessage], known: Sequence[ConvertedMessage], head: int | None, made: Plan) -> Fit:
    shown: list[BaseMessage] = []
    stands_for: dict[str, tuple[BaseMessage, ...]] = {}
    handed = messages[head] if head is not None else None
    for message in made.messages:
        live = messages[message.seq - 1] if message.seq else None
        if live is not None and message is known[message.seq - 1].neutral:
            shown.append(live)
            continue
        if live is not None:
            one = known[message.seq - 1].as_shown(live, message)
            stands_for[one.id or ""] = (live,)
        elif message.origin == "digest":
            one = _digest_message(message, handed, known[head].mark if head is not None else {})
            covered = [messages[seq - 1] for seq in message.covers]
            stands_for[one.id or ""] = (*([handed] if handed is not None else []), *covered)
        else:
            one = from_core(message)
            stands_for[one.id or ""] = ()
        shown.append(one)
    return Fit(messages, shown, stands_for)


def _digest_message(message: Message, handed: BaseMessage | None, mark: dict[str, Any]) -> BaseMessage:
    """The digest's message with the id and mark of the one that the run received, since a node may refer to it by id,
    and returning it must mean only that the old part is still there."""
    if handed is not None and message.content == handed.content:
        return handed
    made = from_core(replace(message, covers=Ranges()))
    return made if handed is None else with_mark(made.model_copy(update={"id": handed.id}), mark)
