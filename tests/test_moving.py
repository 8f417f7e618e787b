"""Moving without a framework: what export writes, import stores, once; in the library and on the command line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from generated_sessions import conversation
from hypothesis import given
from hypothesis import strategies as st
from postgres_server import postgres_server
from redis_server import redis_server

from session_core import Message, Role, Sessions
from session_core.cli import main
from session_core.errors import Diverged, InputError
from session_core.importing import (
    BATCH_CHARACTERS,
    NOTES,
    RefusedConversations,
    aimport_messages,
    import_messages,
    in_batches,
    with_ids,
)
from session_core.stores.encrypted import EncryptedStore
from session_core.stores.keyring import Keyring
from session_core.stores.open import open_store
from session_core.turns import Key
from session_core.voices import run_blocking


def said(*contents: str) -> list[Message]:
    return [Message(Role.USER, content) for content in contents]


@given(seed=st.integers(0, 10_000))
def test_an_export_that_is_imported_is_the_same_export(seed: int) -> None:
    with Sessions() as sessions:
        sessions.session("here").append(conversation(seed), lenient=True)
        exported = sessions.session("here").export()
        for _ in range(2):
            import_messages(sessions.session("there"), exported)
        assert sessions.session("there").export() == exported
        assert asyncio.run(sessions.session("there").aexport()) == exported


def test_a_store_is_exported_a_session_at_a_time_and_a_tenant_by_itself() -> None:
    async def awaited(sessions: Sessions) -> list[dict[str, object]]:
        return [one async for one in sessions.aexport("acme")]

    with Sessions() as sessions:
        sessions.session("a", tenant="acme").append({"role": "user", "content": "hi", "id": "1", "time_s": 5.0})
        sessions.session("b", tenant="zeta").append({"role": "user", "content": "secret"})
        told = [{"role": "user", "content": "hi", "id": "1", "time_s": 5.0}]
        assert list(sessions.export("acme")) == [{"session_id": "a", "messages": told}]
        assert asyncio.run(awaited(sessions)) == list(sessions.export("acme"))
        assert list(sessions.export()) == []


def test_both_voices_go_on_where_the_other_ended() -> None:
    with Sessions() as sessions:
        session = sessions.session("s")
        assert import_messages(session, said("one")) == 1
        assert asyncio.run(aimport_messages(session, said("one", "two"))) == 1
        assert import_messages(session, said("one", "two", "three")) == 1
        with pytest.raises(Diverged):
            asyncio.run(aimport_messages(session, said("one", "too")))
        assert [m.content for m in session.record()] == ["one", "two", "three"]


def test_import_progress_is_not_listed_as_a_session_and_is_deleted_with_it() -> None:
    with Sessions() as sessions:
        session = sessions.session("s")
        import_messages(session, said("one"))
        assert [state.key.namespace for state in sessions.list()] == [""]
        session.delete()
        assert run_blocking(sessions.store.state(Key("s", namespace=NOTES))) is None


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, str]]:
    with redis_server() as redis, postgres_server() as postgres:
        yield {"redis": redis.url, "postgres": postgres.url}


@pytest.fixture(params=["memory", "sqlite", "redis", "postgres", "hybrid", "encrypted"])
def every_store(request: pytest.FixtureRequest, tmp_path: Path, servers: dict[str, str]) -> Iterator[Sessions]:
    file = f"sqlite:///{tmp_path / 'chat.db'}"
    if request.param == "hybrid":
        opened = Sessions(hot="memory://", cold=file)
    elif request.param == "encrypted":
        opened = Sessions(EncryptedStore(open_store(file), Keyring({"a": bytes(32)})))
    else:
        opened = Sessions({"memory": "memory://", "sqlite": file, **servers}[request.param])
    with opened:
        yield opened


def test_every_store_remembers_what_was_moved_in_until_the_session_is_deleted(every_store: Sessions) -> None:
    messages = [f"message {n % 50}" for n in range(600)]
    session = every_store.session("moved")
    for count in (400, 400, 600):
        import_messages(session, said(*messages[:count]))
        assert [m.content for m in session.record()] == messages[:count]
    with pytest.raises(Diverged):
        import_messages(session, said(*messages[1:]))
    session.delete()
    assert asyncio.run(aimport_messages(session, said("afresh"))) == 1
    assert [m.content for m in session.record(all_branches=True)] == ["afresh"]


def test_imports_at_once_store_each_message_once(tmp_path: Path) -> None:
    messages = [f"message {n % 50}" for n in range(700)]
    with Sessions(f"sqlite:///{tmp_path / 'chat.db'}") as sessions, ThreadPoolExecutor(3) as threads:
        session = sessions.session("s")
        new = list(threads.map(lambda _: import_messages(session, said(*messages)), range(3)))
        assert [m.content for m in session.record()] == messages
        assert sum(new) == 700


def test_a_batch_is_bounded_by_what_it_holds() -> None:
    sizes = [BATCH_CHARACTERS - 1, 1, 1, 2 * BATCH_CHARACTERS, 1]
    assert list(in_batches(sizes, lambda size: size)) == [sizes[:2], [1], [2 * BATCH_CHARACTERS], [1]]


def test_ids_are_the_same_each_time_and_never_the_same_twice() -> None:
    messages = [*said("ok", "ok"), Message(Role.USER, "a", id="1"), Message(Role.USER, "a", id="1")]
    first, second = with_ids(messages), with_ids(messages)
    assert [m.id for m in first] == [m.id for m in second]
    assert len({m.id for m in first}) == 4
    assert first[2].id == "1"
    assert with_ids(said("more", "ok", "ok"))[1:] == first[:2]


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'chat.db'}"
    with Sessions(url) as sessions:
        for name in ("a", "b"):
            sessions.session(name, tenant="acme").append(conversation(ord(name)), lenient=True)
    return url


def exported(url: str, tenant: str) -> dict[str, list[dict[str, object]]]:
    with Sessions(url) as sessions:
        return {one["session_id"]: one["messages"] for one in sessions.export(tenant)}


def test_a_tenant_moves_from_store_to_store_on_the_command_line(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "--tenant", "acme", "--url", url]) == 0
    file, other = tmp_path / "acme.jsonl", f"sqlite:///{tmp_path / 'other.db'}"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    for new in (True, False):
        assert main(["import", str(file), "--tenant", "acme", "--url", other]) == 0
        assert (" 0 new of " in capsys.readouterr().out) is not new
    assert exported(other, "acme") == exported(url, "acme")


def test_one_session_is_imported_under_the_name_that_is_asked_for(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "a", "--tenant", "acme", "--url", url]) == 0
    file = tmp_path / "anything.jsonl"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    assert main(["import", str(file), "--session", "c", "--tenant", "acme", "--url", url]) == 0
    assert capsys.readouterr().out.startswith("session acme/c: ")
    assert exported(url, "acme")["c"] == exported(url, "acme")["a"]


def test_a_file_of_several_conversations_takes_no_one_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "two.json"
    file.write_text(json.dumps([[{"role": "user", "content": "a"}], [{"role": "user", "content": "b"}]]))
    url = f"sqlite:///{tmp_path / 'new.db'}"
    assert main(["import", str(file), "--session", "x", "--url", url]) == 2
    assert "drop --session" in capsys.readouterr().err


def conversations(tmp_path: Path, **said: str) -> str:
    """A file of conversations, each with one message."""
    file = tmp_path / "several.json"
    plain = [{"session_id": name, "messages": [{"role": "user", "content": text}]} for name, text in said.items()]
    file.write_text(json.dumps(plain), encoding="utf-8")
    return str(file)


def test_a_conversation_that_is_refused_hinders_no_other_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    assert main(["import", conversations(tmp_path, b="before"), "--url", url]) == 0
    assert main(["import", conversations(tmp_path, a="one", b="other", c="three"), "--url", url]) == 2
    refusal = capsys.readouterr().err
    assert "1 of 3 were refused, the others were moved: session b: 1 messages were moved in" in refusal
    assert {name: [one["content"] for one in said] for name, said in exported(url, "default").items()} == {
        "a": ["one"],
        "b": ["before"],
        "c": ["three"],
    }


def test_a_file_that_has_one_name_twice_is_refused_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "twice.jsonl"
    lines = [{"session_id": "a", "messages": [{"role": "user", "content": text}]} for text in ("one", "two")]
    file.write_text("\n".join(map(json.dumps, lines)))
    assert main(["import", str(file), "--url", f"sqlite:///{tmp_path / 'new.db'}"]) == 2
    assert "'a' first; nothing was written" in capsys.readouterr().err
    assert not (tmp_path / "new.db").exists()


def test_of_many_refusals_the_first_five_are_told() -> None:
    several = RefusedConversations()
    for n in range(8):
        with several.one():
            raise InputError(f"session {n}")
    with pytest.raises(InputError, match=r"^8 of 8 were refused.*: session 0; .*session 4; and 3 more$"):
        several.tell()
