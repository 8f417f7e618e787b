"""Phrases for going back to an earlier choice, and for choosing at last, in many languages, as data: "back to one
decimal"."""

from __future__ import annotations

from session_core.language.cue import Cue

_LEAD = (
    r"^\W*(?:(?:no|ok(?:ay)?|hm+|ugh|oh|ah|well|so|then|please|actually|and|but|sorry|wait|non|bon|alors|du coup|nein|"
    r"nee|ach|also|dann|gut|vale|bueno|entonces|pues|allora|dai|então|tá|toch|dan|ну|тогда|ладно)[,.! ]+)*"
)
_WHEN = (
    r"(?![^.;!?]*\b(?:today|tomorrow|tonight|yesterday|now|soon|finally|next|last|in|on|at|for|"
    r"demain|ce soir|midi|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|"
    r"mañana|luego|pronto|domani|stasera|dopo|amanhã|depois|morgen|heute|vandaag|завтра|сегодня)\b)"
)
"""Who says when travels."""
RETURNS = (
    Cue.of(
        "back going go",
        rf"{_LEAD}(?:(?:we['’]?re going |i['’]?m going |let['’]?s go |can we go |please go |go )?)back to "
        r"(?!(?:you|me|us|work|school|sleep|bed|life|reality|start|back|questions?|normal|basics?|topic|business|front|"
        r"the|my|our|your|that|this|those|these|mr|ms|mrs|dr|square|\w+ing)\b)"
        rf"{_WHEN}[^,.;!?]{{1,30}}(?=\W*$|, ?(?:then|please|ok|thanks)\b)",
        also="back",
    ),
    Cue.of(
        "zurück",
        rf"{_LEAD}(?:wir (?:gehen |kehren )?|doch |wieder )?zurück (?:zu[mr]?|auf) "
        rf"(?!(?:hause|thema|frage|arbeit|schule|uni|hotel|bahnhof|anfang|start|dir|mir|uns|den|dem|der|meine\w*)\b){_WHEN}",
    ),
    Cue.of(
        "revient revenons",
        rf"{_LEAD}(?:on revient|revenons) (?:à|au|aux|sur) (?!\w+ moutons|la maison){_WHEN}",
        whole=True,
    ),
    Cue.of(
        "volvemos volvamos",
        rf"{_LEAD}(?:volvemos|volvamos) (?:a|al) (?!casa|trabajo|\w+[aei]r(?:[mnlt]\w{{1,3}})?\b){_WHEN}",
        whole=True,
    ),
    Cue.of(
        "torniamo",
        rf"{_LEAD}torniamo (?:a|al|alla|ai|alle) (?!casa|scuola|lavoro|noi|voi|\w+[aei]re\b){_WHEN}",
        whole=True,
    ),
    Cue.of(
        "voltamos volta voltou",
        rf"{_LEAD}voltamos (?:a|ao|à|para|pro|pra) (?!casa|trabalho|\w+[aei]r\b){_WHEN}|"
        r"\bvolt(?:a|ou) (?:a ser )?(?:pro|pra|para|ao|à) (?:(?:o|a|os|as) )?(?:dias? |horas? )?\d",
        whole=True,
    ),
    Cue.of(
        "terug",
        rf"{_LEAD}(?:we gaan |toch )?terug naar (?!huis|school|kantoor|werk|het werk|de vraag|het onderwerp){_WHEN}",
    ),
    Cue.of(
        "вернемся вернёмся возвращаемся",
        rf"{_LEAD}(?:верн[её]мся|возвращаемся) к (?!теме|вопросу|делу|работе|вечеру|утру|обеду|\d){_WHEN}",
        whole=True,
    ),
    Cue.of(
        "all",
        r"^(?=\W*(?:so|ok(?:ay)?|then|actually)\b|.*(?:\b(?:no|not|without|let['’]?s|take|keep|need|want|prefer|book|"
        r"cancel|have to)\b|n['’]t\b|['’]ll\b|\bwill\b)).*\bafter all\W*$",
        also="after",
    ),
    Cue.of(
        "say",
        r"\blet['’]?s say (?!(?:that|you|we|i|he|she|they|it|there|goodbye|hello|hi|somebody|someone|thanks?|an?|some|"
        r"my|your|our|his|her|yes|no|so|nothing|for|hypothetically|theoretically)\b)"
        r"(?:(?!is\b|are\b|has\b|have\b|was\b|were\b|=)[^\s,.;:?]+ ){0,3}[^\s,;:?]+\W*$",
    ),
    Cue.of("errei", r"^\W*(?:desculpa?,? |ops,? )?errei(?=\W*$|[,.!:;])", whole=True),
)
"""These may replace an earlier wish, as revisions do."""
