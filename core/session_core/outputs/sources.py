"""Clips of search results, file listings and source code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from session_core.outputs.lines import Lines, Listing, without
from session_core.outputs.pieces import ends, preference
from session_core.outputs.relevance import alarm_lines, by_terms, first_of_each

_MATCH = re.compile(r"((?:[A-Za-z]:)?[^\s:\[\]]{1,250}):(\d+)([:\-].*)")
_PATH = re.compile(r"[-\w.@~+ ]*(?:[/\\][-\w.@~+ \[\]()=,#%]*)+")
_SIGNATURE = re.compile(
    r"\s{0,8}(?:(?:export|public|private|protected|internal|static|abstract|final|async|default|pub(?:\(\w+\))?|unsafe|"
    r"virtual|override|inline|extern|const)\s+)*(?:def|class|func|fn|function|interface|struct|enum|trait|impl|type|module|"
    r"namespace|record|object|protocol|extension|macro_rules!|sub|proc)\s+[\w<*(]"
    r"|\s{0,8}@\w[\w.]*|\s{0,8}(?:public|private|protected|static|internal)\s[\w<>\[\], ?]+\("
    r"|(?:from\s+\S+\s+)?import\s|#include\s|use\s+[\w:]+|using\s+[\w.]+;|require\(|package\s+\w|(?:export\s+)?const\s+\w+\s*="
    r"|[A-Z][A-Z0-9_]{2,}\s*(?::[^=]+)?=|(?:CREATE|ALTER)\s+\w+"
)
_DEFINITION = re.compile(r"^(?!\s*(?:@|import|from|#|use|using|package)\b|\s*[@#])")
_CODE_END = re.compile(r".*(?:[{};:(,\\]|\)|=>|\bend|\bpass)\s*$")
_LEAST_FOLDER = 8
_NUMBERED = re.compile(r"^\s*\d+(?:\t|→|\s*[|│]\s?|:\s)")


def read_matches(lines: Lines, terms: frozenset[str]) -> Listing | None:
    """Search results (`path:line:text`): every path keeps its first match, and is written once per run."""
    sample = lines.sample
    if len(sample) < 3 or sum(bool(_MATCH.match(line[:400])) for line in sample) * 10 < len(sample) * 7:
        return None
    paths = [_path_of(line) for line in lines.texts]
    if not any(re.search(r"[./\\]", path) for path in paths[:200]):
        return None
    texts, heading = _under(lines.texts, paths)
    paths = [path[len(lines.texts[n]) - len(texts[n]) :] for n, path in enumerate(paths)]
    order = preference(
        (2, by_terms(texts, terms)),
        (2, first_of_each(paths)),
        (1, sorted(alarm_lines(texts))),
        (1, _interleave(paths)),
    )

    def told(kept: dict[int, str]) -> dict[int, str]:
        shown = dict(kept)
        for number, text in kept.items():
            path = paths[number]
            if number - 1 in kept and path and path == paths[number - 1] and text.startswith(path + ":"):
                shown[number] = "  " + text[len(path) :]
        return shown

    return Listing("text", texts, without(order, lines.unread), lines.sizes, told=told, heading=heading)


def read_paths(lines: Lines, terms: frozenset[str]) -> Listing | None:
    """A file listing: something of every folder, and both ends."""
    sample = lines.sample
    if len(sample) < 5 or sum(bool(_PATH.fullmatch(line[:1000])) for line in sample) * 10 < len(sample) * 8:
        return None
    folders = [re.split(r"[/\\][^/\\]*$", line)[0] for line in lines.texts]
    texts, heading = _under(lines.texts, lines.texts)
    order = preference(
        (3, by_terms(texts, terms)),
        (2, first_of_each(folders)),
        (1, ends(len(texts))),
    )
    return Listing("text", texts, without(order, lines.unread), lines.sizes, heading=heading)


def read_code(lines: Lines, terms: frozenset[str]) -> Listing | None:
    """Source code: signatures before bodies; matches of the question with the lines around them."""
    sample = [_NUMBERED.sub("", line, count=1) for line in lines.sample]
    signatures = sum(bool(_SIGNATURE.match(line)) for line in sample)
    coded = sum(bool(_CODE_END.match(line[-200:])) or line[:1] in " \t" for line in sample)
    if len(sample) < 8 or signatures < 3 or signatures * 40 < len(sample) or coded * 2 < len(sample):
        return None
    bare = [_NUMBERED.sub("", line[:300], count=1) for line in lines.texts]
    signed = [n for n, line in enumerate(bare) if _SIGNATURE.match(line)]
    signed.sort(key=lambda n: (not _DEFINITION.search(bare[n]), _indent(bare[n]), n))
    order = preference(
        (1, range(min(3, len(lines.texts)))),
        (4, _around(by_terms(lines.texts, terms), len(lines.texts))),
        (8, signed),
        (1, [n for n, line in enumerate(bare) if line.strip()]),
        (1, range(len(bare))),
    )
    return Listing("text", lines.texts, without(order, lines.unread), lines.sizes)


def _under(texts: Sequence[str], paths: Sequence[str]) -> tuple[Sequence[str], str]:
    """The texts without the common folder of their paths, and the line that names it."""
    named = [path for path in paths if path]
    first, last = min(named), max(named)
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))
    common = first[:alike]
    folder = common[: max(common.rfind("/"), common.rfind("\\")) + 1]
    if len(folder) < _LEAST_FOLDER or common in paths:
        return texts, ""
    bare = [text[len(folder) :] if path else text for text, path in zip(texts, paths, strict=True)]
    return bare, f"all under {folder}\n"


def _path_of(line: str) -> str:
    match = _MATCH.match(line[:400])
    return match[1] if match else ""


def _interleave(paths: Sequence[str]) -> list[int]:
    """The matches of all paths alternately, so that none takes all of the room."""
    place: dict[str, int] = {}
    turns = []
    for number, path in enumerate(paths):
        place[path] = place.get(path, 0) + 1
        turns.append((place[path], number))
    return [number for _, number in sorted(turns)]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _around(numbers: Sequence[int], total: int) -> list[int]:
    return [near for n in numbers for near in (n, n + 1, n - 1, n + 2) if 0 <= near < total]
