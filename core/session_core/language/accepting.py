"""Hears when somebody takes what was offered: "yes, that one", "sounds good, book it"."""

from __future__ import annotations

import re
from functools import lru_cache

from session_core.language.words import SENTENCES

_OFFERS = re.compile(r"[?？]|\b(?:suggest|recommend|how about|what about|offer|propose)", re.IGNORECASE)
_TAKES = re.compile(
    r"^\W*(?:(?:oh|ah|well|hm+|wow|thanks|thank you|ok(?:ay)?|great|and|so)[,.! ]+)*"
    r"(?:(?:yes|yeah|yep|yup|sure|absolutely|definitely|certainly|please do|go ahead|of course|deal|agreed|perfect|"
    r"ok(?:ay)?|great|excellent|wonderful|lovely|awesome|alright|all right|fine)\b(?!\W+(?:but|no|what|how|do|does|"
    r"is there|are there|any|another)\b)|"
    r"(?:that|this|it|they|those)(?: one)?(?: ?['’]?s|'s| is| ?['’]?ll| will| would| ?['’]?d|s)?(?: \w+)? "
    r"(?:(?:very|just|really|quite) )?"
    r"(?:good|fine|great|perfect|ok(?:ay)?|works?|sounds?|suits?|do|lovely|wonderful|nice|excellent|acceptable)\b|"
    r"sounds (?:like|good|great|fine|perfect|lovely|nice|wonderful|ok(?:ay)?)\b|works for (?:me|us)\b|"
    r"(?:let['’]?s|i['’]?ll|we['’]?ll|i will|we will|i ?['’]?d like to|i want to) (?:take|go (?:for|with)|have|do|"
    r"book|choose|pick|order|try) (?:it|that|this|them|those|the (?:first|second|third|last|latter|former))\b|"
    r"(?:please )?(?:book|reserve|order|take|buy|send|add|schedule|choose) (?:it|that|this|them|me|us)\b|"
    r"the (?:first|second|third|last|latter|former)(?: one)?\b|"
    r"(?:ja|gerne|klingt gut|passt|einverstanden|oui|d['’]accord|ça me va|parfait|s[ií],|claro|vale|perfecto|sì,|"
    r"va bene|perfetto|sim,|pode ser|perfeito)\b)",
    re.IGNORECASE,
)
_DECLINES = re.compile(
    r"^\W*(?:no|nope|nah|not)\b|\b(?:instead|rather|different|other than|too (?:expensive|far|late|early|big|small))\b",
    re.IGNORECASE,
)


def offers(text: str) -> bool:
    """Whether `text` offers or asks something that can be taken."""
    return _OFFERS.search(text) is not None


@lru_cache(maxsize=SENTENCES)
def takes(text: str) -> bool:
    """Whether `text` begins by taking what was offered right before it."""
    return _TAKES.search(text) is not None and _DECLINES.search(text) is None
