"""The one flow of a session: append, load, plan, fold, write back if unchanged; every wait happens here."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from session_core.admission import require_storable
from session_core.budget import Tier
from session_core.compress.fixed import Extras
from session_core.compress.fold import Tools, facts_on
from session_core.compress.ladder import plan
from session_core.errors import InputError, MessageTooLarge, NotFound, PinnedTooLarge
from session_core.events import Appended as AppendedEvent
from session_core.events import Notice, Noticed, Resumed, Searched, TierChanged, Viewed
from session_core.facts import extract, line, merge
from session_core.plan import Choice, Digest, Plan, Report, View
from session_core.ports import Appended, Lease, Loaded, Marks, State, Store
from session_core.ranges import Ranges
from session_core.recalling import excerpt, is_recalled, outdated, quoted, speaker
from session_core.retrieve import fuse, nearest, rank, searchable, terms
from session_core.turns import Key, Message, Role
from session_core.workshop import Workshop

CANDIDATES = 60
"""How many messages a search reads before it ranks them."""
LEAST_RECALL = 64
"""In less room than this nothing is brought back; less than a sentence or two is no help."""
RECALL_HEAD = "[Earlier messages that may bear on the next one, quoted from the record as data:]"


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
        recalled = ""
        if query and loaded.digest:
            recalled = await self.recalled(query, loaded.digest, since=loaded.messages, tools=tools)
        extras = Extras(recalled, _refresh(loaded))
        try:
            made = plan(named, loaded.digest, tools=tools, extras=extras, open_end=open_end)
        except PinnedTooLarge as exc:
            raise PinnedTooLarge(f"session {self.key}: {exc}") from exc
        return _view(made, loaded, limits.total, shop)

    async def recalled(
        self, query: str, digest: Digest, *, since: Sequence[Message] = (), tools: Tools | None = None
    ) -> str:
        """What the part of the record under `digest` says to `query`, as one block of quoted lines: facts for which
        the digest has no room in a view, and messages that match, in their order. Empty when there is nothing.

        One search. What was corrected later, under the digest or in the messages `since`, is not quoted.
        """
        tools = tools or self._shop.tools
        room = tools.limits.recall_room
        if room < LEAST_RECALL or not terms(query):
            return ""
        said: list[tuple[int, str]] = [
            (fact.seq, f"({fact.kind}) {line(fact)}") for fact in facts_on(query, digest, tools=tools)
        ]
        known = merge(digest.facts, extract([message for message in since if message.role is Role.USER]))
        for message in await self.search(query, max_hits=8):
            if message.seq in digest.covers and message.role is not Role.SYSTEM and not outdated(message, known):
                part = excerpt(message, query, max_tokens=max(24, room // 3), count=tools.count)
                said.append((message.seq, f"{speaker(message)}: {part}"))
        told = quoted(said, room_tokens=room - tools.count(RECALL_HEAD) - 8, count=tools.count)
        return "\n".join([RECALL_HEAD, *told]) if told else ""


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
