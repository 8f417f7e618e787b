"""Detects statements that something has changed: "I work at Bosch now", "the dose was raised to 40 mg".

A correction retracts what was wrong from the beginning; a change replaces what was once right. It has no "no, I
meant", and may come weeks later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from session_core.language.amending import OTHER_WORDS, ROOT, names, split_common_ends, subject_words
from session_core.language.new_values import (
    NEW_VALUE_WORDS,
    clauses,
    reports_new_value,
    text_after_change,
)
from session_core.language.question_types import days, times
from session_core.language.statements import families, figures, other_subjects, said_words, values_in
from session_core.language.values import ValueKind
from session_core.language.words import ELLIPSIS, STOP_WORDS, content_words, words

_VERBS = (
    "pushed moved postponed rescheduled bumped raised lowered increased decreased reduced cut extended shortened "
    "changed switched upgraded downgraded renamed doubled halved dropped rose fell delayed "
    "verschoben erhöht gesenkt geändert verlängert reduziert reporté augmenté réduit changé aplazado aumentado "
    "reducido cambiado subido bajado spostato aumentato ridotto cambiato adiado aumentou reduziu mudou "
    "verzet verplaatst verhoogd verlaagd gewijzigd veranderd"
).split()
_VERB_WORDS = frozenset(_VERBS)
_MOVED = re.compile(
    rf"\b(?:{'|'.join(_VERBS)})\b[^.;!?]{{0,60}}?\b(?:to|until|till|auf|à|au|a|al|para)\b|"
    r"\bauf\b[^;!?]{0,60}?\b(?:verschoben|erhöht|gesenkt|geändert|verlängert|reduziert)\b",
    re.IGNORECASE,
)
_SINCE = re.compile(
    r"\b(?:now(?!\s+(?:that|and then)\b)|nowadays|these days|by now|meanwhile|from now on|any ?more|any longer|"
    r"no longer|(?:since|as of|starting) (?:last |this |next |the )?\w+|"
    r"jetzt|inzwischen|mittlerweile|neuerdings|nicht mehr|ab sofort|seit \w+|"
    r"maintenant|désormais|dorénavant|depuis \w+|ahora|ya no|desde \w+|adesso|ormai|non più|agora|já não|"
    r"nu|tegenwoordig|inmiddels|niet meer|теперь|больше не|nie \w+ już|już nie|artık)\b,?|"
    r"现在|如今|今では|今は|지금은|이제는?",
    re.IGNORECASE,
)
_NEW = re.compile(
    r"\b(?:an?|my|our|her|his|their|meine?|eine?|une?|mon|ma|una?|mi|il mio|la mia|meu|minha|um) "
    r"(?:new|different|another|neuen?|neuer|neues|nouveau|nouvelle|nuevo|nueva|nuovo|nuova|novo|nova) "
    r"(?P<what>[^\W\d_]+)",
    re.IGNORECASE,
)
_NO_MORE = re.compile(
    r"\bno longer\b|\b(?:not|never|no|nicht|kein\w*|ne|non|não)\b.*\b(?:any ?more|any longer|mehr|plus|più|mais)\b|"
    r"\w+n['’]t\b.*\b(?:any ?more|any longer)\b|\bya no\b|"
    r"\bniet meer\b|\bgeen [^.;!?]* meer\b|\bбольше не\b|\bjuż nie\b|不再|もう[^。]*(?:ない|ません)|더 이상|"
    r"\b(?:stopped|quit|gave up|ended)\b",
    re.IGNORECASE,
)
_ALLOWS = re.compile(
    r"(?<!\bit )(?<!\bthat )(?<!\bthis )\b(?:is|are) (?:fine|ok(?:ay)?|allowed|safe|possible) now\b|"
    r"\b(?:(?:is|are|['’]s) (?:fine|ok(?:ay)?|allowed|safe|possible)|(?:can|may) (?:eat|have|drink|use|take|touch))\b"
    r"[^.;!?]{0,40}\b(?:again|after all)\b|"
    r"\b(?:doch|wieder) (?:\S+ )?(?:ok(?:ay)?|erlaubt|möglich|in ordnung|essen|trinken)\b|"
    r"\bpeu[tx] (?:de nouveau|à nouveau|finalement)\b|\bya pued[eo] (?:comer|beber|tomar)\b|"
    r"\b(?:può|posso) di nuovo\b|\bjá (?:pode|posso) (?:comer|beber|tomar)\b|\bmag (?:weer|toch)\b|снова можно|"
    r"\b(?:n['’]est plus|no es|non è più|não é)(?: un| um| mais)* probl[eè]m\w*",
    re.IGNORECASE,
)
"""What was restricted is allowed again: "dairy is fine again"."""
_NOT_SO = re.compile(
    r"\b(?:after all(?! (?:the|this|that|these|those|my|our|your|his|her|their|of)\b)|turns out|doch (?:nicht|kein\w*)|"
    r"finalement|al final|alla fine|afinal|toch (?:niet|geen)|всё-таки)\b",
    re.IGNORECASE,
)
"""With a denial: what was stated was not so: "it isn't gluten after all"."""
_UNIT = (
    r"(?:minut|hour|day|week|month|year|stunde|tag|woche|monat|heure|jour|semaine|mois|hora|d[ií]a|semana|"
    r"or[ae]\b|giorn|settiman|uur|dag|недел|день|дня|час)"
)
_SPAN = (
    r"(?:\d{1,3}|half an?|an?|one|two|three|four|a few|(?:a )?couple of|ein(?:en?|ige)?|ein paar|zwei|drei|vier|een|"
    rf"twee|drie) {_UNIT}"
)
_SHIFTS = re.compile(
    r"(?:\b(?:pushed|moved|postponed|delayed|bumped|shifted|slip(?:s|ped)|brought)|"
    r"(?:^\W*|['’]s |['’]ll |\b(?:please|will|must|to) )(?:push|move|postpone|delay|bump|shift|bring))\b"
    rf"[^.;!?]{{0,40}}?\b(?:by|back|forward|off) {_SPAN}|\b(?:postponed|delayed|pushed|bumped) {_SPAN}|"
    r"\b(?:is|are|be|moves?|starts?|begins?|ends?|comes?|leaves?|arrives?)\b[^.;!?]{0,20}? "
    rf"{_UNIT}\w* (?:later|earlier)\b|"
    rf"\b(?:um|met) {_SPAN}\w* (?:versch\w+|verlegt|vorverlegt|später|früher|nach|verzet|uitgesteld|vervroegd)|"
    r"\b(?:(?:décal|repouss|report|retard|avanc)\w* d(?:e |['’])|(?:aplaz|retras|adelant|pospon|pospues|adiad|adiou|"
    rf"slitt|rinvi|spost|versch[io]e?b|перен[её]с)\w*\b)[^.;!?]{{0,20}}?\b{_UNIT}|"
    rf"\b{_UNIT}\w* (?:später|früher|eerder|plus t(?:ard|ôt)|más tarde|più tardi|mais tarde|позже|раньше)\b",
    re.IGNORECASE,
)
"""That something takes place so much later or earlier: "the exam was pushed by a week"."""
_RESTRICTS = re.compile(
    r"all?[eé]rg|аллерг|intoler|n['’]t\b|\b(?:not?|never|cannot|cant|avoids?|without|nothing|free|kein\w*|nicht|ohne|"
    r"pas|sans|sin|non|senza|não|sem|niet|geen|zonder|except|не|нет|нельзя|без)\b",
    re.IGNORECASE,
)
_DENIED = frozenset(
    "stopped quit gave ended longer more anymore mehr plus più mais needed wanted required part".split()
)
_OWNERS = frozenset(
    "my our his her their your mein meine sein seine ihr ihre mon ma son sa mi su meu minha seu sua".split()
)
_OF_SPEAKER = frozenset("my our mein meine mon ma mi meu minha".split())
_ARTICLES = frozenset("the a an der die das le la les el los il lo o os as de het".split())
_ORDINALS = frozenset(
    "first second third fourth fifth sixth last next other erste zweite dritte premier deuxième".split()
)
_COUNT = re.compile(r"(\d[\d.,]*) ([^\W\d_]{3,})")
_GERMAN = re.compile(r"\b(?:der|die|das|ist|wurde|ich|wir|meine?|unsere?|keine?n?|nicht|und|für|darf)\b", re.IGNORECASE)
"""German capitalizes every noun."""
_ASKING = re.compile(r"[?？]\W*$")
_QUOTED = re.compile(r"[\"“„«][^\"“”«»]{1,60}[\"”“»]")
_I = r"\b(?:i|we)(?:['’](?:ve|m|re))?(?: \w+){0,2} "
_HOME = re.compile(
    _I + r"(?:live|living|based|moved|relocated|moving|relocating) (?:back |over |down |up )?"
    r"(?:in|at|to|into|near|outside)\b|\bmy (?:home )?address\b|"
    r"\bich (?:wohne|lebe)\b|\b(?:um)?gezogen\b|\bj['’]habite\b|\bje vis\b|\bdéménagé\b|"
    r"\bvivo en\b|\bme (?:he )?mud\w+|\babito\b|\bvivo a\b|\btrasferit\w\b|\bmoro em\b|\bmudei\b|"
    r"\bik woon\b|\bverhuisd\b|\bя (?:\w+ )?(?:живу|переехала?)\b|\bmieszkam w\b|"
    r"我们?(?:现在)?住在|我们?(?:已经|刚)?搬到|"
    r"に住んで|に引っ越し|에 살(?:아|고|ㅂ)|(?:으로|로) 이사",
    re.IGNORECASE,
)
_WORK = re.compile(
    _I + r"(?:(?:work|working|started|employed) (?:at|for|by)\b|joined (?-i:[A-Z]))|\bmy (?:employer|company) is\b|"
    r"\bich arbeite (?:bei|für)\b|\bje travaille (?:chez|pour)\b|\btrabajo (?:en|para)\b|"
    r"\blavoro (?:per|da|in)\b|\btrabalho (?:n[ao]|em|para)\b|\bik werk (?:bij|voor)\b|\bя (?:\w+ )?работаю (?:в|на)\b|"
    r"\bpracuję (?:w|dla)\b|我在\S{1,15}(?:工作|上班)|で働いて|에서 일(?:해|하|합)",
    re.IGNORECASE,
)
_STATES = {"<home>": _HOME, "<work>": _WORK}
"""Where somebody lives and whom somebody works for: attributes with one value at a time."""
_HEARD = _VERB_WORDS | frozenset(
    (
        "now nowadays days meanwhile any anymore longer since starting new different another quit stopped gave "
        "ended live living based moved relocated moving relocating address work working started employed joined "
        "employer company jetzt inzwischen mittlerweile neuerdings nicht kein keine keinen sofort seit neue neuen "
        "neuer neues wohne lebe gezogen umgezogen arbeite auf maintenant depuis nouveau nouvelle plus habite vis "
        "travaille ahora ya desde nuevo nueva vivo mudado trabajo adesso ormai nuovo nuova abito trasferito "
        "trasferita lavoro agora novo nova moro mudei trabalho nu tegenwoordig inmiddels niet geen woon verhuisd werk "
        "again after turns doch wieder weer toch mag peut peux finalement final fine puede puedo posso pode later "
        "earlier push postpone move delay bump shift shifted slips slipped bring brought um met retarde slitta aplaza "
        "retrasa rinviato rinviata adiada adiado uitgesteld"
    ).split()
)
"""A fast check: an ASCII text without one of these reports no change."""
_LONGEST_WORDS = 24
"""A longer statement is a story, in which much is new."""
_TO_OTHERS = frozenset("you your we'll i'll will let's let can could would".split())
"""Verbs of the conversation itself, which state nothing."""
_LEAST_LETTERS = 3
"""Minimum length of a word that alone shows that two statements are about the same."""


@dataclass(frozen=True, slots=True)
class Change:
    """The parsed form of a statement that may report a change."""

    text: str
    about: frozenset[str]
    ordinals: frozenset[str]
    moved: bool
    new: str
    denies: bool
    since: bool
    lifts: bool
    undoes: bool
    shifts: bool

    def ends(self, old: str) -> bool:
        """Whether what `old` states holds no more.

        That is so where both tell in which place somebody lives or works, and the places differ; where this one puts
        another value of a type, or another name, to what `old` speaks of; where it says `old` again with other words in
        one place, apart from "now" and the like; where it shifts its day or time; where it denies what `old` says,
        lifts its restriction, or says that it is not so after all.
        """
        if _ASKING.search(old) or len(said_words(old)) > _LONGEST_WORDS or said_words(old) == said_words(self.text):
            return False
        shared = self.about & subject_of(old)
        if not shared and not self.denies:
            return False
        if not _STATES.keys().isdisjoint(shared):
            return _other_name(old, self.text)
        if _ordinals(old) != self.ordinals or _others(old, self.text):
            return False
        if shared and (self.undoes or (self.lifts and _RESTRICTS.search(old))):
            return True
        if shared and self.shifts and ("when" in families(old) or days(old) or times(old)):
            return True
        if shared and self.moved:
            named = _other_name(old, self.text) and bool(names(f"to {_last(self.text)}"))
            return _other_value(old, self.text) or named
        if self.new and self.new in said_words(old):
            return _other_value(old, self.text) or _other_name(old, self.text)
        if self.denies:
            return _denied(old, self.text)
        if not shared or not self.since:
            return False
        return _other_count(old, self.text) or any(_said_again(old, clause) for clause in clauses(self.text))


@lru_cache(maxsize=1_024)
def change(text: str) -> Change | None:
    """The change that `text` may report; None if it reports none."""
    # What is left of a longer text has a mark for what is not, which is no letter.
    foreign, texts = not text.replace(ELLIPSIS, "").isascii(), said_words(text)
    heard = foreign or not _HEARD.isdisjoint(texts)
    if not heard and NEW_VALUE_WORDS.isdisjoint(texts):
        return None
    if _ASKING.search(text) or len(said_words(text)) > _LONGEST_WORDS:
        return None
    plain = _QUOTED.sub(" ", text) if heard else text
    told = heard and any(cue.search(plain) for cue in (*_STATES.values(), _SINCE, _MOVED, _NEW, _NO_MORE))
    lifts = heard and _ALLOWS.search(plain) is not None
    undoes = heard and _NOT_SO.search(plain) is not None and _RESTRICTS.search(plain) is not None
    shifts = heard and _SHIFTS.search(plain) is not None
    if not told and not lifts and not undoes and not shifts and not reports_new_value(plain):
        return None
    new = _NEW.search(text)
    return Change(
        text,
        subject_of(text),
        _ordinals(text),
        _MOVED.search(text) is not None or reports_new_value(text),
        new.group("what").casefold() if new else "",
        _NO_MORE.search(text) is not None,
        _SINCE.search(text) is not None,
        lifts,
        undoes,
        shifts,
    )


def may_report_change(text: str) -> bool:
    """Whether `text` may report a change."""
    return change(text) is not None


def alters(text: str) -> bool:
    """Whether `text` reports a change that has no value of its own: that something is allowed again, or shifted by a
    span."""
    made = change(text)
    return made is not None and (made.shifts or made.lifts)


@lru_cache(maxsize=2_048)
def subject_of(text: str) -> frozenset[str]:
    """The subject of a statement without values, names and words of change, and which of the `_STATES` it states."""
    plain = _SINCE.sub(" ", text)
    called = frozenset[str]() if _GERMAN.search(text) else names(plain.partition(" ")[2])
    words = other_subjects(plain) - called - _VERB_WORDS
    telling = (word for word in words if len(word) >= _LEAST_LETTERS or not word.isascii())
    return frozenset((*telling, *(name for name, pattern in _STATES.items() if pattern.search(text))))


def _other_value(old: str, new: str) -> bool:
    return bool(families(old) & families(new)) and not figures(old) & figures(_last(new)) and _units_agree(old, new)


def _units_agree(old: str, new: str) -> bool:
    """Whether the numbers of both count the same, as far as they say what: stars are no euros."""
    counts = (ValueKind.NUMBER, ValueKind.AMOUNT)
    before, after = ({_unit(v.text) for v in values_in(text) if v.kind in counts} - {""} for text in (old, new))
    return not before or not after or not before.isdisjoint(after)


def _unit(value: str) -> str:
    return "".join(c for c in value.casefold() if not c.isdigit() and c not in " .,:").rstrip("s")


def _last(text: str) -> str:
    """The value after "to": 40 in "from 20 to 40"."""
    found = _MOVED.search(text)
    return text[found.end() :] if found else text_after_change(text)


def _other_name(old: str, new: str) -> bool:
    before, after = names(old), names(new)
    return bool(before - after) and bool(after - before)


def _other_count(old: str, new: str) -> bool:
    """Whether both count the same things with different numbers."""
    before, after = ({what: number for number, what in _COUNT.findall(text.casefold())} for text in (old, new))
    return any(before[what] != after[what] for what in before.keys() & after.keys())


def _others(old: str, new: str) -> bool:
    """Whether what is spoken of belongs to different people: "her salary", "his salary"."""
    before, after = (_OWNERS.intersection(said_words(text)) for text in (old, new))
    if before and after and before.isdisjoint(after):
        return True
    owned = ((_own(old, thing), _own(new, thing)) for thing in subject_of(old) & subject_of(new))
    return any(None not in pair and pair[0] is not pair[1] for pair in owned)


def _own(text: str, thing: str) -> bool | None:
    """Whether the `thing` belongs to who says `text`, as far as the word before it tells ("my flight", "Tom's")."""
    texts = said_words(text)
    if thing not in texts or not (place := texts.index(thing)):
        return None
    owner = texts[place - 1]
    if owner in _OWNERS:
        return owner in _OF_SPEAKER
    return False if owner.endswith(("'s", "’s")) else None


def _ordinals(text: str) -> frozenset[str]:
    return _ORDINALS.intersection(words(_SINCE.sub(" ", text)))


def _denied(old: str, new: str) -> bool:
    """Whether `new` negates `old`: all that it negates is stated there without negation."""
    found = _NO_MORE.search(new)
    if found is None or _NO_MORE.search(old):
        return False
    part = re.split(r"[,;.:]", new[found.start() :])[0]
    words = {word[:ROOT] for word in subject_words(part) if word not in _DENIED and not re.search("['’]", word)}
    return bool(words) and words <= {word[:ROOT] for word in said_words(old)}


def _plain_words(text: str) -> list[str]:
    """The words of a statement, without an article at its beginning."""
    texts = words(text)
    return texts[1:] if texts[:1] and texts[0] in _ARTICLES else texts


def _said_again(old: str, new: str) -> bool:
    """Whether `new`, apart from its beginning, repeats `old` with other words in one place."""
    kept, *others = split_common_ends(_plain_words(old), _plain_words(_SINCE.sub(" ", new)))
    if not subject_words(" ".join(kept)) - STOP_WORDS or _TO_OTHERS.intersection(kept):
        return False
    return all(0 < len(gap) <= OTHER_WORDS and content_words(" ".join(gap)) for gap in others)
