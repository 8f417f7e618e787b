"""The one flow of a session: append, load, plan, fold, write back if unchanged; every wait happens here."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from session_core.admission import require_storable
from session_core.budget import Tier
from session_core.compress.fixed import Extras
from session_core.compress.evidence import Question, evidence
from session_core.compress.fold import Tools
from session_core.compress.ladder import plan, with_recalled
from session_core.errors import InputError, MessageTooLarge, NotFound, PinnedTooLarge
from session_core.events import Appended as AppendedEvent
from session_core.events import Notice, Noticed, Resumed, Searched, TierChanged, Viewed
from session_core.plan import Choice, Digest, Plan, Report, View
from session_core.ports import Appended, Lease, Loaded, Marks, State, Store
from session_core.ranges import Ranges
from session_core.recalling import is_recalled
from session_core.retrieve import cosine, fuse, likely, nearest, rank, searchable, terms
from session_core.turns import Key, Message, Role
from session_core.workshop import Workshop

CANDIDATES = 120
"""How many messages a search reads before it ranks them."""
LEAST_RECALL = 64
"""In less room than this nothing is brought back; less than a sentence or two is no help."""
SOURCES = 320
"""How many messages are looked through for passages; of more, those that share words with the query and the newest."""
SEARCH_WORDS = 40
DIGEST_BESIDE = 0.05
FRAMING = 8
"""Tokens around a block of quotes that is a message."""


class Flow:
    """One session over one store, awaited. `Session` gives it two voices."""

    def __init__(self, key: Key, store: Store, workshop: Workshop) -> None:
        self.key = key
        self._store = store
        self._shop = workshop

    async def append(
        self,
        messages: Sequence[Message],
        *,
        expected: int | None = None,
        lenient: bool = False,
        lease: Lease | None = None,
    ) -> tuple[Appended, bool]:
        """Store `messages`; also whether a fold should be asked for now.

        `lenient` takes what frameworks may hand in (empty answers, results without a call); views
        leave it out. Raises: InputError and its kin before anything is written.
        """
        if not messages:
            state = await self._store.state(self.key) or State(self.key)
            return Appended((), 0, state), False
        began = time.perf_counter()
        require_storable(self.key, messages)
        for message in messages:
            self._check(message, lenient)
        prepared = [self._shop.prepare(message) for message in messages]
        done = await self._store.append(self.key, prepared, expected=expected, strict=not lenient, lease=lease)
        return done, await self.settle(done, time.perf_counter() - began)

    async def settle(self, done: Appended, seconds: float) -> bool:
        """Announce what was stored and a change of tier, and persist a notice; whether to ask for a fold."""
        state, budget = done.state, self._shop.policy.budget
        ledger = state.ledger
        self._shop.tell(AppendedEvent(self.key, done.new, done.tokens, ledger.tokens, ledger.messages, seconds))
        tokens = await self._standing_tokens(state)
        tier = budget.tier(tokens)
        if tier != state.tier:
            notice = self._notice(tokens, state) if tier is Tier.NOTIFY else None
            await self._store.mark(self.key, Marks(tier=int(tier), notice=notice))
            self._shop.tell(TierChanged(self.key, Tier(state.tier), tier, budget.pressure(tokens)))
            if notice:
                self._shop.tell(Noticed(self.key, notice))
        return tier >= Tier.SUMMARIZE and state.ready == state.active

    async def _standing_tokens(self, state: State) -> int:
        """The price of the active digest and all behind it; read only when the record has other branches."""
        ledger = state.ledger
        if len(state.head) == ledger.messages:
            return state.active.tokens + ledger.tokens - state.active.covered_tokens
        loaded = await self._store.load(self.key)
        return (loaded.digest.tokens if loaded.digest else 0) + sum(m.tokens for m in loaded.messages)

    async def view(
        self,
        query: str | None = None,
        *,
        overhead_tokens: int = 0,
        lineage: Ranges | None = None,
        open_end: bool = False,
    ) -> View:
        """The view of the head, or of another part of the record, for one model call."""
        began = time.perf_counter()
        loaded = await self._store.load(self.key, lineage)
        if lineage is None:
            loaded = await self._resumed(loaded)
        seen = await self._planned(loaded, query, overhead_tokens, open_end)
        seen = replace(seen, lineage=loaded.state.head if lineage is None else lineage)
        self._shop.tell(
            Viewed(
                self.key,
                seen.tokens,
                self._shop.policy.budget.limit_tokens,
                seen.tier,
                time.perf_counter() - began,
                sum(message.origin == "recall" for message in seen.messages),
            )
        )
        return seen

    async def search(self, query: str, *, max_hits: int = 5) -> list[Message]:
        """Messages of the record that match `query`, best first.

        They share words with it (BM25); an embedder brings its own order of them in. What a recall was
        asked for and gave back is no hit: the message that it came from is.
        """
        began = time.perf_counter()
        found = await self._store.search(self.key, terms(query), max_hits=max(CANDIDATES, max_hits))
        first_said = [message for message in found if not is_recalled(message)]
        best = [message for message, _ in rank(query, first_said, max_hits=len(first_said))]
        if self._shop.embedder is not None and len(best) > 1:
            wanted, *vectors = await self._shop.embedder.embed([query, *(searchable(m) for m in best)])
            best = fuse([best, nearest(wanted, vectors, best)], max_hits=max_hits)
        self._shop.tell(Searched(self.key, min(len(best), max_hits), time.perf_counter() - began))
        return best[:max_hits]

    async def expand(self, reference: str) -> Message:
        """The whole message behind a reference. Raises: NotFound."""
        found = await self._store.find(self.key, reference)
        if found is None:
            raise NotFound(f"session {self.key} has no message {reference!r}; references come from its own views")
        return found

    def _check(self, message: Message, lenient: bool) -> None:
        if message.origin != "record":
            raise InputError(
                f"session {self.key}: message {message.id!r} was written for a view; append only what was said"
            )
        if not lenient:
            message.require_content(self.key)
        most = self._shop.policy.max_message_bytes
        size = len(message.content) + sum(len(media.data) for media in message.media)
        if size * 4 > most and (size := _bytes_of(message)) > most:
            raise MessageTooLarge(
                f"session {self.key}: a {message.role} message has {size:,} bytes, the policy takes {most:,}; "
                "send less, or raise Policy(max_message_bytes=...)"
            )
        limit = self._shop.policy.budget.limit_tokens
        if message.role is Role.SYSTEM and (tokens := self._shop.measure(message)) > limit * 0.75:
            raise PinnedTooLarge(
                f"session {self.key}: a system message has {tokens} tokens and stands in every view of {limit}; "
                "shorten it, or raise Budget(window_tokens=...)"
            )

    def _notice(self, tokens: int, state: State) -> Notice:
        pressure = self._shop.policy.budget.pressure(tokens)
        text = (
            f"This conversation fills {pressure:.0%} of what the assistant can read at once. Older parts are being "
            "condensed; nothing is lost, and you may start afresh at any time."
        )
        return Notice(text, pressure, state.version, self._shop.clock())

    async def _resumed(self, loaded: Loaded) -> Loaded:
        """After an absence, a mark that the views of this turn speak of it; kept, so that they agree.

        It runs from the latest time that is known: clocks go back, and those of two writers differ.
        """
        state, now = loaded.state, self._shop.clock()
        after = self._shop.policy.resume_after_s
        recent = loaded.messages[-1] if loaded.messages else None
        if recent is None or recent.role is Role.TOOL or recent.tool_calls:
            return loaded
        said = recent.role is Role.USER
        known = [m.time_s for m in (loaded.messages[:-1] if said else loaded.messages) if m.time_s is not None]
        ended = recent.time_s if said else now
        if not known or ended is None:
            return loaded
        absent, mark = ended - max(known), recent.seq - said
        if absent < after or state.resumed_after_seq == mark:
            return loaded
        await self._store.mark(self.key, Marks(resumed_after_seq=mark, absent_s=absent))
        self._shop.tell(Resumed(self.key, absent))
        return replace(loaded, state=replace(state, resumed_after_seq=mark, absent_s=absent))

    async def _planned(self, loaded: Loaded, query: str | None, overhead_tokens: int, open_end: bool) -> View:
        shop = self._shop
        limits, tools = shop.tools.limits, shop.tools
        if overhead_tokens:
            limits = replace(limits, budget=limits.budget.less(overhead_tokens))
            tools = replace(tools, limits=limits)
        named = _named(loaded, shop)
        try:
            made = plan(named, loaded.digest, tools=tools, extras=Extras(refresh=_refresh(loaded)), open_end=open_end)
            if query and limits.recall_tokens and _lacking(made, named):
                made = await self._with_evidence(query, loaded, named, tools, open_end)
        except PinnedTooLarge as exc:
            raise PinnedTooLarge(f"session {self.key}: {exc}") from exc
        return _view(made, loaded, limits.total, shop)

    async def _with_evidence(
        self, query: str, loaded: Loaded, named: Sequence[Message], tools: Tools, open_end: bool
    ) -> Plan:
        """The plan in what a recall leaves of the budget, with what bears on `query` before the newest question."""
        limits = tools.limits
        smaller = replace(tools, limits=limits.beside(limits.recall_reserve, digest_share=DIGEST_BESIDE))
        made = plan(named, loaded.digest, tools=smaller, extras=Extras(refresh=_refresh(loaded)), open_end=open_end)
        room = min(limits.recall_tokens, limits.total - made.tokens)
        standing = {message.seq for message in made.messages if message.rendition in ("whole", "named")}
        absent = [m for m in named if m.seq not in standing and m.role is not Role.SYSTEM]
        block = await self.evidence(query, absent, made.messages, loaded.digest, room_tokens=room)
        return with_recalled(made, block, limits.total, tools)

    async def evidence(
        self,
        query: str,
        absent: Sequence[Message],
        standing: Sequence[Message],
        digest: Digest | None,
        *,
        room_tokens: int,
    ) -> str:
        """What bears on `query` of the messages `absent` from a view and of those under its digest, as one block
        of quotes in at most `room_tokens`; "" when there is nothing. One search of the store where there is a digest.
        """
        shop = self._shop
        if room_tokens < LEAST_RECALL:
            return ""
        under: Sequence[Message] = ()
        if digest is not None and digest.covers:
            words = list(dict.fromkeys([*terms(query), *_last_words(standing)]))[:SEARCH_WORDS]
            under = await self._store.search(self.key, words, max_hits=CANDIDATES)
            under = [m for m in under if m.seq in digest.covers and m.role is not Role.SYSTEM]
        known = {message.seq: message for message in (*under, *absent) if not is_recalled(message)}
        sources = likely(query, [known[seq] for seq in sorted(known)], most=SOURCES)
        asked = Question(query, [shop.read(m) for m in standing[-4:]], await self._nearness(query, sources))
        return evidence(
            asked,
            [(message, shop.read(message)) for message in sources],
            [(message, shop.read(message)) for message in standing],
            room_tokens=room_tokens - FRAMING,
            count=shop.counter.count,
        )

    async def _nearness(self, query: str, sources: Sequence[Message]) -> Sequence[float] | None:
        """How near in meaning each message is to `query`; None without an embedder."""
        if self._shop.embedder is None or len(sources) < 2:
            return None
        wanted, *vectors = await self._shop.embedder.embed([query, *(searchable(m) or " " for m in sources)])
        return [cosine(wanted, vector) for vector in vectors]

    async def recalled(self, query: str, digest: Digest) -> str:
        """What the part of the record under `digest` says to `query`, as one block of quotes; "" for nothing."""
        limits = self._shop.tools.limits
        return await self.evidence(query, (), (), digest, room_tokens=limits.recall_reserve)


def _lacking(made: Plan, named: Sequence[Message]) -> bool:
    """Whether the record has more than the plan shows word for word."""
    return made.digest is not None or any(
        choice in (Choice.CLIP, Choice.FOLD, Choice.DROP) for _, choice, _, _ in made.decided
    )


def _last_words(standing: Sequence[Message]) -> list[str]:
    """The newest words of a view, which a question goes on from."""
    return [word for message in reversed(standing[-2:]) for word in terms(searchable(message)[-600:])]


def _bytes_of(message: Message) -> int:
    texts = [message.content, *(media.data for media in message.media)]
    texts += [call.arguments for call in message.tool_calls]
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)


def _named(loaded: Loaded, shop: Workshop) -> list[Message]:
    """The messages, those of users with their author's name before them when there are several."""
    if len(loaded.state.ledger.authors) < 2:
        return list(loaded.messages)
    return [_with_name(message, shop) for message in loaded.messages]


