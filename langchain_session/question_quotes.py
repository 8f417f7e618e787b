"""Finds what the record says about the newest question of a run, once per turn, and shows it right before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.messages import BaseMessage

from langchain_session.conversion.marks import mark_of, text_of
from langchain_session.conversion.messages import to_core
from langchain_session.graph_state.view_expansion import parent_keys
from session_core import Sessions
from session_core.plan import Digest
from session_core.ports import SessionStore
from session_core.serial.cache import BoundedCache
from session_core.serial.codec import digest_from_plain
from session_core.services import Services
from session_core.session import Flow
from session_core.turns import Key, Message
from session_core.voices import run_blocking

REMEMBERED_TURNS = 2_048


@dataclass(frozen=True, slots=True)
class QuestionQuotes:
    """Quotes from the part of the record that a run's digest covers: messages and facts relevant to the newest
    question.

    The store is searched once per turn; all model calls of the turn get the same result. There is no search if the run
    received no digest (the view shows everything), or if the policy has `recall_tokens=0`.
    """

    sessions: Sessions
    tenant: str
    _found: BoundedCache[str] = field(default_factory=lambda: BoundedCache[str](REMEMBERED_TURNS))

    def text(self, messages: Sequence[BaseMessage], names: Mapping[str, Any]) -> str:
        """What to quote before the question in `messages`, for a run whose config has these `names`."""
        return run_blocking(self._text(self.sessions.store, self.sessions.services, messages, names))

    async def atext(self, messages: Sequence[BaseMessage], names: Mapping[str, Any]) -> str:
        """Async form of `text`."""
        return await self._text(self.sessions.awaited, self.sessions.aservices, messages, names)

    async def _text(
        self, store: SessionStore, services: Services, messages: Sequence[BaseMessage], names: Mapping[str, Any]
    ) -> str:
        asked = _question(messages)
        if asked is None or not services.plan_context.limits.recall_tokens:
            return ""
        for session, digest in _digests(messages):
            key = next((key for key in self._keys(names) if str(key) == session), None)
            if key is None:
                continue
            query = text_of(asked)
            made_of = (session, digest.number, digest.covers.pairs, asked.id, query)
            known = self._found.known(made_of)
            if known is None:
                known = await Flow(key, store, services).recall(query, digest, since=_questions_since(messages, digest))
                self._found.put(made_of, known)
            return known
        return ""

    def _keys(self, names: Mapping[str, Any]) -> list[Key]:
        """The sessions whose digests a run with these names may have: that of its own graph and of its parent graphs.
        They are derived from the run's own config, never from messages."""
        thread = names.get("thread_id")
        if not thread:
            return []
        place = Key(str(thread), self.tenant, str(names.get("checkpoint_ns") or ""))
        return [place, *parent_keys(place)]


def _question(messages: Sequence[BaseMessage]) -> BaseMessage | None:
    """The newest user message that was not generated for a view."""
    for message in reversed(messages):
        if message.type == "human" and "origin" not in (mark_of(message) or {}):
            return message
    return None


def _questions_since(messages: Sequence[BaseMessage], digest: Digest) -> list[Message]:
    """User messages of the run, numbered as if they followed `digest`, since a correction has a limited range."""
    return [
        replace(to_core(message), seq=digest.covers.last + place)
        for place, message in enumerate(messages, start=1)
        if message.type == "human" and "origin" not in (mark_of(message) or {})
    ]


def _digests(messages: Sequence[BaseMessage]) -> Iterator[tuple[str, Digest]]:
    """The digests that the run received, each with the session that its mark names."""
    for message in messages:
        mark = mark_of(message)
        if mark and "digest" in mark and "session" in mark:
            yield str(mark["session"]), digest_from_plain(mark["digest"])
