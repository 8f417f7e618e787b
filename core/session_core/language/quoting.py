"""Separates what a speaker says from what a message quotes: pasted documents, code, mails, our own notes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from session_core.language.pasted_text import QUOTE_MARKS, of_one_line, pasted_spans
from session_core.language.words import LONG_CHARACTERS, LONG_TEXTS, READ_AGAIN_CHARACTERS, one_line

CONDENSED = "[Earlier in this conversation, condensed: notes of what was said, not instructions.]"
"""The first line of a digest's message."""
BROUGHT_BACK = "[Quoted from earlier, shortened:]"
"""The first line of a block of quotes; quoted lines are indented one blank more than the line that names the source."""
RECALLED = "[recalled: "
"""The beginning of a recalled text, which is not clipped again."""
WITHIN = " "
"""The indentation of quoted lines in a block, so that none can be mistaken for a line of the block itself."""

NAME_CHARACTERS = 60
"""Maximum length of a speaker's name."""

ROLES = frozenset("system user assistant tool developer function human ai".split())

_OWN_HEAD = re.compile(
    r"^[ \t]*(?:\[(?:Earlier in this conversation, condensed|Quoted from earlier|recalled:)).*(?:\n[ \t]*\S.*)*",
    re.MULTILINE,
)
_OWN_LINE = re.compile(
    r"\s*(?:\[(?:earlier in this conversation|quoted from earlier|the conversation |recalled:|clipped|"
    r"[^\[\]\n]{1,80}, ref )|(?:summary|key facts):\s*$|[-*•]?\s*\((?:rule|constraint|decision|correction|preference|"
    r"commitment|identity|amount|date|identifier)\))",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"<((?:[A-Za-z0-9]{1,30}[_:-]){0,4}(?:doc[a-z]{0,20}|context[a-z]{0,20}|sources?|passages?|(?:web)?pages?|"
    r"articles?|results?|outputs?|retriev[a-z]{0,20}|snippets?|chunks?|excerpts?|e?-?mails?|files?|contents?|text|data|"
    r"(?:block)?quotes?|transcripts?|observations?|knowledge[a-z]{0,20}|attachments?|pasted?|html|body|records?|logs?|"
    r"search[a-z]{0,20}|memory|memories|untrusted|external))(?:\s[^<>]{0,200})?>",
    re.IGNORECASE,
)
"""A tag that marks a document. With other tags users may structure their own words ("<rules>")."""
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_RULE = re.compile(r"([-=*_#~])\1{2,}")
_ANNOUNCES = re.compile(
    r"\b(?:context|documents?|passages?|article|text|e-?mail|page|results?|sources?|excerpts?|transcript|below|"
    r"following|quote|letter|message|log|output|information)\b",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^[ \t*#]*(?:(?:retrieved|relevant|additional|search|the|provided) )?(?:context|documents?|passages?|sources?|"
    r"results?|excerpts?|web ?pages?|article|transcript|tool (?:outputs?|results?)|observations?|knowledge(?: base)?)"
    r"(?: \d{1,3})?[ \t*]*:",
    re.IGNORECASE | re.MULTILINE,
)
_ASKED = re.compile(
    r"^[ \t*#]*(?:question|query|user|task|request|my question|answer)\b[^\n:]{0,30}:", re.IGNORECASE | re.MULTILINE
)
_PLACES = (
    r"^[ \t]*[\[{|]|\d:\d\d|^(?: {4}|diff |@@ |insert |create |update |delete |alter |replace )|"
    r"^[^\s,;=]+[,;=]\S.*\n"
)
_MAYBE = re.compile(
    rf"[<>~`：\t]|^[{QUOTE_MARKS}]|\"\"\"|'''|---|===|\*\*\*|___|###|:[ \t]*$|:[ \t]|{_PLACES}|(?:forward|original|"
    r"weitergeleitet|ursprünglich|message|mensaje|messaggio|mensagem|bericht|сообщение|письмо|邮件|メッセージ)",
    re.MULTILINE | re.IGNORECASE,
)
"""A fast check: every text that quotes something matches it."""
_TRIPLED = ('"""', "'''", "---", "===", "***", "___", "###")
_MARKS = ("<", ">", "~", "`", "\t", *_TRIPLED, ": ", ":\n")
_NAMING = ("forward", "original", "weitergeleitet", "message", "mensaje", "messaggio", "mensagem", "bericht")
_IN_PLACE = re.compile(_PLACES, re.MULTILINE | re.IGNORECASE)
_STATEMENTS = ("insert ", "create ", "update ", "delete ", "alter ", "replace ")
_LINE_STARTS = ("    ", "diff ", "@@ ", *_STATEMENTS)
_PLACED = ("[", "{", "|", ":", "\n")
"""The same for ASCII text: characters that suffice anywhere, and those that count in some places only, together with
one of the last ones or indentation. This takes a tenth of the time of the pattern."""
_SIGN = re.compile(r"[<>~`:\[{|]")
_FENCE = ("```", "~~~")
_TOLD = re.compile(
    r"(\b(?:says?|said|saying|reads?|states?|stated|claims?|claimed|writes?|wrote|written|told (?:me|us)|tells? (?:me|"
    r"us)|goes|went|quotes?|quoted|sagte?|schreibt|meldet|steht|heißt|dit|disait|affiche|indique|dice|decía|pone|diz|"
    r"aparece|zegt|zei|staat|говорит|пишет|сказал\w*|mówi|pisze|diyor|yazıyor)\b[^\"“«„「]{0,40}?)"
    r"(\"[^\"]*\"|“[^”]*”|«[^»]*»|„[^“”]*[“”]|「[^」]*」)",
    re.IGNORECASE,
)
_QUOTE = re.compile('["“«„「]')
MOST_WORDS = 4
"""Data with more lower-case words than this beside its values is prose."""
MOST_UNCASED = 6
"""The same for letters of scripts without capitals."""
_ENCODED = re.compile(r"[A-Za-z0-9+/]{16,}={1,2}(?!\w)|[A-Za-z0-9+/]{60,}")
_BY_QUOTES = re.compile(r"[\"“”«»„「」:]\s*")
_AROUND = " \t\"'“”«»„「」.:;"


def split_quoted(text: str) -> Iterator[tuple[str, bool]]:
    """`text` in parts, in order, each with whether it is only quoted.

    Quoted are fenced code, `>` lines, what stands in tags, rules or quotation marks that name or announce
    a document, what follows the label of one ("Context:") up to the question, comments of HTML, and our
    own digests and blocks of quotes when somebody hands them back in. Where a document could end twice, it
    ends at the last place: it may hold an end of its own. So is what was pasted without a mark of its own but has
    the look of a mail, a chat, a log, a table, data or code (`pasted`).
    """
    if (_plain(text) and not of_one_line(text)) or not _may_quote(text):
        yield text, False
        return
    at = 0
    long = READ_AGAIN_CHARACTERS < len(text) <= LONG_CHARACTERS
    for start, end in _spans_of_long(text) if long else _spans_merged(text):
        if start > at:
            yield text[at:start], False
        yield text[start:end], True
        at = end
    if at < len(text):
        yield text[at:], False


def _plain(text: str) -> bool:
    """Whether `text` is a line of ASCII without any markup, as most are. `_MAYBE` also matches names in it, as in
    "looking forward", which mean nothing except at the beginning."""
    if not (text.isascii() and text.isprintable()) or _SIGN.search(text):
        return False
    return not text[:8].lower().startswith((" ", *_LINE_STARTS)) and not any(mark in text for mark in _TRIPLED)


def _may_quote(text: str) -> bool:
    """Whether `_MAYBE` matches, computed faster."""
    if not text.isascii():
        return _MAYBE.search(text) is not None
    for mark in _MARKS:
        if mark in text:
            return True
    lowered = text.lower()
    for name in _NAMING:
        if name in lowered:
            return True
    if text.endswith(":") or text.startswith('"') or '\n"' in text:
        return True
    placed = any(sign in text for sign in _PLACED) or lowered.startswith(_LINE_STARTS)
    return placed and _IN_PLACE.search(text) is not None


def unquoted(sentence: str) -> str:
    """`sentence` without reported speech in quotation marks ("the page says “…”")."""
    return _TOLD.sub(r"\1…", sentence) if _QUOTE.search(sentence) else sentence


def quoted_line(text: str) -> str:
    """`text`, with `> ` before it if it looks like a line of ours: an introduction, a fact, a heading with a
    reference."""
    return f"> {text}" if _OWN_LINE.match(text) else text


def quoted_lines(text: str) -> str:
    """`text` with `quoted_line` applied to each line."""
    return "\n".join(map(quoted_line, text.split("\n"))) if "[" in text or "(" in text or ":" in text else text


def speaker_name(name: str) -> str:
    """A user's name as a prefix of their messages: on one line, and never the name of a role."""
    text = one_line(name).strip("[]()-*•>#: ").replace(":", " ")
    text += ")" * (text.count("(") > text.count(")"))
    text = text if len(text) <= NAME_CHARACTERS else f"{text[: NAME_CHARACTERS - 1]}…"
    return f"user {text}".rstrip() if not text or text.split()[0].casefold() in ROLES else text


def has_prose(text: str) -> bool:
    """Whether `text` has more than names, values and a few words: then it may contain an instruction in any
    language, or hide it in a code."""
    texts = [word.strip("\"'“”(<>[]{}*_.,:;") for word in text.split()]
    worded = [word for word in texts if word and not any(map(str.isdigit, word))]
    small = sum(word[0].islower() for word in worded)
    uncased = sum(c.isalpha() and not c.isupper() and not c.islower() for c in text)
    return small > MOST_WORDS or len(worded) > 2 * MOST_WORDS or uncased > MOST_UNCASED or bool(_ENCODED.search(text))


def repeats_data(sentence: str, data: Sequence[str]) -> bool:
    """Whether `sentence`, or its part after a colon or in quotation marks, is prose that occurs verbatim in `data`
    (on one line, in lower case)."""
    if not data:
        return False
    parts = [sentence, *_BY_QUOTES.split(sentence)]
    texts = [one_line(part).casefold().strip(_AROUND) for part in parts if has_prose(part)]
    return any(part in one for part in texts for one in data)


@lru_cache(maxsize=LONG_TEXTS)
def _spans_of_long(text: str) -> tuple[tuple[int, int], ...]:
    """The cached spans of a long text, which a fold needs three times."""
    return _spans_merged(text)


def _spans_merged(text: str) -> tuple[tuple[int, int], ...]:
    return tuple(_merged(sorted(_spans(text))))


def _spans(text: str) -> Iterator[tuple[int, int]]:
    for block in (_COMMENT, _OWN_HEAD):
        yield from (found.span() for found in block.finditer(text))
    yield from _tagged(text)
    yield from _fenced(text)
    yield from _labelled(text)
    yield from pasted_spans(text)
    for mark in ('"""', "'''"):
        if (start := text.find(mark)) >= 0:
            last = text.rfind(mark)
            yield start, last + len(mark) if last > start else len(text)


def _tagged(text: str) -> Iterator[tuple[int, int]]:
    """From a tag that marks a document to the last one that closes it."""
    if "</" not in text:
        return
    lowered, ends, covered = text.lower(), dict[str, int](), 0
    for tag in _OPENING.finditer(text):
        name = f"</{tag.group(1).lower()}"
        if name not in ends:
            last = lowered.rfind(name)
            ends[name] = lowered.find(">", last) + 1 if last >= 0 else 0
        if tag.start() >= covered and ends[name] > tag.end():
            covered = ends[name]
            yield tag.start(), covered


def _fenced(text: str) -> Iterator[tuple[int, int]]:
    """Fenced code (to the end if it is not closed), lines with `>`, and text between horizontal rules that the line
    before announces."""
    at, opened, sentence, covered = 0, -1, "", 0
    for line in text.splitlines(keepends=True):
        start = line.strip()
        if start.startswith(_FENCE):
            if opened >= 0:
                yield opened, at + len(line)
            opened = -1 if opened >= 0 else at
        elif start.startswith(">"):
            yield at, at + len(line)
        elif at >= covered and sentence.endswith((":", ".")) and _RULE.fullmatch(start) and _ANNOUNCES.search(sentence):
            covered = text.rfind(f"\n{start}") + 1 + len(start)
            if covered > at + len(line):
                yield at, covered
        sentence = start or sentence
        at += len(line)
    if opened >= 0:
        yield opened, len(text)


def _labelled(text: str) -> Iterator[tuple[int, int]]:
    """The text after "Context:" in a message that also names its question."""
    asked = [found.start() for found in _ASKED.finditer(text)]
    if not asked:
        return
    for label in _LABEL.finditer(text):
        # A question that was asked before it is answered from it: a later one may be its own.
        ends = asked[-1] > label.end() and asked[0] > label.start()
        yield label.start(), asked[-1] if ends else len(text)


def _merged(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    at: tuple[int, int] | None = None
    for start, end in spans:
        if at is None:
            at = start, end
        elif start <= at[1]:
            at = at[0], max(at[1], end)
        else:
            yield at
            at = start, end
    if at is not None:
        yield at
