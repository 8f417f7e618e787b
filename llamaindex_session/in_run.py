"""Compression within an agent's run: fits the messages of the run so far beside the view.

An agent keeps the messages of a run in the `scratchpad` of its context until the run ends. If they do not fit, the
scratchpad gets shortened ones, and the context keeps the originals for the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.workflow import Context, WorkflowRuntimeError

from llamaindex_session.changes import new_id
from llamaindex_session.marks import ViewMessage
from llamaindex_session.messages import from_core, to_core
from session_core import Message, Session, View
from session_core.compress.fixed import Extras
from session_core.compress.ladder import plan
from session_core.turns import numbered

SCRATCHPAD = "scratchpad"
"""Where LlamaIndex' function calling agents keep the messages of a run."""
KEPT = "llm_sessions_run"
"""Context key for the original messages after they were shortened: `whole`, their `ids`, and as `shown`."""


@dataclass(frozen=True, slots=True)
class Run:
    """The messages of an agent's run so far: as `shown` in its scratchpad, `whole`, and with the ids they will be
    stored under."""

    context: Context[Any]
    shown: tuple[ChatMessage, ...]
    whole: tuple[ChatMessage, ...]
    ids: tuple[str, ...]
    session: str

    async def fit(self, seen: View, session: Session, overhead_tokens: int) -> tuple[Message, ...]:
        """The view, which precedes this run's own messages; these are put into the scratchpad.

        Together they fit into the budget minus `overhead_tokens`.
        """
        services = session.sessions.aservices
        limits = services.policy.limits
        context = replace(
            services.plan_context, limits=replace(limits, budget=limits.budget.minus_overhead(overhead_tokens))
        )
        record = [message for message in seen.messages if message.origin == "record"]
        last = max((message.seq for message in record), default=0)
        messages = [replace(to_core(message), id=name) for message, name in zip(self.whole, self.ids, strict=True)]
        own = numbered(await services.prepare_all(messages), last + 1)
        all_of_it = [*record, *own]
        make = partial(plan, all_of_it, seen.digest, context=context, extras=_extras(seen), open_end=True)
        made = await services.offload(make, tokens=sum([message.tokens for message in all_of_it]))
        live = {message.seq: whole for message, whole in zip(own, self.whole, strict=True)}
        await self._show([_live(message, live) for message in made.messages if message.seq in live])
        return tuple(message for message in made.messages if message.seq not in live)

    async def _show(self, shown: list[ChatMessage]) -> None:
        if not shown or shown == list(self.shown):
            return
        kept = {"session": self.session, "whole": list(self.whole), "ids": list(self.ids), "shown": list(shown)}
        await self.context.store.set(KEPT, kept)
        await self.context.store.set(SCRATCHPAD, shown)


async def run_of(session: Session) -> Run | None:
    """The run of the calling agent, if it uses `session` as its memory and has messages."""
    context = step_context()
    shown = await _scratchpad(context, session) if context else []
    if context is None or not shown:
        return None
    whole, ids = zip(*await _whole(context, shown, session), strict=True)
    return Run(context, tuple(shown), whole, ids, str(session.key))


async def left_behind(messages: Sequence[ChatMessage], session: Session) -> list[tuple[ChatMessage, str]]:
    """The messages, with ids, that an ended run did not store, and that `messages` come after.

    A run that fails or reaches its step limit leaves its messages in the scratchpad, the last calls without results.
    The next run on its context would send them behind its own question, which providers refuse.
    """
    context = step_context()
    shown = await _scratchpad(context, session) if context else []
    if context is None or not shown or list(messages[: len(shown)]) == shown or await _is_under_way(context):
        return []
    return await _whole(context, shown, session)


async def whole_of(messages: Sequence[ChatMessage], session: Session) -> list[tuple[ChatMessage, str]]:
    """`messages` with the ids to store them under; shortened ones of a run are replaced by their originals."""
    return await _whole(step_context(), messages, session)


async def forget_stored(messages: Sequence[ChatMessage], session: Session, *, left: bool) -> None:
    """Drop what was kept of `messages`, since the record has them, and what an ended run `left` in the scratchpad."""
    context = step_context()
    if context is not None and (left or _begin(messages, await _kept(context, session))):
        await context.store.set(KEPT, None)
    if context is not None and left:
        await context.store.set(SCRATCHPAD, [])


async def original_in_run(reference: str, session: Session) -> Message | None:
    """The unstored original of the message with `reference` that this run shortened."""
    kept = await _kept(step_context(), session)
    named = dict(zip(kept["ids"], kept["whole"], strict=True)) if kept else {}
    return to_core(named[reference]) if reference in named else None


async def _scratchpad(context: Context[Any], session: Session) -> list[ChatMessage]:
    """The scratchpad of an agent that uses `session` as its memory."""
    memory = await context.store.get("memory", default=None)
    shown = await context.store.get(SCRATCHPAD, default=None)
    its = getattr(memory, "session", None)
    return shown if isinstance(its, Session) and its.key == session.key and _is_messages(shown) else []


async def _is_under_way(context: Context[Any]) -> bool:
    """Whether the run is between its first and its last step, when tools may put messages."""
    steps = await context.store.get("num_iterations", default=None)
    most = await context.store.get("max_iterations", default=None)
    return steps is None or most is None or 0 < steps < most


async def _whole(
    context: Context[Any] | None, messages: Sequence[ChatMessage], session: Session
) -> list[tuple[ChatMessage, str]]:
    kept = await _kept(context, session)
    known: list[tuple[ChatMessage, str]] = []
    if kept and _begin(messages, kept):
        known = list(zip(kept["whole"], kept["ids"], strict=True))
        messages = messages[len(kept["shown"]) :]
    return [*known, *((message, new_id()) for message in messages)]


def _begin(messages: Sequence[ChatMessage], kept: dict[str, Any] | None) -> bool:
    """Whether `messages` begin with the last contents of the run's scratchpad."""
    return kept is not None and list(messages[: len(kept["shown"])]) == kept["shown"]


async def _kept(context: Context[Any] | None, session: Session) -> dict[str, Any] | None:
    kept: dict[str, Any] | None = await context.store.get(KEPT, default=None) if context else None
    return kept if kept and kept["session"] == str(session.key) else None


def step_context() -> Context[Any] | None:
    """The context of the calling workflow step."""
    here = getattr(Context, "get_step_context", None)
    if here is None:
        return None
    try:
        found: Context[Any] = here()
    except WorkflowRuntimeError:
        return None
    return found


def _is_messages(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, ChatMessage) for one in value)


def _extras(seen: View) -> Extras:
    text = {message.origin: message.content for message in seen.messages if message.origin != "digest"}
    return Extras(text.get("recall", ""), text.get("refresh", ""))


def _live(message: Message, live: dict[int, ChatMessage]) -> ChatMessage:
    """The run's own object if nothing changed, else a plain message with the shortened text."""
    if message.rendition == "whole":
        return live[message.seq]
    made = from_core(message)
    if isinstance(made, ViewMessage):
        return ChatMessage(role=made.role, blocks=made.blocks, additional_kwargs=made.additional_kwargs)
    return made
