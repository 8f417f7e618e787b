"""Rule-based classification of messages: what compression may do with each."""

from __future__ import annotations

import re
from functools import lru_cache

from session_core.language.courtesies import is_courtesy
from session_core.language.cues import is_commitment, kinds
from session_core.language.locales.all_locales import LOCALES
from session_core.language.quoting import split_quoted, unquoted
from session_core.language.values import ValueKind, found
from session_core.language.words import SENTENCES, sentences
from session_core.turns import Importance, Message, Role

LONG_CHARACTERS = 4_000
"""A longer user message is taken for a pasted document: only its beginning and its end are read for what
the user wants. Its facts are still taken one by one when it is folded."""

EDGE_CHARACTERS = 600
SHORT_RESULT_CHARACTERS = 400
"""A tool result up to this length that names an identifier is kept; longer ones are summarized."""

_STATED = (ValueKind.IDENTIFIER, ValueKind.AMOUNT, ValueKind.DATE, ValueKind.TIME)
_FAILED = re.compile(
    r"\b(?:error|exception|traceback|failed|failure|denied|timed? ?out|not found|invalid)\b", re.IGNORECASE
)
_FILLER = frozenset(
    tuple(phrase.split())
    for phrase in (
        "ok|okay|k|kk|cool|nice|great|good|fine|awesome|perfect|excellent|wonderful|amazing|lovely|super|hello|hi|hey|"
        "bye|goodbye|thanks|thank you|thank you so much|thank you very much|thanks a lot|thx|ty|cheers|got it|i see|"
        "understood|noted|alright|all right|right|of course|certainly|no problem|no worries|never mind|you're welcome|"
        "you’re welcome|you are welcome|my pleasure|welcome|good morning|good afternoon|good evening|good night|have a "
        "nice day|have a great day|have a good day|you too|same to you|see you|talk to you later|how are you|i'm fine|"
        "haha|lol|wow|oh|ah|hmm|hm|um|uh|well|so|and|very|much|so much|again|there|everyone|that's great|that’s great|"
        "sounds great|great job|well done|happy to help|glad to help|glad i could help|i'm happy to help|i’m happy to "
        "help|how can i help you|how can i help you today|how may i help you|how can i assist you|how can i assist you "
        "today|is there anything else|anything else|is there anything else i can help you with|let me know if you need "
        "anything else|let me know|" + "|".join(locale.fillers for locale in LOCALES if locale.fillers)
    ).split("|")
)
_LONGEST_FILLER = max(len(phrase) for phrase in _FILLER)
_FIRST = frozenset(phrase[0] for phrase in _FILLER)
_FILLER_CHARACTERS = 160


class RuleClassifier:
    """Keeps what binds or identifies, discards what only greets or thanks, summarizes the rest.

    It reads phrases of a handful of languages and signs that need none (digits, codes, currencies,
    dates); what it does not understand is summarized, never discarded.
    """

    def classify(self, message: Message) -> Importance:
        """What compression may do with `message`; an answer such as "yes" is not filler."""
        if message.role is Role.SYSTEM:
            return Importance.MUST_KEEP
        if message.tool_calls or message.media:
            return Importance.MUST_KEEP if self._binding(message) else Importance.SUMMARIZE
        if is_filler(message.content):
            return Importance.DISCARD
        return Importance.MUST_KEEP if self._binding(message) else Importance.SUMMARIZE

    def _binding(self, message: Message) -> bool:
        match message.role:
            case Role.USER:
                return _user_binds(message.content)
            case Role.ASSISTANT:
                return any(is_commitment(sentence) for sentence in sentences(_edges(message.content)))
            case _:
                return _result_binds(message.content)


@lru_cache(maxsize=SENTENCES)
def is_filler(text: str) -> bool:
    """Whether `text` is empty, or only greets, thanks, acknowledges or is polite."""
    if len(text) > _FILLER_CHARACTERS:
        return not text.strip()
    return _is_only_phrases(text) or is_courtesy(text, _is_only_phrases)


def _is_only_phrases(text: str) -> bool:
    said = re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text.casefold())
    at = 0
    while at < len(said):
        if said[at] not in _FIRST:
            return False
        sizes = range(min(_LONGEST_FILLER, len(said) - at), 0, -1)
        size = next((n for n in sizes if tuple(said[at : at + n]) in _FILLER), 0)
        if not size:
            return False
        at += size
    return True


def _user_binds(text: str) -> bool:
    # Values first: their absence is seen at a glance, and most texts with a digit, sign or day have one.
    if len(text) <= LONG_CHARACTERS and any(value.kind in _STATED for value in found(text)):
        return True
    own = [part for part, quoted in split_quoted(_edges(text)) if not quoted]
    return any(kinds(unquoted(sentence)) for part in own for sentence in sentences(part))


def _result_binds(text: str) -> bool:
    if len(text) > SHORT_RESULT_CHARACTERS or _FAILED.search(text):
        return False
    return any(v.kind is ValueKind.IDENTIFIER and any(c.isdigit() for c in v.text) for v in found(text))


def _edges(text: str) -> str:
    if len(text) <= LONG_CHARACTERS:
        return text
    return f"{text[:EDGE_CHARACTERS]}\n{text[-EDGE_CHARACTERS:]}"
