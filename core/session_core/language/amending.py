"""Finds the new value of a correction without a typed value ("no, I meant Bergen"), and renders old and new."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from session_core.language.words import MONTHS, STOP_WORDS, content_words, one_line, shorten, words

ROOM = 95
"""Characters of a statement, and of each of its last two corrections, when they stand together: all of it is one
passage, and one line of a summary."""

NEAR = 4
NAMES_NEAR = 24
SHARED_NEAR = 8
"""A correction that shares nothing with what it corrects looks back over so many messages; one with a name, or another
word of a group, further; one that shares a word of several as far as the third."""

_LATER = " (later: “"
_BETWEEN = "”; “"
_END = "”)"
ENDS = ".!?。！？ "
"""What ends a statement, and is left out before what was said later."""
_BACK = re.compile(
    r"(?:\bnot|\binstead of|\brather than|\bfrom|\bi said|\bno longer|\bnicht|\bstatt|\bau lieu de|\bpas|"
    r"\ben (?:vez|lugar) de|\binvece di|\bem vez de)\s+"
    r"(?P<old>(?:[^,.;:!?]|[.:](?=\w)){1,60}?)(?=[,.;:!?](?!\w)|\s(?:to|but|sondern|mais|sino|ma|mas|auf)\s|$)",
    re.IGNORECASE,
)
_MARKS = frozenset(
    "actually no nope nah sorry wait oops not meant mean said say change changed switch make set update move correct "
    "correction instead rather scratch thought thoughts second mind please better should typo mistake wrong let's lets "
    "let go it's that's longer can't don't want like need hmm ok okay yes would really also one ones thing other try "
    "again check thanks thank you all good fine great right know yet get find looking look preferably maybe perhaps "
    "nein doch lieber meinte statt eigentlich fait plutôt finalement voulais dire realidad mejor perdón quise decir "
    "anzi invece meglio verdade aliás melhor não nee mach macht draus nimm mets ponlo ponla dia día giorno hayır "
    "toch liever bedoelde нет лучше точнее вернее вместо".split()
)
_ALTERNATIVES = (
    "north south east west centre center central northern southern eastern western downtown",
    "red blue green yellow black white grey gray brown orange purple pink navy olive beige silver gold violet",
    "small medium large big tiny huge xs xl xxl little",
    "cheap moderate moderately expensive budget luxury affordable inexpensive pricey",
    "morning noon afternoon evening night midnight midday lunchtime",
    "spring summer autumn winter",
    "aisle window middle",
    "train bus taxi car plane flight ferry bike tram coach",
    "daily weekly monthly yearly quarterly hourly",
    "today tomorrow tonight yesterday",
    "single double twin triple suite",
    "one two three four five six seven eight nine ten eleven twelve",
    "first second third fourth fifth last",
    "business economy premium",
    "cash card credit debit invoice",
    "monday tuesday wednesday thursday friday saturday sunday",
    "left right", "hot cold warm", "male female", "indoor indoors outdoor outdoors", "with without",
    "smoking non-smoking",
    "vegetarian vegan", "red rosé", "draft final", "public private", "email phone post text",
    "english german french spanish italian portuguese dutch chinese japanese korean russian indian thai turkish greek",
)  # fmt: skip
_GROUP = {word: number for number, group in enumerate(_ALTERNATIVES) for word in group.split()}
_COUNTED = frozenset(map(_GROUP.__getitem__, ("one", "first", "today", "monday", "with", "train")))
"""Groups whose words are days or numbers, stand for anything, or are wanted one beside the other."""
_AFTER_HYPHEN = re.compile(r"(?<=[^\W\d_]-)[^\W\d_]+")
"""Parts of compounds: "seventy-five" is not five."""
_NUMBERS = _GROUP["one"]
_COUNTS = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve) ([^\W\d_]{3,})", re.IGNORECASE
)
ROOT = 4
"""How many first letters the forms of a noun share."""
_NAME = re.compile(r"(?<![.!?:] )(?<!^)(?<!^[\"'“(])\b[^\W\d_a-z][^\W\d_]+")
_UNCASED = re.compile("[\u0600-\u06ff\u0900-\u097f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""A script that knows no capitals."""
_GRAMMAR = re.compile(
    "[\u3040-\u309f]{2}|[我你他她它您]们?|们[\u4e00-\u9fff]|这个?|那个?|一[个下些]|什么|可以|就是|没有|不是|现在|还是|"
    "已经|因为|所以|但是|如果|请问|[\u4e00-\u9fff][的了吗吧呢啊]|저는|저희|우리|그|이|이것|그것|있어요|합니다|입니다|"
    "он|она|они|мы|вы|что|это|как|на|по|для|из|за|от|мне|нам|меня|нас|у|в|не|и|с|а|но|бы|же|"
    "het|een|ik|je|niet|dat|we|wij|"
    # A no, and what makes a number a day or an hour.
    r"го|不对|抱歉|[日号]で?|아니\S*|죄송\S*|\d+[일시]\S*"
)
"""Words of other languages, and pairs of characters, that say nothing of what a text is about."""
_REQUEST = re.compile(
    r"[?？]\W*$|^\W*(?:(?:please|now|and|can you|could you|would you)[, ]+)*"
    r"(?:tell|show|give|explain|describe|write|list|summari[sz]e|translate|help)\b",
    re.IGNORECASE,
)
"""What asks for an answer states nothing that could be corrected."""
_INQUIRES = re.compile(
    r"^\W*(?:(?:ok(?:ay)?|and|so|hm+|oh|or)[,. ]+)*"
    r"(?!(?:can|could|would|will) (?:you|we) (?:please )?(?:make|change|switch|move|set|put|push|update|correct)\b)"
    r"(?:is|are|was|were|do|does|did|can|could|would|will|any) "
    r"(?:it|there|they|this|that|the|you|we|i|chance|way)\b",
    re.IGNORECASE,
)
"""Who asks whether something else can be had has not said yet what no longer holds."""
_SHORT_WORDS = 6
_SURELY_WORDS = 3
_JOINING = frozenset("and or to und oder bis et ou y o e a".split())
"""Words that join two values into one: "from red and blue" to "green and white"."""
BESIDE_NAME = 3
"""A correction that says more than so many words besides a name speaks for itself."""
OTHER_WORDS = 3
"""So many words, at most, differ where a statement says another one again."""
_FEW_WORDS = 4
"""A correction that says more than so many words speaks for itself, if it shares nothing with what was said before."""


