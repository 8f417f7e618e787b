"""A process without the keyring of sealed sessions: it is told so, and neither shows nor folds what says nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from sealed_fill import RING

from langchain_session import SessionChatMessageHistory
from llamaindex_session import SessionMemoryBuffer
from session_core import Sessions
from session_core.errors import StoreUnreadable
from session_core.turns import Message, Role
from session_core.voices import run_blocking


def test_reading_a_sealed_session_without_keys_is_an_error(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/sealed.db"
    with Sessions(url, keyring=RING) as sessions:
        sessions.session("u").append([Message(Role.USER, "Never before 9 am."), Message(Role.ASSISTANT, "Noted.")])
    with Sessions(url) as sessions:
        session = sessions.session("u")
        reference = run_blocking(sessions.store.record(session.key))[0].id
        reads: list[Callable[[], object]] = [
            session.view,
            session.record,
            session.export,
            session.fold,
            session.reset,
            lambda: session.expand(reference),
            lambda: asyncio.run(session.aview()),
            lambda: SessionChatMessageHistory("u", sessions=sessions).messages,
            SessionMemoryBuffer.from_defaults(session_id="u", sessions=sessions).get,
        ]
        for read in reads:
            with pytest.raises(StoreUnreadable, match=r"session u is sealed.*keyring="):
                read()
        assert session.stats().messages == 2
    with Sessions(url, keyring=RING) as sessions:
        assert [message.content for message in sessions.session("u").record()] == ["Never before 9 am.", "Noted."]
