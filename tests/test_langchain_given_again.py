"""What is given again after a reset belongs to the new conversation; what an agent remembers of the old does not."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Sequence
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables.history import RunnableWithMessageHistory
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from langchain_session import SessionChatMessageHistory, with_session
from session_core import Policy, Session, Sessions
from session_core.errors import DuplicateMessage
from session_core.turns import Message, Role

RULES, QUESTION = SystemMessage("Be brief.", id="rules"), HumanMessage("Which train?", id="question")


@pytest.fixture
def sessions() -> Sessions:
    return Sessions(policy=Policy())


def _shown(session: Session) -> list[str]:
    return [message.content for message in session.view().messages]


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
@pytest.mark.parametrize("rules", ["Be brief.", "Be thorough."])
def test_rules_with_an_id_of_their_own_are_in_force_after_a_reset(sessions: Sessions, voice: str, rules: str) -> None:
    history = SessionChatMessageHistory("s", sessions=sessions)
    _add(history, [RULES, QUESTION, AIMessage("The 9:40.")], voice)
    history.session.reset(carry=False)
    _add(history, [SystemMessage(rules, id="rules"), HumanMessage("And back?")], voice)
    assert _shown(history.session) == [rules, "And back?"]
    assert history.messages[0].id == "rules"
    assert sum(message.content == "Be brief." for message in history.session.record(all_branches=True)) == 1


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
def test_a_question_given_again_after_a_reset_is_shown_with_its_answer(sessions: Sessions, voice: str) -> None:
    history = SessionChatMessageHistory("s", sessions=sessions)
    _add(history, [QUESTION, AIMessage("The 9:40.", id="a1")], voice)
    history.session.reset(carry=False)
    _add(history, [QUESTION, AIMessage("The 10:40.", id="a2")], voice)
    _add(history, [QUESTION], voice)
    assert _shown(history.session) == ["Which train?", "The 10:40."]


def test_what_was_given_again_does_not_tell_of_a_break() -> None:
    now_s = [1_000_000.0]
    session = Sessions(policy=Policy(), clock=lambda: now_s[0]).session("s")
    session.append([Message(Role.SYSTEM, "Be brief.", id="rules")])
    session.append({"role": "user", "content": "Hello"})
    session.reset(carry=False)
    now_s[0] += 30 * 86_400
    session.append([Message(Role.SYSTEM, "Be brief.", id="rules")])
    session.append({"role": "user", "content": "Good morning"})
    assert _shown(session) == ["Be brief.", "Good morning"]


def test_within_a_conversation_an_id_still_has_one_content(sessions: Sessions) -> None:
    session = sessions.session("s")
    session.append([Message(Role.USER, "one", id="1")])
    session.reset(carry=False)
    session.append([Message(Role.USER, "two", id="1")])
    with pytest.raises(DuplicateMessage):
        session.append([Message(Role.USER, "three", id="1")])
    assert _shown(session) == ["two"]


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
@pytest.mark.parametrize("wrapper", ["with_session", "RunnableWithMessageHistory"])
def test_an_agent_that_remembers_brings_the_old_conversation_back_nowhere(
    sessions: Sessions, wrapper: str, voice: str
) -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda state: {"messages": [AIMessage(f"answer {len(state['messages'])}")]})
    graph.add_edge(START, "model")
    agent = graph.compile(checkpointer=InMemorySaver())
    config = {"configurable": {"session_id": "s", "thread_id": "own"}}
    chain = _wrapped(agent, wrapper, sessions)
    session = sessions.session("s")
    for turn in range(4):
        if turn == 3:
            session.reset(carry=False)
        given = {"messages": [HumanMessage(f"question {turn}")]}
        asyncio.run(chain.ainvoke(given, config)) if voice == "awaiting" else chain.invoke(given, config)
    assert _shown(session)[0] == "question 3"
    assert len(_shown(session)) == 2


def _add(history: SessionChatMessageHistory, messages: Sequence[BaseMessage], voice: str) -> None:
    if voice == "awaiting":
        asyncio.run(history.aadd_messages(messages))
    else:
        history.add_messages(messages)


def _wrapped(agent: Any, wrapper: str, sessions: Sessions) -> Any:
    if wrapper == "with_session":
        return with_session(agent, sessions=sessions)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return RunnableWithMessageHistory(
            agent,
            lambda name: SessionChatMessageHistory(name, sessions=sessions),
            input_messages_key="messages",
            output_messages_key="messages",
        )
