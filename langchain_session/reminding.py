"""Finds what the record says about the newest question of a run, once per turn, and shows it right before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from langchain_core.messages import BaseMessage

from langchain_session.marks import mark_of, text_of
from langchain_session.messages import to_core
from langchain_session.unfolding import above
from session_core import Sessions
from session_core.plan import Digest
from session_core.ports import SessionStore
from session_core.serial.codec import digest_from_plain
from session_core.serial.remembered import Remembered
from session_core.session import Flow
from session_core.turns import Key, Message
from session_core.voices import run_blocking
from session_core.workshop import Workshop

REMEMBERED_TURNS = 2_048


@dataclass(frozen=True, slots=True)
class Reminding:
    """Quotes from the part of a record that a run's digest stands for: messages and facts that the newest
    user message asks about.

    One search of the store for a turn; what it found is the same for every model call of it. Nothing is
    looked for when no digest was handed to the run (all there is stands in the view), or when the policy
    has `recall_tokens=0`.
    """

    sessions: Sessions
    tenant: str
    _found: Remembered[str] = field(default_factory=lambda: Remembered[str](REMEMBERED_TURNS))

    def text(self, messages: Sequence[BaseMessage], names: Mapping[str, Any]) -> str:
        """What to quote before the question in `messages`, in a run with these `names` (of its config)."""
        return run_blocking(self._text(self.sessions.store, self.sessions.workshop, messages, names))

    async def atext(self, messages: Sequence[BaseMessage], names: Mapping[str, Any]) -> str:
        """Async form of `text`."""
        return await self._text(self.sessions.awaited, self.sessions.aworkshop, messages, names)

    async def _text(
        self, store: SessionStore, shop: Workshop, messages: Sequence[BaseMessage], names: Mapping[str, Any]
    ) -> str:
        asked = _question(messages)
        if asked is None or not shop.tools.limits.recall_tokens:
            return ""
        for session, digest in _digests(messages):
            key = next((key for key in self._keys(names) if str(key) == session), None)
            if key is None:
                continue
            query = text_of(asked)
            made_of = (session, digest.number, digest.covers.pairs, asked.id, query)
            known = self._found.known(made_of)
            if known is None:
                known = await Flow(key, store, shop).recalled(query, digest, since=_said_since(messages, digest))
                self._found.get(made_of, partial(str, known))
            return known
        return ""

    def _keys(self, names: Mapping[str, Any]) -> list[Key]:
        """The sessions that a run with these names may have a digest of: its own graph's, and those around it.

        They are made of the run's own config, never of what a message says of itself.
        """
        thread = names.get("thread_id")
        if not thread:
            return []
        place = Key(str(thread), self.tenant, str(names.get("checkpoint_ns") or ""))
        return [place, *above(place)]


def _question(messages: Sequence[BaseMessage]) -> BaseMessage | None:
    """The newest message of a user; what was written for a view is none."""
    for message in reversed(messages):
        if message.type == "human" and "origin" not in (mark_of(message) or {}):
            return message
    return None


def _said_since(messages: Sequence[BaseMessage], digest: Digest) -> list[Message]:
    """What users said in sight of the run, numbered as if it followed on `digest`: a correction reaches only so far."""
    return [
        replace(to_core(message), seq=digest.covers.last + place)
        for place, message in enumerate(messages, start=1)
        if message.type == "human" and "origin" not in (mark_of(message) or {})
    ]


def _digests(messages: Sequence[BaseMessage]) -> Iterator[tuple[str, Digest]]:
    """The digests that the run was handed, each with the session whose it says it is."""
    for message in messages:
        mark = mark_of(message)
        if mark and "digest" in mark and "session" in mark:
            yield str(mark["session"]), digest_from_plain(mark["digest"])
