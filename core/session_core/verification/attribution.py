"""Checks whether a summary attributes one person's wish to another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from session_core.language.quoting import split_quoted
from session_core.language.words import sentences, strike_sentences, words
from session_core.plan import GiveWay, never_pause
from session_core.turns import Message, Role
from session_core.verification.claims import distinctive_stems, stem, stems

SHORT_WORDS = 6
"""A message of so few words soon after a wish may take it up: "me too", "fine by me", "yes, let's"."""
OWN_WORDS = 2
"""So many of them, at most, say something by themselves."""
SOON = 6
"""How many messages later that may be."""

USER, ASSISTANT = "user", "assistant"
_ROLES = dict.fromkeys(("user", "users", "client", "customer", "nutzer", "usuario", "utilisateur", "utente"), USER)
_ROLES |= {"assistant": ASSISTANT, "agent": ASSISTANT}
_WISHING = frozenset(
    (
        "want wants wanted prefer prefers preferred like likes liked love loves need needs needed wish wishes "
        "hope hopes hate hates suggest suggests suggested propose proposes proposed recommend recommends "
        "recommended choose chooses chose chosen pick picks picked decide decides decided vote votes voted favor "
        "favors favour favours insist insists insisted ask asks asked request requests requested opt opts opted "
        "plan plans planned would möchte will wünscht bevorzugt entschied veut préfère propose souhaite demande "
        "quiere prefiere propone desea pide vuole preferisce desidera chiede quer prefere propõe deseja pede"
    ).split()
)
_NEGATING = re.compile(r"\b(?:no|not|never|nein|nicht|non|ne|pas|não)\b|n['’]t\b", re.IGNORECASE)
_LED = re.compile(r"([^\n:→]{1,80}?): ")


@dataclass(frozen=True, slots=True)
class _Saying:
    """A sentence as stems, with its time, its speakers, and other people that it names."""

    at: int
    who: frozenset[str]
    stems: frozenset[str]


def without_swaps(
    summary: str, messages: Sequence[Message], previous: str, *, give_way: GiveWay = never_pause
) -> tuple[str, int]:
    """`summary` without sentences that attribute to one person a wish that only another one stated, and their number.

    A wish belongs to whoever stated it, to the people that others stated it about, and to those who accepted it soon
    after in a few words. Sentences that match no single statement are kept, as paraphrases. Gives way after each
    message.
    """
    people = _people(messages)
    said = list(_all_sayings(messages, previous, people, give_way))
    brief = {(at, name) for at, message in enumerate(messages) if _brief(message) for name in _speaker(message)}
    return strike_sentences(summary, lambda sentence: _is_swapped(sentence, people, said, brief))


def _people(messages: Sequence[Message]) -> Mapping[str, str]:
    """The people that a word at the beginning of a sentence may name: a role, or an author by a part of the name."""
    authors = {message.author for message in messages if message.role is Role.USER and message.author}
    named: dict[str, set[str]] = {}
    for author in authors:
        for part in (author.casefold(), *words(author)):
            named.setdefault(part, set()).add(author)
    return _ROLES | {part: min(those) for part, those in named.items() if len(those) == 1}


def _speaker(message: Message) -> frozenset[str]:
    if message.role is Role.USER:
        return frozenset((USER, message.author)) if message.author else frozenset((USER,))
    return frozenset((ASSISTANT,)) if message.role is Role.ASSISTANT else frozenset()


def _all_sayings(
    messages: Sequence[Message], previous: str, people: Mapping[str, str], give_way: GiveWay
) -> Iterator[_Saying]:
    for line in previous.splitlines():
        led = _LED.match(line)
        name = people.get(led.group(1).casefold()) if led else None
        for sentence in sentences(line):
            yield _Saying(
                -SOON, frozenset((name,)) if name else _people_named(sentence, people), frozenset(stems(sentence))
            )
    for at, message in enumerate(messages):
        whose = _speaker(message)
        parts = split_quoted(message.content) if message.role is Role.USER else [(message.content, False)]
        for part, _ in parts if whose else ():
            for sentence in sentences(part):
                yield _Saying(at, whose | _people_named(sentence, people), frozenset(stems(sentence)))
        give_way()


def _people_named(sentence: str, people: Mapping[str, str]) -> frozenset[str]:
    return frozenset(people[word] for word in map(_without_possessive, words(sentence)) if word in people)


def _brief(message: Message) -> bool:
    if not 0 < len(message.content.split()) <= SHORT_WORDS or _NEGATING.search(message.content):
        return False
    return _WISHING.isdisjoint(words(message.content)) and len(distinctive_stems(message.content)) <= OWN_WORDS


def _is_swapped(sentence: str, people: Mapping[str, str], said: Sequence[_Saying], brief: set[tuple[int, str]]) -> bool:
    texts = [_without_possessive(word) for word in words(sentence)]
    who = next((people[word] for word in texts[:2] if word in people), None)
    if who is None or _WISHING.isdisjoint(texts):
        return False
    wish = frozenset(distinctive_stems(sentence)) - {stem(word) for word in texts if word in people or word in _WISHING}
    if not wish:
        return False
    uttered = [one for one in said if wish <= one.stems]
    if not uttered or any(who in one.who for one in uttered):
        return False
    return not any((later, who) in brief for one in uttered for later in range(one.at + 1, one.at + 1 + SOON))


def _without_possessive(word: str) -> str:
    return re.sub("['’]s$", "", word)
