"""Phrases that retract something or replace a wish, as data."""

from __future__ import annotations

from session_core.language.cue import Cue

_INTERRUPTIONS = (
    r"(?:my |the |a )?(?:phone|door|doorbell|call|meeting|lunch|kids?|baby|dog|cat|boss|wifi|internet|connection|"
    r"battery|late|delay|interruption|traffic)\b(?!.*(?:\d|\b(?:is|are|was|will|should|on|at|in)\b))"
)
"""Apologies; with a value after them they may introduce a correction."""

_OH = r"^\W*(?:(?:ugh|argh|hm+|wait|sorry|actually)[,.! ]+)*"
"""What may stand before a no."""

_DONE = (
    r"(?:that|it)(?: ?['’]?s| is| will be| should be) (?:all|it|alright|all right|fine|ok(?:ay)?|everything|enough|"
    r"right|correct|good|great|true)\b|not (?:at this|right|at the moment|now|yet|really|today|necessarily|any ?more)\b"
)
"""Who has nothing to add takes nothing back."""
_LOOKS = (
    r"(?:look|sound|feel|work|happen|more|less|fun|funny|funnier|easy|easier|hard|harder|clear|clearer|simple|simpler|"
    r"short|shorter|long|longer|better|nice|nicer|interesting|concise|formal|casual|professional|clean|cleaner|quick|"
    r"quicker|so|sure|up|out|all|for (?:me|us))"
)
"""How a text or a plan is to be made, which replaces no value."""
_TO = (
    "".join(
        rf"(?<!\b{word} )"
        for word in "how,want,need,like,hard,easy,able,going,have,trying,sure,in order,ready".split(",")
    )
    + r"\b(?:to(?! (?:be|do|make|get|see|let|become|ensure|help|find|use)\b)|until)\b"
)
_DID = r"(?:just |simply |only )?(?:\w+ed|got|went|had|was|were|did|gave|took|made|said|told|sent|felt)"

