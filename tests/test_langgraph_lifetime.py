"""`SessionSaver` opened and closed: it takes the place of savers that want a setup, and closes what it opened only."""

import asyncio

from langchain_session import SessionSaver
from session_core import Budget, Policy, Sessions


def test_a_saver_takes_the_place_of_one_that_wants_a_setup(tmp_path):
    url = f"sqlite:///{tmp_path}/chat.db"
    with SessionSaver.from_conn_string(url) as saver:
        saver.setup()
        assert list(saver.list(None)) == []

    async def awaited():
        async with SessionSaver.from_conn_string(url) as saver:
            await saver.setup()

    asyncio.run(awaited())


def test_sessions_that_were_handed_in_stay_open(tmp_path):
    policy = Policy(Budget(1_000, reply_reserve_tokens=0))
    with Sessions(f"sqlite:///{tmp_path}/chat.db", policy=policy) as sessions:
        with SessionSaver(sessions):
            session = sessions.session("a")
        for turn in range(20):
            session.append({"role": "user", "content": f"{turn} " + "and what else is there? " * 10})
        assert sessions.drain(60)
        assert session.stats().digests > 0
