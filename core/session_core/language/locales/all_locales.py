"""All languages besides English."""

from __future__ import annotations

from session_core.language.locales.chinese import CHINESE
from session_core.language.locales.dutch import DUTCH
from session_core.language.locales.french import FRENCH
from session_core.language.locales.german import GERMAN
from session_core.language.locales.italian import ITALIAN
from session_core.language.locales.japanese import JAPANESE
from session_core.language.locales.korean import KOREAN
from session_core.language.locales.locale import Locale
from session_core.language.locales.other_languages import ARABIC, HINDI, POLISH, TURKISH
from session_core.language.locales.portuguese import PORTUGUESE
from session_core.language.locales.russian import RUSSIAN
from session_core.language.locales.spanish import SPANISH

LOCALES: tuple[Locale, ...] = (
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
    for patterns in zip(*((one.takes, one.refuses, one.doings, one.requests) for one in LOCALES), strict=True)
)
"""For patterns: how answers begin that take or turn down an offer, what may be offered, how somebody asks politely."""
