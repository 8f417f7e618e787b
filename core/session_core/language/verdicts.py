"""Detects short verdicts on what an assistant said right before: "that's intended", "leave it as it is", "P1"."""

from __future__ import annotations

import re
from functools import lru_cache

from session_core.language.acceptance import OFFERED_CHARACTERS, is_only_answer
from session_core.language.amending import names
from session_core.language.slots import typed
from session_core.language.words import SENTENCES, content_words, one_line, sentences, shorten

_LABEL = re.compile(r"\b([A-Z]{1,4}-?)\d{1,2}\b")
"""A label of a row: a severity, a priority, a variant."""
_LEAST_TOLD = 3
"""An assistant's message of fewer words only confirms."""
_LONGEST = 120
"""Characters; what is longer is no short verdict, and not looked at."""
_VERDICT = re.compile(
    r"^\W*(?:(?:no|nope|nah|yes|yeah|ok(?:ay)?|hm+|well|ah|oh|agreed|right|fine|actually|please|nein|ja|doch|non|oui|sí|"
    r"não|sim|sì|nee|нет|да)[,.! ]+)*"
    r"(?:(?:keep|leave|drop|ignore|skip|fix|downgrade|upgrade|defer|revert|undo|accept|reject|park) "
    r"(?:it|that|this|them|those|these)\b(?! (?:to|until|till|for|at|on|from)\b)|"
    r"(?:that|this|it|they|those|these)(?:['’]?s|['’]?re| is| are)(?: not|n['’]t)? "
    r"(?:(?:also|a|an|too|even|all|really) )*"
    r"(?:intended|intentional|on purpose|by design|deliberate|known|expected|blockers?|blocking|bugs?|nits?|"
    r"false (?:positives?|alarms?)|out of scope|in scope|harmless|critical)\b|"
    r"(?:lass|lasst) (?:das|es|sie) (?:so|drin|weg|stehen)\b|"
    r"das ist (?:so )?(?:gewollt|absicht|beabsichtigt|bekannt|kein fehler)\b|"
    r"laisse(?:z)?[- ](?:le|la|les|ça|comme)\b|c['’]est (?:voulu|exprès|normal|connu)\b|"
    r"(?:déjalo|ignóralo|es intencional|es a propósito)\b|(?:lascialo|ignoralo|è voluto|è intenzionale)\b|"
    r"(?:deix[ae] (?:assim|como está)|é intencional|é de propósito)\b|"
    r"(?:laat (?:dat|het) zo|dat is (?:bedoeld|bekend))\b|"
    r"(?:оставь(?:те)? (?:это|так|как)|это (?:намеренно|так задумано|известно))\b)|"
    r"^(?:这是故意的|保持原样|不用改|そのままで|意図的です|仕様です|그대로 (?:둬|두세요)|의도된)",
    re.IGNORECASE,
)


@lru_cache(maxsize=SENTENCES)
def judges(told: str, said: str) -> bool:
    """Whether `said` is a short verdict on what an assistant `told` right before it, and means nothing without that:
    "that's intended", "leave it as it is", or another label of a row ("P1", where the assistant said P2)."""
    if not told or len(said) > _LONGEST:
        return False
    verdict, new = _VERDICT.match(said), _LABEL.search(said)
    # Most sentences are neither; what is left costs ten times as much.
    if not (verdict or new) or not is_only_answer(said) or len(content_words(told)) < _LEAST_TOLD:
        return False
    labels = {found.group(1): found.group() for found in _LABEL.finditer(told)}
    if labels and new is not None:
        return labels.get(new.group(1), new.group()) != new.group() or verdict is not None
    return verdict is not None and not typed(said) and not names(said)


def judged(told: str) -> str:
    """What of an assistant's message is shown with a verdict on it: all of it if it is short, else its last
    sentence."""
    whole = one_line(told)
    return whole if len(whole) <= OFFERED_CHARACTERS else shorten(one_line(sentences(told)[-1]), OFFERED_CHARACTERS)
