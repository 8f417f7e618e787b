"""Names the subject of a sentence ("deadline"), so that a later one can supersede an earlier one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from session_core.language.values import Value, ValueKind, values
from session_core.language.words import SENTENCES, STOP_WORDS, words

MAX_SLOT_CHARACTERS = 60

ATTRIBUTES = frozenset(
    (
        "name surname nickname email e-mail mail phone mobile number address zip postcode birthday birthdate age "
        "height weight size colour color budget limit price cost total deposit fee rent salary date deadline time day "
        "start end due arrival departure checkin checkout check-in check-out destination origin city country state "
        "region currency language timezone time-zone id code reference password username handle version branch url "
        "link port host target title topic subject job role occupation company employer department status priority "
        "duration length quantity amount count guests travelers travellers passengers model brand year tone style "
        "format word-count geburtstag adresse nummer telefonnummer datum preis farbe größe ziel frist nom adresse "
        "numéro prix couleur délai âge nombre dirección teléfono número fecha presupuesto precio destino edad nome "
        "indirizzo telefono data prezzo scadenza endereço orçamento preço prazo idade naam adres telefoonnummer datum "
        "prijs kleur maat leeftijd verjaardag reisbudget vertrekdatum"
    ).split()
)
THINGS = frozenset(
    (
        "hotel flight seat room gate airline account order booking reservation ticket appointment meeting place venue "
        "location team plan card payment contact car train table party event trip visit project task repo database"
    ).split()
)
"""Things with many attributes: they are slots only if a value follows directly ("my seat is 12A")."""

_MARKS = frozenset("favourite favorite preferred maximum max minimum min total default".split())
MAX_ANSWER_WORDS = 8
_PERSONS = frozenset(
    (
        "wife husband partner son daughter child kid kids children mother father mom mum dad brother sister friend "
        "boss dog cat neighbour neighbor colleague client customer"
    ).split()
)
_X = r"(?P<x>[^\W\d_][\w'’-]*(?:\s[\w'’-]+){0,3}?)"


def _stating(*needed: str, pattern: str) -> tuple[tuple[frozenset[str], ...], re.Pattern[str]]:
    """A pattern, and the words of each group of which a sentence in ASCII has one if it matches: to look for them takes
    a tenth of the time."""
    return tuple(frozenset(group.split()) for group in needed), re.compile(pattern, re.IGNORECASE)


_STATING = (
    _stating(
        "my our the her his their",
        "is are was will =",
        pattern=rf"\b(?:my|our|the|her|his|their)\s{_X}\s(?:is|are|was|=|will be)\s(?P<y>.+)",
    ),
    _stating(
        "my our the her his their",
        "has have had got gets",
        "to until",
        pattern=rf"\b(?:my|our|the|her|his|their)\s{_X}\s(?:(?:has|have|had|got|gets|was|were|been|just|now)\s)+"
        r"(?:pushed|moved|postponed|rescheduled|raised|lowered|increased|decreased|reduced|cut|extended|changed|set)\s"
        r"(?:back\s|out\s|up\s|down\s|forward\s)?(?:from\s.{1,40}\s)?(?:to|until)\s(?P<y>.+)",
    ),
    _stating(
        "set change update move switch correct push postpone reschedule bump",
        "to until",
        pattern=r"\b(?:set|change|update|move|switch|correct|push|postpone|reschedule|bump)\s"
        rf"(?:my|our|the|her|his|their)?\s?{_X}\s(?:from\s.{{1,40}}\s)?(?:to|until)\s(?P<y>.+)",
    ),
    _stating(
        "mein meine unser unsere das der die",
        "ist sind",
        pattern=rf"\b(?:meine?|unsere?|das|der|die)\s{_X}\s(?:ist|sind|beträgt)\s(?P<y>.+)",
    ),
    _stating(
        "mijn ons onze het",
        "is zijn bedraagt",
        pattern=rf"\b(?:mijn|onze?|het)\s{_X}\s(?:is|zijn|bedraagt)\s(?P<y>.+)",
    ),
    _stating(
        "",
        pattern=r"\b(?:мо[йяё]|наш[ае]?)\s(?P<x>бюджет|адрес|телефон|номер|почта|имя|срок|день рождения)"
        r"(?:\s[^\d.;!?]{1,30}?)?\s(?:(?:—|–|-|это|теперь|составляет)\s)*(?P<y>[^\s].*)",
    ),
    _stating(
        "mon ma notre mi nuestro nuestra il la meu minha nosso",
        "est es",
        pattern=rf"\b(?:mon|ma|notre|mi|nuestr[oa]|il mio|la mia|meu|minha|nosso)\s{_X}\s(?:est|es|è|é)\s(?P<y>.+)",
    ),
    _stating(
        ": =",
        pattern=rf"^\W*{_X}\s?[:=]\s(?P<y>\S.*)",
    ),
    _stating(
        "",
        pattern=r"(?P<x>预算|电话|邮箱|地址|生日|截止日期|名字)(?:变了|有变)?[,，]?(?:现在)?(?:是|为|改成|改为)(?P<y>.+)",
    ),
    _stating(
        "",
        pattern=r"(?P<x>予算|電話番号|住所|誕生日|メールアドレス|締め切り|名前)(?:は|が)(?!変|まだ|分か|わか|足り|あ)(?P<y>.+)",
    ),
    _stating(
        "",
        pattern=r"(?P<x>예산|전화번호|주소|생일|이메일|이름|마감일)(?:은|는|이|가)\s(?!바뀌|변경|아직|없|있|부족)(?P<y>.+)",
    ),
    _stating(
        "budget deadline limit",
        "of on",
        pattern=r"\b(?:a|the|my|our)\s(?P<x>(?:\w+\s)?(?:budget|deadline|limit))\s(?:of|on)\s(?P<y>.+)",
    ),
)
_NAMED_BY = frozenset("name called heisse appelle llamo nombre chiamo chamo heet naam".split())
_ADDRESSED_BY = frozenset(("go", "call"))
_PARTS = re.compile("[a-z]+|[:=]")
_NAMED = re.compile(
    r"\b(?:my name is|i['’]?m called|ich hei(?:ß|ss)e|mein name ist|je m['’]appelle|me llamo|mi nombre es|"
    r"mi chiamo|me chamo|meu nome é|ik heet|mijn naam is|меня зовут|nazywam się)\s+\S|我叫(?!了|他|她|你)|と申します",
    re.IGNORECASE,
)
_ADDRESSED = re.compile(
    r"\bi go by\s+\S|(?:^|[.,;!]\s*|\b(?:please|just|can|and)\s)call me (?!before|after|at|on|when|if|back|by|later|in|"
    r"tomorrow|today|again|asap|only)\S",
    re.IGNORECASE,
)
_SCOPE = re.compile(r"\bfor (?:the |my |our |a )?([^\W\d_]{3,30})\b", re.IGNORECASE)
_BETWEEN = re.compile(
    r"(?:[,;]\s+|\s+)(?:and|und|et|y|e)\s+(?=(?:my|our|the|mein|meine|mon|ma|mi|mis|meu|minha)\s)|"
    r"[,;]\s+(?=(?:my|our|mein|meine|mon|ma|mi|meu|minha)\s)",
    re.IGNORECASE,
)
_TYPES = (ValueKind.DATE, ValueKind.TIME, ValueKind.AMOUNT, ValueKind.IDENTIFIER, ValueKind.NUMBER)


@lru_cache(maxsize=SENTENCES)
def slot(sentence: str) -> str | None:
    """The subject that `sentence` gives a value to, in lower case, or None if no rule finds one.

    Only attributes (a name, a budget, a date) are slots: "my daughter is 5" does not replace "my daughter is called
    Ann".
    """
    parts = frozenset(_PARTS.findall(sentence.lower())) if sentence.isascii() else None
    if (parts is None or not parts.isdisjoint(_NAMED_BY)) and _NAMED.search(sentence):
        return "name"
    if (parts is None or not parts.isdisjoint(_ADDRESSED_BY)) and _ADDRESSED.search(sentence):
        return "form of address"
    for needed, pattern in _STATING:
        if parts is not None and any(map(parts.isdisjoint, needed)):
            continue
        found = pattern.search(sentence)
        if found:
            named = _plain(found.group("x"))
            if named and _attribute(named, found.group("y")):
                scope = _SCOPE.search(found.group("y"))
                return f"{named} for {scope.group(1).casefold()}" if scope else named
    return None


def same_slot(named: str, known: str) -> bool:
    """Whether a correction of `named` may refer to `known`: "date" may refer to "departure date"."""
    return named == known or known.endswith(f" {named}") or known.startswith(f"{named} for ")


def may_fill(named: str | None, known: str | None) -> bool:
    """Whether a correction by value may refer to a fact: one of the two names no subject."""
    return named is None or known is None or known.split()[-1] in THINGS or "…" in known


def clauses(sentence: str) -> list[str]:
    """`sentence`, split where it gives values to two slots ("my budget is … and my deadline is …")."""
    parts = _BETWEEN.split(sentence)
    if len(parts) > 1 and all(slot(part) for part in parts):
        return [part.strip() for part in parts]
    return [sentence]


def typed(text: str) -> list[Value]:
    """The values of `text` that a correction can replace."""
    return [value for value in values(text) if value.kind in _TYPES]


def without(text: str, gone: Sequence[Value]) -> str:
    """`text` with `…` in place of the values `gone`."""
    parts: list[str] = []
    at = 0
    for value in gone:
        parts.append(text[at : value.start])
        at = value.end
    return " ".join("…".join([*parts, text[at:]]).split())[: 2 * MAX_SLOT_CHARACTERS]


def _plain(named: str) -> str:
    texts = [word for word in words(named) if word not in STOP_WORDS or word in ATTRIBUTES]
    return " ".join(texts)[:MAX_SLOT_CHARACTERS]


def _attribute(named: str, given: str) -> bool:
    """Whether `named` is an attribute with a single value, and `given` is such a value."""
    last = named.split()[-1]
    if last in _PERSONS:
        return False
    first = next(iter(values(given[:80])), None)
    if last in ATTRIBUTES or named.split()[0] in _MARKS or not last.isascii():
        return first is not None or len(words(given)) <= MAX_ANSWER_WORDS
    return first is not None and first.start <= 3 and first.kind is not ValueKind.NUMBER and last in THINGS
