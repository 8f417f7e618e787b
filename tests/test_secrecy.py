"""Nothing of what was said stands in an error, its causes, a log, a warning or telemetry, whatever goes wrong."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from cutting_proxy import Cut, cutting_proxy
from fault_tools import KINDS, Places, fill, postgres_socket
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from redis._parsers import _RESP2Parser
from secrecy import SECRET, overheard, refused, secret, silent

from session_core import Budget, Policy, Sessions
from session_core.errors import InputError, VoiceError
from session_core.otel import OpenTelemetry
from session_core.plan import Digest
from session_core.ports import MessageList, Plain, SessionStore, SummaryRequest, Write
from session_core.ranges import Ranges
from session_core.stores.memory import MemoryStore
from session_core.stores.open import open_store
from session_core.stores.postgres.store import PostgresStore
from session_core.stores.redis.names import Names
from session_core.stores.redis.store import RedisStore
from session_core.testing import KEY, Heard, message
from session_core.transcripts import read
from session_core.turns import Importance, Key, Media, Message, Role, ToolCall
from session_core.voices import run_blocking


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, places: Places, tmp_path: Path) -> Iterator[SessionStore]:
    with places.store(request.param, tmp_path) as made:
        yield made


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with overheard(caplog):
        yield


# What every store refuses.


def test_errors_of_refused_writes_contain_no_content(store: SessionStore) -> None:
    fill(store, KEY, "ordinary")
    run_blocking(store.append(KEY, [secret()]))
    state = run_blocking(store.state(KEY))
    assert state is not None
    other = secret(content=f"another {SECRET}")
    lost = Message(Role.TOOL, SECRET, id="r9", tool_call_id="nobody", name=SECRET)
    digest = Digest(Ranges.span(1, 1), f"{SECRET} in short")
    works: list[Callable[[], Any]] = [
        lambda: store.append(KEY, [other]),
        lambda: store.append(KEY, [lost], strict=True),
        lambda: store.append(KEY, [secret(id="s2")], expected=99),
        lambda: store.append(KEY, [secret(id="s2"), replace(other, id="s2")]),
        lambda: store.append(KEY, [secret(time_s=SECRET)]),
        lambda: store.append(KEY, [secret(author=SECRET * 1_000)]),
        lambda: store.append(KEY, [secret(tool_calls=({SECRET: SECRET},))]),
        lambda: store.append(KEY, [secret(media=(Media("image", [SECRET]),))]),  # type: ignore[arg-type]
        lambda: store.append(KEY, [{"role": "user", "content": SECRET}]),  # type: ignore[list-item]
        lambda: store.put_digest(KEY, digest, expected=99),
        lambda: store.put_digest(KEY, digest, expected=1, born="another"),
        lambda: store.put_digest(Key("nobody"), digest, expected=0),
        lambda: store.put_writes(KEY, "1", [Write("t", 0, "c", MessageList((secret(content=[SECRET]),)))]),
    ]
    for work in works:
        refused(lambda: run_blocking(work()))  # noqa: B023


# What the door refuses, and what it tells.


DICTS: list[Any] = [
    {"role": "user", "content": ""},
    {"role": f"robot {SECRET}", "content": SECRET},
    {"role": "user", "content": 5, "text": SECRET},
    {"content": SECRET},
    {f"say {SECRET}": 1},
    {"role": "tool", "content": SECRET},
    {"role": "tool", "content": SECRET, "tool_call_id": "nobody"},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": str(n), "content": SECRET} for n in (1, 2)]},
    {"role": "user", "content": "x" * 2_000 + SECRET},
    {"role": "system", "content": f"{SECRET} " * 900},
    Message(Role.USER, SECRET, origin="digest"),
    SECRET,
    5,
]


def test_errors_of_refused_messages_contain_no_content() -> None:
    policy = Policy(Budget(600, reply_reserve_tokens=0), max_message_bytes=1_500, folding="off")
    with Sessions(policy=policy) as sessions:
        session = sessions.session("s")
        for said in DICTS:
            refused(lambda: session.append(said))  # noqa: B023
        session.append({"role": "system", "content": f"{SECRET} always. " * 20})
        refused(lambda: session.view(overhead_tokens=560))
        refused(lambda: session.expand("nothing"))


def test_events_of_failing_helpers_contain_no_content() -> None:
    class Talks:
        name = "talks"

        async def summarize(self, request: SummaryRequest) -> str:
            raise RuntimeError(f"the provider says: {request.messages[0].content}")

        def classify(self, said: Message) -> Importance:
            if said.role is Role.ASSISTANT:
                raise KeyError(said.content)
            return Importance.SUMMARIZE

    async def awaited() -> str:
        await asyncio.sleep(0)
        return SECRET

    refused(lambda: run_blocking(awaited()), VoiceError)
    heard, loud = Heard(), Talks()

    def listener(event: object) -> None:
        raise ValueError(f"of {event}: {SECRET}")

    class Forgets(MemoryStore):
        async def put_digest(self, *args: Any, **kwargs: Any) -> Digest:
            raise KeyError(SECRET)

    policy = Policy(Budget(600, reply_reserve_tokens=0), summarizer=loud, keep_turns=1)
    with Sessions(Forgets(), policy=policy, observers=[heard]) as sessions:
        session = sessions.session("s")
        for turn in range(12):
            session.append({"role": "user", "content": f"{SECRET} {turn} " + "and more " * 20})
        assert sessions.drain()
    with Sessions(policy=policy, observers=[heard], on_event=listener) as sessions:
        session = sessions.session("s")
        for turn in range(12):
            session.append({"role": "user", "content": f"{SECRET} {turn} " + "and more " * 20})
        assert sessions.drain()
    assert {type(event).__name__ for event in heard} >= {"FellBack", "FoldFailed", "TierChanged", "Noticed"}
    silent([list(heard), [repr(event) for event in heard]])


def test_telemetry_contains_no_content(store: SessionStore) -> None:
    spans, figures = InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    observer = OpenTelemetry(MeterProvider([figures]), tracers, session_ids=True)
    heard = Heard()
    policy = Policy(Budget(900, reply_reserve_tokens=0), folding="inline", keep_turns=1)
    with Sessions(store, policy=policy, observers=[heard]) as sessions:
        observer.watch(sessions)
        session = sessions.session("s")
        for turn in range(12):
            call = ToolCall(f"c{turn}", f"tool_{SECRET}", f'{{"q": "{SECRET}"}}')
            said = f"My code is {SECRET}-{turn}. Never say {SECRET}. " + "and more " * 20
            session.append(
                [
                    Message(Role.USER, said, author=f"author {SECRET}"),
                    Message(Role.ASSISTANT, SECRET, tool_calls=(call,)),
                    Message(Role.TOOL, f"{SECRET} " * 500, tool_call_id=call.id),
                ]
            )
            session.view(f"what is {SECRET}?")
            session.search(SECRET)
        assert SECRET in str(run_blocking(store.load(session.key)).digest)
    told = [
        (span.name, dict(span.attributes or {}), str(span.status), span.events) for span in spans.get_finished_spans()
    ]
    assert {name for name, *_ in told} >= {f"llm_sessions.{what}" for what in ("append", "view", "fold", "search")}
    data = figures.get_metrics_data()
    assert data is not None
    silent([told, data.to_json(), list(heard)])


def test_errors_of_unreadable_transcripts_contain_no_content(tmp_path: Path) -> None:
    texts = [
        f'[{{"role": "user", "content": "{SECRET}"}}, {{"role": "user {SECRET}"}}]',
        f'{{"role": "user", "content": "{SECRET}"',
        f'{{"role": "user", "content": "{SECRET}"}}\n{{"role": }}\n',
        f'{{"say {SECRET}": "{SECRET}"}}',
        f'"{SECRET}"',
        "[" * 100_000 + SECRET,
    ]
    for number, text in enumerate(texts):
        path = tmp_path / f"{number}.json"
        path.write_text(text)
        refused(lambda: read(path))  # noqa: B023
    (tmp_path / "bytes.json").write_bytes(b"\xff" + SECRET.encode())
    refused(lambda: read(tmp_path / "bytes.json"))


# What servers and the driver say.


def test_a_row_that_postgresql_quotes_is_not_shown(places: Places) -> None:
    url = places.postgres_url()
    schema = url.rpartition("schema=")[2]
    store = PostgresStore(url)
    run_blocking(store.append(KEY, [message(1)]))
    with places.postgres.connect() as connection:
        connection.execute(f"ALTER TABLE {schema}.messages ADD CONSTRAINT few CHECK (seq < 2)")
        connection.execute(f"ALTER TABLE {schema}.digests ADD CONSTRAINT none CHECK (number < 1)")
        connection.execute(f"ALTER TABLE {schema}.writes ADD CONSTRAINT none CHECK (position > 5)")
    for one in (store, store.awaiting()):
        run = run_blocking if one is store else asyncio.run
        refused(lambda: run(one.append(KEY, [secret()])))  # noqa: B023
        refused(lambda: run(one.put_digest(KEY, Digest(Ranges.span(1, 1), SECRET), expected=0)))  # noqa: B023
        refused(lambda: run(one.put_writes(KEY, "1", [Write("t", 0, SECRET, Plain("j", SECRET.encode()))])))  # noqa: B023
    with places.postgres.connect() as connection:
        connection.execute(f"DROP SCHEMA {schema} CASCADE")
    refused(lambda: run_blocking(store.append(KEY, [secret()])))
    run_blocking(store.close())


def test_what_postgresql_was_given_when_its_time_ran_out_is_not_shown(places: Places) -> None:
    url = places.postgres_url()
    schema = url.rpartition("schema=")[2]
    settings = "-c%20log_parameter_max_length_on_error%3D-1%20-c%20statement_timeout%3D100"
    store = PostgresStore(f"{url}&options={settings}")
    run_blocking(store.append(KEY, [message(1)]))
    with places.postgres.connect() as other, other.transaction():
        other.execute(f"SELECT 1 FROM {schema}.sessions FOR UPDATE")
        for batch in ([secret()], [secret(), message(2)]):
            assert "statement_timeout" in str(refused(lambda: run_blocking(store.append(KEY, batch))))  # noqa: B023
    run_blocking(store.close())


def test_a_call_that_redis_quotes_is_not_shown(places: Places) -> None:
    store = RedisStore(places.redis_url())
    run_blocking(store.append(KEY, [message(1)]))
    with places.redis.client() as client:
        client.acl_setuser("nobody", enabled=True, nopass=True, keys=["*"], commands=["+@all", "-evalsha", "-eval"])
    without = RedisStore(places.redis.url.replace("://", "://nobody:x@"))
    refused(lambda: run_blocking(without.append(KEY, [secret()])))
    with places.redis.client() as client:
        client.acl_deluser("nobody")
        client.set(Names().of(KEY)[1], SECRET)
    refused(lambda: run_blocking(store.append(KEY, [secret()])))
    for one in (store, without):
        run_blocking(one.close())


def test_invalid_server_answers_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    class Quotes(redis.Connection):
        """Reads as the driver does without hiredis: an answer that it does not understand, it quotes."""

        def __init__(self, **options: Any) -> None:
            super().__init__(parser_class=_RESP2Parser, **options)

    monkeypatch.setattr(redis, "Connection", Quotes)

    def answer(listener: socket.socket) -> None:
        for _ in range(8):
            client, _ = listener.accept()
            client.recv(65_536)
            client.sendall(f"{SECRET}\r\n".encode() * 20)
            client.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
        store = RedisStore(f"redis://127.0.0.1:{listener.getsockname()[1]}?protocol=2&socket_timeout=2")
        refused(lambda: run_blocking(store.append(KEY, [secret()])))
        refused(lambda: asyncio.run(store.awaiting().append(KEY, [secret()])))
        run_blocking(store.close())


@pytest.mark.parametrize("kind", ["redis", "postgres"])
def test_errors_of_a_broken_connection_contain_no_content(kind: str, places: Places) -> None:
    if kind == "redis":
        target, url = places.redis.port, f"{places.redis_url()}?max_connections=1"
    else:
        target, url = postgres_socket(places.postgres), places.postgres_url()
    with cutting_proxy(target) as proxy:
        there = f"127.0.0.1:{proxy.port}"
        if kind == "redis":
            url = f"redis://{there}"
        else:
            url = f"postgresql://postgres@{there}/postgres?sslmode=disable&{url.rpartition('&')[2]}"
        store = open_store(url)
        run_blocking(store.append(KEY, [secret(id=f"s{number}") for number in range(3)]))
        for place in (Cut(unsent=True), Cut(0), Cut(30), Cut(60)):
            for one in (store, store.awaiting()):
                run = run_blocking if one is store else asyncio.run
                for work in (lambda one: one.append(KEY, [secret(id="new")]), lambda one: one.load(KEY)):
                    proxy.cut(*[place] * 12)
                    refused(lambda: run(work(one)))  # noqa: B023
                    proxy.cut()
        run_blocking(store.close())


def test_what_was_said_is_named_by_no_input_error_of_an_id() -> None:
    with pytest.raises(InputError) as caught:
        Key("k" * 1_000)
    assert len(str(caught.value)) < 200