def append_correction(text: str, correction: str, *, line_characters: int = 0) -> str:
    """`text` and, after it on the same line, its correction. `text` is shortened to `line_characters`, but to no less
    than `ROOM` characters."""
    first, laters = parts_told(text)
    sentence = shorten(one_line(correction), ROOM)
    laters = laters if sentence in laters else [*laters[-1:], sentence]
    room = line_characters - sum(map(len, (_LATER, _END, _BETWEEN, *laters)))
    return f"{shorten(first.rstrip(ENDS), max(ROOM, room))}{_LATER}{_BETWEEN.join(laters)}{_END}"


def parts_told(text: str) -> tuple[str, list[str]]:
    """The statement and the correction in a text from `append_correction`; any other text as it is."""
    if not text.endswith(_END):
        return text, []
    first, mark, rest = text.partition(_LATER)
    return (first, rest.removesuffix(_END).split(_BETWEEN)) if mark and rest.endswith(_END) else (text, [])


@lru_cache(maxsize=2_048)
def retracted_words(correction: str) -> frozenset[str]:
    """The words that `correction` says no longer hold ("Bergen, not Oslo")."""
    gone = _BACK.finditer(correction)
    return frozenset(word for found in gone for word in content_words(found.group("old"))) - _MARKS


@lru_cache(maxsize=2_048)
def subject_words(text: str) -> frozenset[str]:
    """The words of `text` about its subject, without those that only mark a correction."""
    words = frozenset(content_words(text)) - _MARKS
    return words if text.isascii() else frozenset(word for word in words if not _GRAMMAR.fullmatch(word))


@lru_cache(maxsize=2_048)
def names(text: str) -> frozenset[str]:
    """The words of `text` with an unexpected capital; of a few words, each capitalized one."""
    found = {word.casefold() for word in _NAME.findall(text) if not word[0].islower() and not _UNCASED.match(word)}
    if len(text.split()) <= _SHORT_WORDS:
        short = re.findall(r"\b[^\W\d_a-z][^\W\d_]+", text)
        found |= {word.casefold() for word in short if not word[0].islower() and not _UNCASED.match(word)}
    return frozenset(found) - _MARKS - STOP_WORDS - MONTHS.keys() - _GROUP.keys()


@lru_cache(maxsize=2_048)
def alternatives(text: str) -> dict[int, frozenset[str]]:
    """The words of `text` from groups of which only one can hold (colours, sizes, directions), by group."""
    found: dict[int, frozenset[str]] = {}
    compound = frozenset(_AFTER_HYPHEN.findall(text.lower())) if "-" in text else ()
    for word in words(text):
        if (group := _GROUP.get(word)) is not None and word not in compound:
            found[group] = found.get(group, frozenset()) | {word}
    return found


def one_of_each(text: str) -> dict[int, frozenset[str]]:
    """As `alternatives`, without days, numbers, means of transport, and words that occur in any sentence."""
    return {group: words for group, words in alternatives(text).items() if group not in _COUNTED}