CORRECTIONS = (
    Cue.of(
        "actually correction rather scratch on",
        r"(?:^|[.,;!?–—-]\s*|\b(?:no|nope|sorry|wait|oops|hm+|well|ah|oh|but|and)[,.! ]+)"
        r"(?:actually(?!\W*$|\W+(?:yes|yeah|yep)\b|"
        # A feeling takes nothing back.
        r"[, ]+(?:i|we) (?:really |just |quite |kind of )*(?:like|love|hate|enjoy|agree)\b"
        r"(?!.*(?:\d|\b(?:better|instead|rather|more|should|need)\b))|[^.;!?]*\b(?:also|as well|in addition)\b)|"
        r"(?:(?:a|one|small|quick|my) )*correction|rather|scratch that|on second thoughts?)\b|"
        r"^(?=.*\d|\W*(?:\S+\s){0,6}\S+$)[^?？]*, actually\W*$",
        also="actually correction rather scratch second",
    ),
    Cue.of("not", r"\b(?:is|are|be|was|at|to|for|by|on)\b[^.;!?]{1,40}, (?:and )?not [^.;!?]{1,40}\d"),
    Cue.of(
        "meant mean",
        # Who meant to do something tells of a plan.
        r"\bi meant\b(?! (?:to (?:thank|tell|let|ask you|mention|call|write (?:to )?you|say (?:thanks|sorry|hi|hello)|"
        r"do|be)|that as|it(?! (?:to be|for)\b[^.;!?]*(?:\d|day\b))|well|every|no)\b)|"
        r"\bwhat i mean is\b",
    ),
    Cue.of(
        "no nope sorry wait",
        rf"^\W*(?:no|nope|sorry|wait)[,.!]+ ?(?!{_INTERRUPTIONS})(?!{_DONE})(?:it['’]?s|it is|not|i mean|that['’]?s|"
        rf"make|the|my)\b|"
        rf"{_OH}(?:no|nope),+ ?(?:from|at|on|in|to|by|via|under|into) "
        r"(?!(?:now|all|fact|general|honest|be|course|sure|least|most|average|principle|theory|practice|purpose|time|"
        r"second|home|work|my|me|us|our|your|him|them|what|which|that|this|these|those|any|some|no|both|tell|the "
        r"(?:contrary|whole|end|moment|time being|record|best|way|other hand))\b)"
        r"(?![^?]*\b(?:i|we|you|he|she|it|they|there|is|are|was|were)\b)[^?]{2,60}$",
    ),
    Cue.of(
        "make",
        r"(?:^|[.,;!]\s*|\b(?:no|please|and|let['’]?s|can you|could you|we can)\s+)make (?:it|that|them)\b"
        rf"(?! (?:to (?:the|my|our)|back|home|there|through|{_LOOKS})\b)"
        # With a number: "make it shorter: 200 words", "make it up to 1000".
        r"|^\W*(?:(?:no|please|ok(?:ay)?|and|but)[,.! ]+)*make it (?:up|long(?:er)?|short(?:er)?)\b"
        r"[,:;]? ?(?:(?:to|like|about|say|only) )*\d",
        also="it that them",
    ),
    Cue.of(
        "change switch move update correct push postpone reschedule bump",
        r"\b(?=[bcmprsu])(?<!\bshould i )(?<!\bshould we )(?<!\bhow to )(?<!\bhow do i )(?<!\bhow can i )"
        r"(?:change|switch|move|update|correct|push|postpone|reschedule|bump)\s+(?!(?:to|until|on|forward|ahead|"
        r"means|takes)\b)"
        rf"\S[^,;!?]{{0,59}}?(?:, (?:please|if (?:possible|you can|that works)),? )?{_TO}|"
        r"^\W*(?:(?:no|please|then|can you|could you|let['’]?s)[,.! ]+)*(?:change|switch|move) (?:to|until)\b",
        also="to until",
    ),
    Cue.of("set", r"(?:^|\bplease |\bcan you |\bcould you )set\b.{1,60}?\bto\b", also="to"),
    Cue.of(
        "instead longer changed wrong misspoke typo",
        # What others did, or what one did instead of something else, is told.
        rf"\binstead\b(?! of [^.;]{{1,40}}?,? (?:i|he|she|they|it|we) (?:{_DID})\b)|\bno longer\b|"
        r"\bchanged (?:my|our) minds?\b|"
        r"\b(?:i|that) was wrong\b(?! about (?:him|her|them|you|it all|everything|people)\b)|\bi misspoke\b|\btypo\b",
        whole=True,
    ),
    Cue.of(
        "wait hold hang",
        r"^\W*(?:(?:oh|ah|hm+|um+|uh|ok(?:ay)?|so|and)[,. ]+)*(?:no,? (?:wait|hold on|hang on)"
        r"(?! (?:for|until|till|a|with|and)\b)|(?:wait|hold on|hang on),? no)\b",
        also="no",
    ),
    Cue.of(
        "forget ignore disregard scratch",
        r"^\W*(?:(?:ok(?:ay)?|no|please|actually|hey|oh|and|so)[,. ]+)*(?:forget|ignore|disregard|scratch)\s"
        r"(?:(?:what|everything|all) (?:i|we)(?:['’]ve| have)? (?:just )?said|the (?:bit|part|thing|idea) (?:about|"
        r"with)|"
        r"my (?:last|previous|earlier)|the (?:previous|earlier|last) (?:one|message|version|number|date|value))\b",
    ),
    Cue.of(
        "anymore more",
        r"(?:\bnot|n['’]?t)\b(?! (?:know|remember|think|care|take|stand|feel)\b)[^.;!?]{1,60}\bany ?more\b"
        r"(?=\W*(?:$|[,.;!]|\b(?:because|since|so|and|but|at|on|in|for|either|please|thanks|as|if|after)\b))",
        also="anymore any",
    ),
    Cue.of(
        "not",
        r"\b(?:it|that|this|he|she)(?:['’]?s| is| was) (?!not\b)(?:[^\s,.;!?]+ ){1,4}(?<!really )(?<!just )(?<!still )"
        r"(?<!also )(?<!probably )(?<!definitely )(?<!certainly )(?<!simply )(?<!maybe )(?<!actually )not "
        r"(?!(?:sure|really|yet|only|just|an?|that|so|too|very|quite|much|bad|good|great|working|because|in|for|at|"
        r"even|going|being|my|your|to|the)\b)[^\s,.;!?]+(?: [^\s,.;!?]+){0,2}\W*$",
    ),
    Cue.of("should", r"\bshould (?:have been|be) .{1,60}?\bnot\b", also="not"),
    Cue.of(
        "should",
        r"^\W*(?:(?:no|sorry|oops|wait)[,.!]? )?(?:it|that|this) should(?: have)? "
        r"(?:be|been|read|say|said)\b(?! (?:all|it|enough|fine|ok(?:ay)?|good|possible|easy)\b)[^?]{1,40}$",
        also="it that this",
    ),
    Cue.of("said", r"\bi (?:just )?said\b.{1,60}?\bbut\b", also="but"),
    Cue.of(
        "sorry wait oops whoops pardon mistake bad hang hold",
        r"^\W*(?:(?:no|oh|ah|well|so)[,.! ]+)?(?:sorry|wait|oops|whoops|pardon(?: me)?|my (?:mistake|bad)|hang on|hold "
        r"on)"
        r"\s?[,.!:;–—-]+ ?(?!(?:i (?!mean)|i['’]|we|you|what|how|why|who|where|can|could|would|is|are|do|did|does|"
        r"there|thanks?|let|to|if|but|when|one (?:sec|moment)|about)\b)"
        rf"(?!{_INTERRUPTIONS})"
        r"(?:[^\s?]+\s){0,6}[^\s?]+$",
    ),
    Cue.of(
        "moved changed pushed rescheduled postponed shifted switched",
        r"\b(?:moved|changed|pushed|rescheduled|postponed|shifted|switched) (?:it|that|this|them) (?:back |up |"
        r"forward )?(?:to|until)\b|"
        r"\b(?:it|that|this)(?:['’]s| is| was| has| got)?(?: now| just)?(?: been)? (?:moved|changed|pushed|rescheduled|"
        r"postponed|shifted|switched) (?:back |up |forward )?(?:to|until)\b",
        also="to until",
    ),
    Cue.of(
        "sorry oops whoops mistake bad no",
        r"^\W*(?:sorry|oops|whoops|my (?:mistake|bad)|no)[,.!:;–— -]+"
        r"(?:(?:that|this|it)(?:['’]s| is| was) (?:wrong|incorrect|not right|a mistake|a typo)|i (?:got|had) (?:that|"
        r"it) wrong|i said)\b|^\W*(?:oops|whoops)\s+(?!i\b|what|how|why)(?:[^\s?]+\s){0,3}[^\s?]*\d[^?]{0,20}$",
    ),
    Cue.of(
        "now",
        r"\b(?:it|that)(?:['’]s| is) (?:now (?:the )?(?-i:[A-Z])[^,;!?]{1,40}|(?:the )?(?-i:[A-Z])[^,;!?]{1,40} "
        r"now)\W*$",
    ),
    Cue.of(
        "raise lower increase cut extend reduce shorten bring drop upgrade downgrade",
        r"\b(?:raise|lower|increase|cut|extend|reduce|shorten|bring|drop|upgrade|downgrade) (?:it|that|this|"
        r"them) (?:up |down |back )?to\b"
        r"(?! (?:be|do|make|get|see|the (?:office|house|shop|party|school|table|airport))\b)",
        also="to",
    ),
    Cue.of("spelled spelt", r"\b(?:it['’]?s|it is|that['’]?s|name is|actually) (?:spelled|spelt)\b(?![^?]*\?)"),
    Cue.of(
        "after",
        r"\b(?:no|not|without|skip|drop|forget)\b[^.;!?]{1,40}\bafter all\b(?! (?:these|those|this|that|the|my|"
        r"our|of|i)\b)",
        also="all",
    ),
    Cue.of(
        "not",
        r"^\W*(?!\S*n['’]?t\b|never\b|no\b)(?:[^\s,;!?]+\s){0,4}[^\s,;!?]+, not (?!(?:sure|really|yet|bad|at "
        r"all)\b)[^,;!?]{1,60}(?:, (?:sorry|please|pls|my bad))?\W*$",
    ),
    Cue.of(
        "not",
        rf"{_OH}(?:(?:oh|ah|no)[,.! ]+)?not (?!(?:sure|really|yet|bad|much|many|a|at all|now|today|only|"
        rf"necessarily|that|too|so|quite|just|"
        r"exactly|for me|working)\b)[^,;!?]{1,30}[,;–—-]+ ?[^,;!?]{1,40}$",
    ),
)

