"""The demo's stand-in for a model: decides what to call or say from the given messages alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from session_core.turns import Message, Role

LOST = "I cannot see that any more."
UNKNOWN = "unknown"

FILES = r"(\d+) files"
LARGEST = r"largest ([^;\n]+)"
SUBJECT = r"commit \w+ [\d-]+ [^\n]*\n\s+([^\n]+)"
FIRST_LINE = r"([^\n]+)"
FIRST_WORDS = r"\n#* *([^\n]*\w[^\n]*)"
CLASS_NAME = r'"class",\s*"name":\s*"(\w+)"'
ANY_NAME = r'"name":\s*"(\w+)"'
CLASSES = r'"classes":\s*(\d+)'
FUNCTIONS = r'"functions":\s*(\d+)'
LINES = r"lines \d+-\d+ of (\d+)"
KEYS = r"top level ([^\n]+)"
VERSION = r"(?m)^Version: (\S+)"
SEARCHED = r"matches for '([^']+)' in"
MATCHES = r"(\d+) matches"
MATCHED_FILES = r"matches for .* in (\d+) files"


@dataclass(frozen=True, slots=True)
class Call:
    """One tool to call, and with what."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answers: a text, or tools to call first."""

    text: str = ""
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What the stand-in reads: what the question names, what users said before it, what tools said since."""

    names: Sequence[str]
    said: str
    rounds: Sequence[Sequence[str]]

    def found(self, pattern: str, round_: int, call: int = 0) -> str:
        """What `pattern` finds in a result of this turn."""
        match = re.search(pattern, self.rounds[round_][call])
        return next((group for group in match.groups() if group), UNKNOWN) if match else UNKNOWN

    def recalled(self, pattern: str) -> str:
        """What users said last that fits `pattern`; empty when it is out of sight."""
        found = re.findall(pattern, self.said)
        return str(found[-1]) if found else ""


Way = Callable[[Seen], Reply]


def reply(messages: Sequence[Message]) -> Reply:
    """What comes next after `messages`; the same for the same messages."""
    asked = max((i for i, message in enumerate(messages) if message.role is Role.USER), default=None)
    if asked is None:
        return Reply("What would you like to know?")
    text = "\n".join(message.content for message in messages[:asked] if message.role is Role.USER)
    rounds = _rounds(messages[asked + 1 :])
    for pattern, way in _WAYS:
        if match := pattern.search(messages[asked].content):
            return way(Seen(match.groups(), text, rounds))
    return Reply("Noted.")


def _rounds(messages: Sequence[Message]) -> list[list[str]]:
    """The tool results in `messages` by the message that asked for them, in the order of its calls."""
    results = {m.tool_call_id: m.content for m in messages if m.role is Role.TOOL}
    return [[results.get(call.id, "") for call in m.tool_calls] for m in messages if m.tool_calls]


def _from(text: str, seen: Seen, *paths: str) -> Reply:
    """`text`, with the files it comes from where the user's rule is in sight."""
    if paths and seen.recalled("always name the file"):
        return Reply(f"{text} (From {' and '.join(paths)}.)")
    return Reply(text)


def _files(seen: Seen) -> Reply:
    if not seen.rounds:
        return Reply(calls=(Call("list_files"),))
    count, largest = seen.found(FILES, 0), seen.found(LARGEST, 0)
    return _from(f"There are {count} files; the largest is {largest}.", seen, largest)


def _changes(seen: Seen) -> Reply:
    if not seen.rounds:
        return Reply(calls=(Call("git_log", {"most": 30}),))
    newest = seen.found(SUBJECT, 0)
    if newest == UNKNOWN:
        return Reply(f"Git says: {seen.found(FIRST_LINE, 0)}.")
    return Reply(f"The newest commit says: {newest}")


def _definitions(seen: Seen) -> Reply:
    (path,) = seen.names
    if not seen.rounds:
        return Reply(calls=(Call("outline", {"path": path}), Call("read_file", {"path": path})))
    if len(seen.rounds) == 1:
        return Reply(calls=(Call("search_text", {"text": _main_name(seen, path)}),))
    name = seen.found(SEARCHED, 1)
    return _from(f"{path} {_size(seen, 0, 0)}, {_length(seen, 0, 1)}. {name}: {_uses(seen, 1)}.", seen, path)


