"""Detects the speech act of a sentence: stating a rule, correcting, deciding, promising."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from session_core.language.conditions import CONDITIONS, REFUSALS
from session_core.language.corrections import CORRECTIONS, CORRECTIONS_IN_LANGUAGES, REVISIONS
from session_core.language.cue import STEM_CHARACTERS, Cue, script
from session_core.language.locales.all_locales import LOCALES, REQUESTS
from session_core.language.phrases import COMMITMENTS, CONSTRAINTS, DECISIONS, IDENTITIES, PREFERENCES
from session_core.language.refused_things import REFUSED_THINGS
from session_core.language.rules import RULES
from session_core.language.ways_of_answering import WAYS_OF_ANSWERING
from session_core.language.words import SENTENCES, words
from session_core.plan import FactKind

_APOSTROPHE = re.compile("['’]")
LEAD_IN_WORDS = 8
"""Maximum words before a colon that introduce a rule; longer ones tell a story."""


class _Cues:
    """Cues indexed by the words that they need, since most sentences have none of most."""

    def __init__(self, *tables: Sequence[Cue]) -> None:
        self._by_stem: dict[str, list[tuple[int, Cue]]] = {}
        for place, cues in enumerate(tables):
            for cue in cues:
                for stem in cue.stems:
                    self._by_stem.setdefault(stem, []).append((place, cue))

    def candidates(self, sentence: str) -> set[tuple[int, Cue]]:
        """The cues that may match `sentence`, each with the index of its table."""
        said = set(words(sentence))
        if "'" in sentence or "’" in sentence:
            said.update([part for word in said if "'" in word or "’" in word for part in _APOSTROPHE.split(word)])
        found = {one for word in said for one in self._by_stem.get(word[:STEM_CHARACTERS], ())}
        if not sentence.isascii():
            found.update(self._by_stem.get(script(sentence), ()))
        return {one for one in found if not one[1].also or not one[1].also.isdisjoint(said)}

    def matches(self, sentence: str) -> bool:
        """Whether one of the cues matches `sentence`."""
        return any(cue.pattern.search(sentence) for _, cue in self.candidates(sentence))


_USER_CUES = {
    FactKind.RULE: [*RULES, *WAYS_OF_ANSWERING, *(cue for locale in LOCALES for cue in locale.rules)],
    FactKind.CONSTRAINT: [*CONSTRAINTS, *(cue for locale in LOCALES for cue in locale.constraints)],
    FactKind.CORRECTION: [
        *CORRECTIONS,
        *CORRECTIONS_IN_LANGUAGES,
        *(cue for locale in LOCALES for cue in locale.corrections),
    ],
    FactKind.DECISION: [
        *DECISIONS,
        *CONDITIONS,
        *REFUSALS,
        *(cue for locale in LOCALES for cue in locale.decisions),
    ],
    FactKind.IDENTITY: [*IDENTITIES, *(cue for locale in LOCALES for cue in locale.identities)],
    FactKind.PREFERENCE: [*PREFERENCES, *REFUSED_THINGS, *(cue for locale in LOCALES for cue in locale.preferences)],
}
"""What a user may state, most binding first."""
_USER_KINDS = tuple(_USER_CUES)
_USER = _Cues(*_USER_CUES.values())
_RULES = _Cues(_USER_CUES[FactKind.RULE])
_COMMITMENTS = _Cues([*COMMITMENTS, *(cue for locale in LOCALES for cue in locale.commitments)])
_REVISIONS = _Cues([*REVISIONS, *(cue for locale in LOCALES for cue in locale.revisions)])
_NOT_ASKED = (FactKind.CONSTRAINT, FactKind.DECISION, FactKind.IDENTITY, FactKind.PREFERENCE)
_ASKING = re.compile(r"[?？؟]\W*$")
_TAG = re.compile(
    r"[,–—-] ?(?:ok(?:ay)?|alright|all right|deal|please|pls|got it|understood|yeah|ja|gell?|klar|vale|de acuerdo|"
    r"d['’]accord|va bene|tá|oké|goed|ладно|хорошо)\s?[?？]+\W*$",
    re.IGNORECASE,
)
"""A statement that ends with a tag question ("nobody opens it before noon, ok?") is not a question."""
_COLON = re.compile("[:：]")
_NAMED = re.compile(r"[\"“„«][^\"“”«»]{1,60}[\"”“»]")
"""A mentioned phrase corrects nothing: the reason “no longer needed”."""
_WHETHER = re.compile(
    r"\b(?:did|does|has|have|had) (?:they|he|she|it|some(?:one|body)|any(?:one|body))\b|"
    r"^\W*(?:(?:and|so|but|ok(?:ay)?|also|actually|sorry|wait|hm+|oh)[, ]+)*(?:what(?! (?:about|if)\b)|which|who|"
    r"how(?! about\b)|why(?! (?:don['’]?t|not)\b)|do you (?:think|know|have any (?:tips|advice|ideas)))\b|"
    r"\b(?:haben sie (?:das|es|den|ihn)|hat (?:er|sie|man)|(?:ils|elles) ont|ont-ils|a-t-(?:on|il|elle)|(?:lo|la|los|"
    r"las) han|l['’]hanno|hebben ze|heeft (?:hij|ze)|они)\b",
    re.IGNORECASE,
)
"""Who asks what others have done takes nothing back."""
_MUSES = re.compile(
    r"^\W*(?:(?:and|but|so|also|actually|well|hm+)[, ]+)*(?:[^,;.]{3,60}, )?i(?:['’]m| am| was|['’]ve been| have "
    r"been) (?:also |now |still |just |even )*(?:thinking (?:of|about)|considering|wondering)\b(?!.*\d)|\bi wish\b",
    re.IGNORECASE,
)
"""Who thinks of something has not decided yet."""
_NOTHING_TO_ADD = re.compile(
    r"^\W*(?:nein|nee|non|no|não|нет|nie)[,.! ]+(?:das (?:ist|war|wäre) (?:schon |dann )?(?:alles|ok(?:ay)?|gut|"
    r"richtig|in ordnung)|nicht (?:nötig|jetzt|wirklich|im moment)|c['’]est (?:tout|bon|ok|parfait|ça|exact|vrai)|"
    r"pas (?:pour l['’]instant|pour le moment|maintenant|encore|vraiment|besoin|du tout)|(?:eso )?es todo|es (?:verdad|"
    r"correcto|así)|la verdad|è tutto|è (?:vero|giusto|ok)|é (?:só(?: isso)?|tudo|verdade|isso)|dat (?:is|"
    r"was) (?:alles|goed|ok|waar)|niet (?:nodig|nu|echt)|это (?:всё|все|правда)|не надо|to wszystko|to prawda)\b",
    re.IGNORECASE,
)
"""Who has nothing to add takes nothing back."""
_REQUEST = re.compile(rf"\b(?:can|could|would|will) you\b|{REQUESTS}", re.IGNORECASE)


@lru_cache(maxsize=SENTENCES)
def kinds(sentence: str) -> tuple[FactKind, ...]:
    """The kinds of what a user states with `sentence`, most binding first; none for a plain question."""
    return tuple(_kinds(sentence))


def _kinds(sentence: str) -> Iterator[FactKind]:
    tried = _USER.candidates(sentence)
    asking = bool(tried) and _asks(sentence)
    for place in sorted({place for place, _ in tried}):
        kind = _USER_KINDS[place]
        if asking and kind in _NOT_ASKED:
            continue
        if asking and kind is FactKind.RULE and not _REQUEST.search(sentence):
            continue
        corrects = kind is FactKind.CORRECTION
        text = _NAMED.sub("…", sentence) if corrects else sentence
        # Few sentences match, so that what only looks so is told afterwards.
        if _states(place, tried, text) and not (corrects and _only_seems(text, asking=asking)):
            yield kind


def _states(place: int, tried: set[tuple[int, Cue]], sentence: str) -> bool:
    """Whether `sentence`, or what a few words of it introduce, matches the table at `place`."""
    return _matches_table(place, tried, sentence) or (_USER_KINDS[place].pinned and _is_announced(sentence, place))


def _only_seems(sentence: str, *, asking: bool) -> bool:
    """Whether what sounds like a correction is a thought, a question about what others did, or has nothing to add."""
    return (
        _MUSES.search(sentence) is not None
        or _NOTHING_TO_ADD.search(sentence) is not None
        or (asking and _WHETHER.search(sentence) is not None)
    )


def _matches_table(place: int, tried: set[tuple[int, Cue]], sentence: str) -> bool:
    """Whether one of the cues to be `candidates` from the table at `place` matches `sentence`."""
    return any(cue.pattern.search(sentence) for at, cue in tried if at == place)


def _asks(sentence: str) -> bool:
    """Whether `sentence` is a question, not a statement that ends with one."""
    if not ("?" in sentence or "？" in sentence or "؟" in sentence):
        return False
    return _ASKING.search(sentence) is not None and _TAG.search(sentence) is None


def _is_announced(sentence: str, place: int) -> bool:
    """Whether a few words and a colon introduce a match of the table at `place` ("One rule for all of it: always
    ...")."""
    head, *rest = _COLON.split(sentence, maxsplit=1)
    told = rest[0].strip(" \u3000¡¿") if rest else ""
    if not told or len(head.split()) > LEAD_IN_WORDS or not told[0].isalpha():
        return False
    return _matches_table(place, _USER.candidates(told), told)


def is_correction(sentence: str) -> bool:
    """Whether `sentence` retracts something that was said before."""
    return FactKind.CORRECTION in kinds(sentence)


@lru_cache(maxsize=SENTENCES)
def is_revision(sentence: str) -> bool:
    """Whether `sentence` seems to replace an earlier wish, or to retract something."""
    return is_correction(sentence) or _REVISIONS.matches(sentence)


@lru_cache(maxsize=SENTENCES)
def is_commitment(sentence: str) -> bool:
    """Whether an assistant reports or promises an action with `sentence`."""
    return not _asks(sentence) and _COMMITMENTS.matches(sentence)


def is_rule(part: str) -> bool:
    """Whether `part` of a text states a rule, regardless of the speaker."""
    return _RULES.matches(part)


def may_be_rule(text: str) -> bool:
    """A fast check for `is_rule`: False if a part of `text` cannot state a rule; non-ASCII text always may."""
    return not text.isascii() or bool(_RULES.candidates(text))
