"""Phrases for going back to an earlier choice, for choosing at last, and for taking back what was said about a thing,
in many languages, as data: "back to one decimal", "oublie ce que j'ai dit sur le budget"."""

from __future__ import annotations

import re

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
    Cue.of(
        "changed",
        r"(?<!\bi )(?<!\bwe )(?<!\byou )(?<!\bit )(?<!nobody )(?<!never )(?<!nothing )"
        r"\bchanged (?:his|her|their) minds?\b",
        also="mind minds",
    ),
    Cue.of("errei", r"^\W*(?:desculpa?,? |ops,? )?errei(?=\W*$|[,.!:;])", whole=True),
)
"""These may replace an earlier wish, as revisions do."""

_ASKS = (
    r"(?:^\W*|[.,;:!–—-]\s*|\b(?:please|just|and|but|so|ok(?:ay)?|oh|actually|you (?:can|may)|(?:can|could) you|"
    r"let['’]?s|et|mais|alors|s['’]il (?:te|vous) plaît|und|aber|bitte|y|pero|por favor|e|ma|mas|per favore|en|maar|и|"
    r"но|пожалуйста|i|ale|proszę) )"
)
"""What stands before a request: "don't forget ..." and "he forgets ..." are none."""
TAKEN_BACK = (
    rf"{_ASKS}(?:"
    r"(?:forget|ignore|disregard) (?:what|everything|all) (?:i|we)(?:['’]ve| have)? (?:just )?said (?:about|on) "
    r"(?:the |my |our )?|"
    r"oublie[zs]? (?:tout )?ce qu['’e] ?(?:on |j['’])(?:ai |a )?dit (?:sur|de|du|au sujet de|"
    r"pour) (?:l[ea]s? |l['’])?|"
    r"verg(?:iss|esst|essen sie),? was (?:ich|wir) (?:über|zu[mr]?|von) (?:d(?:as|ie|en|er|em) )?|"
    r"olvid(?:a|e|ad|en) lo (?:que (?:dije|he dicho|dijimos) (?:de|sobre)|del?) (?:l[ao]s? |el |del )?|"
    r"dimentica(?:te)? (?:quello|quel|ciò) che (?:ho|abbiamo) detto (?:su|sul|sulla|sui|sugli|sulle|di) |"
    r"esque[cç](?:e|a|am) o que (?:eu )?(?:disse|falei|dissemos) (?:sobre|d[eoa]s?) (?:[oa]s? )?|"
    r"vergeet wat (?:ik|we) (?:zei(?:den)?|heb(?:ben)? gezegd) over (?:de |het )?|"
    r"забудь(?:те)?,? (?:то, )?что я (?:говорила?|сказала?) (?:о|об|про) |"
    r"zapomnij(?:cie)? (?:o|to, co mówił[ae]m o) )"
)
"""What stands before the thing of which what was said holds no more."""
TAKES_BACK = (
    Cue.of(
        "forget ignore disregard oublie oubliez vergiss vergesst vergessen olvida olvide olviden olvidad dimentica "
        "dimenticate esquece esqueça vergeet забудь забудьте zapomnij zapomnijcie",
        TAKEN_BACK,
    ),
    Cue.within(
        "kana", r"(?:の話|のこと|の件|と言ったの)は(?:もう)?(?:忘れて(?!ない|いま|いる|いた|た|しま)|なかったことに)"
    ),
    Cue.within(
        "han",
        r"(?<!别)(?<!別)(?<!我)(?<!没)(?<!不)(?<!不要)(?:忘掉|忘了|别管|忽略)我?(?:刚才|之前|前面)?(?:说|讲)(?:过)?的",
    ),
    Cue.within("hangul", r"(?:말|얘기|이야기)(?:한 (?:거|것))?(?:은|는)? (?:잊어(?! ?버리지| ?버렸)|무시해)"),
)
RETRACTED_THING = re.compile(
    rf"(?:{TAKEN_BACK})(?P<old>[^\W\d_]+(?:[- ][^\W\d_]+){{0,3}}?)(?=[,.;:!?]|\s(?:and|et|und|y|e|en)\s|$)",
    re.IGNORECASE,
)