def _with_name(message: Message, shop: Workshop) -> Message:
    if message.role is not Role.USER or not message.author or not message.content:
        return message
    named = replace(message, content=f"{message.author}: {message.content}", rendition="named")
    return replace(named, tokens=shop.measure(named))


def _refresh(loaded: Loaded) -> str:
    """A word on the absence, while the turn that ended it is the newest one."""
    state = loaded.state
    if not state.absent_s:
        return ""
    newest = max((message.seq for message in loaded.messages if message.role is Role.USER), default=0)
    last = loaded.messages[-1] if loaded.messages else None
    answered = last is not None and last.role is Role.ASSISTANT and not last.tool_calls
    since = last.seq if last is not None and answered else newest - 1
    if state.resumed_after_seq != since:
        return ""
    days, hours = divmod(int(state.absent_s // 3600), 24)
    ago = f"{days} days" if days > 1 else f"{days * 24 + hours} hours"
    return (
        f"[The conversation goes on after a break of {ago}. What was said before may be out of date: "
        "check dates, prices and open promises before relying on them.]"
    )


def _view(made: Plan, loaded: Loaded, limit: int, shop: Workshop) -> View:
    chosen = [choice for _, choice, _, _ in made.decided]
    ledger = loaded.state.ledger
    folded = loaded.digest.covered_messages if loaded.digest else 0
    report = Report(
        limit_tokens=limit,
        tokens=made.tokens,
        raw_tokens=made.raw_tokens,
        record_tokens=ledger.tokens,
        record_messages=ledger.messages,
        whole=chosen.count(Choice.WHOLE),
        clipped=chosen.count(Choice.CLIP),
        folded=folded + sum(len(part) for part, *_ in made.decided[1 if folded else 0 :] if isinstance(part, Ranges)),
        dropped=chosen.count(Choice.DROP),
        counter=shop.counter.name,
    )
    tier = shop.policy.budget.tier(made.raw_tokens)
    standing = {message.seq for message in made.messages}
    shown = any(message.origin == "digest" and message.covers for message in made.messages)
    covered = made.digest.covers if made.digest and shown else Ranges()
    under = loaded.digest.covers if loaded.digest else Ranges()
    known = [*(() if shown else under), *[message.seq for message in loaded.messages]]
    absent = [seq for seq in dict.fromkeys(known) if seq not in standing]
    hidden = Ranges.of(seq for seq in absent if seq not in covered)
    return View(
        made.messages,
        made.tokens,
        tier,
        report,
        made.decided,
        made.digest,
        hidden,
        version=loaded.state.version,
    )
