"""Detects that a value changed to another ("the rent goes up to 745")."""

from __future__ import annotations

import re

from session_core.language.statements import said_words

_DIGIT = re.compile(r"\d")
_VALUE = r"(?:(?:the|der|die|das|den|dem|le|la|el|il|o|dia|día) ){0,2}(?=[^\w\s]{0,2}\d)"


def _to(verbs: str, prepositions: str) -> str:
    """A pattern for a verb before a value: at most four words and a preposition are between them."""
    return rf"\b(?:{verbs}) (?:\S+ ){{0,4}}?(?:{prepositions}) {_VALUE}"


_TO_VALUE = re.compile(
    "|".join(
        (
            _to(
                "go(?:es|ing|ne)?|went|came?|comes|brings?|brought|turn(?:ed|s)?|bump|push",
                "(?:up|down|back) (?:to|at)",
            ),
            _to(
                "climb(?:ed|s)?|r[io]ses?|risen|falls?|fallen|slip(?:ped|s)?|slid|jump(?:ed|s)?|grew|grown|shrank|sank|"
                "drop(?:ped|s)?|raises?|lowers?|brings?|brought|turn(?:ed|s)? (?:up|down)|cut",
                "to",
            ),
            (
                r"^\W*(?:(?:ok|no|please|actually|so|and|then|hm+|well)[,. ]+)*(?:make|set|put) (?:the|my|our) "
                r"(?:\S+ ){1,4}?(?:(?:to|at) )?(?=[^\w\s]{0,2}\d)"
            ),
            _to("steigt|stieg|steigen|sinkt|sank|sinken|verschiebt|verschieben|rutscht|rückt", "auf"),
            r"\bauf (?:\S+ ){1,3}?(?:gestiegen|gesunken)\b",
            _to("passent?|passe|passé|monte|monté|grimpe|descend|baissé?|recule|glisse|décalée?|repoussée?", "à|au"),
            _to("sube|subió|baja|bajó|pasa|pasó|queda|quedó|mueve|movió|aplaza|retrasa|adelanta", "a|al|en"),
            _to("sobe|subiu|baixou|caiu|passa|passou|ficou|fica|mudou|adiou", "para|pra|em"),
            r"\b(?:baixou|subiu|mudou)\b[^.;]{0,40}, (?:agora )?(?:ficou|fica|é|são) (?=\d)",
            _to(
                "sale|salit[oaie]|scende|sces[oaie]|passa|passat[oa]|slitta|slittat[oa]|rinviat[oa]|anticipat[oa]",
                "a|al|alle",
            ),
            _to("stijgt|gestegen|daalt|gedaald|verschoven|verzet|opgeschoven", "naar|tot"),
            _to(
                r"подорожал\w*|подешевел\w*|вырос\w*|упал\w*|поднял\w*|снизил\w*|увеличил\w*|уменьшил\w*|сдвинул\w*",
                "до|на",
            ),
            _to(r"przesuni\w+|wzr[oó]s\w+|spad\w+|podni\w+|obniż\w+", "na|do"),
            _to("غيرنا|تغير|أجلنا|تأجل|ارتفع|انخفض", "إلى"),
        )
    ),
    re.IGNORECASE,
)
_MOVED_LAST = re.compile(
    r"\d\S*(?: \S+){0,3} (?:ertelendi|alındı|yükseldi|çıktı|düştü|indi|कर (?:दो|दें|दीजिए|दिया)|हो गई?|हो गया)\b",
    re.IGNORECASE,
)
"""Where the verb stands last."""
_CLAUSES = re.compile(
    r"[,;:.!?–—]\s+|\s(?:so|because|since|but|and|weil|deshalb|porque|así que|donc|car|quindi|então|dus|поэтому)\s",
    re.IGNORECASE,
)
NEW_VALUE_WORDS = frozenset(
    "go goes going gone went came come comes bring brings brought turn turned turns bump push climb climbs climbed "
    "rise rises rose risen fall falls fallen slip slips slipped slid jump jumps jumped grew grown shrank sank drop "
    "drops dropped raise raises raised lower lowers lowered cut make set put steigt stieg steigen sinkt sinken "
    "gestiegen gesunken verschiebt verschieben rutscht passe passent monte grimpe descend baisse recule glisse sube "
    "baja pasa queda mueve aplaza retrasa adelanta sobe subiu baixou caiu passa passou ficou fica mudou adiou sale "
    "salito salita scende sceso scesa passato passata slitta slittato slittata rinviato rinviata anticipato "
    "anticipata stijgt daalt gedaald verschoven verzet opgeschoven".split()
)


def _told(text: str, heard: frozenset[str]) -> bool:
    return not text.isascii() or not heard.isdisjoint(said_words(text))


def reports_new_value(text: str) -> bool:
    """Whether `text` says that something rises, falls or moves to a value, or is to be set to one."""
    if _DIGIT.search(text) is None or not _told(text, NEW_VALUE_WORDS):
        return False
    return _TO_VALUE.search(text) is not None or _MOVED_LAST.search(text) is not None


def text_after_change(text: str) -> str:
    """The text after such a verb; all of `text` if there is none."""
    found = _TO_VALUE.search(text)
    return text[found.end() :] if found else text


def clauses(text: str) -> list[str]:
    """`text`, and each of its clauses that is complete on its own."""
    return [text, *(part for part in _CLAUSES.split(text) if len(part) < len(text) and " " in part)]
