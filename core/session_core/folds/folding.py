"""One fold of one session: read, summarize, check, extract facts, and write back unless another writer was faster."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from session_core.advisers import LateClassifier
from session_core.compress.digest_text import digest_message, hidden_rules
from session_core.compress.fold import covered_prefix, fold, fold_point
from session_core.compress.summary_completion import complete_summary
from session_core.errors import ConfigError, Conflict, named_type
from session_core.events import FellBack, Folded, RulesOutgrown
from session_core.facts import extract
from session_core.folds.helper_calls import call_with_timeout
from session_core.plan import Digest, Fact, FactKind, GiveWay, never_pause
from session_core.ports import Embedder, Loaded, State, Store, Summarizer, SummaryRequest
from session_core.ranges import Ranges
from session_core.retrieval.vectors import is_fast
from session_core.sealed import require_unsealed
from session_core.services import Services
from session_core.turns import Importance, Key, Message, Role, Unit, units
from session_core.verification.attribution import without_swaps
from session_core.verification.check import check
from session_core.verification.grounding import apply_judgements, grounded_facts, source_of_check, strike_instructions

T = TypeVar("T")

ASKED_AT_ONCE = 30
"""How many messages a classifier or an extractor gets per call."""

ATTEMPTS = 4
"""How often a fold starts again after a conflict with another one."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Folds sessions of `store` with the rules and the summarizer of `services`."""

    store: Store
    services: Services
    summarizer: Summarizer | None = None

    async def fold(
        self,
        key: Key,
        *,
        asked_at_s: float | None = None,
        everything: bool = False,
        give_way: GiveWay = never_pause,
    ) -> Digest | None:
        """The new digest of the session, which views use from the next turn on; None if there is nothing to fold.

        `everything` includes all turns (for a reset that keeps its memory). `give_way` is called between the parts of
        the work. A fold that was requested (`asked_at_s`) is not made if a digest waits already, since then another
        one answered the request. Raises: Conflict if other writers were faster at every attempt.
        """
        began = asked_at_s if asked_at_s is not None else time.monotonic()
        for attempt in range(ATTEMPTS):
            loaded = await self.store.load(key)
            if loaded.state.ready != loaded.state.active:
                if asked_at_s is not None:
                    return None
                # A digest waits for the next turn; this one goes on from it.
                loaded = await self.store.load(key, loaded.state.head)
            require_unsealed(key, loaded.messages)
            give_way()
            chosen = self._choose_units(loaded, everything=everything)
            if not chosen:
                return None
            digest = await self._digest(loaded, chosen, give_way)
            if digest is None:
                return None
            give_way()
            try:
                made = await self.store.put_digest(
                    key, digest, expected=loaded.state.ready.number, born=loaded.state.born
                )
            except Conflict:
                if attempt == ATTEMPTS - 1:
                    raise
                continue
            self.services.plan_cache.carry_over(digest, made)
            self._emit_folded(loaded, made, chosen, time.monotonic() - began)
            self._index(loaded, made)
            return made
        return None

    def _choose_units(self, loaded: Loaded, *, everything: bool) -> Sequence[Unit]:
        spoken = [message for message in loaded.messages if message.role is not Role.SYSTEM]
        parts = units(spoken)
        if everything:
            return parts
        pinned = sum(m.tokens for m in loaded.messages if m.role is Role.SYSTEM)
        return parts[: fold_point(parts, pinned, loaded.digest, context=self.services.plan_context)]

    async def _digest(self, loaded: Loaded, chosen: Sequence[Unit], give_way: GiveWay) -> Digest | None:
        under = loaded.digest.covers if loaded.digest else Ranges()
        behind = [message for message in loaded.messages if message.seq not in under]
        gone = behind[: covered_prefix(behind, chosen)]
        if not gone:
            return None
        covers = Ranges.of(message.seq for message in gone)
        if loaded.digest:
            covers = loaded.digest.covers.plus(covers)
        key = loaded.state.key
        gone = self._judge(key, gone)
        summary = await self._summary(loaded, gone, give_way)
        made_by = self.summarizer.name if self.summarizer and summary is not None else "extractive"
        found = self._facts(key, gone)
        context = replace(self.services.plan_context, give_way=give_way)
        digest = fold(loaded.digest, gone, covers, context=context, summary=summary, found=found)
        return context.cache.carry_over(digest, replace(digest, made_by=made_by, time_s=self.services.clock()))

    def _index(self, loaded: Loaded, made: Digest) -> None:
        """Send the newly folded messages to the index; if it fails it has a gap, which `indexing.rebuild` fills.

        With a fast embedder their vectors are computed here, once there are questions, so that no view has to read
        them.
        """
        index, embedder, state = self.services.policy.index, self.services.embedder, loaded.state
        under = loaded.digest.covers if loaded.digest else Ranges()
        gone = [m for m in loaded.messages if m.seq in made.covers and m.seq not in under]
        if index is not None:
            messages = [message for message in gone if message.role is not Role.SYSTEM]
            self._ask_helper(state.key, index.name, partial(index.add, state.key, messages))
        if (
            self.services.digest_vectors.asked
            and embedder is not None
            and is_fast(embedder)
            and not self.services.vectors.lost
        ):
            name = getattr(embedder, "name", "embedder")
            cached: Callable[[], Awaitable[int] | int] = partial(self._cache_vectors, state, gone, embedder)
            self._ask_helper(state.key, name, cached)

    async def _cache_vectors(self, state: State, gone: Sequence[Message], embedder: Embedder) -> int:
        try:
            return await self.services.digest_vectors.add(state.key, state.born, gone, embedder, self.services.vectors)
        except ConfigError:
            self.services.vectors.lost = True
            raise

    def _judge(self, key: Key, gone: Sequence[Message]) -> list[Message]:
        """The messages with the importance that a model gives them, if one is configured."""
        classifier = self.services.policy.classifier
        if not isinstance(classifier, LateClassifier):
            return list(gone)
        said: dict[int, Importance] = {}
        for part in _batches(gone):
            told = self._ask_helper(key, classifier.name, partial(classifier.judge, part))
            if told is not None and not told:
                self.services.emit(FellBack(key, classifier.name, "an answer without a judgement"))
            said.update(told or {})
        return apply_judgements(gone, said)

    def _facts(self, key: Key, gone: Sequence[Message]) -> list[Fact]:
        """Facts that a model finds in addition to the rules', if one is configured; they are checked."""
        extractor = self.services.policy.extractor
        if extractor is None:
            return []
        kept: list[Fact] = []
        for part in _batches(gone):
            found = self._ask_helper(key, extractor.name, partial(extractor.extract, part)) or ()
            facts, struck = grounded_facts(found, part, extract(part))
            if struck:
                self.services.emit(FellBack(key, extractor.name, f"{struck} facts not in their messages"))
            kept.extend(facts)
        return kept

    def _ask_helper(self, key: Key, name: str, work: Callable[[], Awaitable[T] | T]) -> T | None:
        """A helper's answer; None, with an event, if it fails or takes too long."""
        try:
            return call_with_timeout(work, wait_s=self.services.policy.helper_wait_s)
        except Exception as exc:  # noqa: BLE001 (a user's model may raise anything; the fold goes on without it)
            self.services.emit(FellBack(key, name, type(exc).__name__))
            return None

    async def _summary(self, loaded: Loaded, gone: Sequence[Message], give_way: GiveWay) -> str | None:
        """The summarizer's text without what its source contradicts; None to use the rules instead."""
        if self.summarizer is None:
            return None
        messages = [m for m in gone if m.importance is not Importance.DISCARD and m.role is not Role.SYSTEM]
        previous = loaded.digest.summary if loaded.digest else ""
        most = self.services.plan_context.limits.summary_room
        request = SummaryRequest(previous, tuple(messages), most)
        key, name = loaded.state.key, self.summarizer.name
        written = self._ask_helper(key, name, partial(self.summarizer.summarize, request))
        if written is None:
            return None
        if not isinstance(written, str):
            self.services.emit(FellBack(key, name, f"{named_type(written)} instead of a text"))
            return None
        source = "\n".join(source_of_check(message) for message in messages)
        checked = check(written, source, previous=previous, give_way=give_way)
        text, orders = strike_instructions(checked.text, messages, previous, give_way=give_way)
        if orders:
            self.services.emit(FellBack(key, name, f"{orders} sentences that repeat instructions in data"))
        text, swapped = without_swaps(text, messages, previous, give_way=give_way)
        if swapped:
            self.services.emit(FellBack(key, name, f"{swapped} sentences that attribute a wish to the wrong person"))
        checked = replace(checked, text=text)
        if checked.struck:
            self.services.emit(FellBack(key, name, f"{len(checked.struck)} sentences not in the source"))
        if checked.text.strip() and sum(map(len, checked.struck)) > len(checked.text):
            # A summary that is mostly invented is not used at all.
            self.services.emit(FellBack(key, name, "most of it not in the source"))
            return None
        if not checked.text.strip() or self.services.counter.count(checked.text) > most * 2:
            self.services.emit(FellBack(key, name, "empty or over its length"))
            return None
        count = self.services.counter.count
        whole = complete_summary(checked.text, previous, messages, max_tokens=most, count=count, give_way=give_way)
        if whole is None:
            self.services.emit(FellBack(key, name, "says less than the rules do"))
        return whole

    def _emit_folded(self, loaded: Loaded, made: Digest, chosen: Sequence[Unit], lag_s: float) -> None:
        before = (loaded.digest.tokens if loaded.digest else 0) + sum(m.tokens for m in loaded.messages)
        gone = sum(unit.tokens for unit in chosen)
        after = before - gone - (loaded.digest.tokens if loaded.digest else 0) + made.tokens
        count = sum(len(unit.messages) for unit in chosen)
        rules = sum(fact.current and fact.kind is FactKind.RULE for fact in made.facts)
        context = self.services.plan_context
        if rules and (hidden := hidden_rules(made, digest_message(made, context=context).content, context)):
            self.services.emit(RulesOutgrown(loaded.state.key, rules, hidden))
        self.services.emit(
            Folded(loaded.state.key, made.number, count, before, after, lag_s, len(loaded.messages), made.made_by)
        )


def _batches(messages: Sequence[Message]) -> list[Sequence[Message]]:
    """The messages for each call of a helper, without system messages and empty ones."""
    told = [message for message in messages if message.role is not Role.SYSTEM and message.content.strip()]
    return [told[start : start + ASKED_AT_ONCE] for start in range(0, len(told), ASKED_AT_ONCE)]