def retracted_statements(
    correction: str, earlier: Iterable[tuple[int, int, str]], *, plain: bool
) -> tuple[list[int], frozenset[str]]:
    """The places of the statements that `correction` takes back, and the words of theirs that no longer hold, if known.

    `earlier` are statements of one voice, newest first: place, how many messages back, text. First those with the
    words that the correction names as wrong; then the one that has most words in common with it, if they are many; the
    newest with another word of a group; the newest that is about the same; the newest with another name; at last, of a
    `plain` correction, what was said right before.
    """
    known = list(earlier)
    own, wrong = subject_words(correction), retracted_words(correction)
    if not own:
        return [], frozenset()
    if wrong and (gone := [place for place, _, text in known if wrong <= set(words(text))]):
        return gone, wrong
    elsewhere = not wrong.isdisjoint(names(correction))
    if surely := [one for one in known if _surely_of_one_thing(own, subject_words(one[2]))]:
        place, _, text = max(surely, key=lambda one: len(own & subject_words(one[2])))
        return [place], _replaced(correction, text)
    for place, back, text in known:
        if back <= NAMES_NEAR and (old := _replaced(correction, text)):
            return [place], old
    about = [place for place, back, text in known if _of_one_thing(own, subject_words(text), back)]
    if about:
        return about[:1], frozenset()
    if elsewhere:
        # "Not Oslo": the statement with Oslo is not among these, and nothing else is meant.
        return [], frozenset()
    if (said := names(correction)) and len(own - said) <= BESIDE_NAME:
        for place, back, text in known:
            if back <= NAMES_NEAR and (old := names(text) - said):
                return [place], old
    plain = plain and len(own) <= _FEW_WORDS and not _INQUIRES.search(correction)
    if plain and (named := [place for place, _, text in known if not own.isdisjoint(words(text))]):
        # "The desk isn't needed any more": further back than one word usually reaches, but nothing nearer has it.
        return named[:1], frozenset()
    of_group = one_of_each(correction).keys()
    nearest = [
        (place, back)
        for place, back, text in known
        if plain and back <= NEAR and not _REQUEST.search(text) and of_group <= one_of_each(text).keys()
    ]
    return [place for place, back in nearest if back == nearest[0][1]][:3], frozenset()


def _of_one_thing(own: frozenset[str], other: frozenset[str], back: int) -> bool:
    """Whether a correction with the words `own` and a statement with the words `other` have the same subject; a single
    common word is enough only at a short distance."""
    shared = len(own & other)
    return back <= NAMES_NEAR and (shared > 1 or (shared == 1 and (back <= SHARED_NEAR or len(own) <= 2)))


def _surely_of_one_thing(own: frozenset[str], other: frozenset[str]) -> bool:
    """Whether the words of a correction identify the statement at any distance."""
    shared = len(own & other)
    return shared >= _SURELY_WORDS and 2 * shared >= min(len(own), len(other)) and bool(own - other)


def _replaced(correction: str, text: str) -> frozenset[str]:
    """The words of `text` that are replaced by words of the same group in `correction`."""
    new, old = alternatives(correction), alternatives(text)
    groups = new.keys() & old.keys()
    if _NUMBERS in groups and not _counts_the_same(correction, text):
        groups = groups - {_NUMBERS}
    return frozenset(word for group in groups for word in old[group] - new[group])


def _counts_the_same(correction: str, text: str) -> bool:
    """Whether `text` speaks of what `correction` counts in words, if it says what that is: "five years" leaves "ten
    left" as it is."""
    counted = {noun.casefold()[:ROOT] for noun in _COUNTS.findall(correction)}
    counted -= {word[:ROOT] for word in STOP_WORDS | _MARKS}
    return not counted or not counted.isdisjoint({word[:ROOT] for word in words(text)})


@lru_cache(maxsize=2_048)
def restates(old: str, new: str) -> bool:
    """Whether `new` repeats `old` with one or two other words in one place. With differences in two places ("the hall
    is red", "the roof is blue") it is about something else."""
    before, after = words(old), words(new)
    if before == after or abs(len(before) - len(after)) > 2:
        return False
    frame, *gaps = split_common_ends(before, after)
    if not all(0 < len(gap) <= OTHER_WORDS for gap in gaps) or any(
        c.isdigit() for gap in gaps for word in gap for c in word
    ):
        return False
    if set(gaps[0]) & set(gaps[1]) - _JOINING:
        return False
    same = len(frame)
    return same >= 4 and same >= 2 * max(map(len, gaps)) and len(content_words(" ".join(frame))) >= 2


def split_common_ends(
    before: Sequence[str], after: Sequence[str]
) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
    """The words that both share at the beginning and at the end, and the different words of each in between."""
    shorter = min(len(before), len(after))
    start = next((i for i in range(shorter) if before[i] != after[i]), shorter)
    end = next((i for i in range(shorter - start) if before[-1 - i] != after[-1 - i]), shorter - start)
    frame = [*before[:start], *before[len(before) - end :]]
    return frame, before[start : len(before) - end], after[start : len(after) - end]
