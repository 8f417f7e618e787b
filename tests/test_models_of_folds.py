"""What a model writes for a fold stays with the fold: the run that it happens in neither streams nor reports it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import START, MessagesState, StateGraph

from langchain_session import ChatModelClassifier, ChatModelExtractor, ChatModelSummarizer
from session_core import Budget, Policy, Sessions

WRITTEN = "xyzzyplugh"
TURNS = 20

HELPERS: dict[str, Callable[[FakeListChatModel], Any]] = {
    "summarizer": ChatModelSummarizer,
    "classifier": ChatModelClassifier,
    "extractor": ChatModelExtractor,
}


class Counting(FakeListChatModel):
    """Counts its calls."""

    calls: list[int]

    def _call(self, *args: Any, **kwargs: Any) -> str:
        self.calls.append(1)
        return super()._call(*args, **kwargs)


@pytest.fixture(params=HELPERS)
def model(request: pytest.FixtureRequest) -> Iterator[tuple[str, Counting]]:
    made = Counting(responses=[WRITTEN], calls=[])
    yield request.param, made
    assert made.calls


def _graph(helper: str, model: Counting) -> Any:
    """A graph whose node keeps the conversation itself, and folds where it stands."""
    policy = Policy(Budget(1_500, reply_reserve_tokens=0), folding="inline", **{helper: HELPERS[helper](model)})
    session = Sessions(policy=policy).session("s")

    def node(state: MessagesState) -> dict[str, list[AIMessage]]:
        said = [{"role": "user", "content": str(state["messages"][-1].content)}]
        session.append([*said, {"role": "assistant", "content": "noted " * 40}])
        return {"messages": [AIMessage("noted")]}

    graph = StateGraph(MessagesState)
    graph.add_node("model", node)
    graph.add_edge(START, "model")
    return graph.compile()


def _questions() -> list[dict[str, list[HumanMessage]]]:
    return [{"messages": [HumanMessage(f"question {number} " + "word " * 40)]} for number in range(TURNS)]


def test_it_is_not_streamed_to_the_user(model: tuple[str, Counting]) -> None:
    graph = _graph(*model)
    parts = [part.content for asked in _questions() for part, _ in graph.stream(asked, stream_mode="messages")]
    assert WRITTEN not in "".join(parts)


def test_it_is_no_event_of_the_run(model: tuple[str, Counting]) -> None:
    graph = _graph(*model)

    async def events() -> list[str]:
        return [event["event"] for asked in _questions() async for event in graph.astream_events(asked, version="v2")]

    assert not [name for name in asyncio.run(events()) if "chat_model" in name]
