"""Phrases for what is done in one case, or not at all, in many languages, as data."""

from __future__ import annotations

from session_core.language.cue import Cue

_CHOSEN = (
    "use|take|do|buy|book|move|accept|pay|sign|sell|ship|support|change|add|invite|go|hire|join|attend|upgrade|switch|"
    "touch|rent|include|allow|renew|replace|keep|delay|wait|launch|release|offer|order|eat|drink|fly|drive|stay|come|"
    "cancel|skip|drop|stop|postpone|reschedule|return|choose|pick|walk|leave|bring|send|build|deploy|merge|roll|call"
)
_CHOOSING = (
    "moving|using|taking|doing|buying|booking|accepting|paying|signing|selling|shipping|supporting|changing|adding|"
    "inviting|hiring|joining|attending|upgrading|switching|touching|renting|including|allowing|renewing|replacing|"
    "launching|releasing|offering|ordering|flying|driving|coming|staying|cancelling|skipping|dropping"
)
_NO_CHOICE = r"(?:bin|sind|habe?n?|hatten?|war(?:en)?|fühlen?|weiß|wissen|glauben?|denken?|sehen?|verstehe?n?)"

CONDITIONS = (
    Cue.of("otherwise else", r"\bif\b[^?]{3,160}?\b(?:otherwise|or else)\b", also="if"),
    Cue.of(
        "if",
        r"\bif\b(?! (?:i|we)(?:['’]m| am| was| were| had| could| remember| recall| understand)\b)(?! only\b)"
        r"[^?.;]{4,100}?[,\s](?:then )?(?:we|i)(?:['’]d| would|['’]ll| will)? (?:just |rather |all )?"
        rf"(?:{_CHOSEN}|(?<=['’]ll )(?!be |have |need |know |see )\w+|(?<=['’]d )(?!be |have |like |love |say |know "
        rf")\w+)\b",
        also="we i we'd we’d i'd i’d we'll we’ll i'll i’ll",
    ),
    Cue.of(
        "falls wenn sofern",
        r"\b(?:falls|wenn|sofern)\b[^?]{3,160}?\b(?:sonst|ansonsten|andernfalls)\b|"
        rf"\b(?:falls|wenn|sofern)\b[^?.;]{{4,100}}?[, ] ?(?:dann )?(?!{_NO_CHOICE}\b)[^\W\d_]+e[nl]?n? (?:wir|ich)\b",
        whole=True,
    ),
    Cue.of("si", r"\bsi\b[^?]{3,160}?\b(?:si no|de lo contrario|en caso contrario|sinon)\b", whole=True),
    Cue.of("si", r"^\W*(?:pero |y )?si\b[^?¿.;]{4,100}?[, ](?:entonces )?[^\W\d_]{2,}(?:amos|emos|imos)\b", whole=True),
    Cue.of("si", r"^\W*(?:mais |et )?si\b[^?.;]{4,100}?, ?(?:alors )?(?:on|nous|je|j['’])", whole=True),
    Cue.of(
        "se",
        r"\bse\b[^?]{3,160}?\b(?:altrimenti|sennò|senão|caso contrário)\b|"
        r"^\W*(?:ma |mas |e )?se\b[^?.;]{4,100}?[, ](?:allora |então )?[^\W\d_]{2,}(?:iamo|amos|emos|imos)\b",
        whole=True,
    ),
    Cue.of(
        "als indien",
        r"\b(?:als|indien)\b[^?]{3,160}?\b(?:anders|dan (?:nemen|gaan|doen|kiezen|boeken))\b",
        also="anders dan",
    ),
    Cue.of("если", r"\bесли\b[^?]{3,160}?(?:\b(?:иначе|тогда)\b|, то\b|, (?:\w+ )?\w+(?:ем|ём|им)\b)", whole=True),
    Cue.of("jeśli jeżeli", r"\b(?:jeśli|jeżeli)\b[^?]{3,160}?(?:\b(?:inaczej|w przeciwnym)\b|, to\b)", whole=True),
    Cue.of("eğer yoksa", r"\beğer\b[^?]{3,160}?\b(?:yoksa|aksi)\b", whole=True),
    Cue.within(
        "kana",
        r"もし[^。？?]*(?:なら|たら|れば|場合)[^。？?]*(?:ます|する|しよう|ください|お願い|やめ)|"
        r"(?:なら|場合は)[^。？?]+(?:なら|でなければ|それ以外は)[^。？?]+(?:ます|する|しよう|ください|お願い)",
    ),
    Cue.within("han", r"(?:如果|要是|万一)[^。？?]{2,60}(?:就|则|否则|不然)(?!好)"),
    Cue.within(
        "hangul",
        r"(?:면|경우)[^.?]*(?:아니면|그렇지 않으면|않으면)|만약[^.?]*면[^.?]*(?:하자|합시다|할게|겠습니다|해 ?주세요)",
    ),
    Cue.within("arabic", r"(?:إذا|لو|إن) [^؟?]*(?:وإلا|(?<!\S)(?:فس|ف?سن)\S+)"),
    Cue.within("devanagari", r"(?:अगर|यदि) [^?]*(?:नहीं तो|वरना|(?<!\S)तो(?!\S))"),
)
REFUSALS = (
    Cue.of(
        "won't won’t wont will going not aren't aren’t arent",
        rf"\b(?:we|i) (?:won['’]?t|will not) (?:{_CHOSEN}|extend|repair|install|publish|test|visit|meet|work|"
        rf"need|require|"
        r"apply|insure|finance|subscribe|participate|continue|pursue|appeal)\b|"
        rf"\b(?:we|i)(?:['’]?re| are|['’]?m| am)(?: not|n['’]?t) (?:(?:going to|gonna) (?:{_CHOSEN})|"
        rf"(?:{_CHOOSING}))\b",
        also="we i we're we’re were i'm i’m im",
    ),
    Cue.of(
        "machen nehmen wollen brauchen kaufen buchen bestellen gehen fahren lassen mache nehme will brauche kaufe",
        r"\b(?:machen|nehmen|wollen|brauchen|kaufen|buchen|bestellen|lassen) wir (?:das |es |den |die )?(?:nicht|"
        r"kein\w*)\b|"
        r"\bwir (?:machen|nehmen|wollen|brauchen|kaufen|buchen|bestellen|lassen) [^.;!?]{0,40}?\b(?:nicht|kein\w*)\b|"
        r"\b(?:mache|nehme|will|brauche|kaufe) ich (?:das |es |den |die )?(?:nicht|kein\w*)\b",
        whole=True,
    ),
    Cue.of(
        "no",
        r"\bno (?:lo |la |los |las )?(?:vamos a|haremos|queremos|compramos|cogemos|contratamos|invitamos)\b",
        whole=True,
    ),
    Cue.of(
        "pas",
        r"\b(?:on|nous) (?:ne |n['’])?(?:l[ae] |les |en )?(?:prend|prenons|fait|faisons|veut|voulons|achète|achetons|"
        r"garde|gardons|invite|invitons|change|changeons) pas\b",
        whole=True,
    ),
    Cue.of("non", r"\bnon (?:lo |la |li |le )?(?:facciamo|prendiamo|vogliamo|compriamo|invitiamo)\b", whole=True),
    Cue.of("não", r"\bnão (?:vamos|faremos|queremos|compramos|aceitamos|convidamos)\b", whole=True),
    Cue.within(
        "kana", r"は(?:やりません|しません|使いません|行きません|要りません|いりません|なし(?:で|に|です|。|$))"
    ),
    Cue.within("arabic", r"(?<!\S)و?(?:لكننا |لكن )?لن (?:ن|أ)\S+"),
    Cue.within("devanagari", r"(?:हम|मैं) [^।?]*नहीं (?:रखेंगे|करेंगे|लेंगे|जाएंगे|जाएँगे|बुलाएंगे|करूँगा|करूँगी|लूँगा|लूँगी)"),
)
"""Phrases for what is not done."""
