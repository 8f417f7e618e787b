"""Hears that a restriction is lifted or was none ("nuts are fine again", "it isn't gluten after all"), and that an
appointment is shifted by a span ("pushed by a week")."""

from __future__ import annotations

import re

from session_core.language.amending import subject_words
from session_core.language.statements import said_words

ROOT = 4
"""How many first letters the forms of a word share."""
_AFTER_ALL = re.compile(
    r"\bafter all\b|\bturn(?:s|ed) out\b|\bfound out\b|\bdoch (?:nicht|kein\w*)\b|\bfinalement\b|\bal final\b|"
    r"\balla fine\b|\bin realtà\b|\bafinal\b|\btoch (?:niet|geen)\b|\bвс[её][- ]таки\b|\bоказал\w+\b|\bjednak\b",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"(?:\bnot|n['’]t|\bno|\bnever|\bnicht|\bkein\w*|\bpas|\bnon|\bnão|\bniet|\bgeen|\bне|\bнет|\bnie)"
    r"(?: an?| the| any)?\b "
    r"(?P<what>[^,.;:!?]{2,60})",
    re.IGNORECASE,
)
_THING = r"(?P<what>[^\W\d_][\w-]*(?: (?:and |or |und |et |y |e |en |и )?[^\W\d_][\w-]*){0,2})"
_IS = r"(?:^|[.:;,]\s+|\b(?:that|but|and|so|says?|said|dass) )"
_LIFTED = re.compile(
    "|".join(
        pattern.replace("P<what>", f"P<what{number}>")
        for number, pattern in enumerate(
            (
                (
                    rf"{_IS}{_THING} (?:is|are|['’]s) (?:actually |really |totally )?"
                    r"(?:fine|ok(?:ay)?|allowed|safe|possible|good) (?:again|now|after all|too|for \w+ (?:again|now))\b"
                ),
                (
                    rf"{_IS}{_THING} (?:is|are|['’]s|isn['’]t|aren['’]t) (?:actually |really )?"
                    r"(?:(?<=n['’]t )an? |no (?:longer an? )?|not an? )(?:problem|issue)\b"
                ),
                rf"\b(?:can|may) (?:eat|have|drink|use|take|do|touch) {_THING}? ?(?:again|after all)\b",
                r"\bno (?:food )?(?P<what>allerg\w+|intoleranc\w+|restrictions?)(?: at all| after all)?\W*$",
                rf"{_IS}{_THING} (?:ist|sind|geht|gehen) (?:jetzt |nun )?(?:doch |wieder )+(?:ok(?:ay)?|erlaubt)?\W*$",
                rf"{_IS}{_THING} (?:ist|sind) (?:jetzt |nun |doch |wieder )*(?:kein problem|in ordnung|möglich)\b",
                rf"\b(?:darf|kann) (?:jetzt |nun )?(?:doch |wieder ){_THING} (?:essen|trinken|nehmen|haben)\b",
                rf"{_IS}{_THING} (?:n['’]est|ne sont) (?:plus|pas) un problème\b",
                rf"\bpeu[tx] (?:de nouveau |à nouveau |finalement )(?:manger|boire|prendre) {_THING}",
                rf"{_IS}{_THING} (?:ya )?no (?:es|son) (?:un )?problema\b",
                rf"\bya pued[eo] (?:comer|beber|tomar) {_THING}",
                rf"{_IS}{_THING} non (?:è|sono) (?:più )?un problema\b",
                rf"\b(?:può|posso) di nuovo (?:mangiare|bere|prendere) {_THING}",
                rf"{_IS}{_THING} (?:já )?não (?:é|são) (?:mais )?(?:um )?problema\b",
                rf"\bjá (?:pode|posso) (?:comer|beber|tomar) {_THING}",
                rf"{_IS}{_THING} (?:is|zijn) (?:toch )?geen probleem\b",
                rf"\bmag weer {_THING} (?:eten|drinken|nemen)\b",
                rf"{_IS}{_THING} (?:теперь |уже )?(?:не проблема|снова можно)",
            )
        )
    ),
    re.IGNORECASE,
)
_RESTRICTS = re.compile(
    r"allerg|алерг|аллерг|alérg|alerg|intoler|непереносим|n['’]t\b|\b(?:not?|never|cannot|cant|avoids?|without|except|"
    r"hates?|nothing|free|kein\w*|nicht|ohne|außer|keinerlei|pas|sans|sauf|évite\w*|sin|salvo|menos|non|senza|tranne|"
    r"não|sem|exceto|niet|geen|zonder|behalve|не|нет|нельзя|без|кроме)\b",
    re.IGNORECASE,
)
_LEAD = frozenset(
    "an the my your his her their that this it he she they i you we for to of all any real enough "
    "much many ya já el la le il jetzt "
    "теперь уже".split()
)

