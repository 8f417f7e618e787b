"""The flow of one session (append, load, plan, fold, conditional write-back); all I/O happens here."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from session_core.absence import absence_note, find_ended_absence
from session_core.admission import require_storable
from session_core.budget import Tier
from session_core.compress.digest_text import lines_of
from session_core.compress.fixed import Extras
from session_core.compress.goodbyes import closing_courtesy, remove_message
from session_core.compress.insets import add_rows, reduce_to_marks
from session_core.compress.ladder import FoldRequired, add_recalled, plan
from session_core.compress.plan_cache import PlanContext
from session_core.errors import Conflict, InputError, MessageTooLarge, PinnedTooLarge, StoreError, StoreUnreadable
from session_core.events import Appended as AppendedEvent
from session_core.events import Notice, Noticed, Resumed, TierChanged, Viewed
from session_core.notices import is_news, notice_of
from session_core.plan import DIGEST_FRAMING_TOKENS, Choice, Digest, Limits, Plan, Report, View
from session_core.ports import Appended, Lease, Loaded, Marks, State
from session_core.ranges import Ranges
from session_core.sealed import require_unsealed
from session_core.searching import Hidden, Searching
from session_core.services import Services
from session_core.stats import standing_tokens
from session_core.turns import Message, Role, numbered

DIGEST_BESIDE = 0.05
"""Share of the limit for the digest's facts beside quotes, for facts that are always needed; others are quoted when a
question needs them."""


@dataclass(frozen=True, slots=True)
class _ViewRequest:
    """The arguments of `Flow.view`."""

    query: str | None
    overhead_tokens: int
    lineage: Ranges | None
    open_end: bool
    pending: Sequence[Message]


class Flow(Searching):
    """One session over one store, as coroutines. `Session` offers it in both voices."""

    async def append(
        self,
        messages: Sequence[Message],
        *,
        expected: int | None = None,
        lenient: bool = False,
        lease: Lease | None = None,
    ) -> tuple[Appended, Tier]:
        """Store `messages`; also returns the tier for which to request a fold now.

        `lenient` accepts what frameworks may pass (empty answers, results without a call); views leave it out.
        Raises: InputError and subclasses, before anything is written.
        """
        if not messages:
            state = await self._store.state(self.key) or State(self.key)
            return Appended((), 0, state), Tier.NORMAL
        began = time.perf_counter()
        require_storable(self.key, messages)
        for message in messages:
            self._check(message, lenient)
        with self._services.calls:
            prepared = await self._services.prepare_all(messages)
            done = await self._store.append(self.key, prepared, expected=expected, strict=not lenient, lease=lease)
            return done, await self.report_append(done, time.perf_counter() - began)

    async def report_append(self, done: Appended, seconds: float) -> Tier:
        """Emit events for what was stored and for a change of tier, and persist a notice.

        Returns the tier for which to request a fold now; NORMAL, which is falsy, requests none. Never raises because
        of the store: the messages are stored, and an error would make callers send them again. The next append
        detects the same tier.
        """
        state, ledger = done.state, done.state.ledger
        self._services.emit(AppendedEvent(self.key, done.new, done.tokens, ledger.tokens, ledger.messages, seconds))
        with suppress(StoreError, Conflict):
            return await self._update_tier(state)
        return Tier.NORMAL

    async def _update_tier(self, state: State) -> Tier:
        budget = self._services.policy.budget
        tokens = await self._standing_tokens(state)
        tier = budget.tier(tokens)
        if tier != state.tier:
            notice = await self._notice(tokens, state) if tier is Tier.NOTIFY else None
            await self._store.mark(self.key, Marks(tier=int(tier), notice=notice))
            self._services.emit(TierChanged(self.key, Tier(state.tier), tier, budget.pressure(tokens)))
            if notice:
                self._services.emit(Noticed(self.key, notice))
        return tier if state.ready == state.active else Tier.NORMAL

    async def _standing_tokens(self, state: State) -> int:
        """The size of the active digest and all messages after it; read only if the record has other branches."""
        if (known := standing_tokens(state)) is not None:
            return known
        loaded = await self._store.load(self.key)
        return (loaded.digest.tokens if loaded.digest else 0) + sum(m.tokens for m in loaded.messages)

    async def view(
        self,
        query: str | None = None,
        *,
        overhead_tokens: int = 0,
        lineage: Ranges | None = None,
        open_end: bool = False,
        pending: Sequence[Message] = (),
    ) -> View:
        """The view of the head, or of another part of the record, for one model call.

        `pending` is about to be appended. The view treats it as the end of the record, so that quotes for the query
        come before it, and numbers it from the view's `pending_from` on.
        Raises: InputError and subclasses if no record would accept it.
        """
        began = time.perf_counter()
        if query is not None:
            self._require_query(query)
        if pending:
            require_storable(self.key, pending)
            for message in pending:
                self._check(message, lenient=True)
        with self._services.calls:
            loaded = await self._store.load(self.key, lineage)
            require_unsealed(self.key, loaded.messages)
            request = _ViewRequest(query, overhead_tokens, lineage, open_end, pending)
            if lineage is None:
                seen = await self._plan_head(await self._mark_resumption(loaded), request)
            else:
                seen = await self._plan_view(loaded, self._services.plan_context, request)
        self._services.emit(
            Viewed(
                self.key,
                seen.tokens,
                self._services.policy.budget.limit_tokens,
                seen.tier,
                time.perf_counter() - began,
                sum([message.origin == "recall" for message in seen.messages]) if query else 0,
            )
        )
        return seen

    def _check(self, message: Message, lenient: bool) -> None:
        if message.origin != "record":
            raise InputError(
                f"session {self.key}: message {message.id!r} was generated for a view; append only original messages"
            )
        if not lenient:
            message.require_content(self.key)
        most = self._services.policy.max_message_bytes
        size = len(message.content) + sum(len(media.data) for media in message.media)
        if size * 4 > most and (size := _byte_size(message)) > most:
            raise MessageTooLarge(
                f"session {self.key}: a {message.role} message has {size:,} bytes, the policy allows {most:,}; "
                "send less, or raise Policy(max_message_bytes=...)"
            )
        limit = self._services.policy.budget.limit_tokens
        if message.role is Role.SYSTEM and (tokens := self._services.measure(message)) > limit * 0.75:
            raise PinnedTooLarge(
                f"session {self.key}: a system message has {tokens} tokens and is part of every view of {limit}; "
                "shorten it, or raise Budget(window_tokens=...)"
            )

    async def _notice(self, tokens: int, state: State) -> Notice | None:
        """The notice that the user is due; None if it was given. Earlier notices are read only for this."""
        try:
            earlier = await self._store.notices(self.key)
        except StoreUnreadable:
            # There is a notice that cannot be decrypted any more; it was given.
            return None
        if not is_news(state, earlier):
            return None
        return notice_of(state, tokens, self._services.policy.budget, now_s=self._services.clock())

    async def _mark_resumption(self, loaded: Loaded) -> Loaded:
        """After an absence: marks it, so that all views of this turn mention it."""
        absence = find_ended_absence(loaded, self._services.clock(), self._services.policy.resume_after_s)
        if absence is None:
            return loaded
        after_seq, absent_s = absence.after_seq, absence.seconds
        # A store that cannot write now (hybrid without its cold side) still serves views.
        with suppress(StoreError):
            await self._store.mark(self.key, Marks(resumed_after_seq=after_seq, absent_s=absent_s))
            self._services.emit(Resumed(self.key, absent_s))
        return replace(loaded, state=replace(loaded.state, resumed_after_seq=after_seq, absent_s=absent_s))

    async def _plan_head(self, loaded: Loaded, request: _ViewRequest) -> View:
        """The view of the head.

        A digest that waits for the next turn becomes active at once if the view would otherwise fold the same messages
        in this call.
        """
        context = self._services.plan_context
        if loaded.state.ready == loaded.state.active:
            return await self._plan_view(loaded, context, request)
        try:
            return await self._plan_view(loaded, replace(context, folds=False), request)
        except FoldRequired:
            # If nothing can be written now, as above, the view folds by itself.
            with suppress(StoreError):
                await self._store.mark(self.key, Marks(activate=True))
                loaded = await self._store.load(self.key)
        return await self._plan_view(loaded, context, request)

    async def _plan_view(self, loaded: Loaded, context: PlanContext, request: _ViewRequest) -> View:
        services, limits, open_end = self._services, context.limits, request.open_end
        if request.overhead_tokens:
            limits = replace(limits, budget=limits.budget.minus_overhead(request.overhead_tokens))
            context = replace(context, limits=limits)
        pending_from = loaded.state.ledger.messages + 1
        numbered_pending = numbered(await services.prepare_all(request.pending), pending_from)
        named = _with_author_names(loaded, numbered_pending, services)
        query = request.query if limits.recall_tokens else None
        try:
            if query and (loaded.digest is not None or sum(m.tokens for m in named) > limits.total):
                # No plan can show all of it.
                made = await self._plan_with_quotes(query, loaded, named, context, open_end)
            else:
                extras = Extras(refresh=absence_note(loaded))
                made = await self._make_plan(named, loaded.digest, context, extras, open_end)
                if query and _is_incomplete(made):
                    made = await self._plan_with_quotes(query, loaded, named, context, open_end)
        except PinnedTooLarge as exc:
            raise PinnedTooLarge(f"session {self.key}: {exc}") from exc
        lineage = loaded.state.head if request.lineage is None else request.lineage
        return _view(made, loaded, lineage, pending_from, limits.total, services)

    async def _make_plan(
        self, named: Sequence[Message], digest: Digest | None, context: PlanContext, extras: Extras, open_end: bool
    ) -> Plan:
        """The plan, made in this thread if everything fits and nothing new has to be folded, else off the event loop.
        Raises: FoldRequired if `context` must not fold but would have to."""
        make = partial(plan, named, digest, extras=extras, open_end=open_end)
        if sum([message.tokens for message in named]) <= context.limits.total:
            try:
                return make(context=replace(context, folds=False))
            except FoldRequired:
                if not context.folds:
                    raise
        return await self._services.executor(partial(make, context=context))

    async def _plan_with_quotes(
        self, query: str, loaded: Loaded, named: Sequence[Message], context: PlanContext, open_end: bool
    ) -> Plan:
        """The plan with quotes that are relevant to `query` before the newest question; without, if there are none."""
        limits = context.limits
        made, smaller = await self._plan_with_reserve(loaded, named, context, open_end)
        # A closing goodbye is not the question: quotes may take its place.
        thanks = None if open_end else closing_courtesy(made, query, limits.total)
        reclaimed = thanks.tokens if thanks else 0
        # In a small view a shortened result is reduced to its mark; its rows compete with all other passages.
        shortened, inset = reduce_to_marks(made, named, context) if smaller.terse else (made, frozenset[str]())
        shown = [message for message in shortened.messages if message is not thanks]
        room = min(limits.recall_tokens, limits.total - shortened.tokens + reclaimed)
        word_for_word = {message.seq for message in made.messages if message.rendition in ("whole", "named")}
        absent = [
            self._services.without_author_name(m)
            for m in named
            if m.seq not in word_for_word and m.role is not Role.SYSTEM
        ]
        hidden = Hidden(loaded.digest, absent, shown, inset=inset, born=loaded.state.born)
        with self._services.calls.paused():
            found = await self.evidence(query, hidden, room_tokens=room)
        with_result_rows = add_rows(shortened, found.rows, context)
        base = with_result_rows if (found.rows or found.block) and with_result_rows.tokens <= limits.total else made
        quoting = add_recalled(base, found.block, found.quoted, limits.total + reclaimed, context)
        return remove_message(quoting, thanks) if thanks and quoting is not base else quoting

    async def _plan_with_reserve(
        self, loaded: Loaded, named: Sequence[Message], context: PlanContext, open_end: bool
    ) -> tuple[Plan, Limits]:
        """The plan of the turns in the room that quotes leave, and the limits it was made with.

        Standing rules come before quotes. A fold may add some, so the room is computed again until the rules of the
        plan's own digest fit.
        """
        limits, extras = context.limits, Extras(refresh=absence_note(loaded))
        pinned, question_tokens = sum(m.tokens for m in named if m.role is Role.SYSTEM), _question_tokens(named)
        within_run, rules = _within_run(named), _rules_tokens(loaded.digest, context)
        while True:
            # The digest's first lines are in the view only for the rules under them.
            framing = DIGEST_FRAMING_TOKENS if rules else 0
            reserve = limits.recall_reserve(
                beside=pinned + rules, asked=question_tokens + framing, within_run=within_run
            )
            smaller = limits.beside(reserve, digest_share=DIGEST_BESIDE)
            made = await self._make_plan(named, loaded.digest, replace(context, limits=smaller), extras, open_end)
            needed = _rules_tokens(made.digest, context)
            if needed <= rules:
                return made, smaller
            rules = needed


def _rules_tokens(digest: Digest | None, context: PlanContext) -> int:
    """The size of a digest's standing rules, at most their room."""
    return min(lines_of(digest, context).rules_tokens, context.limits.rules_room) if digest else 0


