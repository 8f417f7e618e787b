"""Whatever the order of steps, deaths and flushes: a hybrid store never lets a stale entry count."""

import types
from collections.abc import Iterator
from random import Random

import pytest
from hot_sides import Hot, hot_side
from redis_server import redis_server

from session_core.ports import Marks
from session_core.stores.cache import WRITING_S
from session_core.stores.hybrid import HybridStore
from session_core.stores.hybrid.projection import loaded_from
from session_core.stores.memory import MemoryStore
from session_core.testing import KEY, message
from session_core.voices import run_blocking


def _agrees(store: HybridStore) -> bool:
    return run_blocking(store.load(KEY)) == run_blocking(store.cold.load(KEY))


@types.coroutine
def _switch():
    yield


class Switching:
    """A cache or a store that lets others go on before each of its calls."""

    def __init__(self, port) -> None:
        self.port = port
        self.scheme = "switching"
        self.name = "switching"

    def __getattr__(self, name):
        attribute = getattr(self.port, name)

        async def call(*args, **kwargs):
            await _switch()
            return await attribute(*args, **kwargs)

        return call


class World:
    """Some processes on one session, stepped one at a time; with `exact`, an entry that counts is what the
    durable store has, after every step."""

    def __init__(self, hot: Hot, *, exact: bool) -> None:
        hot.forget()
        self.hot, self.cold = hot, MemoryStore()
        self.exact = exact
        self.running: list[object] = []
        self.confirmed: set[str] = set()
        self.written = 0

    def _store(self) -> HybridStore:
        return HybridStore(Switching(self.hot.cache), Switching(self.cold))

    async def append(self) -> None:
        self.written += 1
        said = message(self.written)
        await self._store().append(KEY, [said])
        self.confirmed.add(said.id)

    async def revise(self) -> None:
        await self._store().append(KEY, [message(0, content=f"revision {self.written}")], revise=True)

    async def delete(self) -> None:
        await self._store().delete(KEY)

    async def mark(self) -> None:
        await self._store().mark(KEY, Marks(tier=self.written % 4))

    async def load(self) -> None:
        confirmed = set(self.confirmed)
        loaded = await self._store().load(KEY)
        assert self.exact or confirmed <= {m.id for m in loaded.messages}

    async def forget(self) -> None:
        self.hot.forget()

    def begin(self, name: str) -> None:
        self.running.append(getattr(self, name)())
        self.step(len(self.running) - 1, dies=False)

    def step(self, number: int, *, dies: bool) -> None:
        if not self.running:
            return
        place = number % len(self.running)
        if dies:
            self.running.pop(place).close()
            return
        try:
            self.running[place].send(None)
        except StopIteration:
            self.running.pop(place)
        for held in self.hot.held() if self.exact else ():
            assert not held.counts or loaded_from(held.entry, KEY) == run_blocking(self.cold.load(KEY))


OPERATIONS = ["append", "append", "load", "load", "load", "revise", "mark"]
ORDERS = {"memory": 1500, "redis": 500}


def _played(random: Random, world: World, operations: list[str], deaths: float) -> None:
    """Some operations at once, in a random order of their steps; some of them die on the way."""
    for name in ("append", "load", *random.choices(operations, k=random.randint(2, 6))):
        world.begin(name)
        for _ in range(random.choice([0, 0, 1, 2, 5, 30])):
            world.step(random.randrange(8), dies=random.random() < deaths)
    while world.running:
        world.step(random.randrange(8), dies=random.random() < deaths)


@pytest.fixture(params=["memory", "redis"])
def hot_kind(request):
    return request.param


@pytest.fixture
def hot(hot_kind) -> Iterator[Hot]:
    with redis_server(appendonly="no") as server, hot_side(hot_kind, server) as made:
        yield made


def test_no_interleaving_of_steps_and_crashes_serves_a_stale_entry(hot_kind, hot):
    random = Random(11)
    for _ in range(ORDERS[hot_kind]):
        world = World(hot, exact=True)
        _played(random, world, [*OPERATIONS, "delete"], deaths=0.06)
        store = HybridStore(hot.cache, world.cold)
        assert _agrees(store)
        hot.elapse(WRITING_S + 1)
        assert _agrees(store)
        assert _agrees(store)


def test_no_interleaving_of_steps_and_flushes_loses_a_confirmed_message(hot_kind, hot):
    random = Random(12)
    for _ in range(ORDERS[hot_kind]):
        world = World(hot, exact=False)
        _played(random, world, [*OPERATIONS, "forget"], deaths=0.0)
        assert _agrees(HybridStore(hot.cache, world.cold))
