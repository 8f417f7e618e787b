"""Phrases that ask for a way of answering, in many languages at once, as data: "explique-moi tout comme à un enfant".
What only one language says ("réponds-moi en phrases courtes") is in its locale."""

from __future__ import annotations

from session_core.language.cue import Cue

LEAD = (
    r"^\W*(?:(?:please|and|but|also|oh|ok(?:ay)?|so|et|mais|alors|bitte|und|aber|per favore|e|ma|y|pero|por favor|mas|"
    r"en|maar|alsjeblieft|proszę|i|ale|и|но|пожалуйста)[, ]+)*"
)
_ASKED = (
    r"(?:ce|comment|pourquoi|quel\w*|was|wie|warum|wieso|weshalb|wer|qué|cómo|por qué|cuál|lo que|cosa|che|come|perché|"
    r"quale|o que|como|qual|wat|hoe|waarom|wie|что|как|почему|зачем)"
)
"""What follows, where only this once something is to be told in such a way."""
_ENDS = rf"(?=(?: (?!{_ASKED}\b)[^\s.,;:!?]+){{0,3}}(?:\W*$|[.,;!–—(](?! ?{_ASKED}\b)))"
SOME = r"(?:[^\s.,;:!?]+ ){0,2}?"


_EVERYTHING = r"(?:everything|alles|tout|todo|tutto|tudo|всё|все|wszystko)"


def way_of_answering(needed: str, order: str, always: str, ways: str) -> Cue:
    """What a language asks for with an `order` to answer: something `always`, or one of the `ways` to answer."""
    return Cue.of(needed, rf"{LEAD}{order} (?:{always}|{ways}\b{_ENDS})", whole=True)


WAYS_OF_ANSWERING = (
    # What is asked for wherever something is not known.
    Cue.of(
        "if when whenever wenn falls si se als если jeśli",
        r"^\W*(?:[^\W\d_]+[, ]+)?(?:(?:if|when|whenever) you(?:['’]re| are)? (?:not (?:sure|certain)|unsure|uncertain|"
        r"in doubt|do(?:n['’]?t| not) know)|(?:wenn|falls) du (?:dir )?(?:unsicher|nicht sicher)|si tu n['’](?:es|est) "
        r"pas sûre?|si no (?:estás|está) segur[oa]|se non sei sicur[oa]|se não tiver certeza|als je (?:het )?niet "
        r"zeker|если ты? ?не уверен\w*|jeśli nie jesteś pewn\w+)\b"
        r"[^,.;?]{0,30}, ?\S",
        also="sure certain unsure uncertain doubt know don't don’t unsicher sicher sûr sûre seguro segura sicuro "
        "sicura certeza "
        "zeker уверен уверена pewny pewna pewien",
    ),
    # What is asked for everything holds from now on: "explique-moi tout comme à un enfant".
    Cue.of(
        "explain write answer describe translate erkläre erklär schreib schreibe formuliere formulier übersetze "
        "übersetz explique expliquez écris écrivez traduis traduisez explícame explícamelo explícanos escribe "
        "escríbeme tradúceme traduce explica escreve escreva explicame spiegami spiega scrivi scrivimi traduci leg "
        "schrijf vertaal объясняй объясняйте пиши пишите переводи переводите tłumacz wyjaśniaj pisz",
        rf"{LEAD}[^\W\d_]+(?:[ -](?:me|moi|nous|us|mir|uns|ons|mij|мне|нам|mi))? {_EVERYTHING}\b(?! (?:ce|das|was|lo|"
        rf"quello|o|that|i|you|ça|cela|ciò|aquilo|eso|isso|dit|wat|that['’]s|about|again|nochmal|von)\b)",
        whole=True,
    ),
    Cue.of(
        "from rest",
        r"\bfrom here on(?: out)?(?=\W*$|,| (?:please|only|always|never|no|use|answer|reply|write|speak|call|keep)\b)|"
        r"(?<!stay )(?<!here )\bfor the rest of (?:this|our) (?:chat|conversation|session)\b",
        also="here rest",
    ),
)
