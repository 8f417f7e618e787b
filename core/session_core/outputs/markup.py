"""HTML and XML as plain text: title, headings, links, table rows, and the text between them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

from session_core.outputs.json_text import Json
from session_core.outputs.pieces import shorten

# The parser of the standard library takes time by the square of what is malformed (60 KB of "<a " take
# it half a minute); tool outputs are cut off and malformed all the time, so tags are found by these.
_TAG = re.compile(r"""<(/?)([a-zA-Z][\w:.-]*+)((?:[^<>"']|"[^"<]*+"|'[^'<]*+'|["'])*+)>|<[!?][^<>]*+>""")
_ATTRIBUTE = re.compile(r"""([a-zA-Z][\w:.-]*+)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)')""")
_SILENT = ("script", "style", "svg", "noscript", "template", "iframe", "object", "canvas", "math")
_BLOCKS = frozenset(
    "p div section article main header footer nav aside ul ol dl dt dd table thead tbody tfoot form fieldset pre "
    "blockquote figure figcaption hr br body html head title option select address details summary".split()
)
_HTML = frozenset("html head body div p span a table tr td th ul ol li script h1 h2 h3 br img form meta".split())
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_LONGEST_LINK = 120
_LONGEST_ATTRIBUTES = 200
_LONGEST_READ = 4000

_DEEPEST_ELEMENT = 12

MAX_READ_CHARACTERS = 1_500_000
"""Of longer markup only both ends are read; a line says how much is between them."""


def is_markup(text: str) -> bool:
    """Whether `text` is HTML or XML: it begins with a tag, and contains more."""
    start = text[:200].lstrip("\ufeff \t\r\n")[:100].lower()
    if not start.startswith("<"):
        return False
    tags = sum(1 for _ in _TAG.finditer(text[:20_000]))
    declared = start.startswith(("<!doctype", "<?xml", "<html"))
    return tags >= 4 and (declared or tags * 200 >= min(len(text), 20_000))


def is_html(text: str) -> bool:
    """Whether the elements of a markup are those of HTML."""
    names = {match[2].lower() for match in _TAG.finditer(text[:20_000]) if match[2]}
    return len(names & _HTML) >= 2 or "html" in names


def markup_text(text: str) -> str:
    """The text of `text`, one block per line, without scripts, styles and comments, and without the middle of what
    is longer than `MAX_READ_CHARACTERS`."""
    text = _without_silent(text)
    if len(text) > MAX_READ_CHARACTERS:
        gap = len(text) - MAX_READ_CHARACTERS
        head = MAX_READ_CHARACTERS * 3 // 4
        text = f"{text[:head]}<p>… {gap:,} characters not read …</p>{text[head + gap :]}"
    blocks = _html_blocks(text) if is_html(text) else _xml_blocks(text)
    return "\n".join(_lines_of(blocks))


def element_of(text: str) -> Json | None:
    """The elements of XML as a value: an object of each with its attributes and what is in it, a list of those that
    come again. None where none comes again, for a text between tags, and where elements are nested too deep."""
    text = _without_silent(text)
    root = _Element("")
    open_elements = [root]
    for sentence, closing, name, attributes in _events(text):
        if sentence.strip():
            open_elements[-1].said.append(sentence.strip())
        if closing and name in (one.name for one in open_elements[1:]):
            while open_elements.pop().name != name:
                pass
        elif name and not closing:
            if len(open_elements) > _DEEPEST_ELEMENT:
                return None
            read = _ATTRIBUTE.findall(attributes[:_LONGEST_READ])
            one = _Element(name, {key: double or single for key, double, single in read})
            open_elements[-1].inside.append(one)
            if not attributes.rstrip().endswith("/"):
                open_elements.append(one)
    lines = sum(1 for line in text.splitlines() if line.strip())
    told = list(root.all())
    # With far more lines than elements, it is text between tags.
    again = any(len({inner.name for inner in one.inside}) < len(one.inside) for one in told)
    return root.value() if again and len(told) * 2 >= lines else None


@dataclass(slots=True)
class _Element:
    """An element of XML that is being read."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    inside: list[_Element] = field(default_factory=list)

    def all(self) -> Iterator[_Element]:
        """Itself and all that is in it."""
        yield self
        for one in self.inside:
            yield from one.all()

    def value(self) -> Json:
        """Its text, where there is nothing else in it; else an object."""
        text = " ".join(self.said)
        if not self.attributes and not self.inside:
            return text
        told: dict[str, Json] = {**self.attributes, **({"text": text} if text else {})}
        named: dict[str, list[Json]] = {}
        for one in self.inside:
            named.setdefault(one.name, []).append(one.value())
        for name, same in named.items():
            told.setdefault(name, same[0] if len(same) == 1 else same)
        if len(told) == 1 and not self.attributes and len(self.inside) > 1:
            return next(iter(told.values()))
        return told


def _without_silent(text: str) -> str:
    """`text` less comments and the elements that no reader sees."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = text
    spans = [*_spans(lowered, "<!--", "-->")]
    for name in _SILENT:
        spans += _spans(lowered, f"<{name}", f"</{name}")
    parts, position = [], 0
    for start, end in sorted(spans):
        if start >= position:
            parts.append(text[position:start])
            parts.append(" ")
        position = max(position, end)
    parts.append(text[position:])
    return "".join(parts)


