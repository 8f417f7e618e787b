"""What a process opens for URLs and policies that frameworks hand in anew with each call."""

from __future__ import annotations

import warnings
from uuid import uuid4

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import HumanMessage
from langchain_core.vectorstores import InMemoryVectorStore
from llama_index.core.llms import MockLLM
from redis_server import redis_server

from langchain_session import (
    ChatModelClassifier,
    ChatModelExtractor,
    ChatModelSummarizer,
    EmbeddingsEmbedder,
    SessionChatMessageHistory,
    VectorStoreIndex,
)
from llamaindex_session import LLMSummarizer, SessionMemoryBuffer
from session_core import Budget, Policy
from session_core.sharing import MANY_POLICIES, shared_sessions

BUDGET = Budget(8_000)
VECTORS = DeterministicFakeEmbedding(size=8)


def a_model() -> FakeListChatModel:
    return FakeListChatModel(responses=["fine"])


def somewhere() -> str:
    """A URL that no other test has opened."""
    return f"memory://{uuid4().hex}"


@pytest.mark.parametrize(
    ("slot", "made", "one", "other"),
    [
        ("summarizer", ChatModelSummarizer, a_model(), a_model()),
        ("classifier", ChatModelClassifier, a_model(), a_model()),
        ("extractor", ChatModelExtractor, a_model(), a_model()),
        ("summarizer", LLMSummarizer, MockLLM(), MockLLM()),
        ("embedder", EmbeddingsEmbedder, VECTORS, DeterministicFakeEmbedding(size=8)),
        ("index", VectorStoreIndex, InMemoryVectorStore(VECTORS), InMemoryVectorStore(VECTORS)),
    ],
    ids=lambda value: getattr(value, "__name__", "") or None,
)
def test_a_policy_made_anew_for_each_call_opens_nothing_anew(slot, made, one, other):
    url = somewhere()
    first = shared_sessions(url, Policy(BUDGET, **{slot: made(one)}))
    assert shared_sessions(url, Policy(BUDGET, **{slot: made(one)})) is first
    assert shared_sessions(url, Policy(BUDGET, **{slot: made(other)})) is not first


def test_helpers_of_one_model_that_were_told_something_else_are_not_the_same():
    class Brief(ChatModelSummarizer):
        def __init__(self, model: FakeListChatModel, words: list[str]) -> None:
            super().__init__(model)
            self.words = words

    model = a_model()
    assert Brief(model, ["a"]) != Brief(model, ["b"])
    assert Brief(model, ["a"]) != ChatModelSummarizer(model)


def test_policies_of_one_url_have_its_connections_between_them():
    with redis_server() as server, server.client() as looking:
        for turn in range(7):
            policy = Policy(BUDGET, summarizer=ChatModelSummarizer(a_model()))
            SessionChatMessageHistory("s", url=server.url, policy=policy).add_messages([HumanMessage(f"{turn}")])
            memory = SessionMemoryBuffer.from_defaults(
                session_id="s", url=server.url, policy=Policy(BUDGET, summarizer=LLMSummarizer(MockLLM()))
            )
            assert len(memory.get_all()) == turn + 1
        assert looking.info("clients")["connected_clients"] <= 3


def test_a_policy_per_call_warns_once():
    url = somewhere()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in range(MANY_POLICIES):
            shared_sessions(url, Policy(BUDGET, summarizer=ChatModelSummarizer(a_model())))
        assert not told
        for _ in range(3):
            shared_sessions(url, Policy(BUDGET, summarizer=ChatModelSummarizer(a_model())))
    (warning,) = told
    assert "make the Policy and its helpers once" in str(warning.message)
