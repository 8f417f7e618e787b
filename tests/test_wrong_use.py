"""Wrong things given to the doors, of LangGraph and of the core: an error that says what to pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import MessagesState, StateGraph

from langchain_session import SessionMiddleware, SessionSaver, attach
from session_core import Sessions
from session_core.errors import ConfigError, InputError, VoiceError


@pytest.mark.parametrize("wrong", [None, 3, {"url": "memory://"}, InMemorySaver()])
def test_a_saver_is_over_a_url_or_sessions(wrong: Any) -> None:
    with pytest.raises(ConfigError, match="pass a URL such as"):
        SessionSaver(wrong)


@pytest.mark.parametrize("wrong", [None, "sqlite:///chat.db", InMemorySaver()])
def test_a_middleware_is_over_a_saver_sessions_or_a_policy(wrong: Any) -> None:
    with pytest.raises(ConfigError, match="pass the agent's SessionSaver"):
        SessionMiddleware(wrong)


@pytest.mark.parametrize("wrong", [None, StateGraph(MessagesState)])
def test_attach_wants_a_compiled_graph(wrong: Any) -> None:
    with pytest.raises(ConfigError, match="not a compiled graph"):
        attach(wrong, saver=SessionSaver("memory://"))


@pytest.mark.parametrize("several", [False, True])
def test_a_message_of_a_framework_is_named_and_sent_to_its_adapter(several: bool) -> None:
    theirs: Any = HumanMessage("hello")
    with pytest.raises(InputError, match=r"a HumanMessage is not a message; .* through its adapter"):
        Sessions("memory://").session("a").append([theirs] if several else theirs)


@pytest.mark.parametrize("place", ["sqlite:///{}/chat.db", "redis://127.0.0.1:1"])
def test_an_async_method_where_asyncio_does_not_run_names_the_way(place: str, tmp_path: Path) -> None:
    """As under trio, which drives coroutines too."""
    lost = pytest.raises(VoiceError, match=r"asyncio event loop.*trio\.to_thread")
    with Sessions(place.format(tmp_path)) as sessions, lost:
        sessions.session("s").aappend({"role": "user", "content": "hello"}).send(None)
