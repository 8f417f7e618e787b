"""Detects acceptance of an offer or an answer to a question: "yes, that one", "sounds good, book it"."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from session_core.language.amending import names, retracted_words, subject_words
from session_core.language.locales.all_locales import DOINGS, REFUSES, TAKES
from session_core.language.phrases import DONE
from session_core.language.slots import typed
from session_core.language.values import values
from session_core.language.words import QUESTION_MARKS, SENTENCES, content_words, one_line, sentences, shorten, words

OFFERED_CHARACTERS = 140
"""Maximum length of a context sentence that is shown with a question."""
LISTED_CHARACTERS = 240
"""In a longer list, a number is not understood as a choice."""
ANSWER_WORDS = 12
PICKED_WORDS = 6
"""Longer answers are understandable without the question."""
_OFFERS = re.compile(r"[?？؟]|\b(?:suggest|recommend|how about|what about|offer|propose)", re.IGNORECASE)
_TAKES = re.compile(
    r"^\W*(?:(?:oh|ah|well|hm+|wow|thanks|thank you|ok(?:ay)?|great|and|so|lol|haha+|right)[,.! ]+)*"
    r"(?:(?:yes|yeah|yep|yup|yea|aye|k|kk|sure|absolutely|definitely|certainly|please do|go ahead|of course|deal|"
    r"agreed|perfect|"
    r"ok(?:ay)?|great|excellent|wonderful|lovely|awesome|alright|all right|fine)\b"
    r"(?!\W+(?:but|no|what|how|do(?! (?:it|that|so)\b)|does|is there|are there|any|another)\b)|"
    r"(?:that|this|it|they|those)(?: one)?(?: ?['’]?s|'s| is| ?['’]?ll| will| would| ?['’]?d|s)?(?: \w+)? "
    r"(?:(?:very|just|really|quite) )?"
    r"(?:good|fine|great|perfect|ok(?:ay)?|works?|sounds?|suits?|do|lovely|wonderful|nice|excellent|acceptable)\b"
    r"(?! to (?:hear|know|see|read)\b)|"
    r"sounds (?:like|good|great|fine|perfect|lovely|nice|wonderful|ok(?:ay)?)\b|works for (?:me|us)\b|"
    r"(?:let['’]?s|i['’]?ll|we['’]?ll|i will|we will|i ?['’]?d like to|i want to) (?:take|go (?:for|with)|have|do|"
    r"book|choose|pick|order|try) (?:it|that|this|them|those|the (?:first|second|third|last|latter|former))\b|"
    r"(?:please )?(?:book|reserve|order|take|buy|send|add|schedule|choose) (?:it|that|this|them|me|us)\b|"
    r"the (?:first|second|third|last|latter|former)(?: one)?\b|"
    rf"(?:{TAKES}))",
    re.IGNORECASE,
)
_DECLINES = re.compile(
    r"^\W*(?:no|nope|nah|not)\b|\b(?:instead|rather|different|other than|too (?:expensive|far|late|early|big|small))\b|"
    r"^\W*(?!doe )[^\s,.]+[, ]+(?:aber|pero|mais|ma|mas|maar|но|ale|ama|但是?|하지만)\b",
    re.IGNORECASE,
)


_REFUSES = re.compile(
    r"^\W*(?:(?:oh|ah|well|hm+|lol|haha+|ok(?:ay)?|ach|ay)[,.! ]+)*(?:(?:no|nope|nah|not|skip|forget|drop|leave|"
    r"rather not|better not|please don['’]?t|don['’]?t)\b|"
    rf"(?:{REFUSES}))"
    r"(?!\W+(?:thanks?|thank you|problem|worries|danke|merci|gracias|grazie|obrigad[oa]|bedankt|dank je|спасибо)\W*$)",
    re.IGNORECASE,
)
_PUTS = re.compile(
    r"[?？؟]|(?:ます|です|しょう|せん|まし[たょ]う?|する|した|いい)か[。\s]*$|"
    r"\b(?:how|what) about\b|\b(?:you|we) could\b|\boptions? (?:[a-h1-9]\b|are|is)|"
    r"\b(?:i|we)(?:['’]d| would| can| could|['’]ll)? (?:suggest|recommend|propose|offer|use|go with|take|choose)\b|"
    r"\b(?:ich (?:empfehle|schlage|würde)|vorschlagen|empfehlen|je (?:propose|suggère|recommande|conseille)|"
    r"(?:peux|pouvons) (?:proposer|suggérer)|(?:puedo|podemos) (?:proponer|sugerir)|sugiero|recomiendo|propongo|"
    r"(?:posso|podemos) (?:sugerir|propor|oferecer|proporre|suggerire|consigliare)|sugiro|recomendo|proponho|"
    r"suggerisco|consiglio|ik (?:stel|raad)|могу предложить|предлагаю|советую|proponuję|polecam|öneririm)\b|"
    r"可以选|可以選|建议|推荐|お(?:すすめ|勧め)|추천",
    re.IGNORECASE,
)
_ENUMERATED = re.compile(
    r"(?:^|[\s:])\(?(?:1[.):]|[aA][):])\s?[^\s\d].{2,200}?[\s,;]\(?(?:2[.):]|[bB][):])\s?[^\s\d]", re.DOTALL
)
"""At least two numbered items, of which one may be chosen by its number."""
_WONDERS = re.compile(
    r"^\W*(?:(?:and|but|so|ok(?:ay)?|hm+|oh|or|well|btw|lol)[,. ]+)*(?:what (?:if|would happen if|about)|how about|"
    r"should (?:i|we)|shall (?:i|we)|could (?:i|we)|can we|do (?:i|we) need|would it (?:be|make)|is it worth|"
    r"(?:is|are) (?:it|there|they|this|that) (?:better|worth)|(?:was )?wäre es|was wäre wenn|was wenn|soll(?:en|te|"
    r"ten)? "
    r"(?:wir|ich)|lohnt (?:es )?sich|y si|debería(?:mos)?|vale la pena|et si|devrais-je|on devrait|est-ce que ça vaut|"
    r"e se|dovre(?:i|mmo)|vale la pena|zullen we|moeten we|а если|может|стоит ли)\b",
    re.IGNORECASE,
)
"""How a user thinks about alternatives; the decision follows the reply."""
_PUTTING = (
    "about", "could", "option", "suggest", "recom", "propo", "offer", "use", "go with", "take", "choose", "empfehl",
    "schlag", "ich ", "sug", "consigli", "ik ", "poleca",
)  # fmt: skip
"""A fast check: every ASCII text that the pattern matches contains one of these."""
_REQUESTS = re.compile(
    r"\b(?:could|can|may|might|will|would) (?:you|i|we) (?:please )?"
    r"(?:provide|tell|give|share|let|have|get|ask|know|see)\b",
    re.IGNORECASE,
)
"""Requests for more information; "yes" to one of them is only the beginning of an answer."""
_IT_IS = re.compile(r"\bit is\W*$", re.IGNORECASE)
_CHOICE = re.compile(
    r"\b(?:or|oder|ou|oppure|which|welche\w*|quel(?:le)?s?|cuál(?:es)?|quale|qual|prefer|или|как(?:ой|ую|ие)|welke?|"
    r"czy|lub|veya|o (?:el|la|los|las|un|una))\b|或者?|または|또는|أو|还是|哪[个家种]|それとも|どちら|아니면|어느",
    re.IGNORECASE,
)
_DOES = re.compile(rf"\b(?:{DONE})\w*|{DOINGS}", re.IGNORECASE)
_LISTED = re.compile(r"(?:^|\s)\(?[1aA][.):]\s|\boption\b", re.IGNORECASE)
_PLACE = re.compile(
    r"^\W*(?:(?:ok(?:ay)?|yes|then|i(?:['’]d)? (?:take|like|prefer|choose|pick)|let['’]?s (?:take|go with)|option|"
    r"number|the|no\.?)[,. ]+)*"
    r"(?!all (?:is|looks|sounds|seems|works)\b)"
    r"(?:[a-h]|\d{1,2}|first|second|third|fourth|last|former|latter|both|all|none|neither|either|other one)"
    r"(?: (?:one|option|choice))?(?: (?:(?:looks|sounds|seems|works|is|would be) (?:\w+ )?"
    r"(?:good|great|fine|right|best|better|nicer?|ok(?:ay)?|perfect)|works|it is))?"
    r"(?:[, ]+(?:please|pls|then|thanks|i (?:think|guess)))*\W*$|"
    r"^\W*(?:(?:ok(?:ay)?|yes|then|i(?:['’]d)? (?:take|like|prefer|choose|pick)|let['’]?s (?:take|go with))[,. ]+)*"
    r"(?:the|that|this) (?:\w+er|\w+est|(?:more|less|most|least) \w+|free|cheap|other|new|old|big|small)? ?one\b"
    r"(?: (?:with|for|in|on|at) "
    r"(?:the )?\w+)?(?:[, ]+(?:please|then|for now))*\W*$|"
    r"^\W*(?:(?:ok|gut|dann|bien|entonces|alors|allora|então|bem|vale|va bene|ну|тогда|давайте?|dan)[,. ]+)*"
    r"(?:(?:d(?:er|ie|as|en) (?:erste|zweite|dritte|letzte|günstigere|billigere|andere)n?|letzteres|ersteres)|"
    r"(?:el|la|los|las) (?:primer[oa]|segund[oa]|tercer[oa]|últim[oa]|más \w+|otr[oa])|"
    r"l[ea] (?:premi(?:er|ère)|deuxième|second[e]?|troisième|derni(?:er|ère)|moins chère?|plus \w+)|"
    r"[oa] (?:primeir[oa]|segund[oa]|terceir[oa]|últim[oa]|mais \w+|outr[oa])|"
    r"(?:il|la|lo) (?:prim[oa]|second[oa]|terz[oa]|ultim[oa]|più \w+|meno \w+)|"
    r"(?:de|het) (?:eerste|tweede|derde|laatste|goedkopere?)|"
    r"(?:l['’]autre|l['’]altr[oa]|den anderen|de andere|друг(?:ой|ую|ая))|"
    r"(?:перв|втор|трет|последн)\w+|(?:pierwsz|drug|trzeci|ostatni)\w*|"
    r"第[一二三四][个個家种種]?|[一二三]つ目|最初の|最後の|(?:첫|두|세) ?번째)\w*"
    r"(?:[, ]+(?:por favor|bitte|s['’]il (?:te|vous) plaît|per favore|пожалуйста))?\W*$",
    re.IGNORECASE,
)
"""Names one of several only by its place or kind: "the second one"."""
_PAIRED = re.compile(
    r"[^\W_]\W+(?:and|or|und|oder|et|ou|y|e|o|en|of|и|или|i|lub|ve|veya) [^\W_]|[(]?\b(?:1|a)[.):] .*\b(?:2|b)[.):] |"
    r"[と和或及와과]"
)
"""What joins two things of which one may be chosen."""

_AS_IT_IS = re.compile(
    r"^\W*(?:(?:no|yes|ok(?:ay)?|well|actually|please|nein|ja|non|oui|sí|não|sim|sì|nee|нет|да)[,.! ]+)*(?:"
    r"(?:leave|keep|ignore|skip|drop) (?:it|that|this|them|those|these)(?=\W*$|[,.;:!]| (?:as|like|so|alone|there|"
    r"for now|that way|the way|please)\b)|"
    r"(?:it|that|this|they|those|these)(?: is|['’]s| are|['’]re)(?: \w+)? (?:intended|intentional|on purpose|by design|"
    r"deliberate|expected|out of scope|false (?:positives?|alarms?))\b|"
    r"(?:das ist|c['’]est|es|è|é|dat is|это|так|to)(?: \w+)? (?:absicht|beabsichtigt|gewollt|voulu|exprès|a propósito|"
    r"intencion\w+|intenzion\w+|voluto|de propósito|de bedoeling|bedoeld|намеренно|задумано|celowe)\b|"
    r"lasst? (?:es|das) so\b|laisse\w*[- ](?:le|la|les|ça|comme)\b|déjal[oa]\b|lascial[oa]\b|"
    r"deix[ae] (?:assim|como)|laat (?:het|dat) zo\b|оставь(?:те)? (?:это|так|как)\b)|"
    r"^(?:这?是故意的|保持原样|意図的|仕様です|そのまま)",
    re.IGNORECASE,
)
"""Decides that what an assistant found stays as it is."""


def find_offer(text: str, empty: Callable[[str], bool]) -> str | None:
    """What an assistant's message offers or asks: the last sentence that does, unless it is `empty`, with the
    sentence after it, or else before it, if that is short."""
    texts = sentences(text)
    place = next((place for place in range(len(texts) - 1, -1, -1) if _puts(texts[place])), None)
    if place is None:
        return _enumerated(text)
    if empty(texts[place]):
        return None
    # Options may follow the question, and what "it" means may precede it.
    listed = one_line(" ".join(texts[place:]))
    offer = listed if len(listed) <= OFFERED_CHARACTERS else texts[place]
    if place and not names(offer.partition(" ")[2]) and not typed(offer):
        before = one_line(f"{texts[place - 1]} {offer}")
        return before if len(before) <= OFFERED_CHARACTERS else offer
    return offer


def _enumerated(text: str) -> str | None:
    """`text` from its first to its last numbered item, if that is short and lists at least two."""
    found = _ENUMERATED.search(text)
    listed = one_line(text[found.start() :]) if found else ""
    return listed if 0 < len(listed) <= LISTED_CHARACTERS else None


def find_wondering(text: str) -> str | None:
    """The alternatives that a user considers at the end of `text`: whether to do something, or which of two; None if
    there are none."""
    texts = sentences(text)
    if not texts or not texts[-1].endswith(QUESTION_MARKS):
        return None
    return texts[-1] if _WONDERS.search(texts[-1]) or _CHOICE.search(texts[-1]) else None


def considered(question: str, reply: str) -> str:
    """What a user considered, and the beginning of the reply to it: a statement after both decides it."""
    return shorten(one_line(f"{question} {next(iter(sentences(reply)), '')}"), OFFERED_CHARACTERS)


def put(text: str) -> str:
    """The last sentence of `text` that asks or offers something, or that ends a list of choices; "" for none."""
    texts = sentences(text)
    asking = next((sentence for sentence in reversed(texts) if _puts(sentence)), "")
    return asking or (texts[-1] if texts and _enumerated(text) else "")


def _puts(sentence: str) -> bool:
    """Whether `sentence` asks or offers something; a fast check excludes most."""
    if not sentence.isascii() or "?" in sentence:
        return _PUTS.search(sentence) is not None
    lowered = sentence.lower()
    for word in _PUTTING:
        if word in lowered:
            return _PUTS.search(sentence) is not None
    return False


def is_only_answer(text: str) -> bool:
    """Whether `text` is so short that it is only an answer, and asks nothing itself."""
    return not text.endswith(QUESTION_MARKS) and len(words(text)) <= ANSWER_WORDS


def chosen_from(told: str, sentence: str) -> str | None:
    """What an assistant `told` that names several things, if a user's `sentence` chooses one of them ("Sand and navy
    are available." "The other one."); else None. The sentence before is included if both are short."""
    if not is_only_answer(sentence) or not _PLACE.match(sentence):
        return None
    texts = sentences(told)
    if not texts or len(texts[-1]) > OFFERED_CHARACTERS or not _PAIRED.search(texts[-1]):
        return None
    both = one_line(" ".join(texts[-2:]))
    return both if len(both) <= OFFERED_CHARACTERS else one_line(texts[-1])


