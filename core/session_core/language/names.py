"""Finds proper names in a sentence: capitals that neither position nor a common word explains."""

from __future__ import annotations

import re
from collections.abc import Iterator

from session_core.language.words import STOP_WORDS

LABELS = frozenset(
    (
        "user users assistant client customer agent human system tool team ai key point points summary context "
        "conversation topic topics goal goals fact facts detail details note notes decision decisions preference "
        "preferences constraint constraints commitment commitments correction corrections question questions open next "
        "step steps action actions item items task tasks budget date dates amount amounts identifier identifiers name "
        "names status result results request requests background overview history progress requirement requirements "
        "important current pending remaining final main other additional previous so far everyone both someone nobody "
        "however therefore finally overall meanwhile first second third then later guest guests place destination "
        "travel traveler travelers traveller passenger passengers hotel flight flights room rooms price cost total "
        "payment order orders product products issue issues problem problems solution solutions error errors reference "
        "references contact email phone address time times deadline location event meeting project type category size "
        "quantity language tools code file files feature features bug bugs plan plans schedule itinerary interest "
        "interests concern concerns follow-up outstanding resolved unresolved agreed confirmed change changes update "
        "updates info information data source sources link links resources rule rules limit limits conditions terms "
        "currently previously initially recently yes ok okay please thanks i"
    ).split()
)
_SPEAKING = frozenset(
    (
        "said says asked asks wants wanted prefers preferred agreed agrees booked told will promised "
        "decided confirmed requested likes liked lives works suggested mentioned has had is was needs "
        "needed stated thinks thought offered accepted declined sent paid recommended approved and "
        "goes went lent lends borrowed owes owed brought brings gave gives eats drinks owns studies teaches met "
        "married hired moved travels traveled visits visited knows knew loves hates insists refused flies"
    ).split()
)
_TITLE = re.compile(r"\b(?:Dr|Mr|Mrs|Ms|Prof|St|Sr|Sra|Hr|Fr)\.$")
_NOUN = re.compile(r"(?:ing|[st]ion|ment|ness|ity|ance|ence|ings|[st]ions|ments)$")
_TOKEN = re.compile(r"[^\W\d_][\w'’-]*|\d[\d.,]*")


def names(text: str, german: bool) -> Iterator[str]:
    """The proper names in a sentence: words with a capital that its place does not explain."""
    tokens = list(_TOKEN.finditer(text))
    for index, token in enumerate(tokens):
        word = token.group()
        if not word[0].isupper() or (len(word) == 1 and index == 0):
            continue
        before = text[: token.start()].rstrip(" \t\"'“‘(*_[")
        starts = not before or (before[-1] in ".!?:…|>→-•" and not _TITLE.search(before))
        following = tokens[index + 1].group() if index + 1 < len(tokens) else ""
        if word.casefold() in LABELS or word.casefold() in STOP_WORDS:
            continue
        if german and not following[:1].isupper():
            continue
        called = following[:1].isupper() or following.casefold() in _SPEAKING or word.endswith(("'s", "’s"))
        if starts and _NOUN.search(word) and not following[:1].isupper():
            continue
        if not starts or called or word.isupper():
            yield word
