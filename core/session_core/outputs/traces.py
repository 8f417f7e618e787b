"""Clips of stack traces: the exception and its cause, the nearest frames, own code before libraries."""

from __future__ import annotations

import re
from dataclasses import dataclass

from session_core.outputs.lines import Lines, Listing, without
from session_core.outputs.logs import collapse_note
from session_core.outputs.pieces import ends, preference
from session_core.outputs.relevance import by_terms, template

_RAISED = re.compile(
    r"\s*(?:[|+]\s*)*(?:Caused by: |Suppressed: |Exception in thread |Uncaught |Unhandled |panic: "
    r"|fatal error: |thread '|goroutine \d+ \[|error(?:\[\w+\])?: "
    r"|The above exception was |During handling of |\[cause\]: "
    r"|\(?[\w.$]+(?:Error|Exception|Failure|Warning|Interrupt|Exit|Group)\b"
    r"|[a-z_]\w*(?:\.\w+)*\.[A-Z]\w*: )"
)
_FRAME = re.compile(
    r"""\s*(?:\|\s*)*(?:
      File\ "[^"]*",\ line\ \d+            # Python
    | at\ .*[(:].*                         # Java, JavaScript, C#
    | at\ \S+                              # Rust places, bare JavaScript frames
    | \d+:\s+\S.*                          # Rust frames
    | \S+\.go:\d+                          # Go places
    | [\w./*()\[\]{}-]+\(.*\)$             # Go functions
    | from\ \S+:\d+:in\                    # Ruby
    | \#\d+\s.*                            # PHP, gdb
    )""",
    re.X,
)
_LIBRARY = re.compile(
    r"site-packages|dist-packages|node_modules|/lib/python|[\\/]lib[\\/]|<frozen |node:internal|internal/"
    r"|/rustc/|\.cargo|/go/pkg/|/usr/local/go|runtime/|\b(?:java|javax|jakarta|jdk|sun|kotlin|scala)\."
    r"|org\.(?:springframework|apache|junit|hibernate|eclipse)|io\.netty|reactor\.|core::|std::|tokio::|System\."
    r"|Microsoft\."
)
_PLACE = re.compile(r"\s+(?:at )?\S+\.(?:go|rs|[ch]|cc|cpp):\d+")
_JVM_OR_JS = re.compile(r"\s*at .*:\d+\)?$|\s*at [\w.$<>]+\(")
_PYTHON = re.compile(r'\s*(?:\|\s*)*File "')
_STARTS = ("Traceback (most recent call last)", "goroutine ", "stack backtrace:", "Exception in thread")
_BETWEEN = re.compile(r"[\s|]*(?:The above exception was|During handling of)")
_LONGEST_CYCLE = 4
_OWN_FIRST = 6
_UNTOLD = "of repeated frames and pointer lines left out"
_MARKS = re.compile(r"\s*(?:\|\s*)*[\^~]+\s*")


@dataclass(slots=True)
class _Part:
    """An exception line, a frame with its code, or a line of neither kind."""

    text: str
    kind: str
    size: int
    python: bool = False


def read_trace(lines: Lines, terms: frozenset[str]) -> Listing | None:
    """The shape of `lines` if at least a third of them are frames of stack traces."""
    sample = lines.sample
    frames = sum(bool(_FRAME.match(line[:300])) for line in sample)
    raised = sum(bool(_RAISED.match(line[:300])) for line in sample)
    told = any(start in line for line in sample for start in _STARTS)
    source = sum(bool(_PYTHON.match(line)) for line in sample)
    if not (told or raised) or frames < 2 or (frames + source) * 3 < len(sample):
        return None
    if not told and not any(_JVM_OR_JS.match(line[:300]) for line in sample):
        return None
    parts = _collapse(_parts(lines))
    unread = frozenset(n for n, part in enumerate(parts) if part.kind == "unread")
    order = without(_order(parts, terms), unread)
    untold = {n: part.size - part.text.count("\n") - 1 for n, part in enumerate(parts)}
    return Listing("trace", [p.text for p in parts], order, [p.size for p in parts], untold=untold, untold_why=_UNTOLD)


