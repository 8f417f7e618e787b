"""Redis behind TLS, and with a user that may do only what sessions need."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from session_core import Sessions
from session_core.errors import StoreError, StoreUnreadable
from session_core.ports import Checkpoint, MessageList, Plain, Write
from session_core.stores.redis.names import Names
from session_core.stores.redis.store import RedisStore
from session_core.testing import KEY, STORE_PROMISES, message
from session_core.voices import run_blocking
from tests.redis_server import RedisServer, redis_server
from tests.tls_front import tls_front

RUNBOOK = Path(__file__).resolve().parents[1] / "docs" / "runbook.md"
RIGHTS = " ".join(re.findall(r"^ACL SETUSER sessions on >PASSWORD (.*?)$", RUNBOOK.read_text(), re.M))
"""What the runbook tells an operator to grant."""


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        with running.client() as client:
            client.execute_command("ACL", "SETUSER", "sessions", "on", ">p@ss/word", *RIGHTS.split())
        yield running


@pytest.fixture(scope="module")
def secured(server, tmp_path_factory) -> Iterator[tuple[int, Path]]:
    with tls_front(server.port, tmp_path_factory.mktemp("tls")) as port_and_root:
        yield port_and_root


def test_sessions_talk_tls_in_both_voices(secured):
    port, root = secured
    with Sessions(f"rediss://127.0.0.1:{port}?ssl_ca_certs={root}") as sessions:
        sessions.session("tls").append({"role": "user", "content": "sealed on its way"})
        assert [m.content for m in sessions.session("tls").record()] == ["sealed on its way"]

    async def awaited() -> list[str]:
        async with Sessions(f"rediss://127.0.0.1:{port}?ssl_ca_certs={root}") as sessions:
            await sessions.session("tls").aappend({"role": "assistant", "content": "and back"})
            return [m.content for m in await sessions.session("tls").arecord()]

    assert asyncio.run(awaited()) == ["sealed on its way", "and back"]


def test_a_certificate_for_another_name_is_not_told_to_be_untrusted(secured):
    port, root = secured
    url = f"rediss://localhost:{port}?ssl_ca_certs={root}&retries=0"
    with Sessions(url) as sessions, pytest.raises(StoreError, match="is for another host name"):
        sessions.session("tls").record()


def test_a_plain_port_that_is_asked_for_tls_is_hinted_at(server):
    url = f"rediss://127.0.0.1:{server.port}?retries=0&socket_timeout=0.3&socket_connect_timeout=0.3"
    with Sessions(url) as sessions, pytest.raises(StoreError, match=r"if it speaks no TLS.*redis://"):
        sessions.list()


def test_a_port_with_tls_that_is_asked_without_is_hinted_at(secured):
    async def awaited() -> None:
        async with Sessions(f"redis://127.0.0.1:{secured[0]}?retries=0") as sessions:
            await sessions.alist()

    with pytest.raises(StoreError, match="if the port speaks TLS, start the URL with rediss://"):
        asyncio.run(awaited())
    hint = pytest.raises(StoreError, match="if the port speaks TLS, start the URL with rediss://")
    with Sessions(f"redis://127.0.0.1:{secured[0]}?retries=0") as sessions, hint:
        sessions.list()


def test_a_certificate_that_is_not_trusted_is_named_with_the_mend(secured):
    told = "presents a certificate that is not trusted; name its issuer with ssl_ca_certs"
    with Sessions(f"rediss://127.0.0.1:{secured[0]}") as sessions, pytest.raises(StoreError, match=told):
        sessions.session("tls").append({"role": "user", "content": "never sent"})


@pytest.mark.parametrize("promise", STORE_PROMISES, ids=lambda promise: promise.__name__)
def test_a_user_with_the_rights_of_the_runbook_can_do_all_that_a_store_does(promise, server):
    with server.client() as client:
        client.flushall()
    store = RedisStore(f"redis://sessions:p%40ss%2Fword@127.0.0.1:{server.port}")
    run_blocking(promise(store))
    run_blocking(store.close())


def test_those_rights_name_every_command_of_every_script():
    scripts = files("session_core.stores.redis").joinpath("lua").iterdir()
    used = {name.lower() for script in scripts for name in re.findall(r"\bcall\('([A-Z]+)'", script.read_text())}
    assert "hget" in used
    assert used <= {right.removeprefix("+") for right in RIGHTS.split()}


def test_a_user_with_them_leaves_a_broken_log_as_it_is(server):
    store, log = RedisStore(f"redis://sessions:p%40ss%2Fword@127.0.0.1:{server.port}"), Names().of(KEY)[1]
    with server.client() as client:
        client.flushall()
        run_blocking(store.append(KEY, [message(1), message(2)]))
        client.rpop(log)
        before = client.dump(log)
        with pytest.raises(StoreUnreadable, match="noeviction"):
            run_blocking(store.append(KEY, [message(3)], strict=True))
        assert client.dump(log) == before
    run_blocking(store.close())


def test_a_user_without_them_is_told_what_is_missing(server):
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "reader", "on", ">x", "~llms:*", "+@read")
    store = RedisStore(f"redis://reader:x@127.0.0.1:{server.port}")
    with pytest.raises(StoreError, match="denies a permission that sessions need; grant the user"):
        run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.close())


@pytest.fixture
def limited(server) -> Iterator[tuple[RedisStore, Callable[[str], None]]]:
    """A store, and what changes the rights of its user under way."""
    with server.client() as client:
        client.flushall()
        client.execute_command("ACL", "SETUSER", "limited", "reset", "on", ">x", "~*", "+@all")
        store = RedisStore(f"redis://limited:x@127.0.0.1:{server.port}")
        yield store, lambda right: client.execute_command("ACL", "SETUSER", "limited", right)
        run_blocking(store.close())


@pytest.mark.parametrize("count", [1, 3, 12], ids=["one", "a few", "many"])
@pytest.mark.parametrize("begun", [True, False], ids=["begun", "new"])
@pytest.mark.parametrize("command", ["hset", "time", "rpush"])
def test_an_append_that_a_right_is_missing_for_leaves_the_session_whole(command, begun, count, limited):
    store, change = limited
    before = [message(1), message(2)] if begun else []
    if begun:
        run_blocking(store.append(KEY, before))
    more = [message(number) for number in range(3, 3 + count)]
    change(f"-{command}")
    with pytest.raises(StoreError, match=f"denies a permission that sessions need.*missing: the command {command}"):
        run_blocking(store.append(KEY, more))
    assert [m.id for m in run_blocking(store.load(KEY)).messages] == [m.id for m in before]
    change(f"+{command}")
    run_blocking(store.append(KEY, more))
    assert [m.id for m in run_blocking(store.load(KEY)).messages] == [m.id for m in [*before, *more]]


def test_a_checkpoint_that_a_right_is_missing_for_leaves_the_session_and_what_waits_for_it_whole(limited):
    store, change = limited
    values = {"messages": MessageList((message(1),)), "other": Plain("t", b"x")}
    first = Checkpoint(KEY, "1", None, Plain("t", b"y"), {"messages": "1", "other": "1"})
    run_blocking(store.put_checkpoint(first, values, head_channel="messages", merge=True))
    waiting = Write("task", 0, "messages", MessageList((message(2),)))
    run_blocking(store.put_writes(KEY, "1", [waiting]))
    second = Checkpoint(KEY, "2", "1", Plain("t", b"z"), {"messages": "2", "other": "2"})
    changes = {"messages": MessageList((message(1), message(2))), "other": None}
    change("-hdel")
    with pytest.raises(StoreError, match="missing: the command hdel"):
        run_blocking(store.put_checkpoint(second, changes, head_channel="messages", merge=True))
    assert [m.id for m in run_blocking(store.load(KEY)).messages] == ["m1"]
    (found,) = run_blocking(store.checkpoint(KEY)).writes
    assert [m.id for m in found.value.items] == ["m2"]
    change("+hdel")
    run_blocking(store.put_checkpoint(second, changes, head_channel="messages", merge=True))
    assert [m.id for m in run_blocking(store.load(KEY)).messages] == ["m1", "m2"]


def test_a_command_that_is_missing_outside_of_scripts_is_named_too(limited):
    store, change = limited
    change("-hget")
    with pytest.raises(StoreError, match="missing: the command hget"):
        run_blocking(store.state(KEY))
