"""`VectorStoreIndex` and `EmbeddingsEmbedder`: found by meaning, each session for itself, gone with it, made anew."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.vectorstores import InMemoryVectorStore
from meaning import Meanings

from langchain_session import EmbeddingsEmbedder, SessionChatMessageHistory, SessionSaver, VectorStoreIndex
from langchain_session.index import session_digest
from session_core import Budget, Policy, Session, Sessions
from session_core.errors import ConfigError, StoreLost
from session_core.events import FellBack
from session_core.stores.indexing import rebuild
from session_core.stores.memory import MemoryStore
from session_core.testing import Heard
from session_core.turns import Key
from session_core.voices import run_blocking

BUDGET = Budget(1_500, reply_reserve_tokens=0)


@pytest.fixture
def vectors() -> InMemoryVectorStore:
    return InMemoryVectorStore(Meanings())


@pytest.fixture(params=["memory", "sqlite"])
def sessions(request: pytest.FixtureRequest, tmp_path, vectors) -> Iterator[Sessions]:
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/chat.db"
    with Sessions(url, policy=Policy(BUDGET, folding="inline", index=VectorStoreIndex(vectors))) as opened:
        yield opened


def talk(session: Session, first: str, *, turns: int = 14) -> None:
    """A conversation that begins with `first`, which is folded away by its end."""
    session.append([{"role": "user", "content": first}, {"role": "assistant", "content": "Noted."}])
    for _ in range(turns):
        session.append(
            [{"role": "user", "content": "tell me more"}, {"role": "assistant", "content": "long story " * 60}]
        )


def found(session: Session, query: str) -> list[str]:
    return [message.content for message in session.search(query)]


def test_a_folded_message_is_found_by_what_it_means(sessions):
    session = sessions.session("s")
    talk(session, "The car of my sister is red")
    assert found(session, "which automobile?")[0] == "The car of my sister is red"
    assert [m.content for m in asyncio.run(session.asearch("which automobile?"))] == found(session, "which automobile?")
    recalled = [m.content for m in session.view("which automobile?").messages if m.origin == "recall"]
    assert "The car of my sister is red" in recalled[0]


def test_without_an_index_only_words_find(tmp_path):
    with Sessions(policy=Policy(BUDGET, folding="inline")) as sessions:
        talk(sessions.session("s"), "The car of my sister is red")
        assert found(sessions.session("s"), "which automobile?") == []
        assert found(sessions.session("s"), "which car?")[0] == "The car of my sister is red"


class Careless(InMemoryVectorStore):
    """A vector store that gives what is near, whatever it is asked to leave out."""

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        return super().similarity_search(query, k=1_000)


@pytest.mark.parametrize("kind", [InMemoryVectorStore, Careless])
def test_no_session_and_no_tenant_finds_what_another_said(kind):
    vectors = kind(Meanings())
    with Sessions(policy=Policy(BUDGET, folding="inline", index=VectorStoreIndex(vectors))) as sessions:
        places = [sessions.session(name, tenant=tenant) for tenant in ("acme", "other") for name in ("a", "b")]
        for session in places:
            talk(session, f"The car of {session.key.tenant} in {session.key.session_id} is red")
        for session in places:
            told = f"The car of {session.key.tenant} in {session.key.session_id} is red"
            assert [text for text in found(session, "an automobile") if "car" in text] == [told]
        assert found(sessions.session("nobody", tenant="acme"), "an automobile") == []


def test_the_vector_store_gets_no_session_names(sessions, vectors):
    talk(sessions.session("user-42", tenant="acme"), "The car is red")
    assert vectors.store
    assert not any(name in repr(vectors.store) for name in ("user-42", "acme"))


DELETIONS = {
    "delete": lambda sessions: sessions.session("s").delete(),
    "adelete": lambda sessions: asyncio.run(sessions.session("s").adelete()),
    "clear": lambda sessions: SessionChatMessageHistory("s", sessions=sessions).clear(),
    "delete_thread": lambda sessions: SessionSaver(sessions).delete_thread("s"),
    "adelete_thread": lambda sessions: asyncio.run(SessionSaver(sessions).adelete_thread("s")),
}


@pytest.mark.parametrize("delete", DELETIONS.values(), ids=DELETIONS)
def test_what_is_deleted_leaves_the_index_and_others_stay(sessions, vectors, delete):
    for name in ("s", "other"):
        talk(sessions.session(name), "The car of my sister is red")
    delete(sessions)
    left = {one["metadata"]["session"] for one in vectors.store.values()}
    assert len(left) == 1
    assert found(sessions.session("other"), "an automobile")[0] == "The car of my sister is red"
    assert found(sessions.session("s"), "an automobile") == []


def test_what_is_purged_leaves_the_index(sessions, vectors):
    talk(sessions.session("s"), "The car of my sister is red")
    assert sessions.purge(0) == (sessions.session("s").key,)
    assert vectors.store == {}


@pytest.mark.parametrize("delete", [*DELETIONS.values(), lambda sessions: sessions.purge(0)], ids=[*DELETIONS, "purge"])
def test_what_is_deleted_leaves_the_index_with_its_namespaces(sessions, vectors, delete):
    sessions.session("s").append({"role": "user", "content": "hello"})
    talk(sessions.session("s", namespace="subgraph"), "The car of my sister is red")
    assert vectors.store
    delete(sessions)
    assert vectors.store == {}


class BreaksOff(MemoryStore):
    """A store whose purge ends after the first session."""

    deleted = 0

    async def delete(self, key: Key) -> int:
        self.deleted += 1
        if self.deleted > 1:
            raise StoreLost("the server is unavailable")
        return await super().delete(key)


def test_a_purge_that_breaks_off_leaves_no_text_of_what_it_deleted(vectors):
    sessions = Sessions(BreaksOff(), policy=Policy(BUDGET, folding="inline", index=VectorStoreIndex(vectors)))
    for name in "abc":
        talk(sessions.session(name), "The car of my sister is red")
    with pytest.raises(StoreLost):
        sessions.purge(0)
    left = {state.key for state in sessions.list()}
    assert len(left) == 2
    assert {one["metadata"]["session"] for one in vectors.store.values()} <= {session_digest(key) for key in left}


class WrittenTo(MemoryStore):
    """A store in which session "s" is written to between the search for idle sessions and their deletion."""

    async def idle(self, older_than_s: float, *, tenant: str | None = None) -> tuple[Key, ...]:
        found = await super().idle(older_than_s, tenant=tenant)
        self.idle = lambda *_, **__: nothing()  # type: ignore[method-assign]
        return found


async def nothing() -> tuple[Key, ...]:
    return ()


def test_a_session_that_is_written_to_during_a_purge_is_still_found_by_what_it_means(vectors):
    sessions = Sessions(WrittenTo(), policy=Policy(BUDGET, folding="inline", index=VectorStoreIndex(vectors)))
    talk(sessions.session("s"), "The car of my sister is red")
    assert sessions.purge(0) == ()
    assert found(sessions.session("s"), "an automobile")[0] == "The car of my sister is red"


def test_a_lost_index_is_rebuilt_from_the_record(sessions, vectors):
    session = sessions.session("s")
    talk(session, "The car of my sister is red")
    before = dict(vectors.store)
    vectors.store.clear()
    assert found(session, "an automobile") == []
    held = run_blocking(rebuild(sessions.store, session.key, sessions.policy.index))
    assert held == len(vectors.store) == len(before)
    assert {name: one["text"] for name, one in vectors.store.items()} == {n: one["text"] for n, one in before.items()}
    assert found(session, "an automobile")[0] == "The car of my sister is red"


def test_rebuilding_without_an_index_is_an_error():
    with Sessions() as sessions, pytest.raises(ConfigError, match=r"Policy\(index="):
        run_blocking(rebuild(sessions.store, sessions.session("s").key, None))


def test_numbers_that_the_record_has_no_more_are_left_out(sessions, vectors):
    session = sessions.session("s")
    talk(session, "The car of my sister is red")
    one = next(iter(vectors.store.values()))
    gone = {**one["metadata"], "seq": 9_999}
    vectors.add_documents([Document("an automobile", metadata=gone)], ids=["stale"])
    assert found(session, "an automobile")[0] == "The car of my sister is red"


class Away(InMemoryVectorStore):
    """A vector store whose server is gone."""

    def add_documents(self, documents: list[Document], **kwargs: Any) -> list[str]:
        raise ConnectionError("secret words")

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        raise ConnectionError("secret words")


def test_a_failing_index_emits_an_event_and_breaks_nothing():
    heard = Heard()
    policy = Policy(BUDGET, folding="inline", index=VectorStoreIndex(Away(Meanings())))
    with Sessions(policy=policy, observers=[heard]) as sessions:
        session = sessions.session("s")
        talk(session, "The car of my sister is red")
        assert found(session, "which car?")[0] == "The car of my sister is red"
        assert session.view("which car?").messages
    told = {(event.summarizer, event.reason) for event in heard if isinstance(event, FellBack)}
    assert told == {("index:Away", "ConnectionError")}


class Broken(Meanings):
    def embed_query(self, text: str) -> list[float]:
        raise ConnectionError("secret words")


@pytest.mark.parametrize(("embeddings", "first"), [(Meanings(), "a cat that is red"), (Broken(), "a cat")])
def test_embeddings_order_what_words_found_and_may_fail(embeddings, first):
    heard = Heard()
    with Sessions(policy=Policy(embedder=EmbeddingsEmbedder(embeddings)), observers=[heard]) as sessions:
        session = sessions.session("s")
        session.append([{"role": "user", "content": text} for text in ("a cat", "a cat that is red")])
        assert found(session, "colour of cat")[0] == first
        assert asyncio.run(session.asearch("colour of cat"))[0].content == first
    assert bool([event for event in heard if isinstance(event, FellBack)]) is isinstance(embeddings, Broken)