def _parts(lines: Lines) -> list[_Part]:
    parts: list[_Part] = []
    previous_indent = 0
    for number, line in enumerate(lines.texts):
        indent = len(line) - len(line.lstrip(" \t|"))
        last = parts[-1] if parts else None
        if number in lines.unread:
            parts.append(_Part("", "unread", lines.sizes[number]))
        elif last and last.python and last.kind == "frame" and indent > previous_indent:
            last.size += 1
            if not _MARKS.fullmatch(line):
                last.text += "\n" + line
        elif last and last.kind == "frame" and _PLACE.match(line[:300]):
            last.size += 1
            last.text += "\n" + line
        elif _FRAME.match(line[:300]):
            parts.append(_Part(line, "frame", 1, bool(_PYTHON.match(line))))
            previous_indent = indent
        else:
            parts.append(_Part(line, "raised" if line.strip() and _RAISED.match(line[:300]) else "other", 1))
    return parts


def _collapse(parts: list[_Part]) -> list[_Part]:
    """The same with repeated frames, alone or in cycles of up to four, shown once."""
    found: list[_Part] = []
    keys = [template(part.text) if part.kind == "frame" else "" for part in parts]
    place = 0
    while place < len(parts):
        period, times = _cycle(keys, place)
        block = parts[place : place + period]
        if times > 1:
            text = "\n".join(part.text for part in block) + collapse_note(times, "")
            size = sum(part.size for part in parts[place : place + times * period])
            found.append(_Part(text, "frame", size, block[0].python))
        else:
            found += block
        place += times * period
    return found


def _cycle(keys: list[str], place: int) -> tuple[int, int]:
    """The length of the cycle of frames at `place`, and its repetitions; (1, 1) if under three."""
    for period in range(1, _LONGEST_CYCLE + 1):
        end = place + period
        if not all(keys[place:end]):
            break
        while end < len(keys) and keys[end] and keys[end] == keys[end - period]:
            end += 1
        times = (end - place) // period
        if times >= 3:
            return period, times
    return 1, 1


def _order(parts: list[_Part], terms: frozenset[str]) -> list[int]:
    texts = [part.text for part in parts]
    raised = [n for n, part in enumerate(parts) if part.kind == "raised"]
    # Python tells what was caught last at the end, others what was behind it all.
    raised = raised[::-1] if any(part.python for part in parts) else raised[:1] + raised[:0:-1]
    raised.sort(key=lambda n: bool(_BETWEEN.match(texts[n])))
    near = _nearest(parts)
    own = [n for n in near if not _LIBRARY.search(parts[n].text[:400])]
    others = [n for n, part in enumerate(parts) if part.kind == "other" and part.text.strip()]
    rest = preference(
        (2, near),
        (1, by_terms(texts, terms)),
        (1, [others[n] for n in ends(len(others))]),
        (1, range(len(parts))),
    )
    told = preference((3, _with_message(parts, raised)), (2, own[:_OWN_FIRST]), (1, by_terms(texts, terms)))
    return preference((1, told + rest))


def _with_message(parts: list[_Part], raised: list[int]) -> list[int]:
    """Each exception line with the next line, if the message continues there."""
    found = []
    for number in raised:
        found.append(number)
        behind = parts[number + 1] if number + 1 < len(parts) else None
        if behind and behind.kind == "other" and behind.text.strip() and not behind.text.strip().startswith("..."):
            found.append(number + 1)
    return found


def _nearest(parts: list[_Part]) -> list[int]:
    """The frames of every trace, the innermost first, then the outermost."""
    runs: list[list[int]] = []
    for number, part in enumerate(parts):
        if part.kind != "frame":
            continue
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    queues = []
    for run in runs:
        inward = run[::-1] if parts[run[0]].python else run
        queues.append((1, preference((3, inward), (1, inward[::-1]))))
    return preference(*queues)
