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
"""What was moved stands before it, or who moved it: then the thing stands behind it, or between the two."""
_BY_SOMEBODY = re.compile(
    r"(?<=ed)\s(?!(?:to|until|till|from|back|up|forward|ahead|by|for|on|again)\b)(?P<what>[^,;.!?]{2,50}?)\s"
    r"(?:to|until|till|for|from)\b|"
    r"(?<!est )(?<!été )(?<!sido )(?<!stata )(?<!stato )(?<![^\s]ed)\s"
    r"(?:(?:mon|ma|mes|notre|nos|son|sa|ses|leurs?|le|la|les|mis?|el|los|las|sus?|nuestr[oa]s?|il|lo|gli|"
    r"(?:la |il )?mi[oa]|(?:la |il )?nostr[oa])\s|l['’])(?P<whose>[^\W\d_][^,;.!?\d]{1,50})",
    re.IGNORECASE,
)
"""What somebody moved, directly behind the verb: "the airline changed my flight to", "a décalé mon vol au"."""
_IT_BEFORE = re.compile(
    r"(?:\bl['’](?:a|ont|ai|avons|ha|hanno|ho|abbiamo)|\b(?:la|lo) (?:ha|he)|\bgot (?:it|that|this))\s*$|"
    r"\b(?:hat|haben|habe) (?:sie|ihn|es|das) (?=auf\b|um\b|von\b|vom\b|nach\b|jetzt\b|nun\b|leider\b)",
    re.IGNORECASE,
)
"""That it was moved, before the verb: "la clinique l'a décalée"."""
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
_SPEAKS_OF_THINGS = re.compile(
    r"^(?!\W*(?:(?:i|we|it|they|he|she|ich|wir|es|je|on|nous|elle|il|ils|elles|yo|io|eu|ik|wij|we|я|мы)\b|j['’]|c['’]|"
    r"[^\W\d_]+(?:[aei]mos|iamo)\b))|"
    r"\b(?:the|my|our|your|his|her|their|an?(?! (?:month|week|year|day|night|hour|person|piece)\b)|"
    r"der|die|das|den|dem|meine?[nmr]?|unsere?[nmr]?|eine?[nmr]?|"
    r"le|la|les|mon|ma|mes|notre|une?|el|los|las|mis?|una?|il|lo|mi[oa]|os?|as|meus?|minhas?|uma?|de|het|mijn|een) "
    r"(?!(?:las|los|month|week|year|day|monat|woche|jahr|tag|mois|semaine|mes|semana|mese|settimana|maand)\b)[^\W\d_]{3}|"
    r"\bl['’][^\W\d_]",
    re.IGNORECASE,
)
"""Not only of who does something: "we pay 900 a month", "I leave at nine"."""
_ANYONES = re.compile(r"^\W*(?:(?:the|der|die|das|le|la|les|el|los|las|il|lo|os?|as?|de|het)\s|l['’])", re.IGNORECASE)
_ELIDED = re.compile(r"^(?:[ldmtsnjc]|qu|un|dell|nell|all|sull|dall)['’](?=[^\W\d_]{3})")
"""The article of "l'examen"."""
_POSSESSIVE = re.compile("['’]s$")
_KANA = re.compile("[\u3040-\u309f]")
_CONTAINERS = frozenset(
    (
        "price cost amount total limit maximum max minimum reservation booking appointment meeting call order plan "
        "date time day number count "
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
        return _roots_in(found["what"])
    found = _MOVES.search(correction)
    if not found or _IT.match(correction, found.end()) or _IT_BEFORE.search(correction[: found.start()]):
        return NOTHING
    if moved := _BY_SOMEBODY.match(correction, found.end()):
        # Who moves an appointment tells which one it is.
        return _roots_in(moved["what"] or moved["whose"]) or _roots_in(correction[: found.start()])
    return _roots_in(correction[: found.start()])


def _roots_in(told: str) -> frozenset[str]:
    return _roots(other_subjects(told)) if told else NOTHING


@lru_cache(maxsize=2_048)
def _subject_roots(text: str) -> frozenset[str]:
    return _roots(other_subjects(text))


def _roots(words: frozenset[str]) -> frozenset[str]:
    """Their first letters, without pronouns, words for anything dated, months and grammar."""
    told = {_POSSESSIVE.sub("", _ELIDED.sub("", word)) for word in words - _PRONOUNS if not _KANA.search(word)}
    telling = {word: word.replace("’", "'").partition("'")[0] for word in told}
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
    if _STATES.search(correction) and not _SPEAKS_OF_THINGS.search(known):
        # "We pay 900 a month." "No, the rent is 950."
        return False
    about = _subject_roots(known)
    owners = {name[:_ROOT].casefold() for pair in _OWNERS.findall(correction) for name in pair if name}
    owned = not _ANYONES.match(known) and about.isdisjoint(owners)
    if owned and any(root.startswith(owner) for root in told for owner in owners):
        return True
    return bool(about) and about.isdisjoint(told)
