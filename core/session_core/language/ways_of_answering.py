"""Phrases that ask for a way of answering, in many languages, as data: "réponds-moi en phrases courtes"."""

from __future__ import annotations

from session_core.language.cue import Cue

_LEAD = (
    r"^\W*(?:(?:please|and|but|also|oh|ok(?:ay)?|so|et|mais|alors|bitte|und|aber|per favore|e|ma|y|"
    r"pero|por favor|mas|en|"
    r"maar|alsjeblieft|proszę|i|ale|и|но|пожалуйста)[, ]+)*"
)

WAYS_OF_ANSWERING = (
    Cue.of(
        "from", r"\bfrom here on\b|\bfor the rest of (?:this|our) (?:chat|conversation|session)\b", also="here rest"
    ),
    Cue.of(
        "réponds répondez écris écrivez parle parlez explique expliquez",
        rf"{_LEAD}(?:réponds|répondez|écris|écrivez|parle|parlez|explique|expliquez)(?:-(?:moi|nous))"
        r"(?: (?:[^\s.,;:!?]+ ){0,3}?(?:toujours|seulement)\b| (?:en|sans|avec) )|"
        rf"{_LEAD}(?:réponds|répondez|écrivez|expliquez) (?:en|sans|avec) ",
        whole=True,
    ),
    Cue.of(
        "antworte antworten schreib schreibe sprich erkläre erklär",
        rf"{_LEAD}(?:antworte|schreibe?|sprich|erkläre?) (?:mir |uns )?(?:(?:bitte|immer|"
        r"ab jetzt) )*(?:in|auf|mit|ohne|kurz|"
        r"nur|immer) ",
        whole=True,
    ),
    Cue.of(
        "respóndeme respóndame respóndanme respondeme responde respondan contéstame contésteme "
        "háblame hábleme háblenme "
        "escríbeme explícame explíqueme explíquenme",
        rf"{_LEAD}(?:resp[óo]nd\w*me|respondan|responde(?! siempre)|cont[ée]st\w+me|h[áa]bl\w+me|"
        r"escr[íi]b\w+me|expl[íi][cq]\w+me) "
        r"(?:siempre|solo|sólo|en|con|sin|de) ",
        whole=True,
    ),
    Cue.of(
        "rispondi rispondimi rispondete scrivimi parlami spiegami spiegamelo",
        rf"{_LEAD}(?:rispondi(?:mi)?|rispondete|scrivimi|parlami|spiegami|spiegamelo) (?:[^\s.,;:!?]+ ){{0,3}}?"
        r"(?:sempre|solo|in|con|senza) ",
        whole=True,
    ),
    Cue.of(
        "responde responda explica explique escreve escreva",
        rf"{_LEAD}(?:me |nos )?(?:responda|explique|escreva|(?<=me )(?:responde|explica|escreve)|(?<=nos )explica) "
        r"(?:[^\s.,;:!?]+ ){0,2}?(?:sempre|só|em|com|sem) ",
        whole=True,
    ),
    Cue.of(
        "antwoord schrijf spreek",
        rf"{_LEAD}(?:antwoord|schrijf|spreek) (?:me |ons )?(?:(?:alsjeblieft|altijd|voortaan) )*(?:in|"
        r"met|zonder|kort|alleen|"
        r"altijd) ",
        whole=True,
    ),
    Cue.of(
        "отвечай отвечайте пиши пишите объясняй объясняйте",
        rf"{_LEAD}(?:отвечай|пиши|объясняй)(?:те)? (?:мне |нам )?(?:всегда|только|на|в|без|кратко|коротко)\b",
        whole=True,
    ),
    Cue.within("kana", r"(?:返事|返信|回答|答え|説明|返答)は[^。？?]{1,14}(?:お願い|ください|下さい|して(?:。|$))"),
    Cue.within("han", r"(?:回答|回复|解释|说话)(?:时|的时候)?(?:请|要|都要|尽量|只能|必须)(?!多久)"),
    Cue.within("hangul", r"(?:답변|대답|설명|답장)(?:은|는) [^.?]{1,14}(?:주세요|해줘|부탁)"),
)