_NO = (
    r"(?:nein|nee|ne|non|no|não|niet|нет|ой|nie|hayır|yok|sorry|perdón|perdona|pardon|scusa|désolée?|desculpa|"
    r"entschuldigung|извини(?:те)?|przepraszam|olmadı)"
)
CORRECTIONS_IN_LANGUAGES = (
    # Who read or wrote it wrongly says what is right.
    Cue.of(
        "misread miscounted misremembered mistyped misheard miscalculated read wrote counted remembered gelesen "
        "geschrieben gezählt gerechnet verlesen verschrieben verzählt verrechnet lu compté écrit noté calculé leí "
        "leído conté escribí anoté calculé li contei escrevi anotei letto contato scritto calcolato gelezen geschreven "
        "geteld verlezen прочитал прочитала написал написала посчитал посчитала przeczytałem przeczytałam napisałem "
        "napisałam okudum yazdım saydım",
        r"\bi (?:misread|miscounted|misremembered|mistyped|misheard|miscalculated)\b|\bi (?:read|wrote|counted|"
        r"remembered) (?:it |that )?"
        r"wrong\b|\bfalsch (?:gelesen|geschrieben|gezählt|gerechnet)\b|\bver(?:lesen|schrieben|zählt|"
        r"rechnet)\W*(?:$|[,.:])|"
        r"\bmal (?:lu|compté|écrit|noté|calculé)\b|\b(?:leí|leído|conté|escribí|anoté|calculé) mal\b|\b(?:li|"
        r"contei|escrevi|anotei) "
        r"(?:errado|mal)\b|\b(?:letto|contato|scritto|calcolato) male\b|\b(?:verkeerd|fout) (?:gelezen|"
        r"geschreven|geteld)\b|"
        r"\bнеправильно (?:прочитал|написал|посчитал)а?\b|\bźle (?:przeczytał|napisał)[ae]m\b|\byanlış (?:okudum|"
        r"yazdım|saydım)\b",
        whole=True,
    ),
    Cue.within("han", r"(?<!是)(?<![他她它])[看算听數数]错了"),
    Cue.within("kana", r"[見書読聞数]き?み?え?間違"),
    Cue.of(
        "oublie oubliez vergiss vergessen olvida olvide dimentica dimenticate esquece esqueça vergeet забудь забудьте",
        r"^\W*(?:oublie[zs]?|verg(?:iss|essen sie),?|olvid[ae]|dimentica(?:te)?|esque[cç][ea]|vergeet|забудь(?:те)?,?)"
        r" (?:tout )?(?:ce|was|lo|quello|o|wat|что) (?:qu[e'’]|ich|wir|que|che|ik|we|я)",
        whole=True,
    ),
    # A no, and a place or a kind: "non, en pin". With a verb it tells something else.
    Cue.of(
        "nein non no não nee нет nie",
        r"^\W*(?:nein|non|no|não|nee|нет|nie)[,.!]+ (?:en|au|aux|à|dans|pour|avec|sans|chez|sur|al|para|con|sin|in|im|"
        r"am|auf|mit|nach|für|zum|zur|bei|nel|nella|senza|da|em|na|com|sem|op|naar|met|voor|в|на|к|с|для|w|do|z|dla) "
        r"(?!(?:fait|absoluto|mí|mi|me|moi|moment|keinen|realtà|favore|favor|permiso|l['’]instant|mon|geral|verdade|nu|"
        r"dit|самом|общем|чего|nada|ahora|ora|adesso|wirklich|echt|sorry|geen|zich|meiner|mijn|mio|"
        r"minha)\b)[^\s?,.;!]+(?: [^\s?,.;!]+){0,2}\W*$",
        whole=True,
    ),
    # A no, at most two short words, and a value: "nein, am 4.", "non, le 4", "нет, 4-го".
    Cue.of(
        "nein nee ne non no não niet нет ой nie hayır yok sorry perdón perdona pardon scusa désolé désolée desculpa "
        "entschuldigung извини извините przepraszam",
        rf"^\W*(?:(?:{_NO}|h+m+|euh|eh|äh|uh|um|ehm|ah|oh|ach|ну)[,.! ]+)*{_NO}[,.!]+ "
        r"(?:[^\W\d_]{1,6}['’.,]? ){0,4}(?:[^\W\d_]['’])?\d[^?؟]{0,24}$",
        whole=True,
    ),
    Cue.within(
        "kana",
        r"^(?:いや|いえ|いいえ|違う|違います|すみません|ごめん(?:なさい)?)[、,。 ]*"
        r"[^。?？]{0,6}\d[^。?？]{0,10}(?:です|だ|で|[。!！]|$)",
    ),
    Cue.within("han", r"^(?:不|不是|不对|抱歉|对不起)[，,。 ]+[^。?？]{0,4}\d[^。?？]{0,8}$"),
    Cue.within(
        "hangul",
        r"^\W*(?:아니(?:요|에요|야)?|죄송(?:해요|합니다)|미안(?:해요|합니다)?)[,. ]+[^.?？]{0,8}\d[^.?？]{0,12}$",
    ),
    Cue.within("arabic", r"^\W*(?:لا|عفوا|آسف|آسفة)[،, ]+(?:\S+ ){0,2}\d[^؟?]{0,16}$"),
    Cue.within("devanagari", r"^\W*(?:नहीं|सॉरी|माफ़ करें|माफ करें)[, ]+(?:\S+ ){0,2}\d[^?।]{0,16}[।.]?$"),
)
"""The same form of speech in many languages."""

