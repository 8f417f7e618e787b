"""The block of quotes that is chosen for a question, in one call."""

from __future__ import annotations

from collections.abc import Sequence

from session_core.passages.scoring import Question, Read
from session_core.plan import Count
from session_core.recall.evidence import Evidence
from session_core.turns import Message


def quote_block(
    question: Question, candidates: Sequence[Read], standing: Sequence[Read], *, room_tokens: int, count: Count
) -> tuple[str, list[Message]]:
    """The block for `room_tokens` ("" for none), and the messages that it quotes."""
    weighed = Evidence(question, candidates, standing, count=count)
    weighed.choose(room_tokens)
    quoted = weighed.quote(room_tokens)
    return quoted.block, quoted.messages
