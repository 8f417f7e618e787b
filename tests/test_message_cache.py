"""`MessageCache`: values derived from a live message are cached as long as the message lives and is unchanged."""

import gc

import pytest
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from langchain_session.conversion.message_cache import MessageCache
from langchain_session.conversion.messages import to_core


class Array:
    """Is like an array of numbers: has no truth when it is compared."""

    def __eq__(self, other):
        raise ValueError("the truth of an array is ambiguous")

    __hash__ = None


def result(**fields) -> ToolMessage:
    return ToolMessage([{"type": "text", "text": "one"}], tool_call_id="c", id="m", **fields)


def text(message: BaseMessage) -> None:
    message.content[0]["text"] = "two"


def content(message: BaseMessage) -> None:
    message.content = "two"


def metadata(message: BaseMessage) -> None:
    message.response_metadata["model"] = "m"


def artifact(message: BaseMessage) -> None:
    message.artifact["rows"].append(3)


def extra(message: BaseMessage) -> None:
    message.note = "two"


def array(message: BaseMessage) -> None:
    message.artifact = Array()


@pytest.mark.parametrize("change", [text, content, metadata, artifact, extra, array])
def test_a_changed_message_is_computed_again(change):
    made: list[BaseMessage] = []
    once = MessageCache(lambda message: made.append(message) or len(made))
    message = result(artifact={"rows": [1, 2]}, note="one")
    assert (once(message), once(message)) == (1, 1)
    change(message)
    assert once(message) == 2


def test_a_message_with_an_object_is_never_cached():
    once = MessageCache(lambda _: object())
    message = result(artifact=Array())
    assert once(message) is not once(message)


def test_equal_messages_are_cached_separately():
    once = MessageCache(lambda _: object())
    one, other = result(), result()
    assert once(one) is not once(other)


def test_the_cache_keeps_no_message_alive():
    once = MessageCache(lambda message: message.id)
    message = result()
    once(message)
    assert len(once) == 1
    del message
    gc.collect()
    assert len(once) == 0


def test_a_message_that_gets_calls_is_read_with_them():
    message = AIMessage("words", id="a")
    assert to_core(message).tool_calls == ()
    message.tool_calls.append({"name": "f", "args": {}, "id": "c", "type": "tool_call"})
    assert [call.id for call in to_core(message).tool_calls] == ["c"]
