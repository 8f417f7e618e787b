"""Manners of speaking that have the form of a rule, a limit or a correction, and state none, in many languages."""

from __future__ import annotations

import re
from functools import lru_cache

from session_core.language.words import SENTENCES

_SEEMS = (
    r"(?:(?:so|very|really|quite|pretty) )?(?:an? (?:joke|mistake|nightmare|dream|typo|misunderstanding|pain)|"
    r"nice|hard|"
    r"tough|fun|great|awful|terrible|tired|exhaust\w+|bored|boring|busy|proud|kidding|joking|crazy|mad|wondering|"
    r"thinking|lovely|amazing|wonderful|fantastic|freezing|starving|hungry|lonely|frustrat\w+|annoy\w+|confus\w+|"
    r"mistaken|new|wrong|right|lucky|rich|fed up|sick of|difficult|strange|weird|scary|excit\w+|happy|sad|"
    r"something|so)\b"
)
_SEEMS_ABROAD = (
    r"(?:(?:muy|tan|très|si|molto|così|muito|tão) )?(?:bonit[oa]|lind[oa]|difícil|dur[oa]|genial|divertid[oa]|horrible|"
    r"terrible|agotador\w*|cansad[oa]|dur|difficile|beau|chouette|génial|sympa|fatigant|fatiguée?|agréable|bell[oa]|"
    r"dura|bellissimo|stancante|stanc[oa]|divertente|legal|bom|boa|ótimo|cansativo|chato|lindo|incrível|increíble)\b"
)

_SAYINGS = re.compile(
    "|".join(
        (
            (
                r"\bnever say never\b|\bsage? (?:nie|niemals) (?:nie|niemals)\b|\b(?:il )?ne (?:faut )?jamais dire "
                r"jamais\b|"
                r"\bne dis(?:ons)? jamais jamais\b|\bnunca digas? nunca\b|\bmai dire mai\b|\bzeg nooit nooit\b|"
                r"никогда не говори(?:те)? никогда|\bnigdy nie mów nigdy\b|\basla asla deme\b|永远不要说永远"
            ),
            # A complaint, unless it says of what: "always the same seat" may be wanted.
            (
                r"\balways the same(?= (?:old|story|thing|problems?|issues?|excuses?|with)\b|\W*$|[,;!])|"
                r"\bimmer (?:das ?(?:gleiche|selbe)(?! \w+ bitte)|(?:die|der) ?(?:gleiche|selbe)n? (?:probleme?|"
                r"geschichte|leier|ärger|fehler|mist|quatsch))\b|"
                r"\btoujours (?:pareil|l[ae]s? mêmes? (?:problèmes?|histoires?|choses?|trucs?|erreurs?|excuses?))\b|"
                r"\bsiempre (?:lo mismo|la misma (?:historia|cosa)|el mismo (?:problema|error|rollo|cuento))\b|"
                r"\bsempre (?:a mesma (?:coisa|história)|o mesmo (?:problema|erro)|la stessa (?:storia|cosa)|"
                r"lo stesso (?:problema|errore))\b|\baltijd (?:hetzelfde|dezelfde (?:problemen|ellende|onzin))\b"
            ),
            (
                r"\bnie im leben\b|\bjamais de la vie\b|\bnunca en (?:mi|la) vida\b|\bnever in my life\b|\bnever in "
                r"a million years\b"
            ),
            r"\bmuss (?:wohl |doch )?eine? (?:fehler|irrtum|missverständnis|bug|witz|scherz|verwechslung) sein\b",
            (
                r"\bnever a dull moment\b|\balways a pleasure\b|\bkeep (?:it (?:up|real|coming)|the change|the faith|"
                r"your (?:fingers crossed|hair on|chin up))\b|"
                r"\bdon['’]?t (?:get me (?:wrong|started)|mention it|be (?:silly|shy|afraid|sad|like that|surprised)|"
                r"panic|sweat it|hold your breath|tell me (?=(?:you|he|she|it|they|that|this|there|we)\b)[^.;!?]*)"
            ),
            rf"\bmust be {_SEEMS}",
            (
                r"\b(?:das )?darf (?:doch |ja )*nicht wahr sein\b|\bnimm(?: es|['’]?s)? mir nicht (?:übel|krumm)\b|"
                r"\bmuss (?:\S+ )?(?:so |sehr |echt )?(?:schön|hart|toll|schwer|anstrengend|nervig|schlimm|"
                r"schrecklich) sein\b"
            ),
            rf"\b(?:debe(?: de)? ser|doit être|dev(?:e |['’])essere|deve ser) {_SEEMS_ABROAD}",
            r"\bmoet (?:wel )?(?:echt |heel )?(?:leuk|fijn|zwaar|moeilijk|vreselijk|vermoeiend|geweldig) zijn\b",
            # Who has nothing to add.
            (
                r"^\W*(?:nein|nee|non|no|não|нет|nie)[,.! ]+(?:das (?:ist|war|wäre) (?:schon |dann )?(?:alles|"
                r"ok(?:ay)?|gut|richtig|"
                r"in ordnung)|nicht (?:nötig|jetzt|wirklich|im moment)|c['’]est (?:tout|bon|ok|parfait|ça|exact|"
                r"vrai)|pas (?:pour "
                r"l['’]instant|pour le moment|maintenant|encore|vraiment|besoin|du tout)|(?:eso )?es todo|es "
                r"(?:verdad|correcto|así)|"
                r"la verdad|è tutto|è (?:vero|giusto|ok)|é (?:só(?: isso)?|tudo|verdade|isso)|dat (?:is|was) "
                r"(?:alles|goed|ok|waar)|"
                r"niet (?:nodig|nu|echt)|это (?:всё|все|правда)|не надо|to wszystko|to prawda)\b"
            ),
            (
                r"\bn['’]a(?:ie|yez) pas peur\b|\bno teng(?:as|a|áis) (?:miedo|prisa|vergüenza)\b|\bnão tenha(?:s)? "
                r"(?:medo|vergonha)\b|"
                r"\bnon (?:aver|abbia) (?:paura|fretta)\b|\bnie bój się\b|"
                r"(?:무서워|두려워|겁내|미안해)하?지 ?마(?:세요|요)?"
            ),
            r"(?:चिंता|फ़िक्र|फिक्र) मत (?:करो|करना|कीजिए|करें)",
        )
    ),
    re.IGNORECASE,
)


@lru_cache(maxsize=SENTENCES)
def without_sayings(sentence: str) -> str:
    """`sentence` with `…` in place of manners of speaking ("must be nice", "never say never")."""
    return _SAYINGS.sub("…", sentence)
