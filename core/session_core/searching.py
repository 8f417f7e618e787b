"""Search in a session: by words, by meaning and by index, and passages that are relevant to a question."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from session_core.compress.digest_text import related_facts
from session_core.counting.tokens import FRAMING_TOKENS
from session_core.errors import ConfigError, InputError, NotFound
from session_core.events import FellBack, Searched
from session_core.fact_selection import line
from session_core.language.continuations import PROGRESS, asks_for_everything, is_continuation
from session_core.passages.reading import Reading
from session_core.passages.scoring import Question
from session_core.plan import Digest
from session_core.ports import Embedder, Store
from session_core.ranges import Ranges
from session_core.recall.evidence import TIGHT_TOKENS
from session_core.recall.offer_answers import with_answers
from session_core.recall.quotes import Quotes, Sources, select_quotes
from session_core.recall.recalling import is_recalled
from session_core.retrieval.boosts import message_boosts
from session_core.retrieval.digest_vectors import newest
from session_core.retrieval.query_cleanup import asked_and_repeated
from session_core.retrieval.retrieve import best_candidates, fuse, rank, searchable, terms
from session_core.retrieval.vectors import is_fast
from session_core.sealed import require_unsealed
from session_core.services import Services
from session_core.turns import Key, Message, Role

T = TypeVar("T")

CANDIDATES = 120
"""How many messages a search reads before it ranks them."""
SOURCES = 500
SOURCE_ROOMS = 40
"""How many messages, and how many times the room for quotes, are searched for passages. Of more, those that share words
with the query or are similar in meaning are taken, and the newest."""
READ_WHOLE = 500
"""Up to this many folded messages are all read for a question, if they are not too long; of more, the hits of a search.
"""
LONG_TOKENS = 1_000
"""A longer message counts as one of this length, since only this much of it is read."""
SEARCH_WORDS = 40
"""Words for a search of old messages, those of the query first."""
LEAST_RECALL = 24
"""In less room than this nothing is quoted, since less than a sentence or two does not help."""
RUN_TOKENS = 120
"""Maximum tokens of quotes within a run; with small limits, 15 % of the limit."""
PEOPLE = 1_000.0
"""A weight above that of any message for its words."""
READ_AT_ONCE = 500
"""How many messages are read per call to compute their vectors."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """What a view does not show: what its `digest` covers, and the messages that are `absent` from it.

    `standing` are those that it shows, of which it shortens those with ids in `inset`: their rows are quoted apart.
    `since` were said after the digest. `born` distinguishes the session from an older one of the same name.
    """

    digest: Digest | None
    absent: Sequence[Message] = ()
    standing: Sequence[Message] = ()
    since: Sequence[Message] = ()
    inset: Collection[str] = ()
    born: str = ""

    @property
    def newer(self) -> Sequence[Message]:
        """The messages that may correct what the digest covers."""
        return (*self.absent, *self.standing, *self.since)


@dataclass(frozen=True, slots=True)
class _Found:
    """What may be quoted: of all `candidates` the `sources`, which are searched for passages, and how `near` each of
    these is to the question, if known: by meaning, or else by words."""

    candidates: Sequence[Message]
    sources: Sequence[Message]
    near: Sequence[float] | None


class Searching:
    """Search in one session of one store, as coroutines."""

    def __init__(self, key: Key, store: Store, services: Services) -> None:
        self.key = key
        self._store = store
        self._services = services

    async def search(self, query: str, *, max_hits: int = 5) -> list[Message]:
        """Messages of the record that match `query`, best first.

        Candidates share words with it (BM25). An embedder re-ranks them; a fast one, such as the static one, also adds
        messages that are similar in meaning, from the newest `digest_vectors.MOST_COVERED`; an index adds all
        folded ones. If one of these fails, words alone count, and an event says so. Calls and results of a recall tool
        are no hits; the messages they quote are. Raises: InputError.
        """
        self._require_query(query)
        if isinstance(max_hits, bool) or not isinstance(max_hits, int) or max_hits < 0:
            raise InputError(f"session {self.key}: max_hits={max_hits!r}; pass a whole number, 0 or more")
        began = time.perf_counter()
        found = await self._store.search(self.key, terms(query), max_hits=max(CANDIDATES, max_hits))
        first_said = [message for message in found if not is_recalled(message)]
        ranked = partial(rank, query, first_said, max_hits=len(first_said))
        best = [message for message, _ in await self._services.offload_search(ranked, tokens=_tokens(first_said))]
        if self._fast_embedder is not None:
            state = await self._store.state(self.key)
            nearest = await self._similar_messages(query, best, state.head, state.born) if state else []
        else:
            nearest = await self._rerank_by_meaning(query, best)
        rankings = [best, nearest, await self._search_index(query, best, max_hits)]
        told = [ranking for ranking in rankings if ranking]
        best = fuse(told, max_hits=max_hits) if len(told) > 1 else [message for one in told for message in one]
        require_unsealed(self.key, best)
        self._services.emit(Searched(self.key, min(len(best), max_hits), time.perf_counter() - began))
        return best[:max_hits]

    def _require_query(self, query: str) -> None:
        if not isinstance(query, str):
            raise InputError(f"session {self.key}: a query of type {type(query).__name__}; pass a string")
        self._services.digest_vectors.asked = True

    async def _rerank_by_meaning(self, query: str, best: Sequence[Message]) -> list[Message]:
        """The results by words, in the embedder's order."""
        near = await self._nearness(query, best)
        return [] if near is None else [m for _, m in sorted(zip(near, best, strict=True), key=_nearer)]

    @property
    def _fast_embedder(self) -> Embedder | None:
        """The embedder, if it is available and fast enough to compare all messages of a session."""
        embedder = self._services.embedder
        return embedder if embedder is not None and is_fast(embedder) and not self._services.vectors.lost else None

    async def _similar_messages(self, query: str, known: Sequence[Message], part: Ranges, born: str) -> list[Message]:
        """The messages of `part` that are similar to `query` in meaning, nearest first.

        Vectors are in memory; missing ones are computed now, with one read of the record.
        """
        embedder, covered = self._fast_embedder, self._services.digest_vectors
        if embedder is None:
            return []
        part = newest(part)
        missing = covered.missing(self.key, born, part)
        for start in range(0, len(missing), READ_AT_ONCE):
            page = await self._store.record(self.key, Ranges.of(missing[start : start + READ_AT_ONCE]))
            if (
                await self._try_embedder(covered.add(self.key, born, page, embedder, self._services.vectors), embedder)
                is None
            ):
                return []
        seqs = await self._try_embedder(covered.near(self.key, born, query, part, embedder), embedder) or []
        there = {message.seq: message for message in known}
        if absent := sorted(seq for seq in seqs if seq not in there):
            there |= {m.seq: m for m in await self._store.record(self.key, Ranges.of(absent))}
        return [there[seq] for seq in seqs if seq in there and not is_recalled(there[seq])]

    async def _search_index(self, query: str, best: Sequence[Message], max_hits: int) -> list[Message]:
        """The messages that the index finds; they are read from the record, and missing ones are left out."""
        index = self._services.index
        if index is None:
            return []
        try:
            seqs = await index.near(self.key, query, max_hits=max_hits)
        except Exception as exc:  # noqa: BLE001 (as for an embedder: a vector store may be away)
            self._services.emit(FellBack(self.key, index.name, type(exc).__name__))
            return []
        known = {message.seq: message for message in best}
        if missing := {seq for seq in seqs if seq not in known}:
            state = await self._store.state(self.key)
            there = sorted(seq for seq in missing if state and 0 < seq <= state.ledger.messages)
            known |= {m.seq: m for m in await self._store.record(self.key, Ranges.of(there))} if there else {}
        return [known[seq] for seq in dict.fromkeys(seqs) if seq in known]

    async def expand(self, reference: str) -> Message:
        """The original message behind a reference. Raises: NotFound."""
        found = await self._store.find(self.key, reference)
        if found is None:
            raise NotFound(f"session {self.key} has no message {reference!r}; references come from its own views")
        require_unsealed(self.key, (found,))
        return found

    async def evidence(self, query: str, hidden: Hidden, *, room_tokens: int) -> Quotes:
        """What is relevant to `query` and `hidden` in a view, as one block of quotes of at most `room_tokens`, or an
        empty block. Whatever was corrected is quoted with its correction."""
        self._services.digest_vectors.asked = True
        if room_tokens < LEAST_RECALL:
            return Quotes()
        whole = hidden.digest is None or _can_be_read_whole(hidden.digest, room_tokens)
        under = await self._messages_under(query, hidden, whole=whole)
        by_place = {(m.seq, m.id): m for m in (*under, *hidden.absent)}
        ordered = [by_place[place] for place in sorted(by_place)] if under else hidden.absent
        candidates = [m for m in ordered if m.role is Role.USER or not is_recalled(m)]
        times = [m.time_s for m in hidden.newer if m.time_s is not None]
        found = await self._sources(query, candidates, room_tokens, max(times, default=None))
        choose = partial(self._quotes, query, hidden, found, room_tokens, whole=whole)
        return await self._services.offload_search(choose, tokens=_tokens(candidates))

    def _quotes(self, query: str, hidden: Hidden, found: _Found, room_tokens: int, *, whole: bool) -> Quotes:
        """The quotes from what was `found`; `whole` if all under the digest was looked at."""
        services, standing, sources = self._services, hidden.standing, found.sources
        around = (*found.candidates, *standing)
        give_way = services.yielding(_tokens(found.candidates))

        def read(message: Message) -> Reading:
            give_way()
            return services.read(message)

        said = with_answers(sources, around) if room_tokens > TIGHT_TOKENS else sources
        text, repeated = asked_and_repeated(query, around)
        last = [services.read(message) for message in standing[-4:]]
        complete = whole and len(said) == len(found.candidates)
        later = partial(services.corrections.later, self.key, hidden.digest, hidden.newer)
        return select_quotes(
            Question(text, last, found.near, complete=complete, repeated=repeated),
            Sources(said, standing, later, hidden.inset),
            read=read,
            room_tokens=room_tokens - FRAMING_TOKENS,
            count=services.counter.count,
            give_way=give_way,
        )

    async def _messages_under(self, query: str, hidden: Hidden, *, whole: bool) -> list[Message]:
        """The messages under the digest that may be quoted: all that it covers (`whole`, one read), or the results of a
        search by words and by meaning (one search, one read)."""
        digest = hidden.digest
        if digest is None or not digest.covers:
            return []
        began = time.perf_counter()
        found: Sequence[Message]
        if whole:
            found = await self._store.record(self.key, digest.covers)
        else:
            found = await self._search_under(query, hidden.standing, digest, hidden.born)
        under = [message for message in found if message.role is not Role.SYSTEM]
        self._services.emit(Searched(self.key, len(under), time.perf_counter() - began))
        return under

    async def _search_under(self, query: str, standing: Sequence[Message], digest: Digest, born: str) -> list[Message]:
        """The results of a search under `digest` by words, index and meaning, and the facts relevant to it."""
        progress = PROGRESS if _open_ended(query) else ()
        words = list(dict.fromkeys([*terms(query), *progress, *_last_words(standing)]))[: SEARCH_WORDS + len(progress)]
        found = await self._store.search(self.key, words, max_hits=CANDIDATES)
        found = (*found, *await self._search_index(query, found, CANDIDATES // 4))
        found = (*found, *await self._similar_messages(query, found, digest.covers, born))
        facts = enumerate(related_facts(query, digest, context=self._services.plan_context))
        return [m for m in found if m.seq in digest.covers] + [
            Message(Role.USER, f"({fact.kind}) {line(fact)}", seq=fact.seq, id=f"fact {place}", name="key facts")
            for place, fact in facts
        ]

    async def _sources(
        self, query: str, candidates: Sequence[Message], room_tokens: int, now_s: float | None
    ) -> _Found:
        """The `candidates` to search for passages, with a bonus for author and time in how near they are.

        A fast embedder helps to choose them; a slow one only compares the chosen ones.
        """
        near = await self._nearness(query, candidates) if self._fast_embedder is not None else None
        more = message_boosts(query, candidates, now_s)
        most_tokens = SOURCE_ROOMS * room_tokens
        tokens = [min(message.tokens, LONG_TOKENS) for message in candidates]
        words: Sequence[float] = ()
        sources: Sequence[Message] = candidates
        if more or len(candidates) > SOURCES or sum(tokens) > most_tokens:
            words = await self._services.offload_search(
                partial(self._services.lexicon.scores, query, candidates), tokens=sum(tokens)
            )
        if more:
            near = None if near is None else _add_normalized(near, more)
            words = _add_normalized(words, more)
        if len(candidates) > SOURCES or sum(tokens) > most_tokens:
            if _open_ended(query) and any(message.role is Role.TOOL for message in candidates):
                # What people say in a run of tools is little, and tells what it is for and how far it has come.
                words = [w + PEOPLE * _said(message) for w, message in zip(words, candidates, strict=True)]
            places = best_candidates(words, near, tokens, most=SOURCES, most_tokens=most_tokens)
            sources = [candidates[place] for place in places]
            near = None if near is None else [near[place] for place in places]
            words = [words[place] for place in places]
            more = None if more is None else [more[place] for place in places]
        if self._fast_embedder is None:
            near = await self._nearness(query, sources)
            near = _add_normalized(near, more) if near is not None and more else near
        return _Found(candidates, sources, words if near is None and more else near)

    async def _nearness(self, query: str, sources: Sequence[Message]) -> Sequence[float] | None:
        """The similarity of each message to `query`; None without an embedder, or if it fails."""
        embedder, vectors = self._services.embedder, self._services.vectors
        if embedder is None or vectors.lost or len(sources) < 2:
            return None
        return await self._try_embedder(vectors.nearness(query, sources, embedder), embedder)

    async def _try_embedder(self, work: Awaitable[T], embedder: Embedder) -> T | None:
        """The embedder's result; None, with an event, if it fails. One that is not installed is not asked again."""
        try:
            return await work
        except Exception as exc:  # noqa: BLE001 (a user's model may raise anything; the words alone find much)
            self._services.vectors.lost |= isinstance(exc, ConfigError)
            self._services.emit(FellBack(self.key, getattr(embedder, "name", "embedder"), type(exc).__name__))
            return None

    async def recall(self, query: str, digest: Digest, *, since: Sequence[Message] = ()) -> str:
        """Quotes relevant to `query` from the part of the record under `digest`, as one block; "" for nothing.

        The block is short: within a run it competes with the results of the run's own calls, which matter more.
        """
        limits = self._services.plan_context.limits
        room = min(limits.recall_reserve(), RUN_TOKENS, limits.total * 15 // 100)
        state = None if self._fast_embedder is None else await self._store.state(self.key)
        born = state.born if state else ""
        return (await self.evidence(query, Hidden(digest, since=since, born=born), room_tokens=room)).block


def _open_ended(query: str) -> bool:
    """Whether `query` asks for nothing in particular."""
    return is_continuation(query) or asks_for_everything(query)


def _said(message: Message) -> bool:
    return message.role is not Role.TOOL and bool(message.content.strip())


def _can_be_read_whole(digest: Digest, room_tokens: int) -> bool:
    """Whether `digest` covers so little that all of it is read, so that nothing is missed for lack of a shared word."""
    return digest.covered_messages <= READ_WHOLE and digest.covered_tokens <= SOURCE_ROOMS * room_tokens


def _tokens(messages: Sequence[Message]) -> int:
    """The size of what is read of `messages`."""
    return sum([min(message.tokens, LONG_TOKENS) for message in messages])


def _nearer(pair: tuple[float, Message]) -> tuple[float, int]:
    return -pair[0], -pair[1].seq


def _add_normalized(values: Sequence[float], more: Sequence[float]) -> list[float]:
    """The sums of `values`, scaled to a maximum of 1, and `more`."""
    most = max(*values, 1e-9)
    return [max(0.0, value) / most + added for value, added in zip(values, more, strict=True)]


def _last_words(standing: Sequence[Message]) -> list[str]:
    """The newest text of a view, which a question refers to."""
    return [word for message in reversed(standing[-2:]) for word in terms(searchable(message)[-600:])]