def left_as_it_is(told: str, sentence: str) -> str | None:
    """What an assistant `told`, if a user's `sentence` decides that it stays as it is, without naming it ("That's
    intended."); else None. Of a longer message the last sentence."""
    if not _AS_IT_IS.match(sentence) or not is_only_answer(sentence) or typed(sentence) or not told.strip():
        return None
    whole = one_line(told)
    return whole if len(whole) <= OFFERED_CHARACTERS else shorten(one_line(sentences(told)[-1]), OFFERED_CHARACTERS)


@lru_cache(maxsize=SENTENCES)
def settles_offer(offer: str, text: str) -> bool:
    """Whether `text` is a short answer that settles `offer`: a yes or a no to a named action, or a choice of one of
    several."""
    if not is_only_answer(text):
        return False
    if not _PUTS.search(offer):
        return _ENUMERATED.search(offer) is not None and _PLACE.search(text) is not None
    alternatives = _CHOICE.search(offer) is not None
    if _REQUESTS.search(offer) and not alternatives:
        return False
    weighs = alternatives or bool(names(offer)) or bool(typed(offer)) or _DOES.search(offer) is not None
    weighs = weighs or _WONDERS.search(offer) is not None
    if weighs and (accepts_offer(text) or _REFUSES.search(text)):
        return True
    if _PLACE.search(text):
        return alternatives or _LISTED.search(offer) is not None
    picks = (alternatives or _IT_IS.search(text) is not None) and len(words(text)) <= PICKED_WORDS
    return picks and not frozenset(content_words(text)).isdisjoint(subject_words(offer))


def only_declines(text: str) -> bool:
    """Whether a "no" in `text` means only what was asked: "no, by mail" corrects nothing that was said before."""
    return not values(text) and not names(text) and not retracted_words(text)


def has_offer(text: str) -> bool:
    """Whether `text` offers or asks something that can be accepted."""
    return _OFFERS.search(text) is not None


@lru_cache(maxsize=SENTENCES)
def accepts_offer(text: str) -> bool:
    """Whether `text` begins by accepting what was offered right before it."""
    return _TAKES.search(text) is not None and _DECLINES.search(text) is None
