"""Detects the type of value that a question asks for: a day, time, number, price, place or name.

Also tells whether a sentence contains one.
"""

from __future__ import annotations

import re
from functools import lru_cache

from session_core.language.forms import dates, minutes_of
from session_core.language.values import CODES_ABROAD, DAY, ValueKind, values
from session_core.language.words import MONTHS, QUESTION_MARKS, SENTENCES, sentences

_DAY, _TIME, _NUMBER, _PRICE, _PLACE, _NAME = "day", "time", "number", "price", "place", "name"


def _asking(word: str) -> str:
    """A pattern for `word` where it asks ("when is", "and where?"), not where it joins two clauses ("when we met")."""
    before = r"(?:^|[.?!,;:] ?|\b(?:and|or|at|from|to|for|with|by|since|until|know|remember|tell me|remind me) )\W?"
    behind = (
        "is|are|was|were|do|does|did|will|would|can|could|should|shall|has|have|had|to|exactly|i|my|it|we|he|she|they"
    )
    return rf"{before}\b{word}\b(?=\W*$|['’]| (?:{behind})\b)"


_WANTED = tuple(
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
        (
            (
                rf"\b(?:what|which) (?:day|date|month|weekday|year)\b|{_asking('when')}|\bwann\b|\bquand\b|"
                r"\bcu[aá]ndo\b|\bquando\b|\bwanneer\b|\bкогда\b|\bkiedy\b|什么时候|哪[天日]|几[号月]|いつ|何日|언제|며칠"
            ),
            _DAY,
        ),
        (
            (
                rf"\b(?:what|which) (?:time|hour)\b|\bhow (?:late|early)\b|{_asking('when')}|"
                r"\bum wie ?viel uhr\b|\bquelle heure\b|\bqu[eé] hora\b|\bche ora\b|\bque horas\b|"
                r"\bhoe laat\b|\bкотором часу\b|\bво сколько\b|几点|何時|몇 ?시"
            ),
            _TIME,
        ),
        (
            (
                r"\bhow (?:many|much|old|far|long|often|big|tall|large)\b|\bwie ?viele?\b|\bcombien\b|\bcu[aá]nt|"
                r"\bquant[oaie]s?\b|\bhoeveel\b|\bсколько\b|\bile\b|多少|几[个人位]|いくつ|何[人個回]|몇|얼마나"
            ),
            _NUMBER,
        ),
        (
            (
                r"\b(?:what|which) (?:price range|prices?|costs?|fees?|fare|budget|amount|rent|rate)\b|"
                r"\bhow (?:expensive|cheap|much (?:is|are|was|were|do|does|did|will|would|money))\b|\bwas kostet\b|"
                r"\bcu[aá]nto cuesta\b|\bcombien coûte\b|\bquanto costa\b|\bquanto custa\b|\bhoeveel kost\b|\bwat "
                r"kost\b|\bсколько стоит\b|多少钱|いくら|얼마"
            ),
            _PRICE,
        ),
        (
            (
                rf"{_asking('where')}|\b(?:what|which) (?:place|area|part|side|city|town|village|country|region|state|"
                r"district|neighbou?rhood|location|address|street|station|airport|stop|port|destination|departure|"
                r"origin)\b|\bwo(?:hin|her)\b|^wo\b|\boù\b|\bd[oó]nde\b|\bdove\b|\bonde\b|\bwaar\b|\bwaarheen\b"
            ),
            _PLACE,
        ),
        (
            (
                rf"\b(?:what|which)(?: \w+)? names?\b|\bname of\b|\b(?:called|named)\b|"
                r"\bwhat(?: is|['’]s| was) \w+ name\b|"
                rf"{_asking('who')}|\bwhose\b|\b(?:what|which) (?:destination|departure)\b|"
                r"\bwhich (?!(?:of|one|is|are|was|were|do|does|did|day|date|month|weekday|year|time|hour|price|"
                r"area|part|side)\b)\w+|"
                r"\bwie hei(?:ß|ss)t\b|^wer\b|^qui\b|\bqui[eé]n\b|^chi\b|^quem\b|^wie is\b|\bhoe heet\b"
            ),
            _NAME,
        ),
    )
)
_HOUR = "(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_ORDINAL = re.compile(r"^(\d{1,2})(?:st|nd|rd|th)$")
_SAID = {
    _DAY: re.compile(
        r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:today|tomorrow|tonight|yesterday|weekend)\b|"
        r"\b(?:next|last|this) (?:week|month|year)\b|\b(?:january|february|march|april|may \d|june|july|august|"
        r"september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b|"
        r"\b\d{4}-\d\d-\d\d\b|\b\d{1,2}(?:st|nd|rd|th)\b|\b\d{1,2}[./]\d{1,2}\b|\b\d{1,2}\.? (?:de )?"
        rf"(?:{'|'.join(month for month in MONTHS if len(month) > 3)})\b|\d{{1,2}}[月월]|明天|今天|今日|明日|내일|"
        rf"오늘|завтра|{DAY}",
        re.I,
    ),
    _TIME: re.compile(
        r"\b(?:half|quarter) (?:past|to) \w+|\b(?:morning|afternoon|evening) (?:at )?\d{1,2}(?:[:.h]\d\d)?\b|"
        rf"\b(?:\d{{1,2}}(?:[:.h]\d\d)?|{_HOUR}) ?(?:[ap]\.?m\b|o['’]clock|uhr|in the (?:morning|afternoon|evening))|"
        r"\b\d{1,2}[:.h]\d\d\b|\b(?:noon|midnight|midday)\b|\bin the (?:morning|afternoon|evening)\b|"
        r"\b(?:a las|alle|às|om|в|à) \d{1,2}\b|\d{1,2}[時时点시]|[一二三四五六七八九十]点",
        re.I,
    ),
    _NUMBER: re.compile(
        r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|couple|twice|myself|alone)\b",
        re.I,
    ),
    _PRICE: re.compile(
        r"[$€£¥₹] ?\d|\d ?(?:[$€£¥₹]|(?:usd|eur|gbp|dollars?|euros?|pounds?|credits?|cents?|bucks)\b)|"
        r"\b(?:cheap(?:er|est|ly)?|(?:in)?expensive|moderate(?:ly)?|affordable|pricey|free|budget|costs?)\b|"
        rf"\d ?(?:{CODES_ABROAD})",
        re.I,
    ),
    _PLACE: re.compile(
        r"\b(?i:in|at|from|to|near|nearby|around|via|into|leave|leaving|visit(?:ing)?|between|of) (?:the )?"
        r"(?:[A-Z]\w|(?i:(?:city |town )?(?:north|south|east|west|cent(?:re|er)|downtown|middle)))|"
        r"\b(?i:from|near|departing|destination|located (?:in|at|on)) "
        r"(?!(?:the|a|an|my|your|it|there|here|now|\d+)\b)\w{3,}|"
        r"\b(?i:(?:north|south|east|west|central|cent(?:re|er)|downtown)(?:ern)?) (?i:part|side|area|of)\b|"
        r"\b\d+[a-z]? (?:\w+ ){1,3}(?i:street|st|road|rd|avenue|ave|lane|drive|way|square|blvd|boulevard)\b"
    ),
    _NAME: re.compile(
        r"(?<![.!?:] )(?<!^)\b(?!(?:I|OK|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?|January|February|March|April|May|"
        r"June|July|August|September|October|November|December)\b)[A-Z][^\W\d_]+|"
        r"\b(?i:recommend(?:ed)?|suggest(?:ed)?|how about|called|named|name is)\b"
    ),
}


