"""`SessionMemoryBuffer` as LlamaIndex uses it: put and get, limits, copies, all ways to attach it again."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest
from llama_index.core.base.llms.types import (
    AudioBlock,
    CacheControl,
    CachePoint,
    ChatMessage,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.memory import ChatMemoryBuffer
from scripted_llm import ScriptedLLM, assistant, calls, conversation, result, user

from llamaindex_session import LLMSummarizer, SessionChatStore, SessionMemoryBuffer, recall_tool
from session_core import Budget, Policy, Sessions
from session_core.errors import BudgetError, ConfigError
from session_core.testing import check_valid


@pytest.fixture
def sessions() -> Iterator[Sessions]:
    with Sessions("memory://") as opened:
        yield opened


EVERY_BLOCK = [
    user("plain"),
    ChatMessage(role="user", blocks=[TextBlock(text="two"), TextBlock(text="texts")]),
    ChatMessage(role="user", blocks=[TextBlock(text="see"), ImageBlock(image=b"\x89PNG\r\n\x1a\nabc")]),
    ChatMessage(role="user", blocks=[ImageBlock(url="https://example.org/a.png")]),
    ChatMessage(role="user", blocks=[DocumentBlock(data=b"%PDF-1.7 a", document_mimetype="application/pdf")]),
    ChatMessage(role="user", blocks=[AudioBlock(audio=b"RIFFabc", format="wav")]),
    ChatMessage(
        role="user",
        blocks=[TextBlock(text="cached"), CachePoint(cache_control=CacheControl(type="ephemeral"))],
    ),
    ChatMessage(
        role="assistant",
        blocks=[ThinkingBlock(content="hm", additional_information={"signature": "x"}), TextBlock(text="so")],
    ),
    calls("a", "b", city="Rome"),
    result("b", "sunny"),
    result("a", "rainy"),
    ChatMessage("done", role="assistant", additional_kwargs={"refusal": None, "nested": {"n": [1, 2.5]}}),
    ChatMessage("", role="assistant"),
    ChatMessage(role="system", content="be brief"),
]


def test_it_is_a_chat_memory_buffer_and_never_false(memory: SessionMemoryBuffer) -> None:
    assert isinstance(memory, ChatMemoryBuffer)
    assert bool(memory)
    assert memory.get() == memory.get_all() == []


def test_the_record_equals_what_was_put_for_every_kind_of_block(memory: SessionMemoryBuffer) -> None:
    for message in EVERY_BLOCK:
        memory.put(message)
    assert memory.get_all() == EVERY_BLOCK
    kinds = [[type(block) for block in message.blocks] for message in memory.get_all()]
    assert kinds == [[type(block) for block in message.blocks] for message in EVERY_BLOCK]


def test_the_record_equals_what_was_put_when_awaited(memory: SessionMemoryBuffer) -> None:
    async def go() -> list[ChatMessage]:
        await memory.aput(EVERY_BLOCK[0])
        await memory.aput_messages(EVERY_BLOCK[1:])
        return await memory.aget_all()

    assert asyncio.run(go()) == EVERY_BLOCK


def test_saying_the_same_twice_is_two_messages(memory: SessionMemoryBuffer) -> None:
    memory.put_messages([user("yes"), assistant("really?"), user("yes"), assistant("really?")])
    memory.put(user("yes"))
    assert [m.content for m in memory.get_all()] == ["yes", "really?", "yes", "really?", "yes"]


def test_putting_no_messages_is_fine(memory: SessionMemoryBuffer) -> None:
    memory.put_messages([])
    asyncio.run(memory.aput_messages([]))
    assert memory.get_all() == []


def test_a_batch_is_stored_whole_or_not_at_all(memory: SessionMemoryBuffer) -> None:
    with pytest.raises(ValueError, match="system message"):
        memory.put_messages([user("hello"), ChatMessage("rule " * 3_000, role="system")])
    assert memory.get_all() == []


def test_messages_that_are_given_out_may_be_edited(memory: SessionMemoryBuffer) -> None:
    memory.put(user("hello"))
    given = memory.get()[-1]
    assert isinstance(given.blocks[0], TextBlock)
    given.blocks[0].text = "the state is ..., hello"
    given.additional_kwargs["x"] = 1
    assert memory.get() == memory.get_all() == [user("hello")]


def test_a_message_may_be_edited_after_it_was_put(memory: SessionMemoryBuffer) -> None:
    message = user("hello")
    memory.put(message)
    message.content = "changed"
    assert memory.get_all() == [user("hello")]


def test_every_view_of_a_long_session_fits_and_is_valid(sqlite_url: str) -> None:
    memory = SessionMemoryBuffer.from_defaults(session_id="long", url=sqlite_url, token_limit=1_500)
    said = conversation(300, words=20)
    measure = memory.chat_store.sessions.services.measure
    for start in range(0, len(said), 7):
        memory.put_messages(said[start : start + 7])
        seen = memory.session.view("order ORD-2")
        assert sum(map(measure, seen.messages)) <= 1_500
        assert check_valid(seen.messages) == []
    assert len(memory.get("order ORD-2")) == len(memory.session.view("order ORD-2").messages)
    assert memory.get_all() == said


def test_a_view_in_mid_turn_ends_with_the_question(memory: SessionMemoryBuffer) -> None:
    memory.put_messages(conversation(30))
    memory.put(user("and now?"))
    assert memory.get()[-1] == user("and now?")
    assert memory.get(input="and now?")[-1] == user("and now?")


def test_a_call_whose_large_result_is_the_last_message_keeps_its_call(memory: SessionMemoryBuffer) -> None:
    memory.put_messages([user("look it up"), calls("x"), result("x", "line of a result\n" * 5_000)])
    assert [m.role.value for m in memory.get()][-3:] == ["user", "assistant", "tool"]
    assert memory.session.view().tokens <= 2_000


def test_system_messages_stay_in_every_view(memory: SessionMemoryBuffer) -> None:
    memory.put(ChatMessage("Answer in French.", role="system"))
    memory.put_messages(conversation(60))
    assert memory.get()[0] == ChatMessage("Answer in French.", role="system")


def test_tool_calls_and_additional_data_count(memory: SessionMemoryBuffer) -> None:
    memory.put_messages([user("go"), calls("x", text="word " * 5_000), result("x", "ok")])
    assert memory.session.stats().tokens > 5_000
    assert memory.session.view().tokens <= 2_000


def test_the_initial_token_count_makes_the_view_smaller(memory: SessionMemoryBuffer) -> None:
    memory.put_messages(conversation(40))
    measure = memory.chat_store.sessions.services.measure
    whole, less = memory.get(), memory.get(initial_token_count=1_400)
    overhead = memory.session.view(overhead_tokens=1_400)
    assert len(less) < len(whole)
    assert sum(map(measure, overhead.messages)) <= 600
    assert asyncio.run(memory.aget(initial_token_count=1_400)) == less


@pytest.mark.parametrize("count", [2_001, 1_980])
def test_an_initial_token_count_that_leaves_no_room_is_a_value_error(memory: SessionMemoryBuffer, count: int) -> None:
    with pytest.raises(ValueError, match=r"2000") as caught:
        memory.get(initial_token_count=count)
    assert isinstance(caught.value, BudgetError)


def test_a_token_limit_too_small_for_any_view_is_refused(sqlite_url: str) -> None:
    with pytest.raises(ValueError, match="token_limit=40"):
        SessionMemoryBuffer.from_defaults(url=sqlite_url, token_limit=40)


def test_the_token_limit_comes_from_the_model_when_it_is_not_given(sqlite_url: str) -> None:
    llm = ScriptedLLM("", context_window=4_000)
    assert SessionMemoryBuffer.from_defaults(url=sqlite_url, llm=llm).token_limit == 3_000
    assert SessionMemoryBuffer.from_defaults(url=sqlite_url, llm=llm, token_limit=900).token_limit == 900


def test_a_policy_brings_its_budget_unless_a_token_limit_is_given(sqlite_url: str) -> None:
    policy = Policy(Budget(10_000, reply_reserve_tokens=1_000))
    llm = ScriptedLLM("", context_window=4_000)
    assert SessionMemoryBuffer.from_defaults(url=sqlite_url, llm=llm, policy=policy).token_limit == 9_000
    given = SessionMemoryBuffer.from_defaults(url=sqlite_url, policy=policy, token_limit=700)
    assert given.token_limit == given.chat_store.sessions.policy.budget.limit_tokens == 700


def test_sessions_bring_their_budget_and_a_token_limit_may_lower_it(sessions: Sessions) -> None:
    most = sessions.policy.budget.limit_tokens
    assert SessionMemoryBuffer.from_defaults(sessions=sessions).token_limit == most
    small = SessionMemoryBuffer.from_defaults(sessions=sessions, session_id="s", token_limit=800)
    small.put_messages(conversation(40))
    assert small.session.view(overhead_tokens=most - 800).tokens <= 800
    whole = SessionMemoryBuffer.from_defaults(sessions=sessions, session_id="s")
    assert len(small.get()) < len(whole.get())
    with pytest.raises(BudgetError, match="exceeds the budget"):
        SessionMemoryBuffer.from_defaults(sessions=sessions, token_limit=most + 1)


def test_two_sessions_of_one_store_never_meet(sqlite_url: str) -> None:
    one = SessionMemoryBuffer.from_defaults(session_id="one", url=sqlite_url, token_limit=1_000)
    two = SessionMemoryBuffer.from_defaults(session_id="two", url=sqlite_url, token_limit=1_000)
    other = SessionMemoryBuffer.from_defaults(session_id="one", url=sqlite_url, token_limit=1_000, tenant="acme")
    one.put_messages([user("my pin is 1234"), *conversation(20)])
    two.put(user("hello"))
    assert two.get(input="what is my pin?") == [user("hello")]
    assert recall_tool(two).call(query="pin").content == "Nothing in this conversation matches."
    assert other.get_all() == []


def test_without_an_id_a_memory_is_a_session_of_its_own(sqlite_url: str) -> None:
    one, two = (SessionMemoryBuffer.from_defaults(url=sqlite_url, token_limit=1_000) for _ in range(2))
    one.put(user("hello"))
    assert one.session_id != two.session_id
    assert two.get_all() == []


def test_chat_store_key_is_another_word_for_session_id(sqlite_url: str) -> None:
    made = SessionMemoryBuffer.from_defaults(chat_store_key="k", url=sqlite_url)
    assert (made.session_id, made.chat_store_key) == ("k", "k")
    with pytest.raises(ConfigError, match="only one"):
        SessionMemoryBuffer.from_defaults(chat_store_key="k", session_id="s", url=sqlite_url)


def test_a_foreign_chat_store_is_refused_and_one_of_ours_is_used(sqlite_url: str) -> None:
    from llama_index.core.storage.chat_store import SimpleChatStore

    store = SessionChatStore(sqlite_url)
    made = SessionMemoryBuffer.from_defaults(chat_store=store, session_id="s", token_limit=1_000)
    made.put(user("hello"))
    assert store.get_messages("s") == [user("hello")]
    with pytest.raises(ConfigError, match="SimpleChatStore"):
        SessionMemoryBuffer.from_defaults(chat_store=SimpleChatStore())
    with pytest.raises(ConfigError, match="leave out"):
        SessionMemoryBuffer.from_defaults(chat_store=store, url=sqlite_url)


def test_unknown_keywords_are_refused(sqlite_url: str) -> None:
    with pytest.raises(TypeError, match="sesion_id"):
        SessionMemoryBuffer.from_defaults(sesion_id="a", url=sqlite_url)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="session_id"):
        SessionMemoryBuffer(token_limit=1_000, chat_store=SessionChatStore(sqlite_url), session_id="a")


def test_a_memory_that_is_attached_to_a_smaller_budget_has_views_of_that() -> None:
    with Sessions(policy=Policy(Budget(2_000, reply_reserve_tokens=0))) as before:
        data = SessionMemoryBuffer.from_defaults(session_id="one", sessions=before).to_dict()
    with Sessions(policy=Policy(Budget(500, reply_reserve_tokens=0))) as sessions:
        memory = SessionMemoryBuffer.from_dict(data, sessions=sessions)
        memory.put_messages(conversation(4))
        assert memory.token_limit == 500
        assert len(memory.get()) < len(memory.get_all())


def test_reset_begins_afresh_and_keeps_the_record(memory: SessionMemoryBuffer) -> None:
    memory.put(user("one"))
    memory.reset()
    assert memory.get() == memory.get_all() == []
    memory.put(user("two"))
    asyncio.run(memory.areset())
    assert memory.get_all() == []
    assert [m.content for m in memory.session.record(all_branches=True)] == ["one", "two"]


def test_sync_calls_work_inside_a_running_loop(memory: SessionMemoryBuffer) -> None:
    async def notebook() -> list[ChatMessage]:
        memory.put(user("hello"))
        memory.set([*memory.get_all(), assistant("hi")])
        return memory.get()

    assert asyncio.run(notebook()) == [user("hello"), assistant("hi")]


def test_a_question_may_be_a_message(memory: SessionMemoryBuffer) -> None:
    for number in range(60):
        memory.put_messages([user(f"the code of door {number} is K-{number}00"), assistant("noted " + "so " * 40)])
    memory.session.sessions.drain()
    memory.put(user("what is the code of door 7?"))
    question = memory.get_all()[-1]
    asked = memory.get(input=question)
    assert any("K-700" in (message.content or "") for message in asked)
    assert asked == memory.get(input="what is the code of door 7?") == asyncio.run(memory.aget(input=question))
    assert memory.get(input=ChatMessage(role="user", blocks=[])) == memory.get()


def test_recall_gives_back_the_whole_behind_a_clip(memory: SessionMemoryBuffer) -> None:
    rows = "\n".join(f"row {n}: part P-{n} costs {n * 3}" for n in range(2_000))
    memory.put_messages([user("list"), calls("x"), result("x", rows), assistant("there it is")])
    stored = memory.session.record()[2]
    tool = recall_tool(memory)
    assert tool.metadata.name == "recall"
    services = memory.session.sessions.services
    read, offset = "", 0
    while offset < len(rows):
        page = str(tool.call(reference=stored.id, offset=offset).content)
        assert str(asyncio.run(tool.acall(reference=stored.id, offset=offset)).content) == page
        head, _, part = page.partition("\n")
        assert services.counter.count(part) <= services.policy.limits.page_tokens
        found = re.search(rf"characters {offset} to (\d+) of {len(rows)}", head)
        assert found, head
        read, offset = read + part, int(found[1])
    assert read == rows
    assert "P-77" in tool.call(query="list of parts P-77").content
    assert "no message" in tool.call(reference="nothing").content


def test_recall_must_know_its_session(sessions: Sessions) -> None:
    sessions.session("s", tenant="acme").append({"role": "user", "content": "the code is blue"})
    with pytest.raises(ConfigError, match="session_id"):
        recall_tool(sessions)
    assert "blue" in recall_tool(sessions, session_id="s", tenant="acme").call(query="code").content
    store = SessionChatStore(sessions=sessions, tenant="acme")
    assert "blue" in recall_tool(store, session_id="s").call(query="code").content


def test_a_model_summarizes_and_what_it_makes_up_is_struck(sqlite_url: str) -> None:
    llm = ScriptedLLM("The user asked about order ORD-1. Delivery is on 14 March 2031.")
    policy = Policy(Budget(1_500), folding="inline", summarizer=LLMSummarizer(llm))
    memory = SessionMemoryBuffer.from_defaults(session_id="s", url=sqlite_url, policy=policy)
    memory.put_messages(conversation(12))
    memory.put(user("and?"))
    digest = memory.session.view().digest
    assert llm.heard
    assert digest is not None
    assert "2031" not in digest.summary
    assert "ORD-1" in digest.summary


def test_tool_blocks_come_back_with_their_arguments(memory: SessionMemoryBuffer) -> None:
    memory.put_messages([user("go"), calls("x", n=1, city="Rome"), result("x", "ok")])
    block = memory.get()[1].blocks[0]
    assert isinstance(block, ToolCallBlock)
    assert block.tool_kwargs == {"n": 1, "city": "Rome"}
