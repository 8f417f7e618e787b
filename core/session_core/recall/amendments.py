"""Adds corrections to old statements, so that nothing outdated is shown as if it still held."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from session_core.classify import is_filler
from session_core.facts import own_words
from session_core.language.amending import ENDS, append_correction, parts_told
from session_core.language.changes import may_report_change
from session_core.language.cues import is_revision, kinds
from session_core.language.leaning import joined
from session_core.language.quoting import split_quoted
from session_core.language.slots import same_slot, slot
from session_core.language.statements import Frames, frame
from session_core.language.supersede import ASSISTANT, RESTATED, Facts, spoken_by_user
from session_core.language.words import ELLIPSIS, sentences
from session_core.passages.reading import PASSAGE_CHARACTERS
from session_core.plan import Fact, FactKind, GiveWay, never_pause
from session_core.turns import Message, Role

BRIEF_CHARACTERS = 600
"""What sounds like a correction in a longer message is part of a story or of pasted text."""

STATED_MESSAGES = 2_048
"""Capacity of the cache of statements, since views of a session read much the same messages."""


def with_corrections(
    messages: Sequence[Message],
    later: Sequence[Fact],
    *,
    line_characters: int = PASSAGE_CHARACTERS,
    give_way: GiveWay = never_pause,
) -> list[Message]:
    """`messages` of a record, with the correction added to each sentence that another of them, or one of the facts
    `later`, corrects: "We fly on 3 May (later: “No, 4 May.”)".

    Tool results are not changed. A sentence that is longer than `line_characters` with its corrections is cut.
    Yields to other threads after each statement.
    """
    said = [m for m in messages if m.role in (Role.USER, Role.ASSISTANT) and m.origin == "record"]
    own: list[Fact] = []
    for message in said:
        if message.role is Role.USER:
            own += statements(message)
            give_way()
    told = {message.seq for message in said if not is_brief(message)}
    if not _may_supersede([*own, *later], told):
        return list(messages)
    stated: list[Fact] = []
    for message in said:
        stated += statements(message)
        give_way()
    if not stated:
        return list(messages)
    keys = {key for fact in stated if fact.kind in RESTATED for key in frame(fact.text)}
    slots = {fact.slot for fact in stated if fact.slot is not None}
    first = min(fact.seq for fact in stated)
    pairs = _corrections_by_message(
        stated, told, [fact for fact in later if fact.seq >= first and _may_amend(fact, keys, slots)], give_way
    )
    return [
        _rewrite(m, pairs[m.seq], line_characters) if m.seq in pairs and m.role is not Role.TOOL else m
        for m in messages
    ]


def statements(message: Message) -> Sequence[Fact]:
    """Each of a message's own sentences as a fact, so that the rules of superseding apply."""
    by_user = message.role is Role.USER
    return _statements_in(own_words(message), by_user, message.seq, message.author if by_user else ASSISTANT)


@lru_cache(maxsize=STATED_MESSAGES)
def _statements_in(text: str, by_user: bool, seq: int, author: str | None) -> tuple[Fact, ...]:
    parts = split_quoted(text) if by_user else ((text, False),)
    said = [sentences(part) for part, quoted in parts if not quoted]
    told = [joined(one, PASSAGE_CHARACTERS) if by_user else one for one in said]
    own = [sentence for part in told for sentence in part if not is_filler(sentence)]
    return tuple(
        Fact(next(iter(kinds(one)), FactKind.IDENTIFIER), one, seq=seq, author=author, slot=slot(one)) for one in own
    )


def _may_supersede(said: Sequence[Fact], told: Collection[int]) -> bool:
    """Whether any statement of a user may supersede another: usually none does, and then the assistant's statements
    need not be read. Statements of the messages `told` supersede nothing."""
    framed = Frames()
    seen: set[tuple[int, str, str | None]] = set()
    for fact in sorted(said, key=lambda fact: fact.seq):
        known = (fact.seq, fact.text, fact.author)
        if known in seen or not spoken_by_user(fact):
            continue
        seen.add(known)
        if fact.seq not in told and (fact.slot is not None or _replaces_earlier(fact.text) or framed.alike(fact.text)):
            return True
        if fact.kind in RESTATED:
            framed.add(fact.text, len(seen))
    return False


