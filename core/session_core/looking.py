"""Finding what a record says: messages by words, meaning and index, and the passages that bear on a question."""

from __future__ import annotations

import time
from collections.abc import Sequence

from session_core.compress.amended import amended
from session_core.compress.evidence import Question, evidence
from session_core.compress.fold import facts_on
from session_core.compress.passages import Reading
from session_core.errors import NotFound
from session_core.events import FellBack, Searched
from session_core.facts import extract, line, merge
from session_core.plan import Digest, Fact, Recalled
from session_core.ports import Store
from session_core.ranges import Ranges
from session_core.recalling import is_recalled, speaker
from session_core.retrieve import cosine, fuse, likely, rank, searchable, terms
from session_core.turns import Key, Message, Role
from session_core.workshop import Workshop

CANDIDATES = 120
"""How many messages a search reads before it ranks them."""
SOURCES = 320
"""How many messages are looked through for passages; of more, those that share words with the query and the newest."""
SEARCH_WORDS = 40
"""How many words, of the query first, old messages are looked for with."""
LEAST_RECALL = 64
"""In less room than this nothing is brought back; less than a sentence or two is no help."""
RUN_TOKENS = 120
"""Most tokens of what is brought back for a run, of small limits at most 15 %."""
CORRECTIONS = 2
"""How often passages are chosen anew when what was chosen turns out to have been corrected, and is told so; then all
that might be chosen are looked through."""
WHY_WORDS = 4
"""Words that are named to explain why a message was quoted."""
FRAMING = 8
"""Tokens around a block of quotes that is a message."""


