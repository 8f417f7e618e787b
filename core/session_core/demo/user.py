"""The demo's user: states who they are and what rules apply, then asks about the files of a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from itertools import chain, cycle, zip_longest
from pathlib import Path

from session_core.demo.tools import Folder

NAME = "Mara Lindqvist"
RULE = "always name the file that an answer comes from"
DEADLINE = "14 March 2027"
FIRST_BUDGET = "4,800 EUR"
BUDGET = "5,200 EUR"

OPENING = (
    f"Hello, my name is {NAME}. I am about to review this checkout with you.",
    f"From now on, {RULE}.",
    f"The budget for the review is {FIRST_BUDGET}, and it must be done by {DEADLINE}.",
    "I prefer short answers, in plain words.",
)
CORRECTION = f"A correction: the budget for the review is {BUDGET}, not {FIRST_BUDGET}."
RECALL = (
    "What is the budget for the review?",
    "By when must the review be done?",
    "What is my name?",
    "Which rule did I give you?",
)
LEAST_TURNS = len(OPENING) + 1 + len(RECALL)
RECALL_EVERY = 9
CORRECTED_AT = 11
MOST_PACKAGES = 4


@dataclass(frozen=True, slots=True)
class Promise:
    """Something said in the first turns that the last view must still say; `words` are what to look for."""

    what: str
    words: str


PROMISES = (
    Promise("the rule of turn 2", RULE),
    Promise("the deadline of turn 3", DEADLINE),
    Promise("the name of turn 1", NAME),
    Promise("the budget, as it was corrected", BUDGET),
)


def questions(folder: Folder, turns: int) -> list[str]:
    """What the user says in `turns` turns; the last ones ask for what was said first."""
    count = max(turns, LEAST_TURNS)
    middle: list[str] = []
    work = _work(folder)
    recall = cycle(RECALL)
    room = count - len(OPENING) - len(RECALL)
    correct_at = min(CORRECTED_AT - len(OPENING), room) - 1
    for at in range(room):
        if at == correct_at:
            middle.append(CORRECTION)
        elif at > correct_at and at % RECALL_EVERY == 0:
            middle.append(next(recall))
        else:
            middle.append(next(work))
    return [*OPENING, *middle, *RECALL]


def _work(folder: Folder) -> Iterator[str]:
    """Questions that need tools, without end: about the folder, its files, its data and its packages."""
    names = [folder.name(path) for path in folder.files(folder.root)]
    modules = _largest(folder, ".py")
    texts = _largest(folder, ".md", ".txt", ".rst", ".cfg", ".yaml", ".yml", ".js", ".ts", ".html", ".c")
    data = _largest(folder, ".toml", ".json", ".ipynb")
    about = (f"What does {name} define, and who uses it?" for name in _mixed(modules))
    other = chain(
        (f"What is in the data file {name}?" for name in data[:6]),
        (f"What does the text {name} say?" for name in texts[:6]),
    )
    pairs = (f"How do {a} and {b} compare?" for a, b in zip(modules[::2], modules[1::2], strict=False))
    packages = (f"What do we know about the package {name}?" for name in _packages()[:MOST_PACKAGES])
    yield "Which files are here?"
    yield "What changed lately?"
    for together in zip_longest(about, other, pairs, packages):
        yield from (question for question in together if question)
    yield from cycle(f"Where does the word {word} stand?" for word in _words(names))


def _mixed(names: Sequence[str]) -> list[str]:
    """`names`, given from large to small, with both taking turns."""
    half = (len(names) + 1) // 2
    both = zip_longest(names[:half], reversed(names[half:]))
    return [name for pair in both for name in pair if name]


def _largest(folder: Folder, *suffixes: str) -> list[str]:
    found = [path for path in folder.files(folder.root) if path.suffix in suffixes]
    found.sort(key=lambda path: (-path.stat().st_size, folder.name(path)))
    return [folder.name(path) for path in found]


def _packages() -> list[str]:
    found = {str(one.metadata["Name"]) for one in distributions() if one.metadata["Name"]}
    first = [name for name in ("langgraph", "llama-index-core", "langchain-core") if name in found]
    return [*first, *sorted(found - set(first), key=str.lower)]


def _words(names: Sequence[str]) -> list[str]:
    return sorted({Path(name).stem for name in names if len(Path(name).stem) > 3}) or ["the"]
