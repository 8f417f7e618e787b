"""Redis before PostgreSQL, beside each of them alone: an append, a view from the cache, a view that fills it again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import redis

from benchmarks.conversation import mixed, texts
from benchmarks.setting import BUDGET_TOKENS, IN_A_ROW, POLICY, TURNS, converse
from benchmarks.timing import Contender, interleaved, machine, median_ms, percentile_ms, say, table
from session_core import Session, Sessions
from tests.postgres_server import postgres_server
from tests.redis_server import redis_server

MESSAGES = 1_000
APPENDS = 500


def main() -> None:
    """Start both servers and print the table."""
    with ExitStack() as stack:
        cold, hot = stack.enter_context(postgres_server()), stack.enter_context(redis_server())
        client = stack.enter_context(hot.client())
        print(machine("redis", "psycopg"))
        say(
            f"Sessions of {MESSAGES:,} messages, every fourth a 4 KB tool result, budget {BUDGET_TOKENS:,} tokens,",
            f"folded inline; {APPENDS} appends of 300 characters, views in {TURNS} turns of {IN_A_ROW} calls; ms.",
            "filled again: a view after FLUSHALL of the cache. Redis alone is what a hit may cost, PostgreSQL a miss.",
        )
        plain = stack.enter_context(Sessions(hot.url, policy=POLICY))
        durable = stack.enter_context(Sessions(f"{cold.url}&schema=alone", policy=POLICY))
        both = stack.enter_context(Sessions(hot=f"{hot.url}/1", cold=f"{cold.url}&schema=behind", policy=POLICY))
        compare({"Redis": plain, "PostgreSQL": durable, "Redis before PostgreSQL": both}, client)


def compare(stores: dict[str, Sessions], cache: redis.Redis) -> None:
    """Print a row for each; the last one has its cache in database 1 of the server that `cache` speaks to."""
    said, more = list(mixed(MESSAGES)), list(texts(APPENDS + 2))
    sessions = {name: opened.session("a session") for name, opened in stores.items()}
    for session in sessions.values():
        converse(session, said)
    hits = interleaved([Contender(name, _view(one), IN_A_ROW) for name, one in sessions.items()], TURNS, collect=True)
    *_, hybrid = sessions

    def forget_and_view(_: int) -> None:
        cache.execute_command("FLUSHALL")
        sessions[hybrid].view()

    appends = interleaved(
        [Contender(name, lambda n, one=one: one.append(more[n])) for name, one in sessions.items()],
        APPENDS,
        collect=False,
    )
    misses = interleaved([Contender(hybrid, forget_and_view)], TURNS, collect=True)
    rows = [
        [
            name,
            median_ms(hits[name]),
            median_ms(misses[name]) if name in misses else "-",
            median_ms(appends[name]),
            percentile_ms(appends[name], 99),
        ]
        for name in sessions
    ]
    table(["", "view", "view, filled again", "append", "append p99"], rows)


def _view(session: Session) -> Callable[[int], object]:
    return lambda _: session.view()
