"""What a thread takes as it grows: in proportion to what was said with ours, with its square beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver

from benchmarks.savers import Row, file_bytes, schema_bytes
from benchmarks.servers import bytes_of_keys
from benchmarks.storage import WINDOW_TOKENS
from langchain_session import SessionSaver
from session_core import Budget, Policy
from tests.postgres_server import postgres_server
from tests.redis_server import redis_server

MARKS = (10, 20, 40)
AT = 200
"""The turns at which a hundredth is promised; told by the degree that each grows with."""
OURS = {"sqlite": 40, "redis": 40, "postgres": 120}
"""How many turns each of ours takes: PostgreSQL grows by pages of a dozen tables and indexes, so more are needed."""
Sizes = Mapping[int, int]


@pytest.fixture(scope="module")
def sizes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Sizes]]:
    """Bytes of the same thread at the marks, for ours and for LangGraph's own savers."""
    folder: Path = tmp_path_factory.mktemp("bytes")
    with ExitStack() as stack:
        server = stack.enter_context(postgres_server())
        plain = stack.enter_context(redis_server(appendonly="no"))
        tables = stack.enter_context(psycopg.connect(server.url, autocommit=True))
        keys = stack.enter_context(plain.client())

        def ours(url: str) -> SessionSaver:
            policy = Policy(Budget(WINDOW_TOKENS))
            return stack.enter_context(SessionSaver.from_conn_string(url, policy=policy))

        theirs = stack.enter_context(PostgresSaver.from_conn_string(server.url))
        theirs.setup()
        file = stack.enter_context(SqliteSaver.from_conn_string(str(folder / "theirs.db")))
        rows = {
            "sqlite": Row("", ours(f"sqlite:///{folder}/ours.db"), lambda: file_bytes(folder / "ours.db")),
            "redis": Row("", ours(plain.url), lambda: bytes_of_keys(keys)),
            "postgres": Row("", ours(server.url), lambda: schema_bytes(tables, "llm_sessions")),
            "SqliteSaver": Row("", file, lambda: file_bytes(folder / "theirs.db")),
            "PostgresSaver": Row("", theirs, lambda: schema_bytes(tables, "public")),
        }
        yield {name: _grown(row, OURS.get(name, MARKS[-1]), tables) for name, row in rows.items()}


def _grown(row: Row, turns: int, tables: psycopg.Connection) -> Sizes:
    made: dict[int, int] = {}
    for number in range(1, turns + 1):
        row.turn(number)
        if number in (*MARKS[:-1], turns):
            # The maps that a vacuum gives a table once are there from the first mark on.
            tables.execute("VACUUM" if number == MARKS[0] else "SELECT")
            made[number] = row.size()
    return made


def _in_proportion(sizes: Sizes, at: int) -> float:
    _, middle, last = sizes
    return sizes[last] + (at - last) * (sizes[last] - sizes[middle]) / (last - middle)


def _with_the_square(sizes: Sizes, at: int) -> float:
    first, middle, last = sizes
    early = (sizes[middle] - sizes[first]) / (middle - first)
    late = (sizes[last] - sizes[middle]) / (last - middle)
    return sizes[last] + (at - last) * late + (at - last) * (at - middle) * (late - early) / (last - first)


@pytest.mark.parametrize("store", OURS)
def test_a_thread_grows_linearly_with_its_content(sizes: Mapping[str, Sizes], store: str) -> None:
    first, _, last = sizes[store]
    assert math.log(sizes[store][last] / sizes[store][first], last / first) <= 1.05


@pytest.mark.parametrize("saver", ["SqliteSaver", "PostgresSaver"])
@pytest.mark.parametrize("store", OURS)
def test_it_comes_to_a_hundredth_of_what_langgraphs_own_savers_keep(
    sizes: Mapping[str, Sizes], store: str, saver: str
) -> None:
    assert _with_the_square(sizes[saver], AT) / _in_proportion(sizes[store], AT) >= 100
