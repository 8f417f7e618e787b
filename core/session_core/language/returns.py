"""Phrases for going back to an earlier choice, for choosing at last, and for taking back what was said about a thing,
in many languages, as data: "back to one decimal", "oublie ce que j'ai dit sur le budget"."""

from __future__ import annotations

import re

from session_core.language.cue import Cue

_LEAD = (
    r"^\W*(?:(?:no|ok(?:ay)?|hm+|ugh|oh|ah|well|so|then|please|actually|and|but|sorry|wait|non|bon|alors|du coup|nein|"
    r"nee|ach|also|dann|gut|vale|bueno|entonces|pues|allora|dai|então|tá|toch|dan|ну|тогда|ладно)[,.! ]+)*"
)
RETURNS = (
    Cue.of(
        "back going go",
        rf"{_LEAD}(?:(?:we['’]?re going |i['’]?m going |let['’]?s go |can we go |please go |going |go )?)back to "
        r"(?!(?:you|me|us|work|school|sleep|bed|normal|basics?|topic|business|front|the|my|our|your|that|this|those|these|mr|"
        r"ms|mrs|dr|square|\w+ing)\b)[^.;!?]{1,50}",
        also="back",
    ),
    Cue.of("zurück", rf"{_LEAD}(?:wir (?:gehen |kehren )?|doch |wieder )?zurück (?:zu[mr]?|auf)\b"),
    Cue.of("revient reviens revenons", rf"{_LEAD}(?:on |je )?(?:revien[ts]|revenons) (?:à|au|aux|sur)\b", whole=True),
    Cue.of("volvemos vuelvo volvamos", rf"{_LEAD}(?:volvemos|vuelvo|volvamos) (?:a|al) (?!casa|empezar)", whole=True),
    Cue.of("torniamo torno", rf"{_LEAD}torn(?:iamo|o) (?:a|al|alla|ai|alle) (?!casa|scuola)", whole=True),
    Cue.of(
        "voltamos volta voltou",
        rf"{_LEAD}voltamos (?:a|ao|à|para|pro|pra)\b(?! casa)|\bvolt(?:a|ou) (?:a ser )?(?:pro|pra|"
        rf"para|ao|à)\b[^.;!?]{{0,20}}\d",
        whole=True,
    ),
    Cue.of("terug", rf"{_LEAD}(?:we gaan |toch )?terug naar (?!huis|school)"),
    Cue.of("вернемся вернёмся возвращаемся", rf"{_LEAD}(?:верн[её]мся|возвращаемся) к\b", whole=True),
    Cue.of("all", r"\bafter all\W*$", also="after"),
    Cue.of(
        "say",
        r"\blet['’]?s say\b(?! (?:that|you|we|i|he|she|they|it|there|goodbye|hello|hi|somebody|"
        r"someone|thanks?)\b)[^?]{2,60}$",
    ),
    Cue.of("changed", r"\bchanged (?:his|her|their) minds?\b", also="mind minds"),
    Cue.of("errei", r"^\W*(?:desculpa?,? |ops,? )?errei\b", whole=True),
)
"""These may replace an earlier wish, as revisions do."""

TAKEN_BACK = (
    r"\b(?:forget|ignore|disregard) (?:what|everything|all) (?:i|we)(?:['’]ve| have)? (?:just )?said (?:about|on) "
    r"(?:the |my |our )?|"
    r"\boublie[zs]? (?:tout )?ce qu['’e] ?(?:on |j['’])(?:ai |a )?dit (?:sur|de|du|au sujet de|"
    r"pour) (?:l[ea]s? |l['’])?|"
    r"\bverg(?:iss|esst|essen sie),? was (?:ich|wir) (?:über|zu[mr]?|von) (?:d(?:as|ie|en|er|em) )?|"
    r"\bolvid(?:a|e|ad|en) lo (?:que (?:dije|he dicho|dijimos) (?:de|sobre)|del?) (?:l[ao]s? |el |del )?|"
    r"\bdimentica(?:te)? (?:quello|quel|ciò) che (?:ho|abbiamo) detto (?:su|sul|sulla|sui|sugli|sulle|di) |"
    r"\besque[cç](?:e|a|am) o que (?:eu )?(?:disse|falei|dissemos) (?:sobre|d[eoa]s?) (?:[oa]s? )?|"
    r"\bvergeet wat (?:ik|we) (?:zei(?:den)?|heb(?:ben)? gezegd) over (?:de |het )?|"
    r"\bзабудь(?:те)? (?:то, )?что я (?:говорила?|сказала?) (?:о|об|про) |"
    r"\bzapomnij(?:cie)? (?:o|to, co mówił[ae]m o) "
)
"""What stands before the thing of which what was said holds no more."""
TAKES_BACK = (
    Cue.of(
        "forget ignore disregard oublie oubliez vergiss vergesst vergessen olvida olvide olviden olvidad dimentica "
        "dimenticate esquece esqueça vergeet забудь забудьте zapomnij zapomnijcie",
        TAKEN_BACK,
    ),
    Cue.within("kana", r"(?:の話|のこと|の件|と言ったの)は(?:もう)?(?:忘れて|なかったことに)"),
    Cue.within("han", r"(?:忘掉|忘了|别管|忽略)我?(?:刚才|之前|前面)?(?:说|讲)(?:过)?的"),
    Cue.within("hangul", r"(?:말|얘기|이야기)(?:한 (?:거|것))?(?:은|는)? (?:잊어|무시해)"),
)
RETRACTED_THING = re.compile(
    rf"(?:{TAKEN_BACK})(?P<old>[^\W\d_]+(?:[- ][^\W\d_]+){{0,3}}?)(?=[,.;:!?]|\s(?:and|et|und|y|e|en)\s|$)",
    re.IGNORECASE,
)
