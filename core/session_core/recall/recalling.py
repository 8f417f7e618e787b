"""Results of a search or a reference as text for a model: marked as recalled, in pages that fit."""

from __future__ import annotations

from collections.abc import Sequence

from session_core.language.quoting import RECALLED, quoted_lines, speaker_name
from session_core.outputs.clip import LEAST_TOKENS, clip
from session_core.plan import Count
from session_core.retrieval.retrieve import searchable, terms
from session_core.turns import Message, Role

TOOL_NAME = "recall"
"""The name of the recall tool in every framework."""
TOOL_DESCRIPTION = """Look up earlier parts of this conversation that were shortened or left out.

Pass `query` to search the whole conversation, or `reference` (what follows "ref" in a shortened message) to
get the full text of one message. A long text comes in pages; pass the `offset` that the previous page names."""
"""What it does, for the model; not a docstring, which `python -OO` strips."""
NOTHING = "Nothing in this conversation matches."


def excerpt(message: Message, query: str, *, max_tokens: int, count: Count) -> str:
    """The message's text; of a long one, what is relevant to `query` in at most `max_tokens`."""
    shorter = clip(
        message.content, max_tokens=max_tokens, count=count, reference=message.id, terms=frozenset(terms(query))
    )
    return shorter.text if shorter else message.content


def speaker(message: Message) -> str:
    """The author, the tool, or the role."""
    return speaker_name(message.author) if message.author else message.name or message.role.value


def is_recalled(message: Message) -> bool:
    """Whether the message is the call or result of a recall tool; the record has its content elsewhere."""
    if message.role is Role.TOOL:
        return message.content.startswith(RECALLED) or message.content == NOTHING
    return not message.content and bool(message.tool_calls) and all(c.name == TOOL_NAME for c in message.tool_calls)


def results_text(
    found: Sequence[Message], query: str, *, max_tokens: int, count: Count, page_tokens: int | None = None
) -> str:
    """The messages one after another, each in at most `max_tokens`; a plain sentence if there are none.

    Those that do not fit into `page_tokens` are left out, and the last line says how many.
    """
    if not found:
        return NOTHING
    parts = [f"{RECALLED}found by search, each with its reference]"]
    last = "[{} more do not fit here; ask for fewer]"
    left = None if page_tokens is None else page_tokens - count(parts[0]) - count(last.format(len(found))) - 2
    for message in found:
        name = f"[{speaker(message)}, ref {message.id}]"
        each = max_tokens if left is None else min(max_tokens, left - count(name) - 2)
        if each < LEAST_TOKENS:
            break
        part = f"{name}\n{quoted_lines(excerpt(message, query, max_tokens=each, count=count))}"
        left = None if left is None else left - count(part) - 2
        parts.append(part)
    missing = len(found) + 1 - len(parts)
    return "\n\n".join([*parts, last.format(missing)] if missing else parts)


def page_text(message: Message, *, reference: str, offset: int, page_tokens: int, count: Count) -> str:
    """The text of the message, including its tool calls, from character `offset` on, in at most `page_tokens`. A first
    line says which part it is, and where the next begins."""
    text = searchable(message)
    if not 0 <= offset < max(1, len(text)):
        return f"ref {reference} has {len(text):,} characters; pass an offset below that."
    end = offset + _fitting(text[offset:], page_tokens, count)
    if offset == 0 and end == len(text):
        return f"{RECALLED}ref {reference}, complete]\n{quoted_lines(text)}"
    rest = f"; continue with offset={end}" if end < len(text) else "; end of the message"
    part = quoted_lines(text[offset:end])
    return f"{RECALLED}ref {reference}, characters {offset} to {end} of {len(text)}{rest}]\n{part}"


def _fitting(text: str, max_tokens: int, count: Count) -> int:
    """How many characters of the beginning of `text` fit, preferably up to the end of a line."""
    fits, over = 0, min(len(text), max_tokens * 16) + 1
    tried = min(len(text), max_tokens * 4)
    while over - fits > max(1, fits // 50):
        if (tokens := count(text[:tried])) <= max_tokens:
            fits = tried
        else:
            over = tried
        guess = int(tried * max_tokens / max(1, tokens))
        tried = guess if fits < guess < over else (fits + over) // 2
    fits = max(1, fits)
    line = text.rfind("\n", fits - fits // 10, fits) + 1
    return line if line and fits < len(text) else fits
