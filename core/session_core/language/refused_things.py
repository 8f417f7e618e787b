"""Phrases for what somebody does not want, named without a verb, in English or in many languages at once, as data: "no
leather, I have cats", "the canoe, no thanks". What only one other language says is in its locale."""

from __future__ import annotations

from session_core.language.cue import Cue

_NOTHING = (
    r"(?:problems?|worries|ideas?|thanks?|thank|way|doubts?|matter|wonder|one|news|rush|hurry|longer|clue|chance|luck|"
    r"reasons?|questions?|comments?|more|less|sooner|errors?|warnings?|issues?|results?|changes?|updates?|signs?|"
    r"failures?|match(?:es)?|tests?|differences?|need|wait|i|we|you|he|she|they|it|that|this|the|my|not|but|its|idk|"
    r"responses?|reply|replies|answers?|success|dice|joy|point|use|offen[cs]e|harm|surprise|word|time|money|pressure|"
    r"internet|wifi|signal|connection|network|power|kidding|deal|big deal|were|was|are|is|had|has|have|left|please|"
    r"really|sorry|actually|just|let|make|go|change|me|te|se|les?|l[ao]s?|nos|os|es|son|hay|vamos|"
    r"gracias|\w{2,}[aei]res|tienes|puedes|sabes|eres|in|on|at|from|for|with)"
)
"""What follows a "no" that refuses nothing."""
_THING = rf"(?!{_NOTHING}\b)[^\W\d_][\w-]*(?: (?!{_NOTHING}\b)[^\W\d_][\w-]*){{0,2}}?"
_PAST = r"(?:\w+ed|had|was|were|went|took|said|grew|got|came|paid|did|had|drove|slept)"
_NARRATED = (
    r"^(?!.*\b(?:today|yesterday|tonight|here|yet|since|this (?:year|month|week|morning)|heute|gestern|hier|seit|"
    r"dieses|diese[rn]?|aujourd|ici|depuis|cette|ce (?:mois|matin|soir)|oggi|ieri|qui|quest\w+|da (?:ieri|giorni)|"
    r"erhalten|bekommen|gefunden|reçue?s?|trouvée?s?|ontvangen|gevonden|vandaag|gisteren|sinds|deze|dit jaar|сегодня|"
    r"вчера)\b)"
)
"""Who says when and where there was none of something tells of it."""
LEAD = _NARRATED + (
    r"\W*(?:(?:please|and|but|also|oh|ok(?:ay)?|so|btw|et|mais|surtout|ah|bitte|und|aber|ach|per favore|e|ma|y|pero|"
    r"por favor|mas|en|maar|и|но|proszę|i|ale)[, ]+)*"
)
_ANY = r"[^\W\d_][\w-]*(?: [^\W\d_][\w-]*){0,3}?"
_ENDS = (
    r"(?=\W*$|[,;:.!–—(]| (?:s['’]il|pour (?:moi|nous|lui|elle)|bitte|für (?:mich|uns)|per (?:me|noi|"
    r"favore)|graag|voor)\b)"
)
_WITHOUT = (
    r"(?:ohne|sin|sem|senza|zonder|bez|без) (?!(?:dudas?|dúvidas?|dubbio|problem\w*|embargo|prisa|pressa|fretta|más|"
    r"mais|palabras?|palavras|parole|trabajos?|noticias?|novidades?|novedad\w*|sentido|senso|querer|saber|"
    r"comentarios?|ti|mí|mim|me|te|lui|lei|él|ella|jou|mij|ons|проблем|вопросов|сомнен\w+|разницы|понятия|меня|тебя|"
    r"него|неё|wątpienia|sensu|niego|niej)\b)"
)
"""Without something that can be refused."""


def refused_thing(needed: str, no: str, nothing: str) -> Cue:
    """What a language refuses by name behind its word `no`, but for the words `nothing` ("keine Ahnung")."""
    return Cue.of(needed, rf"{LEAD}{no}(?!(?:{nothing})\b){_ANY}{_ENDS}", whole=True)


REFUSED_THINGS = (
    # What is left out. Of what is not there ("no errors in the log") somebody only tells.
    Cue.of(
        "no",
        r"(?:^\W*|[.,;:–—-] ?|\b(?:so|and|but|also|please|pls|says|said|means|prefer)\s)"
        rf"no (?!{_NOTHING}\b)"
        r"(?:more )?(?:[^\W\d_][\w-]*)(?: [^\W\d_][\w-]*){0,2}?"
        r"(?:,? (?:pls|please|ever|at all|whatsoever|anything|allowed)\b|(?<=s) (?:in|on|at|for|with|after|before|"
        r"until|during|to|from|near)\b| for (?:me|us|him|her|them|my|our|the)\b|(?<=[^s]s)\W*$| though\b)",
    ),
    Cue.of(
        "nothing nichts nada niente niets ничего",
        r"^\W*(?:please |bitte )?(?:nothing|nichts|nada|niente|niets|ничего)\b [^.;!?]{2,40},? (?:please|bitte|por "
        r"favor|per favore|alsjeblieft|пожалуйста)\W*$",
        whole=True,
    ),
    Cue.of(
        "no",
        rf"(?:^\W*|[.,;:–—-] ?|\b(?:and|but|please|so)\s)no {_THING}(?:,| and| or| nor)+ no {_THING}\b"
        r"(?! (?:were|was|are|is|had|has|have|left)\b)|"
        rf"{LEAD}no {_THING}(?: or {_THING}\W*$|, (?:i|i['’]m|i['’]ve|we|we['’]re|my|our|because|"
        rf"since|it|they|he|she)\b(?! {_PAST}\b))",
    ),
    Cue.of(
        "no non não nein nee nie",
        r"^\W*(?!(?:ok(?:ay)?|thanks?|hm+|oh|well|ach|looks?|all|it|it['’]s|i|i['’]m|he|she|we|you|they|that['’]s|"
        r"nothing|everything|ça|je|c['’]est|ich|alles|passt|todo|tutto|tudo|alles)\b)"
        r"(?:[^\W\d_]['’])?[^\W\d_][\w-]+(?: [^\W\d_][\w-]*){0,4},? "
        r"(?:no thanks|no thank you|non merci|nein,? danke|no,? gracias|no,? grazie|não,? obrigad[oa]|nee,? (?:bedankt|"
        r"dank je)|nie,? dziękuję)\b(?! (?:to|an|à|a|al|alla|aan)\b)",
        also="thanks thank merci danke gracias grazie obrigado obrigada bedankt dank dziękuję",
    ),
    # With a "please" behind it, or at the beginning with a reason or nothing behind it: "sin ajo, me da migraña".
    Cue.of(
        "ohne sin sem senza zonder bez без",
        rf"\b{_WITHOUT}{_ANY},? (?:bitte|por favor|gracias|per favore|grazie|obrigad[oa]|graag|alsjeblieft|"
        r"alstublieft|aub|proszę|пожалуйста)\W*$|"
        rf"{_NARRATED}\W*(?!ohne){_WITHOUT}[^\W\d_]{{3,}}(?: (?:de |di |do )?[^\W\d_]{{3,}})?(?:\W*$|, (?:que|me|mi|"
        r"soy|sou|sono|tengo|tenho|ho|porque|perché|ik|want|у|я|потому|mam|bo|jestem)\b)",
        whole=True,
    ),
)