def _replaces_earlier(text: str) -> bool:
    """Whether `text` retracts something, reports a change, or contains a later correction."""
    return is_revision(text) or may_report_change(text) or bool(parts_told(text)[1])


def could_amend(fact: Fact) -> bool:
    """Whether `fact` can supersede any statement."""
    if not spoken_by_user(fact):
        return False
    return fact.slot is not None or fact.kind in RESTATED or _replaces_earlier(fact.text)


def _may_amend(fact: Fact, keys: Collection[Hashable], slots: Collection[str]) -> bool:
    """Whether `fact` can supersede statements with the frames `keys` or the `slots`."""
    if not could_amend(fact):
        return False
    if fact.slot is not None and any(same_slot(fact.slot, known) for known in slots):
        return True
    if _replaces_earlier(fact.text):
        return True
    return fact.kind in RESTATED and any(key in keys for key in frame(fact.text))


def is_brief(message: Message) -> bool:
    """Whether a message is short enough that an apparent correction in it is one."""
    return len(message.content) <= BRIEF_CHARACTERS


def _corrections_by_message(
    stated: Sequence[Fact], told: Collection[int], later: Sequence[Fact], give_way: GiveWay
) -> dict[int, dict[str, list[str]]]:
    """For each message, its superseded sentences and their corrections, except for corrections by messages `told`."""
    found: dict[int, dict[str, list[str]]] = {}
    known = [parts_told(fact.text) for fact in later]
    corrected: dict[str, list[str]] = {}
    for first, since in known:
        if since:
            corrected.setdefault(first, []).extend(since)
    cut = [first for first in corrected if first.endswith(ELLIPSIS)]
    for fact in stated if corrected else ():
        for first in (fact.text.rstrip(ENDS), *[first for first in cut if _is_first(fact.text, first)]):
            if corrections := corrected.get(first):
                found.setdefault(fact.seq, {}).setdefault(fact.text, []).extend(corrections)
    facts, own = Facts(()), {(fact.seq, fact.text) for fact in stated}
    bare = [one for fact, told in zip(later, known, strict=True) for one in _corrections_in(fact, *told)]
    for fact in sorted((*stated, *bare), key=lambda fact: fact.seq):
        facts.put(fact)
        give_way()
    for seq, text, by in facts.gone:
        if (
            (seq, text) in own
            and spoken_by_user(by)
            and by.seq not in told
            and not _is_first(text, by.text.rstrip(ENDS))
        ):
            found.setdefault(seq, {}).setdefault(text, []).append(by.text)
    return found


def _corrections_in(fact: Fact, first: str, since: Sequence[str]) -> Iterator[Fact]:
    """The corrections in one fact, each as it was said; what they correct is identified by its words."""
    if not since and fact.current:
        yield fact
    elif not since or is_revision(first):
        yield replace(fact, text=first, seq=fact.seq - len(since), superseded_by=None)
    for back, text in enumerate(reversed(since)):
        yield replace(fact, text=text, seq=fact.seq - back, superseded_by=None)


def _is_first(text: str, first: str) -> bool:
    """Whether `first`, the corrected sentence in a fact, is the sentence `text`."""
    return text.startswith(first[:-1]) if first.endswith(ELLIPSIS) else text.rstrip(ENDS) == first


def _rewrite(message: Message, since: dict[str, list[str]], line_characters: int) -> Message:
    content = message.content
    for text, corrections in since.items():
        sentence = text
        for correction in dict.fromkeys(corrections):
            sentence = append_correction(sentence, correction, line_characters=line_characters)
        content = content.replace(text, sentence, 1)
    return replace(message, content=content) if content != message.content else message