REVISIONS = (
    Cue.of(
        "about",
        r"^\W*(?:(?:no|yes|ok(?:ay)?|hm+|well|then|and|or|thanks)[,.! ]+)*"
        r"(?:how about|what about(?! (?:the|my|your|our|his|her|their|its|these|those|this|that|other)\b))\b"
        # Who says more has another idea.
        r"(?=(?:\s+\S+){1,8}\W*$|(?:\s+[^\W\d_]+){0,3}\s(?:at|on|from|until)\s\d|.*\binstead\b)",
        also="how what",
    ),
    Cue.of(
        "try",
        r"^\W*(?:(?:no|yes|ok(?:ay)?|hm+|well|then)[,.! ]+)*(?:please )?(?:let ?['’]?s |(?:can|could|would) (?:you|"
        r"we) |maybe |perhaps )?(?:please )?try\b",
    ),
    Cue.of(
        "no nope nah",
        r"^\W*(?:no|nope|nah)\s?[,.!;–—-]+ ?(?!(?:thanks?|thank|you|that ?['’]?s|that is|that will|problem|worries|"
        r"need|not|i (?:think|guess|do|did|am|have)|i ?['’]?m|we ?['’]re|nothing|it['’]s (?:ok|fine|all))\b)\S",
    ),
    Cue.of(
        "back going go",
        r"^\W*(?:(?:no|ok(?:ay)?|hm+|ugh|oh|ah|well|so|then|please|actually|and|but|sorry|wait)[,.! ]+)*"
        r"(?:(?:we['’]?re going |i['’]?m going |let['’]?s go |can we go |please go |go )?)back to "
        r"(?!(?:you|me|us|work|school|sleep|bed|life|reality|start|back|questions?|normal|basics?|topic|business|front|"
        r"the|my|our|your|that|this|those|these|mr|ms|mrs|dr|square|\w+ing)\b)"
        # Who says when travels.
        r"(?![^.;!?]*\b(?:today|tomorrow|tonight|yesterday|now|soon|finally|next|last|in|on|at|for)\b)"
        r"[^,.;!?]{1,30}(?=\W*$|, ?(?:then|please|ok|thanks)\b)",
        also="back",
    ),
    Cue.of(
        "zurück revient revenons volvemos torniamo voltamos terug вернемся вернёмся",
        r"^\W*(?:zurück (?:zu[mr]?|auf)|(?:on revient|revenons) (?:à|au|aux|sur)|volvemos al?|torniamo (?:a|al|alla)|"
        r"voltamos (?:a|ao|à|para)|terug naar|верн[её]мся к) (?!(?:haus|hause|casa|maison|huis|kantoor|werk|thema|"
        r"trabalho|trabajo|noi|voi|dir|mir|uns|теме|вопросу|делу|работе|\w+[aei]r)\b)\S+(?: \S+){0,2}\W*$",
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
        "better preferable best",
        r"^(?!.*\b(?:which|whether|if|why|see)\b)[^?？]*(?:\bwould be (?:better|preferable|best)\b|"
        r"\b(?:works?|suits?|fits?|is) .{0,12}?better\b)[^?？]*$",
    ),
)
"""Phrases for another wish that seems to replace an earlier one, but may also add to it."""
