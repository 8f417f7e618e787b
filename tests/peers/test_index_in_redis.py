"""`VectorStoreIndex` in `langchain-redis` itself, on a Redis with the modules it needs; `make peers` runs it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from langchain_redis import RedisConfig, RedisVectorStore
from meaning import Meanings
from module_redis import module_redis

from langchain_session import VectorStoreIndex
from session_core import Budget, Policy, Session, Sessions
from session_core.stores.indexing import rebuild
from session_core.voices import run_blocking

SCHEMA = [{"name": "session", "type": "tag"}, {"name": "seq", "type": "numeric"}]


@pytest.fixture(scope="module")
def client() -> Iterator[redis.Redis]:
    # With the default protocol of redis-py 8 the second store in a process fails.
    with module_redis() as running, redis.Redis(host="127.0.0.1", port=running.port, protocol=2) as connected:
        yield connected


@pytest.fixture
def vectors(client: redis.Redis) -> RedisVectorStore:
    client.flushall()
    config = RedisConfig(index_name="recall", redis_client=client, metadata_schema=SCHEMA)
    return RedisVectorStore(Meanings(), config=config)


@pytest.fixture
def sessions(tmp_path, vectors: RedisVectorStore) -> Iterator[Sessions]:
    index, budget = VectorStoreIndex(vectors), Budget(1_500, reply_reserve_tokens=0)
    # Without vectors of our own, which would find the same.
    policy = Policy(budget, folding="inline", index=index, embedder=None)
    with Sessions(f"sqlite:///{tmp_path}/chat.db", policy=policy) as opened:
        yield opened


def talk(session: Session) -> str:
    told = f"The car of {session.key.tenant} in {session.key.session_id} is red"
    session.append([{"role": "user", "content": told}, {"role": "assistant", "content": "Noted."}])
    for _ in range(14):
        session.append(
            [{"role": "user", "content": "tell me more"}, {"role": "assistant", "content": "long story " * 60}]
        )
    return told


def cars(session: Session) -> list[str]:
    return [m.content for m in session.search("an automobile") if "car" in m.content]


def test_each_session_of_each_tenant_finds_its_own_by_what_it_means(sessions):
    places = [sessions.session(name, tenant=tenant) for tenant in ("acme", "other") for name in ("a", "b")]
    said = [talk(session) for session in places]
    assert [cars(session) for session in places] == [[told] for told in said]
    assert cars(sessions.session("nobody", tenant="acme")) == []


def test_what_is_deleted_leaves_redis_and_others_stay(sessions, client):
    gone, left = sessions.session("a"), sessions.session("b")
    told = [talk(gone), talk(left)]
    held = len(list(client.scan_iter("recall*")))
    gone.delete()
    assert len(list(client.scan_iter("recall*"))) == held // 2
    assert not any(told[0].encode() in client.hget(key, "text") for key in client.scan_iter("recall*"))
    assert cars(left) == [told[1]]


def test_an_index_that_was_lost_is_made_anew(sessions, vectors, client):
    session = sessions.session("a")
    told = talk(session)
    for key in client.scan_iter("recall*"):
        client.delete(key)
    assert cars(session) == []
    assert run_blocking(rebuild(sessions.store, session.key, sessions.policy.index)) > 0
    assert cars(session) == [told]
