"""Any LangChain `VectorStore` as the index of a session's folded messages, and any `Embeddings` as an embedder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import InMemoryVectorStore, VectorStore

from session_core.advisers import EqualByParts, require_method
from session_core.retrieval.retrieve import searchable
from session_core.turns import Key, Message

SESSION = "session"
SEQ = "seq"
"""Metadata fields of a document: a hash of tenant, session and namespace, and the message's sequence number."""

IDS_AT_ONCE = 1_000

Filter = Callable[[str], Any]
"""Makes the vector store's own filter for documents whose `session` is the given text."""


class EmbeddingsEmbedder(EqualByParts):
    """An `Embedder` that calls `embeddings`. It blocks; async callers run it in a thread."""

    def __init__(self, embeddings: Embeddings) -> None:
        self.embeddings = require_method(
            embeddings, "embed_documents", "embeddings", 'init_embeddings("provider:model")'
        )
        self.name = f"embeddings:{type(embeddings).__name__}"

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """The vectors of `texts`, the first of which is a query."""
        wanted, *others = texts
        asked = self.embeddings.embed_query(wanted)
        return [asked, *self.embeddings.embed_documents(list(others))] if others else [asked]


class VectorStoreIndex(EqualByParts):
    """An `Index` in `store`. It blocks; async callers run it in a thread.

    Each document has a hash of its session in the metadata, and every search filters by it; results of other sessions
    are dropped even if the store returns them. `filter` builds the store's own filter from that hash. Default: a
    function for LangChain's InMemoryVectorStore, an expression for `langchain-redis`, and `{"session": digest}` for
    other stores, which most accept. With `langchain-redis` the schema needs a tag: `metadata_schema= [{"name":
    "session", "type": "tag"}, {"name": "seq", "type": "numeric"}]`. The store has the text of messages in clear until
    the session is deleted here; sessions that expire by a Redis TTL are not removed from it.
    """

    def __init__(self, store: VectorStore, *, filter: Filter | None = None) -> None:
        self.store = require_method(store, "similarity_search", "a vector store", "InMemoryVectorStore(embeddings)")
        self.name = f"index:{type(store).__name__}"
        self._filter = filter

    async def add(self, key: Key, messages: Sequence[Message]) -> None:
        """Index the text of `messages`; those without text are left out."""
        session = session_digest(key)
        told = [message for message in messages if searchable(message).strip()]
        if told:
            documents = [
                Document(searchable(message), metadata={SESSION: session, SEQ: message.seq}) for message in told
            ]
            self.store.add_documents(documents, ids=[f"{session}-{message.seq}" for message in told])

    async def near(self, key: Key, query: str, *, max_hits: int) -> list[int]:
        """The sequence numbers of the session's messages nearest to `query`."""
        session = session_digest(key)
        found = self.store.similarity_search(
            query, k=max_hits, filter=(self._filter or _filter_of(self.store))(session)
        )
        return [int(one.metadata[SEQ]) for one in found if one.metadata.get(SESSION) == session]

    async def forget(self, key: Key, last_seq: int) -> None:
        """Remove everything of the session."""
        session = session_digest(key)
        for first in range(1, last_seq + 1, IDS_AT_ONCE):
            last = min(first + IDS_AT_ONCE - 1, last_seq)
            self.store.delete([f"{session}-{seq}" for seq in range(first, last + 1)])


def session_digest(key: Key) -> str:
    """A hash of 32 characters that identifies a session of a tenant without revealing it."""
    names = "\x00".join((key.tenant, key.session_id, key.namespace))
    return blake2b(names.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _filter_of(store: VectorStore) -> Filter:
    if isinstance(store, InMemoryVectorStore):
        return lambda session: lambda document: document.metadata.get(SESSION) == session
    if type(store).__module__.partition(".")[0] == "langchain_redis":
        return _of_redis
    return lambda session: {SESSION: session}


def _of_redis(session: str) -> Any:
    from redisvl.query.filter import Tag

    return Tag(SESSION) == session