def _spans(lowered: str, opening: str, closing: str) -> Iterator[tuple[int, int]]:
    at = lowered.find(opening)
    while at >= 0:
        behind = lowered[at + len(opening) : at + len(opening) + 1]
        end = lowered.find(closing, at + len(opening))
        if end < 0:
            # If it is not closed only the opening is dropped, since the rest may be all there is.
            return
        if opening == "<!--" or not (behind.isalnum() or behind in "-_:"):
            stop = end + len(closing) if opening == "<!--" else lowered.find(">", end) + 1
            end = stop or len(lowered)
            yield at, end
        at = lowered.find(opening, max(end, at + len(opening)))


def _html_blocks(text: str) -> Iterator[str]:
    line: list[str] = []
    href = ""
    in_row = in_pre = False
    for sentence, closing, name, attributes in _events(text):
        if in_pre and "\n" in sentence:
            *full, sentence = sentence.split("\n")
            for each in full:
                yield "".join(line) + each
                line = []
        line.append(sentence)
        in_pre = (name == "pre" and not closing) or (in_pre and name != "pre")
        if name == "a":
            if not closing:
                href = _attribute(attributes, "href")
            elif href and len(href) <= _LONGEST_LINK and not href.startswith(("#", "javascript:")):
                line.append(f" ({href}) ")
                href = ""
            else:
                href = ""
        elif name == "img" and (alt := _attribute(attributes, "alt")):
            line.append(f"[image: {alt}]")
        elif name == "tr":
            in_row = not closing
            yield "".join(line)
            line = []
        elif name in ("td", "th"):
            if not closing and "".join(line).strip():
                line.append(" | ")
        elif in_row and name in _BLOCKS:
            line.append(" ")
        elif name == "li" or name in _BLOCKS or name in _HEADINGS:
            yield "".join(line)
            opening = "- " if name == "li" else "# " if name == "title" else ""
            opening = opening or _HEADINGS.get(name, "")
            line = [opening] if opening and not closing else []
        elif name == "meta" and _attribute(attributes, "name").lower() == "description":
            yield f"description: {_attribute(attributes, 'content')}"
    yield "".join(line)


def _xml_blocks(text: str) -> Iterator[str]:
    """A line for each element that has a text or attributes: `name (attributes): text`, indented by depth."""
    depth = 0
    pending = ""
    for sentence, closing, name, attributes in _events(text):
        if sentence.strip():
            yield f"{pending}: {sentence.strip()}" if pending else "  " * min(depth, 6) + sentence.strip()
            pending = ""
        if not name:
            continue
        if closing:
            depth = max(0, depth - 1)
            if pending:
                yield pending
            pending = ""
            continue
        if pending:
            yield pending
        read = _ATTRIBUTE.findall(attributes[:_LONGEST_READ])
        given = " ".join(f"{key}={double or single}" for key, double, single in read)
        pending = "  " * min(depth, 6) + name + (f" ({shorten(given, _LONGEST_ATTRIBUTES)})" if given else "")
        if attributes.rstrip().endswith("/"):
            yield pending
            pending = ""
        else:
            depth += 1
    if pending:
        yield pending


def _events(text: str) -> Iterator[tuple[str, bool, str, str]]:
    """Each tag with the text before it: (text, closing, name, attributes); name is empty at the end."""
    position = 0
    text = text.replace("<![CDATA[", "").replace("]]>", "")
    for match in _TAG.finditer(text):
        sentence = unescape(text[position : match.start()])
        position = match.end()
        yield sentence, bool(match[1]), (match[2] or "").lower(), match[3] or ""
    yield unescape(text[position:]), False, "", ""


def _attribute(attributes: str, name: str) -> str:
    for key, double, single in _ATTRIBUTE.findall(attributes[:_LONGEST_READ]):
        if key.lower() == name:
            return unescape(double or single)
    return ""


def _lines_of(blocks: Iterator[str]) -> Iterator[str]:
    for block in blocks:
        indent = len(block) - len(block.lstrip(" ")) if block[:2] == "  " else 0
        line = " ".join(block.split())
        if line and line.strip("-#"):
            yield " " * indent + line
