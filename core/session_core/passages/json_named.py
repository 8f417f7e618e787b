"""Selects the objects of a value (from JSON, XML, YAML or a table) that contain given names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from session_core.outputs.json_parts import dump, is_plain
from session_core.outputs.json_text import Json
from session_core.outputs.relevance import has_term

SMALL_CHARACTERS = 1_500
"""An object that is named is kept whole if it is no longer than this, else its plain values."""
RARE = 24
"""A word that stands in more places names none of them."""
_DEEPEST = 40


def objects_naming(value: Json, names: Mapping[str, float]) -> Json:
    """The objects of `value` that contain most of `names`, each with the plain values of the objects around it; None if
    there are none.

    `names` are in lower case and have a weight. A name in more than `RARE` objects, such as a column name, counts
    nothing. An object with less than half of the weight of the best one is left out.
    """
    search = _Search(names)
    search.look(value, 0)
    return search.select(value, search.weigh() / 2)


@dataclass(slots=True)
class _Search:
    """For each object and list of a value, by identity: the names that it contains itself, and their weight."""

    names: Mapping[str, float]
    said: dict[int, list[str]] = field(default_factory=dict)
    weights: dict[int, float] = field(default_factory=dict)
    holding: set[int] = field(default_factory=set)

    def look(self, value: Json, depth: int, key: str = "") -> None:
        """Note the names in `value` and in everything inside it."""
        # What Python writes of a value is had at once, and most say nothing that is looked for.
        if depth > _DEEPEST or not self._names_in(f"{key} {value}"):
            return
        self.holding.add(id(value))
        if isinstance(value, dict):
            self._note_matches(
                value, " ".join([key, *(f"{name} {told}" for name, told in value.items() if is_plain(told))])
            )
            for name, inside in value.items():
                if not is_plain(inside):
                    self.look(inside, depth + 1, name)
        else:
            self._note_matches(value, " ".join([key, *(str(item) for item in value if is_plain(item))]))
            for item in value:
                if not is_plain(item):
                    self.look(item, depth + 1)

    def weigh(self) -> float:
        """Compute the weight of each object; returns the highest."""
        times = Counter(name for names in self.said.values() for name in names)
        for one, names in self.said.items():
            self.weights[one] = sum(self.names[name] for name in names if times[name] <= RARE)
        return max(self.weights.values(), default=0.0)

    def _note_matches(self, value: Json, text: str) -> None:
        if names := self._names_in(text):
            self.said[id(value)] = names

    def _names_in(self, text: str) -> list[str]:
        lowered = text.lower()
        return [name for name in self.names if has_term(lowered, name)]

    def select(self, value: Json, least: float) -> Json:
        """The objects in `value` with at least this weight, with the plain values of the objects around them."""
        if not least or id(value) not in self.holding:
            return None
        meant = self.weights.get(id(value), 0.0) >= least
        if isinstance(value, dict):
            if meant and dump(value, SMALL_CHARACTERS) is not None:
                return value
            inside = {name: self.select(told, least) for name, told in value.items() if not is_plain(told)}
            if not meant and all(told is None for told in inside.values()):
                return None
            return {
                name: told if is_plain(told) else inside[name]
                for name, told in value.items()
                if is_plain(told) or inside[name] is not None
            }
        items = [self._item(item, least, listed=meant) for item in value]
        return [item for item in items if item is not None] or None

    def _item(self, item: Json, least: float, *, listed: bool) -> Json:
        if not is_plain(item):
            return self.select(item, least)
        return item if listed and self._names_in(str(item)) else None
