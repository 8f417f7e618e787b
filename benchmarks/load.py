"""128 live sessions on Redis at once: cycles of view, append, append, arriving at fixed times or without a pause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace

from benchmarks import load_questions
from benchmarks.conversation import TURN, Said, mixed, texts
from benchmarks.floors import RedisFloor
from benchmarks.load_clients import ARRIVING_S, NAMES, PER_SECOND, SATURATING_S, Client
from benchmarks.load_loops import WORKERS
from benchmarks.load_stores import CONNECTIONS
from benchmarks.peers import fill, langchain_redis
from benchmarks.servers import module_redis, redis_version, speaking_2
from benchmarks.setting import POLICY, converse
from benchmarks.timing import machine, percentile_ms, say, table
from session_core import Sessions
from session_core.turns import Key, Message
from session_core.voices import run_blocking
from tests.redis_server import redis_server

MESSAGES = 1_000
PHASES = 25
"""Sessions have up to as many exchanges more than that."""
ROUNDS = 5
AT_ONCE = 100
STORES = ("ours", "floor", "langchain-redis")
KINDS = ("arriving", "saturating")
VOICES = ("threads", "asyncio")


def main() -> None:
    """Fill the servers, put the load on, and print both tables."""
    with ExitStack() as stack:
        plain, modules = stack.enter_context(redis_server()), stack.enter_context(module_redis())
        client, client_2 = stack.enter_context(plain.client()), stack.enter_context(speaking_2(modules))
        print(machine("redis", "orjson", "langchain-redis"))
        say(
            f"{redis_version(client)}, appendonly yes, appendfsync everysec; {WORKERS} sessions of {MESSAGES:,}",
            f"messages, every fourth a 4 KB tool result, and up to {2 * PHASES - 2} texts more, so that they are out",
            "of step. Each store is used from one Python process, apart from the server's, on the same cores; one",
            "is at work at a time, by turns. A cycle: view, append, append. Each process calls gc.freeze() once it has",
            "its libraries, and ours sessions.warm() before, as a service does that cares for its p99; between",
            "rounds folds that wait are done, and each process collects its garbage.",
        )
        said, more = list(mixed(MESSAGES)), list(texts(2 * PHASES))
        with Sessions(plain.url, policy=POLICY) as sessions:
            _fill_ours(sessions, said, more)
        for number, name in enumerate(NAMES):
            RedisFloor(client, f"floor {name}").fill(said + more[: _ahead(number)])
            fill(langchain_redis(client_2, name), said + more[: _ahead(number)])
        ports = {"ours": plain.port, "floor": plain.port, "langchain-redis": modules.port}
        clients = [Client(store, voice, ports[store]) for voice in VOICES for store in STORES]
        asked = [Client("ours", voice, plain.port, tuple(load_questions.questions(said))) for voice in VOICES]
        for one in (*clients, *asked):
            stack.callback(one.close)
        _run(clients)
        load_questions.run(asked)
        _print_arriving(clients)
        load_questions.show(asked, [one for one in clients if one.store == "ours"])
        _print_saturating(clients)
        _print_defaults(stack.enter_context(closing(Client("langchain-redis, defaults", "threads", modules.port))))


def _run(clients: Iterable[Client]) -> None:
    for _ in range(ROUNDS):
        last = dict.fromkeys(KINDS, 1)
        for one in clients:
            for kind in KINDS:
                outcome = one.load(kind, last[kind])
                if one.store == "ours":
                    last[kind] = round(sum(outcome.given) / max(1, len(outcome.given)))


def _print_arriving(clients: Iterable[Client]) -> None:
    say(
        f"Open loop: {PER_SECOND} cycles a second, {ROUNDS} rounds of {ARRIVING_S:g} s; ms, a view's from the moment",
        "its cycle was due, an append's from the end of what was before it. A cycle not served at the end of a round",
        "counts as a view with the time it waited. read: messages that a view gave; the floor reads as many. cpu:",
        "processor time of the client for a cycle, folds in the background included.",
    )
    rows = []
    for one in clients:
        seen = one.arriving
        figures = [percentile_ms(t, p) for t in (seen.views, seen.appends) for p in (50, 95, 99)]
        mean = sum(seen.given) / max(1, len(seen.given))
        counts = [len(seen.unserved), len(seen.errors), mean, seen.cpu_ms]
        rows.append([f"{one.voice}, {one.store}", *figures, *counts])
    head = [f"{what} p{p}" for what in ("view", "append") for p in (50, 95, 99)]
    table(["", *head, "unserved", "errors", "read", "cpu ms"], rows)


def _print_saturating(clients: Iterable[Client]) -> None:
    say(
        f"Closed loop: {WORKERS} workers, each a session, {ROUNDS} rounds of {SATURATING_S:g} s; whole cycles a second."
    )
    done = {(one.voice, one.store): one.saturating.cycles / one.saturating.seconds for one in clients}
    rows = []
    for one in clients:
        seen, mine = one.saturating, done[one.voice, one.store]
        times = [percentile_ms(seen.views, 50), percentile_ms(seen.views, 99), percentile_ms(seen.appends, 99)]
        ratios = [mine / done[one.voice, other] for other in ("floor", "langchain-redis")]
        rows.append([f"{one.voice}, {one.store}", mine, *ratios, *times, len(seen.errors), seen.cpu_ms])
    head = ["", "cycles/s", "x floor", "x langchain-redis", "view p50", "view p99", "append p99", "errors", "cpu ms"]
    table(head, rows)


def _print_defaults(client: Client) -> None:
    seen = client.load("saturating", 1)
    kinds = ", ".join(sorted(set(seen.errors))) or "none"
    say(
        f"langchain-redis on one client with redis-py's defaults, instead of {CONNECTIONS} connections to wait for:",
        f"{len(seen.errors)} errors ({kinds}) beside {seen.cycles:.0f} cycles in {seen.seconds:.1f} s.",
    )


def _ahead(number: int) -> int:
    """How many messages more a session has: if all had as many, all would have to be folded at the same time."""
    return 2 * (number % PHASES)


def _fill_ours(sessions: Sessions, said: list[Said], more: list[Said]) -> None:
    """One conversation, held turn by turn; the other sessions are given its messages and its digest, which begin with
    their names, so that what a process remembers of one is nothing to another, and go on by themselves."""
    store, first = sessions.store, Key(NAMES[0])
    converse(sessions.session(NAMES[0]), said)
    record, digest = run_blocking(store.record(first)), run_blocking(store.load(first)).digest
    assert digest is not None
    for name in NAMES[1:]:
        own = list(_named(name, record))
        for start in range(0, len(own) - TURN, AT_ONCE):
            run_blocking(store.append(Key(name), own[start : min(start + AT_ONCE, len(own) - TURN)]))
        run_blocking(store.put_digest(Key(name), replace(digest, summary=f"{name}: {digest.summary}"), expected=0))
        run_blocking(store.append(Key(name), own[-TURN:]))
    for number, name in enumerate(NAMES):
        converse(sessions.session(name), more[: _ahead(number)])


def _named(name: str, record: Sequence[Message]) -> Iterator[Message]:
    for message in record:
        yield replace(message, content=f"{name}: {message.content}")
