"""Detects that a user returns after a long break, so that the views of that turn can mention the elapsed time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from session_core.ports import Loaded
from session_core.turns import Message, Role


@dataclass(frozen=True, slots=True)
class Absence:
    """A break of `seconds` after message `after_seq`."""

    after_seq: int
    seconds: float


def find_ended_absence(loaded: Loaded, now_s: float, resume_after_s: float) -> Absence | None:
    """The break that ends with the newest turn, or with this call if nobody has spoken since; None if it is shorter
    than `resume_after_s` seconds or the session is already marked with it.

    It is measured from the latest known time, not from the last message's: clocks may go back, and those of two writers
    may differ. A turn with pending tool calls is in progress and ends no break.
    """
    newest = loaded.messages[-1] if loaded.messages else None
    if newest is None or newest.role is Role.TOOL or newest.tool_calls:
        return None
    asked = newest.role is Role.USER
    said, ended_s = (loaded.messages[:-1], newest.time_s) if asked else (loaded.messages, now_s)
    before = _said_since_reset(said, loaded)
    if ended_s is None or not before:
        return None
    # Usually this suffices, without reading all times.
    last_s = before[-1].time_s
    if last_s is not None and ended_s - last_s < resume_after_s:
        return None
    latest_s = max((message.time_s for message in before if message.time_s is not None), default=None)
    if latest_s is None or ended_s - latest_s < resume_after_s:
        return None
    after_seq = newest.seq - 1 if asked else newest.seq
    marked = loaded.state.absent_s and loaded.state.resumed_after_seq == after_seq
    return None if marked else Absence(after_seq, ended_s - latest_s)


def _said_since_reset(messages: Sequence[Message], loaded: Loaded) -> Sequence[Message]:
    """`messages` without those that were given again after a reset, which keep the times that they had before it."""
    state = loaded.state
    if loaded.digest is not None or state.absent_s or not state.resumed_after_seq:
        return messages
    return [message for message in messages if message.seq > state.resumed_after_seq]


def absence_note(loaded: Loaded) -> str:
    """The note about the absence that the session is marked with; "" once the turn that ended it is over."""
    state = loaded.state
    if not state.absent_s:
        return ""
    newest_question = max((message.seq for message in loaded.messages if message.role is Role.USER), default=0)
    last = loaded.messages[-1] if loaded.messages else None
    answered = last is not None and last.role is Role.ASSISTANT and not last.tool_calls
    after_seq = last.seq if last is not None and answered else newest_question - 1
    if state.resumed_after_seq != after_seq:
        return ""
    days, hours = divmod(int(state.absent_s // 3600), 24)
    ago = f"{days} days" if days > 1 else f"{days * 24 + hours} hours"
    return (
        f"[The conversation resumes after a break of {ago}. Earlier information may be out of date: "
        "check dates, prices and open commitments before relying on them.]"
    )