def _is_incomplete(made: Plan) -> bool:
    """Whether the record has more than the plan shows verbatim."""
    return made.digest is not None or any(
        choice in (Choice.CLIP, Choice.FOLD, Choice.DROP) for _, choice, _, _ in made.decided
    )


def _question_tokens(messages: Sequence[Message]) -> int:
    """The size of the newest user message."""
    return next((message.tokens for message in reversed(messages) if message.role is Role.USER), 0)


def _within_run(messages: Sequence[Message]) -> bool:
    """Whether the newest user message is being worked on: others came after it."""
    talk = [message for message in messages if message.role is not Role.SYSTEM]
    return bool(talk) and talk[-1].role is not Role.USER


def _byte_size(message: Message) -> int:
    texts = [message.content, *(media.data for media in message.media)]
    texts += [call.arguments for call in message.tool_calls]
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)


def _with_author_names(loaded: Loaded, pending: Sequence[Message], services: Services) -> list[Message]:
    """The messages and `pending`; those of users with the author's name before them if there are several users."""
    authors = {*loaded.state.ledger.authors, *(m.author for m in pending if m.role is Role.USER and m.author)}
    messages = [*loaded.messages, *pending]
    return messages if len(authors) < 2 else [services.with_author_name(message) for message in messages]


def _view(made: Plan, loaded: Loaded, lineage: Ranges, pending_from: int, limit: int, services: Services) -> View:
    changed = [decided for decided in made.decided if decided[1] is not Choice.WHOLE]
    chosen = [choice for _, choice, _, _ in changed]
    ledger = loaded.state.ledger
    folded = loaded.digest.covered_messages if loaded.digest else 0
    report = Report(
        limit_tokens=limit,
        tokens=made.tokens,
        raw_tokens=made.raw_tokens,
        record_tokens=ledger.tokens,
        record_messages=ledger.messages,
        whole=len(made.decided) - len(changed),
        clipped=chosen.count(Choice.CLIP),
        folded=folded + sum([len(part) for part, *_ in changed[1 if folded else 0 :] if type(part) is Ranges]),
        dropped=chosen.count(Choice.DROP),
        counter=services.counter.name,
        hidden_rules=made.hidden_rules,
    )
    return View(
        made.messages,
        made.tokens,
        services.policy.budget.tier(made.raw_tokens),
        report,
        made.decided,
        made.digest,
        _hidden_part(made, loaded),
        lineage=lineage,
        version=loaded.state.version,
        recalled=made.recalled,
        pending_from=pending_from,
    )


def _hidden_part(made: Plan, loaded: Loaded) -> Ranges:
    """The messages of the record that the plan does not represent, neither directly nor by its digest."""
    standing = {message.seq for message in made.messages}
    by_digest = any(message.origin == "digest" and message.covers for message in made.messages)
    # Where the digest's message had no room, what it covers is hidden as well.
    under = loaded.digest.covers if loaded.digest and not by_digest else ()
    absent = dict.fromkeys([seq for seq in under if seq not in standing])
    absent |= dict.fromkeys([message.seq for message in loaded.messages if message.seq not in standing])
    if not absent:
        return Ranges()
    covered = made.digest.covers if made.digest and by_digest else Ranges()
    return Ranges.of(absent).minus(covered)
