"""Splits text of any language into sentences and words, and shortens it visibly."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from string import ascii_lowercase

SENTENCE_CHARACTERS = 1_000
"""A sentence without any end in so many characters is parted there, at white space where there is some."""

ELLIPSIS = "…"

QUESTION_MARKS = ("?", "？", "؟")
STOP_WORDS = frozenset(
    (
        "a about after again all also am an and any are as at be because been before being but by can could did do "
        "does for from had has have he her here him his how i if in into is it its just like me more most my no not of "
        "off on or our out over own she so some such than that the their them then there these they this to too up us "
        "very was we were what when where which who why will with would you your der die das den dem ein eine einen "
        "und oder ist sind war ich du er sie es wir ihr nicht mit von zu im in auf für als auch an bei le la les un "
        "une des et ou est sont je tu il elle nous vous ne pas avec de du en au aux pour que qui ce el los las una "
        "unos y o es son yo tú él ella no con del al por para que se lo su il lo gli uno e è sono io noi non di da per "
        "che si os as um uma e é são eu nós não do da no na em para por com que se"
    ).split()
)

_SAYING_NOTHING = STOP_WORDS | frozenset(ascii_lowercase)

ASKING_WORDS = frozenset(
    (
        "need needs needed want wants wanted like liked look looking find finding help get getting give tell know let "
        "see show think sure yes yeah yep ok okay please thanks thank sounds sound good great fine perfect nice "
        "anything something nothing everything thing things ones information info detail details go going take try "
        "sorry right correct else another able possible maybe"
    ).split()
)
"""Words of asking and of agreeing, which by themselves say nothing of what is asked for or agreed to."""

TELEGRAM_WORDS = frozenset(
    (
        "a an the i i'm i’m i'd i’d i've i’ve i'll i’ll 'm ’m 'd ’d 've ’ve 'll ’ll 's ’s you you're you’re you'd "
        "you’d you'll you’ll we we're we’re we'd we’d we'll we’ll me us it it's it’s there there's there’s that "
        "that's that’s is are am be been being do does did would could can shall please thanks thank just really "
        "very quite also so oh ok okay um uh hmm mm hello hi hey yeah"
    ).split()
)
"""English words without which a sentence is still understood: no negation, no preposition, no tense that counts."""

MONTHS: dict[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar jänner janvier enero ene gennaio gen janeiro januari января stycznia ocak",
            "february feb februar février fevrier febrero febbraio fevereiro fev februari февраля lutego şubat",
            "march mar märz maerz mars marzo março marco maart марта marca mart",
            "april apr avril abril abr aprile апреля kwietnia nisan",
            "may mai mayo maggio maio mei мая maja mayıs",
            "june jun juni juin junio giugno junho июня czerwca haziran",
            "july jul juli juillet julio luglio julho июля lipca temmuz",
            "august aug août aout agosto ago augustus августа sierpnia ağustos",
            "september sep sept septembre septiembre settembre setembro сентября września eylül",
            "october oct oktober okt octobre octubre ottobre outubro октября października ekim",
            "november nov novembre noviembre novembro ноября listopada kasım",
            "december dec dezember dez décembre decembre diciembre dicembre dezembro декабря grudnia aralık",
        ),
        start=1,
    )
    for name in names.split()
}
"""Names of months in English, German, French, Spanish, Italian, Portuguese, Dutch, Russian, Polish and Turkish."""

_ABBREVIATIONS = frozenset(
    (
        "mr mrs ms dr prof sr sra st vs etc approx dept est fig inc ltd co no nr vol e.g i.e u.s u.k a.m p.m cf al bzw "
        "ca d.h z.b usw evtl str hr fr bd p.ex pág núm art av"
    ).split()
)
_END = re.compile(r"[.!?…؟][.!?…؟]*[\"'”’»)\]*_]*(?=\s(?!\(later: “)|$)|[。！？।][。！？।]*[」』”’）]*")
_END_IN_ASCII = re.compile(r"[.!?][.!?]*[\"')\]*_]*(?=\s|$)")
"""The same in a line of ASCII alone, in a fifth of the time. A pattern that begins with a set of signs is tried only
where one of them stands, which one that begins with several of them is not."""
_BULLET = re.compile(r"(?:[-*•+>]+\s+|#{1,6}\s+|\d{1,3}[.)]\s+)+")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_APART = bytes(ord(chr(code).lower()) if chr(code).isalnum() else ord(" ") for code in range(128)).ljust(256)
"""Each sign of ASCII in lower case, or a blank where it parts words, if none has an apostrophe. To part them so takes a
sixth of the pattern's time."""
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0e7f]+")