def wanted_kinds(question: str) -> frozenset[str]:
    """The kinds of values that `question` asks for and does not contain itself; empty if no rule matches."""
    asked: set[str] = set()
    for sentence in sentences(question):
        if not sentence.endswith(QUESTION_MARKS):
            asked -= {kind for kind in asked if _SAID[kind].search(sentence)}
        asked |= {kind for pattern, kind in _WANTED if pattern.search(sentence)}
    return frozenset(asked)


def days(text: str) -> frozenset[str]:
    """The days in `text`, identified by the day of the month."""
    found = {match.group().casefold() for match in _SAID[_DAY].finditer(text)}
    for value in values(text):
        if value.kind is ValueKind.DATE:
            found = {day for day in found if day not in value.text.casefold()}
            found |= {str(day) for _, _, day in dates(value.text) if day} or {value.text.casefold()}
    return frozenset(_ORDINAL.sub(r"\1", day) for day in found)


def times(text: str) -> frozenset[str]:
    """The times of day that `text` says, those in figures as on a clock with twelve hours."""
    return frozenset(
        str(minutes_of(sentence)[0] % (12 * 60)) if any(map(str.isdigit, sentence)) else sentence
        for sentence in (match.group().casefold() for match in _SAID[_TIME].finditer(text))
    )


@lru_cache(maxsize=SENTENCES)
def has_value_of(text: str, kinds: frozenset[str]) -> bool:
    """Whether `text` contains a value of one of the `kinds`."""
    return any(_SAID[kind].search(text) for kind in kinds)
