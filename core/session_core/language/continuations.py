"""Detects messages that ask for nothing in particular: continuations ("ok, what's next?") and requests for
everything ("recap what we decided")."""

from __future__ import annotations

import re
from functools import lru_cache

from session_core.language.words import ASKING_WORDS, QUESTION_MARKS, SENTENCES, STOP_WORDS, TELEGRAM_WORDS, words

MOST_WORDS = 14
"""A longer message asks for something in particular."""
_ONLY = frozenset(
    (
        "next now then continue continuing proceed step steps start begin first later today further on onwards ahead "
        "back where were left off should shall must going got do done doing did still far currently current state "
        "status stand standing move forward keep go let's lets we'll i'll what's whats that's it's well hmm hm right "
        "alright cool awesome hi hello hey again please pls sum summary summarize summarise recap overview rest "
        "remaining open finish wrap resume pick point work weiter bitte mach machen mal jetzt nächste nächster "
        "nächstes nächsten schritt was kommt gut klar danke los fangen wo waren stand zusammenfassung nun dann por "
        "favor favore per s'il plaît sigue sigamos continúa continua siguiente ahora qué hacemos hacer vale bien "
        "gracias adelante resumen paso suite ensuite après quoi maintenant fait fais faisons merci d'accord bien étape "
        "résumé avanti prossimo adesso cosa facciamo grazie bene passo riassunto próximo agora fazemos obrigado "
        "obrigada resumo volgende verder nu doen bedankt goed stap дальше давай что теперь делаем хорошо спасибо далее "
        "dalej teraz następny co robimy dobrze devam sonraki şimdi tamam ne yapalım التالي الآن ماذا نفعل حسنا شكرا "
        "تابع आगे अब क्या करें ठीक है"
    ).split()
)
PROGRESS = tuple(
    "goal plan step done finished missing open remaining decided ziel schritt erledigt fertig fehlt offen objetivo "
    "paso hecho falta étape reste пункт готово осталось 计划 步骤 完了 残り".split()
)
"""Words with which the goal of a work, its plan and its progress are told."""
_NOTHING = STOP_WORDS | ASKING_WORDS | TELEGRAM_WORDS | _ONLY
_UNSPACED = re.compile(
    r"^(?:はい|では|それでは|じゃあ|次|は|に|を|へ|何|なに|し|ます|ましょう|か|続け|て|ください|お願い|どう|すれば|いい|です|進め|"
    r"ありがとう|ございます|好的?|那|接下来|下一步|做|什么|继续|吧|呢|请|我们|该|怎么|谢谢|다음|은|는|계속|해|주세요|이제|뭐|할까요|"
    r"[\s、。！？!?,.])+$"
)

_ALL = re.compile(
    r"\b(?:summari[sz]e|recap|sum up|wrap (?:this |it |things )?up|to sum|overview|tl;?dr)\b|"
    r"\b(?:everything|all|what(?:ever)?) (?:that )?(?:we|i)(?:['’]ve| have)? (?:both |already |just )?"
    r"(?:decided|agreed|discussed|said|told|settled|planned|covered)\b|\bwhat (?:have|did) we (?:decide|agree|settle)|"
    r"\b(?:all|list|what are|show me) (?:of )?(?:the |our |my )?(?:open |final )?(?:decisions|constraints|requirements|"
    r"action items|preferences|agreements|rules)\b|"
    r"\b(?:write|draft|prepare|put together|compose|generate|create|make|give me|produce|send|show me)(?: up)?(?: me)? "
    r"(?:the|a|our|my) (?:final|full|complete|whole|entire|updated|definitive)\b|\bfinali[sz]e\b|"
    r"\b(?:zusammenfass\w*|fass\w* .{0,40}zusammen|überblick|resum(?:e|en|ir|ami)\w*|résum\w+|récapitul\w+|riassum\w+|"
    r"riepilog\w*|samenvat\w*|итог\w*|подытож\w*|podsumuj\w*|özetle\w*)\b|まとめて|要約|总结|概括|요약|لخ[صّ]|सारांश",
    re.IGNORECASE,
)
MOST_CHARACTERS = 240
"""A longer request names its subject."""
_INQUIRES = re.compile(
    r"^\W*(?:(?:ok(?:ay)?|and|so|but|hm+|oh|lol|nice|wait|interesting)[,. ]+)*(?:(?:what|what['’]?s|how|why|where|who|"
    r"which)\b(?! (?:a|an|we|i|you|matters|counts|works|about)\b)|(?:can|could|would|will|do|does|did|is|are|was|"
    r"were) (?:you|it|there|they|this|that|the|he|she)\b|(?:was|wie|warum|wieso|wo|wer|welche\w*|kannst du|können sie|"
    r"gibt es|ist das|qué|cómo|cuándo|dónde|por qué|pourquoi|comment|est-ce|perché|dove|come mai|почему|как|где|क्या) )",
    re.IGNORECASE,
)


def is_continuation(text: str) -> bool:
    """Whether `text` asks for nothing in particular: all of its few words are of continuing, agreeing or thanking."""
    return len(text) <= MOST_CHARACTERS and _only_goes_on(text)


@lru_cache(maxsize=SENTENCES)
def _only_goes_on(text: str) -> bool:
    if not text.isascii() and _UNSPACED.match(text):
        return True
    texts = words(text)
    return 0 < len(texts) <= MOST_WORDS and _NOTHING.issuperset(texts)


def asks_for_everything(text: str) -> bool:
    """Whether `text` asks for everything that was said: a summary, a final version, all agreements."""
    return len(text) <= MOST_CHARACTERS and _ALL.search(text) is not None


def is_question(sentence: str) -> bool:
    """Whether `sentence` only asks; hurried writers leave out the question mark."""
    return sentence.endswith(QUESTION_MARKS) or _INQUIRES.search(sentence) is not None
