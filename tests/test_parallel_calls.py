"""One message with thousands of tool calls: a view of it shows the newest, and costs no more for the others."""

from __future__ import annotations

from session_core import Budget, Policy, Sessions
from session_core.counting.tokens import counter_for


class Counted:
    """A token counter that tells how often it was asked."""

    name, exact = "counted", True

    def __init__(self) -> None:
        self.asked = 0
        self._counter = counter_for()

    def count(self, text: str) -> int:
        self.asked += 1
        return self._counter.count(text)


def fan_out(calls: int, counter: Counted) -> Sessions:
    """A session whose newest turn asks for `calls` results at once."""
    sessions = Sessions("memory://", policy=Policy(Budget(8_000), counter=counter))
    asked = [{"id": f"c{n}", "type": "function", "function": {"name": "look", "arguments": "{}"}} for n in range(calls)]
    results = [
        {"role": "tool", "tool_call_id": f"c{n}", "id": f"r{n}", "content": f"row {n} is fine. " * 40}
        for n in range(calls)
    ]
    sessions.session("s").append(
        [{"role": "user", "content": "Look"}, {"role": "assistant", "content": "", "tool_calls": asked}, *results]
    )
    return sessions


def test_only_what_a_view_shows_of_thousands_of_calls_is_worked_on() -> None:
    work = []
    for calls in (600, 1_200):
        counter = Counted()
        session = fan_out(calls, counter).session("s")
        before = counter.asked
        session.view()
        work.append(counter.asked - before)
    assert work[1] < 1.5 * work[0]


def test_the_newest_calls_are_shown_each_with_its_result() -> None:
    view = fan_out(1_000, Counted()).session("s").view()
    asking = next(message for message in view.messages if message.tool_calls)
    results = [message.id for message in view.messages if message.tool_call_id]
    assert view.tokens <= 8_000
    assert [f"r{call.id[1:]}" for call in asking.tool_calls] == results
    assert results == [f"r{n}" for n in range(1_000 - len(results), 1_000)]
    assert len(results) > 100
