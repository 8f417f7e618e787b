"""What the load is put on: sessions of ours, asked or not, plain commands, and `langchain-redis`, in both voices."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import orjson
import redis
import redis.asyncio
from redisvl.exceptions import RedisVLError

from benchmarks.conversation import Said, as_json
from benchmarks.peers import langchain_messages, langchain_redis
from session_core import Budget, Policy, Sessions
from session_core.errors import SessionError

CONNECTIONS = 32
"""What the floor and `langchain-redis` may open, so that neither gives up at redis-py's default of 100."""
ERRORS = (SessionError, redis.RedisError, RedisVLError)


class Store(Protocol):
    """Sessions by number. A read gives how many messages it gave."""

    def read(self, session: int) -> int: ...

    def append(self, session: int, said: Said) -> object: ...

    async def aread(self, session: int) -> int: ...

    async def aappend(self, session: int, said: Said) -> object: ...


class Asked(Protocol):
    """Sessions by number whose views may carry a question: how many messages a view gave, and how many it quotes."""

    def ask(self, session: int, question: str) -> tuple[int, int]: ...

    async def aask(self, session: int, question: str) -> tuple[int, int]: ...


class Ours:
    """`session.view` and `session.append` on default settings, but for the budget: folds in the background."""

    def __init__(self, port: int, names: Sequence[str], budget_tokens: int) -> None:
        policy = Policy(Budget(budget_tokens, reply_reserve_tokens=0))
        sessions = Sessions(f"redis://127.0.0.1:{port}", policy=policy)
        sessions.warm()
        self._all = sessions
        self._sessions = [sessions.session(name) for name in names]

    def rest(self) -> None:
        """Let the folds that wait be done, so that the next round has only its own."""
        assert self._all.drain(60)

    def read(self, session: int) -> int:
        return len(self._sessions[session].view().messages)

    def append(self, session: int, said: Said) -> object:
        return self._sessions[session].append(said)

    async def aread(self, session: int) -> int:
        return len((await self._sessions[session].aview()).messages)

    async def aappend(self, session: int, said: Said) -> object:
        return await self._sessions[session].aappend(said)

    def ask(self, session: int, question: str) -> tuple[int, int]:
        view = self._sessions[session].view(question)
        return len(view.messages), len(view.recalled)

    async def aask(self, session: int, question: str) -> tuple[int, int]:
        view = await self._sessions[session].aview(question)
        return len(view.messages), len(view.recalled)


class Floor:
    """Lists of JSON dicts: LRANGE of as many messages as the views of ours gave, orjson, RPUSH."""

    last = 1

    def __init__(self, port: int, names: Sequence[str]) -> None:
        pool = redis.BlockingConnectionPool(host="127.0.0.1", port=port, max_connections=CONNECTIONS)
        self._client = redis.Redis.from_pool(pool)
        self._keys = [f"floor {name}" for name in names]
        self._port = port
        self._awaiting: tuple[Any, asyncio.Semaphore] | None = None

    def read(self, session: int) -> int:
        return len([orjson.loads(row) for row in self._client.lrange(self._keys[session], -self.last, -1)])

    def append(self, session: int, said: Said) -> object:
        return self._client.rpush(self._keys[session], as_json(said))

    async def aread(self, session: int) -> int:
        client, gate = self._here()
        async with gate:
            rows = await client.lrange(self._keys[session], -self.last, -1)
        return len([orjson.loads(row) for row in rows])

    async def aappend(self, session: int, said: Said) -> object:
        client, gate = self._here()
        async with gate:
            return await client.rpush(self._keys[session], as_json(said))

    def _here(self) -> tuple[Any, asyncio.Semaphore]:
        """A client of the one loop there is, behind a gate: redis-py's own awaiting pool starves some callers."""
        if self._awaiting is None:
            client = redis.asyncio.Redis(host="127.0.0.1", port=self._port, max_connections=CONNECTIONS)
            self._awaiting = client, asyncio.Semaphore(CONNECTIONS)
        return self._awaiting


class LangChainRedis:
    """`langchain-redis` over one pool; its awaiting voice is LangChain's: the blocking one in threads."""

    def __init__(self, port: int, names: Sequence[str], *, connections: int | None = CONNECTIONS) -> None:
        where: dict[str, Any] = {"host": "127.0.0.1", "port": port, "protocol": 2}
        if connections is None:
            client = redis.Redis(**where)
        else:
            client = redis.Redis.from_pool(
                redis.BlockingConnectionPool(max_connections=connections, timeout=None, **where)
            )
        self._histories = [langchain_redis(client, name) for name in names]

    def read(self, session: int) -> int:
        return len(self._histories[session].messages)

    def append(self, session: int, said: Said) -> object:
        return self._histories[session].add_messages(langchain_messages([said]))

    async def aread(self, session: int) -> int:
        return len(await self._histories[session].aget_messages())

    async def aappend(self, session: int, said: Said) -> object:
        return await self._histories[session].aadd_messages(langchain_messages([said]))
