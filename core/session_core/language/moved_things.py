"""Tells what a correction speaks of, if it names it: "the dentist was moved to 9 May" leaves the operation alone."""

from __future__ import annotations

import re
from functools import lru_cache

from session_core.language.statements import NOTHING, other_subjects
from session_core.language.words import MONTHS

_MOVES = re.compile(
    r"\b(?:moved|pushed|postponed|rescheduled|shifted|switched|changed|bumped|delayed|verschoben|verlegt|"
    r"vorverlegt|geändert|"
    r"décal\w+|repouss\w+|report[ée]\w*|aplaz\w+|pasado|cambiad[oa]|movid[oa]|retras\w+|spostat[oa]|rimandat[oa]|"
    r"posticipat[oa]|"
    r"adiad[oa]|transferid[oa]|remarcad[oa]|verzet|verplaatst|uitgesteld|verschoven|перен[её]с\w*|сдвину\w*|"
    r"отложи\w*|przeło\w+|"
    r"przesun\w+|przenie\w+|ertelendi|alındı|kaydırıldı)\b|推迟|提前|改[到成为]|調整|调整|延期|変更|変わ|연기|미뤄|변경|바뀌|"
    r"(?:تأجيل|نقل)|टल",
    re.IGNORECASE,
)
"""What was moved stands before it."""
_MOVING = re.compile(
    r"\b(?:change|switch|move|update|push|postpone|reschedule|bump)\s(?P<what>[^,;.!?]{2,50}?)\s(?:to|until)\b",
    re.IGNORECASE,
)
"""What is to be moved stands behind it."""
_STATES = re.compile(
    r"^\W*(?:(?:no|nope|sorry|wait|oops|actually|nein|non|nee|não|perdón|pardon|scusa|desculpa|entschuldigung)[,.! ]+)+"
    r"(?:the|my|our|his|her|their|der|die|das|meine?|unsere?|le|la|les|l['’]|mon|ma|el|los|las|mi|il|lo|mio|mia|"
    r"o|a|meu|minha|de|het|"
    r"mijn)\s?(?P<what>[^\W\d_]{3,}(?: [^\W\d_]{3,})?) (?:is|are|was|costs?|starts?|leaves?|ist|sind|war|kostet|"
    r"beginnt|est|sont|coûte|"
    r"es|son|cuesta|è|sono|costa|é|são|custa|zijn|kost)\b",
    re.IGNORECASE,
)
_OWNERS = re.compile(
    r"\b(?:de|d['’]|von|of|del|della|di|do|da|van) ?([A-ZÀ-Ý]\w+)|\b([A-ZÀ-Ý]\w{2,}?)['’]?s (?=[^\W\d_])"
)
"""Whose something is: "l'examen de Léo", "Leos Prüfung", "Leo's exam"."""
_IT = re.compile(r"\s(?:it|that|this|them)\b", re.IGNORECASE)
_KANA = re.compile("[\u3040-\u309f]")
_CONTAINERS = frozenset(
    (
        "price cost amount total reservation booking appointment meeting order plan date time day number count "
        "party size trip visit "
        "event thing one request schedule pickup pick dropoff ride location destination address name start end "
        "termin datum uhrzeit tag rendez vous heure date cita fecha hora día reserva appuntamento data ora "
        "prenotazione consulta horário dia afspraak tijd встречу встреча время дату запись spotkanie randevu "
        "toplantı saat 预约 时间 日期 予約 時間 日程 예약 시간 날짜 약속"
    ).split()
)
"""Words for anything that has a date, a time or a count."""
_ROOT = 4
_PRONOUNS = frozenset(
    (
        "i it that this them they he she we you has have had been was were got just now get wurde ist wird sie er "
        "es die der das haben hat hast ils elle elles ont été est sont han ha hemos las los lo la l'hanno stato "
        "stata foi foram die is zijn werd её его их было został została onu bunu تم جرى op am um"
    ).split()
)


@lru_cache(maxsize=2_048)
def _named(correction: str) -> frozenset[str]:
    """The roots of the words for what `correction` says has moved, is to be moved, or is otherwise; empty if it does
    not say."""
    if found := (_STATES.search(correction) or _MOVING.search(correction)):
        told = found["what"]
    elif (found := _MOVES.search(correction)) and not _IT.match(correction, found.end()):
        told = correction[: found.start()]
    else:
        return NOTHING
    return _roots(other_subjects(told)) if told else NOTHING


@lru_cache(maxsize=2_048)
def _subject_roots(text: str) -> frozenset[str]:
    return _roots(other_subjects(text))


def _roots(words: frozenset[str]) -> frozenset[str]:
    """Their first letters, without pronouns, words for anything dated, months and grammar."""
    telling = {word: word.replace("’", "'").partition("'")[0] for word in words if not _KANA.search(word)}
    return frozenset(
        word[:_ROOT]
        for word, plain in telling.items()
        if word not in _PRONOUNS | _CONTAINERS and plain not in _PRONOUNS and plain not in MONTHS
    )


def names_another_thing(correction: str, known: str) -> bool:
    """Whether `correction` names what it speaks of, or whose it is, and `known` speaks of something else."""
    told = _named(correction)
    if not told:
        return False
    about = _subject_roots(known)
    owners = {name[:_ROOT].casefold() for pair in _OWNERS.findall(correction) for name in pair if name}
    if about.isdisjoint(owners) and any(root.startswith(owner) for root in told for owner in owners):
        return True
    return bool(about) and about.isdisjoint(told)
