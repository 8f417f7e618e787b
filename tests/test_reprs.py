"""What an object says of itself in a log or a debugger: where it is and whose, no password and no message."""

from __future__ import annotations

from pathlib import Path

from langchain_session import SessionChatMessageHistory, SessionSaver
from llamaindex_session import SessionChatStore, SessionMemoryBuffer
from session_core import Sessions


def test_reprs_name_store_session_and_tenant(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    with Sessions(url) as sessions:
        session = sessions.session("s", tenant="acme")
        session.append({"role": "user", "content": "the code is hunter2"})
        history = SessionChatMessageHistory("s", sessions=sessions, tenant="acme")
        memory = SessionMemoryBuffer.from_defaults(session_id="s", sessions=sessions, tenant="acme", token_limit=2_000)
        assert repr(sessions) == f"Sessions('{url}')"
        assert repr(session) == f"Session('acme/s', '{url}')"
        assert repr(session.view()) == "View(messages=1, tokens=9, limit_tokens=123904, tier='normal')"
        assert repr(SessionSaver(sessions, tenant="acme")) == f"SessionSaver('{url}', tenant='acme')"
        assert repr(history) == f"SessionChatMessageHistory('acme/s', '{url}')"
        assert repr(memory) == f"SessionMemoryBuffer('acme/s', '{url}', token_limit=2000)"


def test_no_password_stands_in_a_repr() -> None:
    with Sessions("redis://me:hunter2@localhost:1/0?client_name=hunter2") as sessions:
        assert repr(sessions) == "Sessions('redis://localhost:1/0')"
        assert "hunter2" not in repr(sessions.session("s"))
    with Sessions(hot="redis://:hunter2@localhost:1/0", cold="memory://") as sessions:
        assert repr(sessions) == "Sessions('memory:// behind redis://localhost:1/0')"
    with Sessions() as sessions, Sessions(sessions.store) as other:
        assert repr(other) == f"Sessions('{type(sessions.store).__name__}')"


def test_what_llamaindex_prints_is_as_short_and_has_no_password() -> None:
    url = "redis://me:hunter2@localhost:1/0"
    memory = SessionMemoryBuffer.from_defaults(session_id="s", url=url, token_limit=2_000)
    assert str(memory) == repr(memory) == "SessionMemoryBuffer('s', 'redis://localhost:1/0', token_limit=2000)"
    store = SessionChatStore(url, tenant="acme")
    assert str(store) == repr(store) == "SessionChatStore('redis://localhost:1/0', tenant='acme')"
    assert "hunter2" not in repr([memory, store])


def test_what_an_adapter_opened_by_its_url_names_that_url() -> None:
    url = "redis://me:hunter2@localhost:1/0"
    assert repr(SessionChatMessageHistory("s", url=url)) == "SessionChatMessageHistory('s', 'redis://localhost:1/0')"
