"""Compression within an agent's run: fits what the run did so far beside the view.

An agent keeps that in its context until the run ends (`run_places`). If it does not fit, the context gets shortened
messages or steps, and keeps the originals for the record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.workflow import Context, WorkflowRuntimeError

from llamaindex_session.changes import as_new, new_id
from llamaindex_session.messages import to_core
from llamaindex_session.run_places import REASONING, SCRATCHPAD, Place, told
from session_core import Message, Session, View
from session_core.compress.fixed import Extras
from session_core.compress.ladder import plan
from session_core.compress.plan_cache import PlanContext
from session_core.turns import numbered


@dataclass(frozen=True, slots=True)
class Part:
    """What one place of a context has of a run: as `shown` there, `whole`, and with `ids`."""

    place: Place
    shown: Sequence[Any]
    whole: Sequence[Any]
    ids: Sequence[str]

    def messages(self) -> list[Message]:
        """One message per item, with its id."""
        made = self.place.to_messages(self.whole)
        return [replace(message, id=name) for message, name in zip(made, self.ids, strict=True)]


@dataclass(frozen=True, slots=True)
class Run:
    """What an agent's run did so far, in the order in which a model is sent it."""

    context: Context[Any]
    parts: Sequence[Part]
    session: str

    async def fit(self, seen: View, session: Session, overhead_tokens: int) -> tuple[Message, ...]:
        """The view, which precedes this run's own messages; these are put into the run's context.

        Together they fit into the budget minus `overhead_tokens`.
        """
        services = session.sessions.aservices
        record = [message for message in seen.messages if message.origin == "record"]
        last = max((message.seq for message in record), default=0)
        own = [message for part in self.parts for message in part.messages()]
        items = [(part, item) for part in self.parts for item in part.whole]
        prepared = await services.prepare_all(own)
        more = {
            message.id: max(0, services.measure(to_core(part.place.sent(item))) - message.tokens)
            for message, (part, item) in zip(prepared, items, strict=True)
        }
        own = list(numbered([_priced(message, more[message.id]) for message in prepared], last + 1))
        context = _context(session, overhead_tokens, more)
        all_of_it = [*record, *own]
        make = partial(plan, all_of_it, seen.digest, context=context, extras=_extras(seen), open_end=True)
        made = await services.offload(make, tokens=sum([message.tokens for message in all_of_it]))
        live = {message.seq: pair for message, pair in zip(own, items, strict=True)}
        for part in self.parts:
            shown = [message for message in made.messages if message.seq in live and live[message.seq][0] is part]
            await self._show(part, [_item(message, *live[message.seq]) for message in shown])
        return tuple(message for message in made.messages if message.seq not in live)

    async def _show(self, part: Part, shown: list[Any]) -> None:
        if not shown or shown == list(part.shown):
            return
        kept = {"session": self.session, "whole": list(part.whole), "ids": list(part.ids), "shown": list(shown)}
        await self.context.store.set(part.place.kept, kept)
        await self.context.store.set(part.place.key, shown)


async def run_of(session: Session) -> Run | None:
    """The run of the calling agent, if it uses `session` as its memory and did something."""
    context = step_context()
    if context is None:
        return None
    # An agent that hands over leaves its steps, and the next one has messages.
    parts = [part for place in (REASONING, SCRATCHPAD) if (part := await _part(context, place, session))]
    return Run(context, parts, str(session.key)) if parts else None


async def left_behind(messages: Sequence[ChatMessage], session: Session) -> list[Message]:
    """The messages, with ids, that an ended run did not store, and that `messages` come after.

    A run that fails or reaches its step limit leaves them in its context, the last calls without results. The next
    run on it would send them behind its own question, which providers refuse.
    """
    run = await run_of(session)
    if run is None or _put(run, messages) or await _is_under_way(run.context):
        return []
    return [message for part in run.parts for message in _for_record(part)]


