"""HTML and SVG for notebooks: a budget gauge, a timeline of turns, a view as a table."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from session_core.budget import Budget, Tier
from session_core.turns import Message, Role

WIDTH = 720
MAX_BARS = 120
"""Maximum bars of a timeline; in longer conversations a bar is several turns, and the legend says so."""
EXCERPT_CHARACTERS = 160
LONG_CELL_CHARACTERS = 24

TIER_COLOURS = {
    Tier.NORMAL: "#3f9a6b",
    Tier.SUMMARIZE: "#d9a12e",
    Tier.FACTS: "#dd7a33",
    Tier.NOTIFY: "#c74646",
}
ROLE_COLOURS = {
    Role.USER: "#4478c4",
    Role.ASSISTANT: "#3f9a6b",
    Role.TOOL: "#d9a12e",
    Role.SYSTEM: "#8a6fc2",
}
DIGEST_COLOUR = "#8c96a3"
_FAINT = "rgba(128,128,128,.22)"
_FONT = "font:13px/1.5 system-ui,sans-serif"
_CELL = "text-align:left;padding:2px 10px 2px 0;vertical-align:top"


@dataclass(frozen=True, slots=True)
class Bar:
    """One turn, or several, in a timeline: its tokens by role, and whether it is under the digest."""

    tokens: dict[Role, int]
    label: str
    folded: bool = False

    @property
    def total(self) -> int:
        return sum(self.tokens.values())


def escape(text: str) -> str:
    """`text` escaped for HTML; characters that UTF-8 cannot encode become question marks."""
    return html.escape(text.encode("utf-8", "replace").decode("utf-8"))


def page(*parts: str) -> str:
    """`parts` below each other, in the notebook's colours."""
    return f'<div style="{_FONT};max-width:{WIDTH}px">{"".join(parts)}</div>'


def gauge(tokens: int, budget: Budget) -> str:
    """`tokens` against the limit of a view, with the three thresholds marked."""
    scale = WIDTH / max(budget.limit_tokens, tokens, 1)
    tier, limit_x = budget.tier(tokens), budget.limit_tokens * scale
    marks = (
        (budget.summarize_at, Tier.SUMMARIZE),
        (budget.facts_at, Tier.FACTS),
        (budget.notify_at, Tier.NOTIFY),
    )
    text = f"{tokens:,} of {budget.limit_tokens:,} tokens ({budget.pressure(tokens):.0%}), tier {tier}"
    drawn = [
        _rect(0, 18, limit_x, 16, _FAINT, f"limit: {budget.limit_tokens:,} tokens"),
        _rect(0, 18, tokens * scale, 16, TIER_COLOURS[tier], text),
        _text(0, 12, text),
    ]
    for row, (share, named) in enumerate(marks):
        x = share * limit_x
        drawn.append(_rect(x - 1, 14, 2, 32 + row * 12, TIER_COLOURS[named], f"{named} at {share:.0%}"))
        drawn.append(_text(x - 4, 46 + row * 12, f"{named} {share:.0%}", anchor="end", size=10))
    return _svg(74, text, drawn)


def timeline(bars: Sequence[Bar], *, digest: str = "") -> str:
    """The turns from left to right, as high as their tokens, coloured by role; what is folded is shaded.

    `digest` says what stands for the shaded part.
    """
    if not bars:
        return "<p>No turn yet.</p>"
    shown, each = _grouped(bars)
    highest, step, folded = max(bar.total for bar in shown) or 1, WIDTH / len(shown), 0
    drawn = []
    for i, bar in enumerate(shown):
        folded += bar.folded
        top = 100.0
        for role, tokens in bar.tokens.items():
            height = 84 * tokens / highest
            top -= height
            title = f"{bar.label}: {bar.total:,} tokens, {role} {tokens:,}"
            drawn.append(_rect(i * step + step * 0.1, top, step * 0.8, height, ROLE_COLOURS[role], title))
    if folded:
        drawn.append(_rect(0, 12, folded * step, 88, "rgba(128,128,128,.38)", digest))
        drawn.append(_text(4, 10, digest, size=10))
    roles = [role for role in Role if any(bar.tokens.get(role) for bar in bars)]
    for i, role in enumerate(roles):
        drawn.append(_rect(i * 84, 108, 9, 9, ROLE_COLOURS[role], str(role)))
        drawn.append(_text(i * 84 + 13, 117, str(role), size=10))
    unit = "one turn" if each == 1 else f"{each} turns"
    drawn.append(_text(WIDTH, 117, f"a bar is {unit}, the highest {highest:,} tokens", anchor="end", size=10))
    return _svg(122, f"timeline of {len(bars)} turns", drawn)


