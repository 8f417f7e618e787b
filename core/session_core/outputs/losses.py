"""Counts what a rendition of JSON leaves out."""

from __future__ import annotations

from session_core.outputs.pieces import UNCUT, counted


class Losses:
    """What a rendition leaves out, counted while it is made."""

    __slots__ = ("_said", "items", "keys", "parts", "texts")

    def __init__(self) -> None:
        self.items = self.keys = self.parts = self.texts = 0
        self._said: list[str] = []

    def count(self, left_out: str) -> None:
        """Add what a part reports."""
        if left_out and left_out != UNCUT:
            self._said.append(left_out)

    def add(self, other: Losses) -> None:
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