_NUMBER = (
    r"(?:\d{1,3}|an?|one|two|three|four|five|six|half an?|(?:a )?couple of|(?:a )?few|eine[nr]?|zwei|drei|une?|deux|"
    r"trois|una?|dos|tres|due|tre|uma?|dois|duas|três|een|twee|drie)"
)
_SPAN = (
    rf"(?:{_NUMBER} (?:min(?:ute)?s?|hours?|days?|weeks?|months?|years?|minuten?|stunden?|tage?n?|wochen?|monate?n?|"
    r"jahre?n?|heures?|jours?|semaines?|mois|ans?|minutos?|horas?|días?|dias?|semanas?|mes(?:es)?|años?|mês|anos?|"
    r"minut[oi]|or[ae]|giorn[oi]|settiman[ae]|mes[ei]|ann[oi]|uur|uren|dag(?:en)?|we(?:ek|ken)|maand(?:en)?))\b"
)
_SHIFTED = re.compile(
    r"\b(?:push(?:ed)?|moved?|moves|postponed?|delayed|bumped|shifted|slip(?:s|ped)|slid(?:es)?|brought|put)\b"
    r"[^.;!?]{0,30}? "
    rf"(?:(?:back |forward |off )?by|back|forward|off) {_SPAN}|"
    rf"\b(?:is|are|will be|moves?|starts?|begins?|ends?|comes?|leaves?|arrives?)\b[^.;!?]{{0,20}}? {_SPAN} "
    r"(?:later|earlier)\b|"
    rf"\bum {_SPAN}|\b{_SPAN} (?:später|früher|nach hinten|nach vorne?|vorverlegt)\b|"
    rf"\b(?:décal|repouss|report|avanc|retard)\w+ d(?:e |['’]){_SPAN}|\b{_SPAN} plus t(?:ard|ôt)\b|"
    rf"\b(?:aplaz|retras|adelant|pospon|pospus|atras|adi|antecip)\w* (?:en |por )?{_SPAN}|"
    rf"\b(?:slitt|rinvi|posticip|anticip|spost)\w* di {_SPAN}|"
    rf"\b{_SPAN} (?:más tarde|más temprano|più tardi|mais tarde|mais cedo)\b|"
    rf"\bmet {_SPAN} (?:verschoven|uitgesteld|vervroegd)\b|\b{_SPAN} (?:later|eerder|opgeschoven)$|"
    r"(?:сдвин|перенес|перенёс|отлож)\w+ на (?:неделю|день|час|месяц|год|\d+ \w+)(?! \w+(?:бря|реля|рта|ня|ля|ста)\b)|"
    r"\bна (?:неделю|день|час|месяц|год|\d+ \w+) (?:позже|раньше)",
    re.IGNORECASE,
)
LIFTING_WORDS = frozenset(
    "after turns turned found again now problem issue allergies allergy intolerances intolerance restrictions "
    "restriction doch wieder finalement problème final fine afinal realtà toch geen jednak problema probleem nouveau "
    "nuovo puede puedo pode posso weer таки оказалось оказался оказалась проблема можно".split()
)
"""Without one of these no text says that a restriction is lifted."""
SHIFTING_WORDS = frozenset(
    "min mins minute minutes hour hours day days week weeks month months year years minuten stunde stunden tag tage "
    "tagen woche wochen monat monate monaten jahr jahre heure heures jour jours semaine semaines mois an ans minuto "
    "minutos hora horas día días dia dias semana semanas mes meses año años mês ano anos minuti ora ore giorno giorni "
    "settimana settimane mese mesi anno anni uur uren dag dagen week weken maand maanden неделю день час месяц год дня "
    "дней часа недели месяца".split()
)
"""Units of time, without which nothing is shifted by a span."""
_WISHING = frozenset(
    "if could should would might may maybe perhaps argued argues suggested suggests proposed proposes wants wanted "
    "asked asks wenn falls könnte sollte würde vielleicht möchte pourrait peut-être podría quizás potrebbe forse "
    "poderia talvez zou misschien если может".split()
)
"""Who only thinks of it has lifted or shifted nothing yet."""
_LONGEST_WORDS = 16
"""A longer statement is a story."""


def lifts(text: str) -> frozenset[str]:
    """The roots of what `text` says is restricted no longer, or is not so after all; empty for nothing."""
    said = said_words(text)
    if LIFTING_WORDS.isdisjoint(said) or not _WISHING.isdisjoint(said):
        return frozenset()
    if found := _LIFTED.search(text):
        what = next((part for part in found.groups() if part), "")
    elif (after := _AFTER_ALL.search(text)) and (found := _NOT.search(text)):
        what = found["what"].replace(after.group(), " ")
    else:
        return frozenset()
    return frozenset(map(_root, subject_words(what) - _LEAD))


def was_so(text: str) -> bool:
    """Whether `text` says what is not so after all, so that it takes back a statement, not only a restriction."""
    return not _LIFTED.search(text) and _AFTER_ALL.search(text) is not None and _NOT.search(text) is not None


def restricts(text: str) -> bool:
    """Whether `text` says what must or can not be."""
    return _RESTRICTS.search(text) is not None


def roots(text: str) -> frozenset[str]:
    """The first letters of the words of `text`."""
    return frozenset(map(_root, said_words(text)))


def _root(word: str) -> str:
    return word[:ROOT].removesuffix("s") if len(word) <= ROOT else word[:ROOT]


def shifts(text: str) -> bool:
    """Whether a short `text` says that something takes place so much later or earlier."""
    said = said_words(text)
    if len(said) > _LONGEST_WORDS or SHIFTING_WORDS.isdisjoint(said) or not _WISHING.isdisjoint(said):
        return False
    return _SHIFTED.search(text) is not None
