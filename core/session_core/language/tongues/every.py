"""All languages besides English."""

from __future__ import annotations

from session_core.language.tongues.chinese import CHINESE
from session_core.language.tongues.dutch import DUTCH
from session_core.language.tongues.french import FRENCH
from session_core.language.tongues.further import ARABIC, HINDI, POLISH, TURKISH
from session_core.language.tongues.german import GERMAN
from session_core.language.tongues.italian import ITALIAN
from session_core.language.tongues.japanese import JAPANESE
from session_core.language.tongues.korean import KOREAN
from session_core.language.tongues.portuguese import PORTUGUESE
from session_core.language.tongues.russian import RUSSIAN
from session_core.language.tongues.spanish import SPANISH
from session_core.language.tongues.tongue import Tongue

TONGUES: tuple[Tongue, ...] = (
    GERMAN,
    SPANISH,
    FRENCH,
    ITALIAN,
    PORTUGUESE,
    DUTCH,
    CHINESE,
    JAPANESE,
    KOREAN,
    RUSSIAN,
    POLISH,
    TURKISH,
    ARABIC,
    HINDI,
)
TAKES, REFUSES, DOINGS, REQUESTS = (
    "|".join(filter(None, patterns))
    for patterns in zip(*((one.takes, one.refuses, one.doings, one.requests) for one in TONGUES), strict=True)
)
"""For patterns: how answers begin that take or turn down an offer, what may be offered, how somebody asks politely."""
