"""Shortens JSON: whole if it fits, similar objects as a table, the rest as an outline."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from session_core.outputs.columns import name_rank
from session_core.outputs.grid import Grid
from session_core.outputs.json_parts import SHORT, dump, keys_left, outline, quoted, small, with_gaps
from session_core.outputs.json_rows import as_grid
from session_core.outputs.json_text import Json, JsonText, Number
from session_core.outputs.pieces import MISSES, UNCUT, Rendition, Shape, counted, ends, pick, shorten
from session_core.outputs.relevance import alarm_lines, by_terms, has_term

_MAX_DEPTH = 12
_INNER_CHARACTERS = 600
_EXAMINED_ITEMS = 20_000
_KEYS_LEFT_CHARACTERS = 40


class JsonShape:
    """A JSON value that can be rendered at any size. Cuts are strings that begin with "…"."""

    kind = "json"

    def __init__(self, found: JsonText, terms: frozenset[str], inner: Callable[[str], Shape | None]) -> None:
        """`inner` reads the shape of a long text inside the value."""
        self._found = found
        self._terms = terms
        self._inner = inner
        self._grids: dict[int, Grid | None] = {}
        self._texts: dict[int, Shape | None] = {}
        self._orders: dict[int, list[str]] = {}
        self._asked: dict[int, list[int]] = {}

    def render(self, max_characters: int) -> Rendition:
        """The value in about `max_characters`, with the text around it."""
        before = shorten(self._found.before.strip(), max(48, max_characters // 8))
        after = shorten(self._found.after.strip(), max(48, max_characters // 8))
        losses = _Losses()
        room = max(8, max_characters - len(before) - len(after))
        body = self._show(self._found.value, room, 0, losses)
        text = "; ".join(filter(None, [self._found.note, losses.summary()]))
        return Rendition("\n".join(filter(None, [before, body, after])), text or UNCUT)

    def _show(self, value: Json, room: int, depth: int, losses: _Losses) -> str:
        whole = dump(value, room)
        if whole is not None:
            return whole
        if isinstance(value, str):
            return self._text(value, room, losses)
        if not isinstance(value, (dict, list)) or not value:
            return dump(value, 1 << 30) or "null"
        if depth >= _MAX_DEPTH or room < 24:
            losses.parts += 1
            return outline(value, room)
        table = self._table(value, room, losses)
        if table is not None:
            return table
        if isinstance(value, dict):
            return self._object(value, room, depth, losses)
        return self._array(value, room, depth, losses)

    def _text(self, value: str, room: int, losses: _Losses) -> str:
        if isinstance(value, Number):
            losses.texts += 1
            return quoted(shorten(value, room))
        if len(value) >= _INNER_CHARACTERS and room >= _INNER_CHARACTERS // 2:
            if id(value) not in self._texts:
                self._texts[id(value)] = self._inner(value)
            shape = self._texts[id(value)]
            if shape is not None:
                inside = shape.render(room * 9 // 10)
                losses.count(inside.left_out)
                return inside.body if shape.kind == "json" else quoted(inside.body)
        losses.texts += 1
        return quoted(shorten(value, max(1, room - 2)))

    def _table(self, value: dict[str, Json] | list[Json], room: int, losses: _Losses) -> str | None:
        """`value` as a table if it consists of similar rows and the table is considerably shorter."""
        if id(value) not in self._grids:
            self._grids[id(value)] = as_grid(value, self._terms)
        grid = self._grids[id(value)]
        if grid is None or room < 80:
            return None
        rendition = grid.render(room - 4)
        losses.count(rendition.left_out)
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        return f"{opening}\n{rendition.body}\n{closing}"

    def _object(self, value: dict[str, Json], room: int, depth: int, losses: _Losses) -> str:
        if id(value) not in self._orders:
            self._orders[id(value)] = sorted(value, key=self._rank(value))
        order = self._orders[id(value)]
        least, left = self._fitting(value, order, room - 2)
        if len(least) < len(value):
            least, left = self._fitting(value, order, room - 2 - _KEYS_LEFT_CHARACTERS)
        grown = self._grown(value, least, order, left, depth, losses)
        parts = [f"{quoted(shorten(key, max(60, room // 4)))}:{grown[key]}" for key in value if key in grown]
        gone = [key for key in value if key not in grown]
        if gone:
            losses.keys += len(gone)
            parts.append(f'"…":{quoted(keys_left(gone, room))}')
        return "{" + ",".join(parts) + "}"

    def _fitting(self, value: dict[str, Json], order: list[str], room: int) -> tuple[dict[str, str], int]:
        """The entries that fit in their shortest form, taken in `order`, and the remaining room."""
        least: dict[str, str] = {}
        misses = 0
        for key in order:
            entry = small(value[key])
            cost = len(key) + len(entry) + 4
            if cost > room and least:
                misses += 1
                if misses > MISSES:
                    break
                continue
            least[key] = entry
            room -= cost
        return least, room

    def _grown(
        self, value: dict[str, Json], least: dict[str, str], order: list[str], left: int, depth: int,
        losses: _Losses,
    ) -> dict[str, str]:  # fmt: skip
        """The entries of an object, with the remaining room shared among those that are shortened."""
        grown = dict(least)
        hungry = [key for key in order if key in least and dump(value[key], len(least[key])) is None]
        for final in (False, True):
            still: list[str] = []
            weights = {key: 3 if isinstance(value[key], (dict, list)) else 1 for key in hungry}
            waiting = sum(weights.values())
            for key in hungry:
                share = max(0, left) * weights[key] // waiting
                waiting -= weights[key]
                room = len(least[key]) + share
                shown = self._show(value[key], room, depth + 1, losses) if final else dump(value[key], room)
                if shown is None:
                    still.append(key)
                    continue
                grown[key] = shown
                left -= len(shown) - len(least[key])
            hungry = still
        return grown

    def _rank(self, value: dict[str, Json]) -> Callable[[str], tuple[int, int]]:
        places = {key: place for place, key in enumerate(value)}

        def rank(key: str) -> tuple[int, int]:
            item = value[key]
            if any(has_term(key.lower(), term) for term in self._terms):
                return 0, places[key]
            if item is None or item in ("", [], {}):
                return 6, places[key]
            by_name = name_rank(key)
            if isinstance(item, (dict, list)):
                return min(by_name + 1, 2), places[key]
            if isinstance(item, str) and len(item) > 4 * SHORT:
                asked = any(has_term(item.lower(), term) for term in self._terms)
                return (1 if asked or by_name == 0 else 5), places[key]
            return by_name + 1, places[key]

        return rank

    def _array(self, value: list[Json], room: int, depth: int, losses: _Losses) -> str:
        share = max(24, room // min(len(value), 8) - 2)
        if id(value) not in self._asked:
            texts = [small(item)[:200] for item in value[:_EXAMINED_ITEMS]]
            self._asked[id(value)] = by_terms(texts, self._terms)[:20] + sorted(alarm_lines(texts))[:20]
        order = list(dict.fromkeys([*self._asked[id(value)], *islice(ends(len(value)), room)]))
        inside = _Losses()
        shown: dict[int, str] = {}

        def item(number: int) -> str:
            if number not in shown:
                shown[number] = self._show(value[number], share, depth + 1, inside)
            return shown[number]

        kept = pick(len(value), order, item, room - 2)
        for number in kept:
            kept[number] = item(number) if len(item(number)) <= room * 5 // 4 else outline(value[number], share)
        losses.items += len(value) - len(kept)
        losses.add(inside)
        return "[" + ",".join(with_gaps(kept, len(value))) + "]"


class _Losses:
    """What a rendition leaves out, counted while it is made."""

    __slots__ = ("_said", "items", "keys", "parts", "texts")

    def __init__(self) -> None:
        self.items = self.keys = self.parts = self.texts = 0
        self._said: list[str] = []

    def count(self, left_out: str) -> None:
        """Add what a part reports."""
        if left_out and left_out != UNCUT:
            self._said.append(left_out)

    def add(self, other: _Losses) -> None:
        """Add all counts of `other`."""
        self.items += other.items
        self.keys += other.keys
        self.parts += other.parts
        self.texts += other.texts
        self._said += other._said

    def summary(self) -> str:
        """The counts as text; of several tables the first two."""
        texts = list(self._said[:2])
        if len(self._said) > 2:
            texts.append(f"more in {counted(len(self._said) - 2, 'table')}")
        if self.items:
            texts.append(f"{counted(self.items, 'item')} left out")
        if self.keys:
            texts.append(f"{counted(self.keys, 'key')} left out")
        if self.parts:
            texts.append(f"{counted(self.parts, 'part')} reduced to shape")
        if self.texts:
            texts.append(f"{counted(self.texts, 'long text')} shortened")
        return "; ".join(texts)
