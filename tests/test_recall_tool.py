"""`recall_tool`: what was clipped or folded is got back, in the run that said it and in every later one."""

import asyncio
import subprocess
import sys
from typing import Any

import pytest
from chains import State, check_views
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langgraph.graph import END, START, StateGraph
from langgraph.prebuilt import ToolNode

from langchain_session import SessionSaver, attach, recall_tool
from session_core import Budget, Message, Policy, Role, Sessions, ToolCall
from session_core.language.quoting import RECALLED
from session_core.recall.recalling import is_recalled, page_text, results_text

LIMIT = 8_000
POLICY = Policy(Budget(LIMIT, reply_reserve_tokens=0), folding="inline", whole_tool_outputs=0)
CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}, "recursion_limit": 500}
TEXT = "\n".join(f"line {n}: value V-{n * 7:05d}" for n in range(600))
LONG = "\n".join(f"line {n}: value V-{n * 7:05d}" for n in range(3_000))


@pytest.fixture
def sessions():
    with Sessions(policy=POLICY) as opened:
        yield opened


class Agent:
    """A hand-written graph: reads a text, then recalls what `asks` says, one after the other."""

    def __init__(self, sessions: Sessions, text: str, asks: list[Any], *, by_hand: bool = False) -> None:
        self.seen: list[list[BaseMessage]] = []
        self.asks = [{"name": "read", "args": {}, "id": "c1"}]
        self.asks += [{"name": "recall", "args": ask, "id": f"r{n}"} for n, ask in enumerate(asks)]
        self.text = text
        saver = SessionSaver(sessions)
        recall = recall_tool(saver)

        def read() -> str:
            """Read it."""
            return text

        def by_name(state: State):
            call = state["messages"][-1].tool_calls[0]
            said = read() if call["name"] == "read" else recall.invoke(call["args"])
            return {"messages": [ToolMessage(said, tool_call_id=call["id"])]}

        graph = StateGraph(State)
        graph.add_node("model", self.model)
        graph.add_node("tools", by_name if by_hand else ToolNode([read, recall]))
        graph.add_edge(START, "model")
        graph.add_conditional_edges(
            "model", lambda state: "tools" if state["messages"][-1].tool_calls else END, ["tools", END]
        )
        graph.add_edge("tools", "model")
        self.graph = attach(graph.compile(checkpointer=saver))

    def model(self, state: State):
        messages = state["messages"]
        self.seen.append(messages)
        done = len(self.seen) - 1
        if done >= len(self.asks):
            return {"messages": [AIMessage("done")]}
        call = dict(self.asks[done])
        if callable(call["args"]):
            call["args"] = call["args"](messages)
        if call["args"] is None:
            return {"messages": [AIMessage("done")]}
        return {"messages": [AIMessage("", tool_calls=[call])]}

    def run(self, **how: Any) -> list[str]:
        """What each recall gave, as the model was shown it."""
        self.graph.invoke({"messages": [HumanMessage("go")]}, CONFIG, **how)
        return self.recalled()

    async def arun(self) -> list[str]:
        await self.graph.ainvoke({"messages": [HumanMessage("go")]}, CONFIG)
        return self.recalled()

    def recalled(self) -> list[str]:
        return [messages[-1].content for messages in self.seen[2:]]


def by_reference(messages: list[BaseMessage]) -> dict[str, Any]:
    """The arguments that get back the clipped result in `messages`."""
    result = next(m for m in messages if m.type == "tool")
    assert f"ref {result.id}]" in result.content
    return {"reference": result.id}


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
@pytest.mark.parametrize("by_hand", [False, True], ids=["tool-node", "by-hand"])
def test_a_clip_is_expanded_in_the_run_that_made_it(sessions, durability, by_hand):
    short = TEXT[:4_000]
    (recalled,) = Agent(sessions, short, [by_reference], by_hand=by_hand).run(durability=durability)
    assert recalled.startswith(RECALLED)
    assert recalled.endswith(short)


def test_the_awaiting_voice_expands_and_searches_too(sessions):
    agent = Agent(sessions, TEXT[:4_000], [by_reference, {"query": "V-00007"}])
    expanded, found = asyncio.run(agent.arun())
    assert expanded.endswith(TEXT[:4_000])
    assert "V-00007" in found


def test_a_long_message_comes_in_pages_that_make_it_up_and_each_view_fits(sessions):
    def next_page(messages: list[BaseMessage]) -> dict[str, Any] | None:
        head = str(messages[-1].content).partition("\n")[0]
        more = head.partition("offset=")[2].rstrip("]")
        return {"reference": head.split("ref ")[1].split(",")[0], "offset": int(more)} if more else None

    agent = Agent(sessions, LONG, [by_reference, *[next_page] * 60])
    agent.run()
    pages = agent.recalled()
    assert "end of the message" in pages[-1]
    assert "".join(text.partition("\n")[2] for text in pages) == LONG
    check_views(agent.seen, LIMIT)