async def for_record(messages: Sequence[ChatMessage], session: Session) -> list[Message]:
    """`messages` with ids, as the record has them: the originals, if a run ends with them."""
    run = await run_of(session)
    put = _put(run, messages) if run else []
    rest = messages[len(_puts(put[-1])) :] if put else messages
    return [*(message for part in put for message in _for_record(part)), *map(as_new, rest)]


async def forget_stored(messages: Sequence[ChatMessage], session: Session, *, left: bool) -> None:
    """Empty the places in the run's context of which the record has all now: those that `messages` are from, or what an
    ended run `left`."""
    run = await run_of(session)
    if run is not None:
        for part in run.parts if left else _put(run, messages):
            await run.context.store.set(part.place.kept, None)
            await run.context.store.set(part.place.key, [])


async def original_in_run(reference: str, session: Session) -> Message | None:
    """The unstored original of the message with `reference` that this run shortened."""
    run = await run_of(session)
    parts = run.parts if run else ()
    return next((message for part in parts for message in part.messages() if message.id == reference), None)


def _put(run: Run, messages: Sequence[ChatMessage]) -> Sequence[Part]:
    """The parts that the run puts into its memory with `messages`: one, and those of agents that handed over before."""
    for place, part in enumerate(run.parts, start=1):
        puts = _puts(part)
        if list(messages[: len(puts)]) == puts:
            return run.parts[:place]
    return []


def _puts(part: Part) -> list[ChatMessage]:
    """The messages with which an agent puts what is in this place into its memory."""
    return [told(part.shown)] if part.place is REASONING else list(part.shown)


def _for_record(part: Part) -> list[Message]:
    return [as_new(told(part.whole))] if part.place is REASONING else part.messages()


async def _part(context: Context[Any], place: Place, session: Session) -> Part | None:
    """What `place` has, if the agent uses `session` as its memory."""
    memory = await context.store.get("memory", default=None)
    shown = await context.store.get(place.key, default=None)
    its = getattr(memory, "session", None)
    if not isinstance(its, Session) or its.key != session.key or not isinstance(shown, list) or not shown:
        return None
    if not all(isinstance(item, place.holds) for item in shown):
        return None
    kept = await context.store.get(place.kept, default=None)
    known = len(kept["shown"]) if kept and kept["session"] == str(session.key) else 0
    if known == 0 or shown[:known] != kept["shown"]:
        return Part(place, tuple(shown), tuple(shown), [new_id() for _ in shown])
    added = shown[known:]
    return Part(place, tuple(shown), (*kept["whole"], *added), [*kept["ids"], *(new_id() for _ in added)])


async def _is_under_way(context: Context[Any]) -> bool:
    """Whether the run is between its first and its last step, when tools may put messages."""
    steps = await context.store.get("num_iterations", default=None)
    most = await context.store.get("max_iterations", default=None)
    return steps is None or most is None or 0 < steps < most


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


def _context(session: Session, overhead_tokens: int, more: Mapping[str, int]) -> PlanContext:
    """The context of a plan that leaves `overhead_tokens`, in which messages cost `more`, by their ids."""
    services = session.sessions.aservices
    limits = services.policy.limits
    return replace(
        services.plan_context,
        limits=replace(limits, budget=limits.budget.minus_overhead(overhead_tokens)),
        measure=lambda message: services.measure(message) + more.get(message.id, 0),
    )


def _priced(message: Message, more: int) -> Message:
    return replace(message, tokens=message.tokens + more, clip_tokens=message.clip_tokens + more) if more else message


def _item(message: Message, part: Part, whole: Any) -> Any:
    """The run's own object if nothing changed, else one with the shortened text."""
    return whole if message.rendition == "whole" else part.place.shorten(message, whole)


def _extras(seen: View) -> Extras:
    text = {message.origin: message.content for message in seen.messages if message.origin != "digest"}
    return Extras(text.get("recall", ""), text.get("refresh", ""))
