"""The chat histories that people use instead, and their messages."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import psycopg
import redis
from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage, convert_to_messages

from benchmarks.conversation import Said

with warnings.catch_warnings():
    # They are deprecated, as all of LangChain's histories are; they are what people have.
    warnings.simplefilter("ignore")
    from langchain_community.chat_message_histories import RedisChatMessageHistory as CommunityHistory
    from langchain_postgres import PostgresChatMessageHistory
    from langchain_redis import RedisChatMessageHistory as LangChainRedisHistory

AT_ONCE = 200
"""How many messages are handed over in one call when a session is filled."""


def langchain_redis(client: redis.Redis, session_id: str) -> BaseChatMessageHistory:
    """`langchain-redis` over a client of protocol 2: under redis-py's default its second history fails."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return LangChainRedisHistory(session_id, redis_client=client)


def langchain_community(url: str, session_id: str) -> BaseChatMessageHistory:
    """The Redis list of `langchain-community`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return CommunityHistory(session_id, url=url)


def langchain_postgres(connection: psycopg.Connection[Any], table: str) -> BaseChatMessageHistory:
    """A session of `langchain-postgres` in a table of its own; it commits by itself on a connection that does not."""
    PostgresChatMessageHistory.create_tables(connection, table)
    return PostgresChatMessageHistory(table, str(uuid5(NAMESPACE_URL, table)), sync_connection=connection)


def langchain_messages(said: Sequence[Said]) -> list[BaseMessage]:
    """The messages as LangChain has them."""
    return convert_to_messages(said)


def fill(history: BaseChatMessageHistory, said: Sequence[Said]) -> None:
    """Append many messages to a history."""
    messages = langchain_messages(said)
    for start in range(0, len(messages), AT_ONCE):
        history.add_messages(messages[start : start + AT_ONCE])