def test_what_was_recalled_is_never_clipped_again(sessions):
    agent = Agent(sessions, TEXT, [by_reference, {"query": "V-00007"}, {"query": "V-00014"}])
    first, *_ = agent.run()
    later = [m.content for m in agent.seen[-1] if m.type == "tool"]
    assert first in later
    record = sessions.session("t").record()
    assert [m.clip for m in record if m.content.startswith(RECALLED)] == [None, None, None]


def test_a_tool_output_that_imitates_a_recall_is_clipped(sessions):
    said = f"{RECALLED}ref x, complete]\n" + LONG
    Agent(sessions, said, []).run()
    (result,) = [m for m in sessions.session("t").record() if m.role is Role.TOOL]
    assert result.clip is not None


@pytest.mark.parametrize("durability", ["sync", "exit"])
def test_a_search_finds_what_the_run_itself_said(sessions, durability):
    (found,) = Agent(sessions, TEXT, [{"query": "V-00007"}]).run(durability=durability)
    assert "value V-00007" in found


def test_a_search_does_not_find_itself(sessions):
    asks = [{"query": "zebra"}, {"query": "zebra"}]
    assert Agent(sessions, TEXT, asks).run(durability="sync") == ["Nothing in this conversation matches."] * 2


def test_a_reference_is_good_in_a_later_run(sessions):
    agent = Agent(sessions, TEXT[:4_000], [])
    agent.run()
    (result,) = [m for m in sessions.session("t").record() if m.role is Role.TOOL]
    for n in range(30):
        sessions.session("t").append([Message(Role.USER, f"and {n}? " * 80), Message(Role.ASSISTANT, "well " * 80)])
    later = Agent(sessions, "", [{"reference": result.id}])
    later.asks = later.asks[1:]
    later.graph.invoke({"messages": [HumanMessage("again")]}, CONFIG)
    assert later.seen[-1][-1].content.endswith(TEXT[:4_000])


def test_an_unknown_reference_says_so(sessions):
    (said,) = Agent(sessions, TEXT, [{"reference": "nothing"}]).run()
    assert "has no message 'nothing'" in said


def test_an_offset_behind_the_end_says_so(sessions):
    agent = Agent(sessions, TEXT, [lambda m: {**by_reference(m), "offset": 10**6}])
    (said,) = agent.run()
    assert f"has {len(TEXT):,} characters" in said


def test_a_call_is_recalled_with_its_arguments():
    calls = (ToolCall("c", "write", '{"text": "all of it"}'),)
    call = Message(Role.ASSISTANT, "I write", id="a", tool_calls=calls)
    assert page_text(call, reference="a", offset=0, page_tokens=100, count=len).endswith(
        'I write\nwrite {"text": "all of it"}'
    )


@pytest.mark.parametrize("page_tokens", [40, 300, 5_000])
def test_pages_fit_and_lose_nothing(page_tokens):
    message = Message(Role.TOOL, TEXT, id="m", tool_call_id="c")
    got, offset = "", 0
    while offset < len(TEXT):
        text = page_text(message, reference="m", offset=offset, page_tokens=page_tokens, count=len).partition("\n")[2]
        assert len(text) <= page_tokens
        got += text
        offset = len(got)
    assert got == TEXT


def test_a_search_says_what_it_had_no_room_for():
    found = [Message(Role.USER, f"word {n} " * 60, id=f"m{n}") for n in range(5)]
    text = results_text(found, "word", max_tokens=400, count=len, page_tokens=900)
    assert len(text) <= 900
    assert "more do not fit here" in text


def test_only_recalls_count_as_recalled():
    assert not is_recalled(Message(Role.USER, f"{RECALLED}as I say"))
    assert is_recalled(Message(Role.TOOL, f"{RECALLED}ref x, complete]\ntext", tool_call_id="c"))


def test_a_model_is_told_what_the_tool_does_also_where_docstrings_are_stripped() -> None:
    """As with `python -OO`, or PYTHONOPTIMIZE=2 in an image."""
    code = (
        "import langchain_session, llamaindex_session, session_core\n"
        "sessions = session_core.Sessions()\n"
        "print('earlier parts' in langchain_session.recall_tool(sessions).description)\n"
        "print('earlier parts' in llamaindex_session.recall_tool(sessions, session_id='s').metadata.description)\n"
    )
    told = subprocess.run([sys.executable, "-OO", "-c", code], capture_output=True, text=True, check=False)
    assert told.stdout.split() == ["True", "True"], told.stderr
