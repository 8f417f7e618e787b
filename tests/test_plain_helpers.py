"""Helpers of somebody's own: written with a plain `def` they work as well, and what they get wrong is said."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator, Sequence

import pytest

from session_core import Budget, Message, Policy, Sessions
from session_core.errors import ConfigError
from session_core.events import FellBack
from session_core.plan import Fact
from session_core.ports import SummaryRequest
from session_core.testing import Heard
from session_core.turns import Importance, Key

CAT = "The cat that lives with us answers to Moritz."


class Summarizer:
    name = "mine"

    def __init__(self, answer: object = CAT) -> None:
        self.answer = answer

    def summarize(self, request: SummaryRequest) -> object:
        return self.answer


class Judge:
    name = "judge"

    def judge(self, messages: Sequence[Message]) -> dict[int, Importance]:
        return {messages[0].seq: Importance.DISCARD}


class Extractor:
    name = "extractor"

    def extract(self, messages: Sequence[Message]) -> Sequence[Fact]:
        return ()


class Embedder:
    """Texts with a cat in them are near to each other."""

    def __init__(self) -> None:
        self.threads: set[int] = set()

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.threads.add(threading.get_ident())
        return [[1.0, 0.0] if "cat" in text or "pet" in text else [0.0, 1.0] for text in texts]


class Index:
    name = "index"

    def __init__(self) -> None:
        self.held: list[int] = []
        self.forgotten = 0

    def add(self, key: Key, messages: Sequence[Message]) -> None:
        self.held += [message.seq for message in messages]

    def near(self, key: Key, query: str, *, max_hits: int) -> Sequence[int]:
        return self.held[:1]

    def forget(self, key: Key, last_seq: int) -> None:
        self.forgotten = last_seq


def talked(heard: Heard, **helpers: object) -> Sessions:
    """Sessions of which one, "s", has been folded, and is told of a cat in its first message."""
    policy = Policy(Budget(1_000, reply_reserve_tokens=0), keep_turns=1, folding="inline", **helpers)  # type: ignore[arg-type]
    sessions = Sessions(policy=policy, observers=[heard])
    session = sessions.session("s")
    session.append([{"role": "user", "content": CAT}, {"role": "assistant", "content": "A fine name."}])
    for number in range(12):
        said = f"It is a long story, the {number}th of its kind. " * 8
        session.append([{"role": "user", "content": f"Go on, {number}."}, {"role": "assistant", "content": said}])
    return sessions


def test_a_plain_summarizer_writes_the_digest() -> None:
    heard = Heard()
    with talked(heard, summarizer=Summarizer()) as sessions:
        assert any(CAT in message.content for message in sessions.session("s").view().messages)
    assert not [event for event in heard if isinstance(event, FellBack)]


class Awaitable:
    """What can be awaited and is no coroutine, as some clients return."""

    def __await__(self) -> Generator[None, None, str]:
        return CAT
        yield


def test_a_summarizer_may_return_anything_that_can_be_awaited() -> None:
    heard = Heard()
    with talked(heard, summarizer=Summarizer(Awaitable())) as sessions:
        assert any(CAT in message.content for message in sessions.session("s").view().messages)
    assert not [event for event in heard if isinstance(event, FellBack)]


def test_a_summarizer_that_returns_no_text_emits_an_event() -> None:
    heard = Heard()
    talked(heard, summarizer=Summarizer(answer=42)).close()
    assert {event.reason for event in heard if isinstance(event, FellBack)} == {"an int instead of a text"}


def test_a_plain_judge_extractor_and_index_are_asked() -> None:
    heard, index = Heard(), Index()
    with talked(heard, classifier=Judge(), extractor=Extractor(), index=index, embedder=None) as sessions:
        session = sessions.session("s")
        assert index.held
        assert CAT in [message.content for message in session.search("pets")]
        assert CAT in [message.content for message in asyncio.run(session.asearch("pets"))]
        session.delete()
    assert index.forgotten
    assert not [event for event in heard if isinstance(event, FellBack)]


def test_a_plain_embedder_finds_by_meaning_and_never_on_the_event_loop() -> None:
    heard, embedder = Heard(), Embedder()

    async def ask() -> list[Message]:
        embedder.threads.clear()
        return await sessions.session("s").asearch("the pets story of its kind", max_hits=1)

    with talked(heard, embedder=embedder) as sessions:
        found = sessions.session("s").search("the pets story of its kind", max_hits=1)
        assert asyncio.run(ask()) == found
        assert embedder.threads
        assert threading.get_ident() not in embedder.threads
    assert not [event for event in heard if isinstance(event, FellBack)]


class Rules:
    def __init__(self, judgement: str) -> None:
        self.judgement = judgement

    def classify(self, message: Message) -> str:
        return self.judgement


def test_a_classifier_may_judge_in_a_word_and_another_word_stores_nothing() -> None:
    with Sessions(policy=Policy(classifier=Rules("must_keep"))) as sessions:  # type: ignore[arg-type]
        sessions.session("s").append({"role": "user", "content": "Hello"})
        assert sessions.session("s").record()[0].importance is Importance.MUST_KEEP
    with Sessions(policy=Policy(classifier=Rules("keep"))) as sessions:  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match="none of must_keep, summarize, discard; nothing was written"):
            sessions.session("s").append({"role": "user", "content": "Hello"})
        assert sessions.session("s").record() == []


class Nameless:
    def summarize(self, request: SummaryRequest) -> str:
        return CAT


def test_a_summarizer_without_a_name_is_told_so_before_anything_is_folded() -> None:
    with pytest.raises(ConfigError, match="summarizer Nameless has no name"):
        Policy(summarizer=Nameless())  # type: ignore[arg-type]


class HalfAStore:
    scheme = "half"

    def awaiting(self) -> HalfAStore:
        return self

    async def append(self) -> None: ...


def test_the_error_for_an_incomplete_store_names_the_missing_methods() -> None:
    with pytest.raises(ConfigError, match=r"HalfAStore lacks take_lease, drop_lease, load, .*ports\.Store"):
        Sessions(HalfAStore())  # type: ignore[arg-type]