class Looking:
    """Looks through one session of one store, awaited."""

    def __init__(self, key: Key, store: Store, workshop: Workshop) -> None:
        self.key = key
        self._store = store
        self._shop = workshop

    async def search(self, query: str, *, max_hits: int = 5) -> list[Message]:
        """Messages of the record that match `query`, best first.

        They share words with it (BM25); an embedder brings its own order of them in, an index those that are near
        to it whatever their words. When one of these fails, the words alone count, and an event says so. What a
        recall was asked for and gave back is no hit: the message that it came from is.
        """
        began = time.perf_counter()
        found = await self._store.search(self.key, terms(query), max_hits=max(CANDIDATES, max_hits))
        first_said = [message for message in found if not is_recalled(message)]
        best = [message for message, _ in rank(query, first_said, max_hits=len(first_said))]
        rankings = [best, await self._nearest(query, best), await self._indexed(query, best, max_hits)]
        told = [ranking for ranking in rankings if ranking]
        best = fuse(told, max_hits=max_hits) if len(told) > 1 else [message for one in told for message in one]
        self._shop.tell(Searched(self.key, min(len(best), max_hits), time.perf_counter() - began))
        return best[:max_hits]

    async def _nearest(self, query: str, best: Sequence[Message]) -> list[Message]:
        """What the words found, in the embedder's order."""
        near = await self._nearness(query, best)
        return [] if near is None else [m for _, m in sorted(zip(near, best, strict=True), key=_nearer)]

    async def _indexed(self, query: str, best: Sequence[Message], max_hits: int) -> list[Message]:
        """What the index finds; the messages come from the record, and what it has no more is left out."""
        index = self._shop.index
        if index is None:
            return []
        try:
            seqs = await index.near(self.key, query, max_hits=max_hits)
        except Exception as exc:  # noqa: BLE001 (as for an embedder: a vector store may be away)
            self._shop.tell(FellBack(self.key, index.name, type(exc).__name__))
            return []
        known = {message.seq: message for message in best}
        if missing := {seq for seq in seqs if seq not in known}:
            state = await self._store.state(self.key)
            there = sorted(seq for seq in missing if state and 0 < seq <= state.ledger.messages)
            known |= {m.seq: m for m in await self._store.record(self.key, Ranges.of(there))} if there else {}
        return [known[seq] for seq in dict.fromkeys(seqs) if seq in known]

    async def expand(self, reference: str) -> Message:
        """The whole message behind a reference. Raises: NotFound."""
        found = await self._store.find(self.key, reference)
        if found is None:
            raise NotFound(f"session {self.key} has no message {reference!r}; references come from its own views")
        return found

    async def evidence(
        self,
        query: str,
        absent: Sequence[Message],
        standing: Sequence[Message],
        digest: Digest | None,
        *,
        since: Sequence[Message] = (),
        room_tokens: int,
    ) -> tuple[str, tuple[Recalled, ...]]:
        """What bears on `query` of the messages `absent` from a view and of those under its digest, as one block
        of quotes in at most `room_tokens`, and what it quotes and why; "" when there is nothing. One search of
        the store where there is a digest.

        What was corrected later, under the digest, in these messages or in those said `since`, is quoted with its
        correction beside it.
        """
        shop = self._shop
        if room_tokens < LEAST_RECALL:
            return "", ()
        under: Sequence[Message] = ()
        if digest is not None and digest.covers:
            words = list(dict.fromkeys([*terms(query), *_last_words(standing)]))[:SEARCH_WORDS]
            began = time.perf_counter()
            found = await self._store.search(self.key, words, max_hits=CANDIDATES)
            found = (*found, *await self._indexed(query, found, CANDIDATES // 4))
            under = [m for m in found if m.seq in digest.covers and m.role is not Role.SYSTEM]
            under += [
                Message(Role.USER, f"({fact.kind}) {line(fact)}", seq=fact.seq, id=f"fact {place}", name="key facts")
                for place, fact in enumerate(facts_on(query, digest, tools=shop.tools))
            ]
            shop.tell(Searched(self.key, len(under), time.perf_counter() - began))
        known = {(m.seq, m.id): m for m in (*under, *absent) if not is_recalled(m)}
        sources = likely(query, [known[place] for place in sorted(known)], most=SOURCES)
        near = await self._nearness(query, sources)
        last = [shop.read(message) for message in standing[-4:]]
        later: tuple[Fact, ...] | None = None
        block, mended = "", dict[tuple[int, str], Message]()
        for attempt in range(CORRECTIONS + 1):
            told = [mended.get((message.seq, message.id), message) for message in sources]
            if attempt == CORRECTIONS:
                told = amended(sources, later or ())
            block, quoted = evidence(
                Question(query, last, near),
                [(message, shop.read(message)) for message in told],
                [(message, shop.read(message)) for message in standing],
                room_tokens=room_tokens - FRAMING,
                count=shop.counter.count,
            )
            if later is None and quoted:
                said = [m for m in (*absent, *standing, *since) if m.role is Role.USER and m.origin == "record"]
                later = merge(digest.facts if digest else (), extract(said))
            fresh = [message for message in quoted if (message.seq, message.id) not in mended]
            wrong = [one for message, one in zip(fresh, amended(fresh, later or ()), strict=True) if one is not message]
            if not wrong or attempt == CORRECTIONS:
                return block, _why(query, quoted, sources, near, last)
            mended.update(((message.seq, message.id), message) for message in wrong)
        return block, ()

    async def _nearness(self, query: str, sources: Sequence[Message]) -> Sequence[float] | None:
        """How near in meaning each message is to `query`; None without an embedder, or when it fails."""
        embedder = self._shop.embedder
        if embedder is None or len(sources) < 2:
            return None
        try:
            wanted, *vectors = await embedder.embed([query, *(searchable(m) or " " for m in sources)])
            return [cosine(wanted, vector) for vector in vectors]
        except Exception as exc:  # noqa: BLE001 (a user's model may raise anything; the words alone find much)
            self._shop.tell(FellBack(self.key, getattr(embedder, "name", "embedder"), type(exc).__name__))
            return None

    async def recalled(self, query: str, digest: Digest, *, since: Sequence[Message] = ()) -> str:
        """What the part of the record under `digest` says to `query`, as one block of quotes; "" for nothing.

        It takes little: within a run it stands beside what the run's own calls gave, which the question needs first.
        """
        limits = self._shop.tools.limits
        room = min(limits.recall_reserve(), RUN_TOKENS, limits.total * 15 // 100)
        return (await self.evidence(query, (), (), digest, since=since, room_tokens=room))[0]


def _why(
    query: str,
    quoted: Sequence[Message],
    sources: Sequence[Message],
    near: Sequence[float] | None,
    last: Sequence[Reading],
) -> tuple[Recalled, ...]:
    """What each quoted message has to do with the question: words, meaning, or what the last messages speak of."""
    asked, lately = (
        set(terms(query)),
        {value for reading in last for passage in reading.passages for value in passage.values},
    )
    nearest = set()
    if near is not None:
        order = sorted(range(len(sources)), key=lambda place: -near[place])
        nearest = {(sources[place].seq, sources[place].id) for place in order[: max(3, len(order) // 10)]}
    told: list[Recalled] = []
    for message in quoted:
        said = terms(searchable(message))
        shared = list(dict.fromkeys(word for word in said if word in asked))[:WHY_WORDS]
        again = list(dict.fromkeys(word for word in said if word in lately and any(map(str.isdigit, word))))[:WHY_WORDS]
        why = [f"has {', '.join(shared)} of the question"] if shared else []
        why += ["near to it in meaning"] if (message.seq, message.id) in nearest else []
        why += [f"has {', '.join(again)}, which was used again lately"] if again else []
        told.append(
            Recalled(message.seq, message.id, speaker(message), "; ".join(why) or "stands beside what answers it")
        )
    return tuple(told)


def _nearer(pair: tuple[float, Message]) -> tuple[float, int]:
    return -pair[0], -pair[1].seq


def _last_words(standing: Sequence[Message]) -> list[str]:
    """The newest words of a view, which a question goes on from."""
    return [word for message in reversed(standing[-2:]) for word in terms(searchable(message)[-600:])]