SENTENCES = 4_096
"""How many sentences a rule remembers what it said of: they are read when they are appended, folded and summed up."""
READ_AGAIN_CHARACTERS = 1_000
"""Longer texts are not remembered."""
LONG_TEXTS, LONG_CHARACTERS = 128, 24_000
"""But that the sentences of these were found, since a fold looks for them four times."""


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of `text`, word for word, in order; a line end always ends one.

    Marks of lists and headings at the start of a line are left out. Full stops of abbreviations,
    initials, decimals and German dates end nothing.
    """
    if len(text) <= READ_AGAIN_CHARACTERS:
        return _sentences_before(text)
    return _sentences_of_long(text) if len(text) <= LONG_CHARACTERS else tuple(_sentences(text))


@lru_cache(maxsize=SENTENCES)
def _sentences_before(text: str) -> tuple[str, ...]:
    return tuple(_sentences(text))


@lru_cache(maxsize=LONG_TEXTS)
def _sentences_of_long(text: str) -> tuple[str, ...]:
    return tuple(_sentences(text))


def _sentences(text: str) -> list[str]:
    found: list[str] = []
    for line in text.splitlines():
        line = line.strip()
        mark = _BULLET.match(line)
        if mark:
            line = line[mark.end() :]
        if line:
            found.extend(_split(line))
    return found


def strike_sentences(text: str, wrong: Callable[[str], bool]) -> tuple[str, int]:
    """`text` less each sentence that is `wrong`, and the lines that nothing is left of; how many sentences went."""
    gone = 0
    lines: list[str] = []
    for line in text.splitlines():
        kept = line
        for sentence in filter(wrong, sentences(line)):
            kept = kept.replace(sentence, "", 1)
            gone += 1
        if any(map(str.isalnum, kept)) or not line.strip():
            lines.append(kept.strip() if kept is not line else line)
    return "\n".join(lines).strip(), gone


def words(text: str) -> list[str]:
    """The words of `text` in lower case; a script without spaces gives its pairs of characters."""
    if text.isascii():
        return _WORD.findall(text.lower()) if "'" in text else runs(text)
    found: list[str] = []
    for word in _WORD.findall(text.casefold()):
        if word.isascii() or not _UNSPACED.search(word):
            found.append(word)
            continue
        for run in _UNSPACED.findall(word):
            found.extend([run[i : i + 2] for i in range(len(run) - 1)] or [run])
        found.extend(part for part in _UNSPACED.split(word) if part)
    return found


def runs(text: str) -> list[str]:
    """The letters and figures of `text`, which is plain ASCII, that stand together, in lower case."""
    return text.encode().translate(_APART).decode().split()


def content_words(text: str) -> list[str]:
    """The words of `text` that say something: without stop words and lone letters."""
    if text.isascii():
        return [word for word in words(text) if word not in _SAYING_NOTHING]
    return [word for word in words(text) if word not in STOP_WORDS and (len(word) > 1 or word.isdigit())]


def one_line(text: str) -> str:
    """`text` with each run of white space as one blank."""
    return " ".join(text.split())


def shorten(text: str, max_characters: int, around: int = 0) -> str:
    """`text` in at most `max_characters`, cut around position `around`; each cut shows as `…`.

    Cuts at blanks where one is near.
    """
    if len(text) <= max_characters:
        return text
    room = max(1, max_characters - 2)
    start = min(max(0, around - room // 3), len(text) - room)
    end = start + room
    if start > 0:
        blank = text.find(" ", start, min(start + room // 4, around if around > start else end))
        start = blank + 1 if blank >= 0 else start
    if end < len(text):
        blank = text.rfind(" ", end - room // 4, end)
        end = blank if blank > start else end
    head, tail = ELLIPSIS if start > 0 else "", ELLIPSIS if end < len(text) else ""
    return f"{head}{text[start:end].strip()}{tail}"


def _split(line: str) -> list[str]:
    parts: list[str] = []
    start = 0
    for match in (_END_IN_ASCII if line.isascii() else _END).finditer(line):
        stop, end = match.span()
        if line[stop] == "." and _goes_on(line, start, stop, end):
            continue
        parts.append(line[start:end].strip())
        start = end
    parts.append(line[start:].strip())
    if len(line) > SENTENCE_CHARACTERS:
        return [piece for part in parts for piece in _limited(part)]
    return [part for part in parts if part]


def _goes_on(line: str, start: int, stop: int, end: int) -> bool:
    """Whether a full stop from `stop` to `end` is part of an abbreviation, an initial or a date."""
    word = line[max(start, line.rfind(" ", start, stop) + 1) : stop]
    if len(word) > 1 and word.isalpha() and word.casefold() not in _ABBREVIATIONS:
        return False
    before = line[max(start, stop - 12) : stop].rsplit(maxsplit=1)
    last = before[-1].lstrip("(\"'“").casefold() if before else ""
    shortened = last in _ABBREVIATIONS or (len(last) == 1 and last.isalpha())
    if not shortened and not (len(last) <= 2 and last.isdigit()):
        return False
    following = line[end : end + 20].lstrip()
    if shortened:
        return bool(following)
    next_word = _WORD.match(following)
    return next_word is not None and next_word.group().casefold() in MONTHS


def _limited(part: str) -> list[str]:
    if len(part) <= SENTENCE_CHARACTERS:
        return [part] if part else []
    pieces: list[str] = []
    while len(part) > SENTENCE_CHARACTERS:
        cut = part.rfind(" ", SENTENCE_CHARACTERS // 2, SENTENCE_CHARACTERS)
        cut = cut if cut > 0 else SENTENCE_CHARACTERS
        pieces.append(part[:cut].strip())
        part = part[cut:].strip()
    return [*pieces, part] if part else pieces
