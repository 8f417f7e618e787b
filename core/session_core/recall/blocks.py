"""The block of quotes that a view shows, or the rows of a result in its place, and their size in tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from session_core.language.quoting import BROUGHT_BACK, WITHIN
from session_core.plan import Count
from session_core.recall.selection import Candidate

HEAD = BROUGHT_BACK
SAMPLE = 16
"""So many lines tell what lines take less together than one by one."""


class Blocks:
    """Renders blocks of passages under their `headings`, and counts their tokens. Counts are cached by line, since
    blocks of one question differ little, and lines recur. Passages of a message without a heading, which is in the view
    itself, are rows there."""

    def __init__(self, headings: Sequence[str], count: Count) -> None:
        self._headings, self._count, self._counted = headings, count, _Counted(count)
        self._less: float | None = None

    def estimate_tokens(self, chosen: Collection[Candidate]) -> int:
        """Tokens of the block and the rows of `chosen`, summed by line: usually exact for a tokenizer. An estimating
        counter rounds each line up, which is compensated for by what the first lines take less together."""
        texts = [*self._block(chosen), *(line for lines in self._within(chosen).values() for line in lines)]
        if not texts:
            return 0
        *lines, last = texts
        if self._less is None:
            first = lines[:SAMPLE]
            together = self._count("".join([f"{line}\n" for line in first]))
            self._less = (sum(map(self._counted.__getitem__, first)) - together) / len(first) if first else 0.0
        return sum(map(self._counted.__getitem__, lines), self._count(last)) - int(self._less * len(lines))

    def text(self, chosen: Collection[Candidate]) -> str:
        """The passages as a view shows them: in the order of the record, each under its heading and columns; "" for
        none."""
        return "\n".join(self._block(chosen))

    def rows(self, chosen: Collection[Candidate]) -> dict[int, str]:
        """The chosen passages of messages without a heading, by the places of these messages."""
        return {source: "\n".join(lines) for source, lines in self._within(chosen).items()}

    def _block(self, chosen: Collection[Candidate]) -> list[str]:
        lines = self._lines([one for one in chosen if self._headings[one.source]])
        return [HEAD, *lines] if lines else []

    def _within(self, chosen: Collection[Candidate]) -> dict[int, list[str]]:
        made: dict[int, list[Candidate]] = {}
        for one in chosen:
            if not self._headings[one.source]:
                made.setdefault(one.source, []).append(one)
        return {source: [line.removeprefix(WITHIN) for line in self._lines(told)] for source, told in made.items()}

    def _lines(self, chosen: Collection[Candidate]) -> list[str]:
        headings = self._headings
        lines: list[str] = []
        source, text, schema = -1, "", ""
        groups = Counter([(one.source, one.passage.group) for one in chosen if one.passage.group])
        for one in sorted(chosen, key=lambda one: (one.source, one.place)):
            passage = one.passage
            if one.source != source:
                source, schema = one.source, ""
                if headings[source] and headings[source] != text:
                    text = headings[source]
                    lines.append(text)
            if passage.alone and groups[one.source, passage.group] == 1:
                lines.append(f"{WITHIN}{passage.alone}")
                continue
            if passage.schema and passage.schema != schema:
                schema = passage.schema
                lines.append(f"{WITHIN}{schema}")
            lines.append(f"{WITHIN}{passage.text if one.full or not passage.brief else passage.brief}")
        return lines


class _Counted(dict[str, int]):
    """Lines with the tokens of each, line break included."""

    def __init__(self, count: Count) -> None:
        self._count = count

    def __missing__(self, line: str) -> int:
        self[line] = tokens = self._count(f"{line}\n")
        return tokens
