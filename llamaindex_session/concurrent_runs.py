"""Keeps concurrent agent runs on one session apart, so that no other run comes between a question and its answer.

Agents put a question into the memory and ask for the memory's messages in two steps, and for the messages again
behind each round of tools. A run is shown the conversation up to its question and what it said itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llama_index.core.workflow import Context

from llamaindex_session.in_run import step_context
from session_core import Message, Role, Session
from session_core.ranges import Ranges

ASKED = "llm_sessions_asked"
"""Where a run's context has the `session`, the number of its question (`asked`), and those of what it put since
(`own`)."""


async def note_question(messages: Sequence[Message], seqs: Sequence[int], session: Session) -> None:
    """The run that this is called in has stored `messages` under `seqs`; the newest user message is its question."""
    context = step_context()
    if context is None or not seqs:
        return
    questions = [seq for message, seq in zip(messages, seqs, strict=True) if message.role is Role.USER]
    before = await _noted(context, session)
    if questions:
        own = [seq for seq in seqs if seq > questions[-1]]
        await context.store.set(ASKED, {"session": str(session.key), "asked": questions[-1], "own": own})
    elif before:
        await context.store.set(ASKED, {**before, "own": [*before["own"], *seqs]})


async def note_set(session: Session) -> None:
    """The run that this is called in has set the whole conversation: no part of it is another run's."""
    context = step_context()
    if context is not None and await _noted(context, session):
        await context.store.set(ASKED, None)


async def seen_by_run(head: Ranges, session: Session) -> Ranges:
    """The part of `head` that the run has to see in which this is called: all of it outside of runs, and when its
    question is no longer in it."""
    context = step_context()
    noted = await _noted(context, session) if context else None
    if noted is None or noted["asked"] not in head:
        return head
    others = Ranges.span(noted["asked"] + 1, head.last).minus(Ranges.of(noted["own"]))
    return head.minus(others)


async def _noted(context: Context[Any], session: Session) -> dict[str, Any] | None:
    noted: dict[str, Any] | None = await context.store.get(ASKED, default=None)
    return noted if noted and noted["session"] == str(session.key) else None