def _compare(seen: Seen) -> Reply:
    first, second = seen.names
    if not seen.rounds:
        both = [Call(tool, {"path": path}) for path in (first, second) for tool in ("outline", "read_file")]
        return Reply(calls=tuple(both))
    one = f"{first} {_size(seen, 0, 0)}, {_length(seen, 0, 1)}"
    other = f"{second} {_size(seen, 0, 2)}, {_length(seen, 0, 3)}"
    return _from(f"{one}; {other}.", seen, first, second)


def _data(seen: Seen) -> Reply:
    (path,) = seen.names
    if not seen.rounds:
        return Reply(calls=(Call("read_data", {"path": path}), Call("search_text", {"text": _stem(path)})))
    top = seen.found(KEYS, 0)
    return _from(f"{path} holds {top}. Its name: {_uses(seen, 0, 1)}.", seen, path)


def _text(seen: Seen) -> Reply:
    (path,) = seen.names
    if not seen.rounds:
        return Reply(calls=(Call("read_file", {"path": path}), Call("search_text", {"text": _stem(path)})))
    begins = seen.found(FIRST_WORDS, 0)
    return _from(f"{path}, {_length(seen, 0, 0)}, begins with “{begins}”.", seen, path)


def _package(seen: Seen) -> Reply:
    (name,) = seen.names
    if not seen.rounds:
        return Reply(calls=(Call("show_package", {"name": name}), Call("search_text", {"text": name})))
    version = seen.found(VERSION, 0)
    return Reply(f"{name} is installed in version {version}; {_uses(seen, 0, 1)}.")


def _word(seen: Seen) -> Reply:
    (word,) = seen.names
    if not seen.rounds:
        return Reply(calls=(Call("search_text", {"text": word}), Call("list_files")))
    return Reply(f"{word}: {_uses(seen, 0)} of {seen.found(FILES, 0, 1)}.")


def _main_name(seen: Seen, path: str) -> str:
    """The first class in an outline, or else its first name, or else the file's."""
    names = (seen.found(CLASS_NAME, 0), seen.found(ANY_NAME, 0), _stem(path))
    return next(name for name in names if name != UNKNOWN)


def _size(seen: Seen, round_: int, call: int) -> str:
    classes = seen.found(CLASSES, round_, call)
    return f"defines {classes} classes and {seen.found(FUNCTIONS, round_, call)} functions"


def _length(seen: Seen, round_: int, call: int) -> str:
    return f"{seen.found(LINES, round_, call)} lines"


def _uses(seen: Seen, round_: int, call: int = 0) -> str:
    matches = seen.found(MATCHES, round_, call)
    return f"{matches} matches in {seen.found(MATCHED_FILES, round_, call)} files"


def _stem(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0] or path


def _recall(what: str, pattern: str) -> Way:
    def way(seen: Seen) -> Reply:
        found = seen.recalled(pattern)
        return Reply(f"{what} {found}." if found else LOST)

    return way


_WAYS: tuple[tuple[re.Pattern[str], Way], ...] = tuple(
    (re.compile(pattern), way)
    for pattern, way in (
        (r"^Which files are here\?", _files),
        (r"^What changed lately\?", _changes),
        (r"^What does (\S+) define, and who uses it\?", _definitions),
        (r"^How do (\S+) and (\S+) compare\?", _compare),
        (r"^What is in the data file (\S+)\?", _data),
        (r"^What does the text (\S+) say\?", _text),
        (r"^What do we know about the package (\S+)\?", _package),
        (r"^Where does the word (\S+) stand\?", _word),
        (
            r"^What is the budget",
            _recall("The budget is", r"budget for the review is (\d[\d,.]*\d [A-Z]{3})"),
        ),
        (r"^By when must", _recall("It must be done by", r"must be done by (\d{1,2} \w+ \d{4})")),
        (r"^What is my name\?", _recall("You are", r"my name is ([A-Z]\w+ [A-Z]\w+)")),
        (r"^Which rule did I give you", _recall("The rule:", r"(always name the file[\w ]*)")),
    )
)