def view_html(messages: Sequence[Message], *, tokens: int, limit_tokens: int, tier: Tier) -> str:
    """A view as HTML: the share of each message in the limit, then one row per message."""
    scale, x, drawn = WIDTH / max(limit_tokens, tokens, 1), 0.0, [_rect(0, 4, WIDTH, 16, _FAINT, "room left")]
    for message in messages:
        width = message.tokens * scale
        drawn.append(_rect(x, 4, width, 16, _colour(message), f"{_place(message)}: {message.tokens:,} tokens"))
        x += width
    text = f"{tokens:,} of {limit_tokens:,} tokens, tier {tier}, {len(messages)} messages"
    rows = [(_place(m), str(m.role), f"{m.tokens:,}", _excerpt(m)) for m in messages]
    return page(
        f"<div><b>View</b>: {escape(text)}</div>",
        _svg(26, text, drawn),
        table(("where", "role", "tokens", "says"), rows),
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; every cell is escaped."""
    titles = "".join(f'<th style="{_CELL}">{escape(title)}</th>' for title in head)

    def cell(text: str) -> str:
        wrap = "normal" if len(text) > LONG_CELL_CHARACTERS else "nowrap"
        return f'<td style="{_CELL};white-space:{wrap}">{escape(text)}</td>'

    body = "".join(f"<tr>{''.join(cell(text) for text in row)}</tr>" for row in rows)
    return f'<table style="font:inherit;color:inherit;border-collapse:collapse"><tr>{titles}</tr>{body}</table>'


def _grouped(bars: Sequence[Bar]) -> tuple[list[Bar], int]:
    """At most MAX_BARS bars, and how many turns each has; a bar is folded if all of its turns are."""
    each = -(-len(bars) // MAX_BARS)
    if each == 1:
        return list(bars), 1
    groups = [bars[i : i + each] for i in range(0, len(bars), each)]
    return [_sum(group) for group in groups], each


def _sum(group: Sequence[Bar]) -> Bar:
    tokens = {role: sum(bar.tokens.get(role, 0) for bar in group) for role in Role}
    label = group[0].label if len(group) == 1 else f"{group[0].label} to {group[-1].label}"
    return Bar(tokens, label, all(bar.folded for bar in group))


def _place(message: Message) -> str:
    place = f"message {message.seq}" if message.origin == "record" and message.seq else message.origin
    return f"{place}, clip" if message.rendition == "clip" else place


def _colour(message: Message) -> str:
    return DIGEST_COLOUR if message.origin != "record" else ROLE_COLOURS[message.role]


def _excerpt(message: Message) -> str:
    calls = " ".join(f"{call.name}({call.arguments})" for call in message.tool_calls)
    text = " ".join(f"{message.content} {calls}".split())
    left = len(text) - EXCERPT_CHARACTERS
    return text if left <= 0 else f"{text[:EXCERPT_CHARACTERS]}… and {left:,} more characters"


def _svg(height: int, title: str, drawn: Iterable[str]) -> str:
    return (
        f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {WIDTH} {height}" width="100%" '
        f'style="display:block;max-width:{WIDTH}px;margin:6px 0">{"".join(drawn)}</svg>'
    )


def _rect(x: float, y: float, width: float, height: float, colour: str, title: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}" '
        f'fill="{colour}"><title>{escape(title)}</title></rect>'
    )


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
        f'fill="currentColor">{escape(text)}</text>'
    )
