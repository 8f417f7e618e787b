"""Phrases that state standing rules, as data."""

from __future__ import annotations

from session_core.language.cue import Cue

LEAD = (
    r"^[\s\"'“(]*(?:(?:and|also|but|so|then|ok(?:ay)?|yes|no|hi|hello|hey|well|oh|sure|great|thanks|actually|"
    r"one more thing|important|note|rule|reminder)[,:.!]?\s+)*(?:(?:please|pls|plz)[,:]?\s+)?"
)
"""What may stand before an imperative."""

_NARRATES = (
    r"(?!(?: again)?(?:\W*$|[.,;!?])| (?:in my life|in a million|have i|an?(?! [^.;!?]{2,40}\bplease\b|"
    r" (?:[^\W\d_]+ )?(?:seat|room|table|call|flight|meeting)\b)|been|had|has|was|were|is|are|would|could|will|did|"
    r"nice|good|great|happy|lovely|fun|hard|tough|sad|funny|worth|done|seen|saw|heard|known|knew|thought|gone|went|got|"
    r"felt|found|met|understood|used to|happens?|works|work(?! (?:in|on|with|from|at|only)\b)|said|told|ate|eaten|came|"
    r"(?!(?:need|feed|embed|proceed|exceed|succeed|speed|seed|shed|shred|heed|weed|breed)\b)[^\W\d_]{2,}ed|(?!(?:bring|"
    r"sing|ring|swing|cling|ping|spring)\b)[^\W\d_]{2,}ing)\b(?!-))"
)
"""After "always" and "never": nothing that tells of what was, instead of what is to be done."""

RULES = (
    Cue.of(
        "always never under from at make ensure be remember refrain avoid stick limit keep",
        LEAD + rf"(?:(?:always|never)\b(?! mind\b){_NARRATES}|under no circumstances|from now on|at no point|make "
        rf"sure|ensure|"
        r"be sure to|remember (?:to|that)|refrain from|avoid|stick to|limit yourself|"
        r"keep (?:all|every|your|the|it(?! (?:up|coming|going)\W*$)|them|answers|replies))\b",
    ),
    Cue.of(
        "keep",
        LEAD + r"keep (?:my|our|this|that) [^.;!?]{0,30}?\b(?:out of|private|secret|confidential|between us|to "
        r"yourself)\b",
        also="out private secret confidential between yourself",
    ),
    Cue.of(
        "ask check tell consult warn confirm",
        LEAD
        + r"(?:ask|check with|consult|warn|confirm with) (?:me|us) (?:first )?(?:before|when(?:ever)?|every time|if) "
        r"(?:you|any|some|it|they)|^\W*(?:(?:and|but|also|so|please)[, ]+)*(?:before|if|when(?:ever)?) you "
        r"[^?.;]{2,60}?, ?(?:please )?"
        r"(?:always )?(?:ask|check with|tell|consult|warn|confirm with) (?:me|us)\b",
        also="me us",
    ),
    Cue.of(
        "all every each any",
        LEAD + r"(?:in|for|on|with|to) (?:all|every|each|any) [^,;.!?]{2,40}?[, ] ?(?<!\bto )(?<!\bwill )(?<!\bcan )"
        r"(?:please |always )?(?:use|write|add|put|"
        r"include|give|say|start|end|sign|do not|don['’]?t|never|always)\b(?!ed\b)",
        also="use write add put include give say start end sign do don't don’t dont never always",
    ),
    Cue.of(
        "always",
        LEAD + r"(?:use|answer|reply|respond|write|speak|explain|describe|show|give|keep|put|format|round|"
        r"translate)\b[^.;!?]{1,80}"
        r"[, ]always\W*$",
        also="use answer reply respond write speak explain describe show give keep put format round translate",
    ),
    Cue.of(
        "stop",
        LEAD + r"stop (?!(?:being|kidding|joking|lying|laughing|crying|worrying|teasing|complaining)\b)"
        r"[^\W\d_]{2,}ing\b",
    ),
    Cue.of(
        "use write format keep put give show",
        LEAD + r"(?:use|write|format|keep|put|give|show)\b[^.;!?]{1,60}\b(?:throughout|everywhere|consistently|"
        r"at all times|every time|each time|for (?:all|every|everything))\b",
        also="throughout everywhere consistently times time all every everything",
    ),
    Cue.of(
        "do don't don’t dont",
        LEAD + r"(?:do not|don['’]?t)\b(?!\W*$)(?! (?:worry|know|think|mind|care|have|see|understand|get me|need|want|"
        r"like|believe|recall|hesitate|you|we|they|i|he|she|it)\b)",
    ),
    # What comes with a verb of being or having, or is left, is told ("only one left", "only problem is the price").
    Cue.of(
        "only",
        LEAD + r"only (?!(?:joking|kidding|just|because|then|now|recently|yesterday|today|god|once|thing|problem|"
        r"question|reason|issue|downside|"
        r"a (?:few|little|bit|couple|joke|matter)\b(?![^.;!?]* (?:per|each|please|at a time)\b)|i|he|she|they|we)\b)"
        r"(?!(?:\d+|one|two|three|four|five) [^\s,.;]+ (?:[^\W\d_]{2,}ed|came|went|got|made)\b)"
        r"(?!(?:[^\s,.;]+ ){1,4}(?:left|remaining|to go|away|is|was|are|were|has|had|came|got|knows?|works? "
        r"(?:when|if))\b)"
        r"\w+",
    ),
    Cue.of(
        "use answer reply respond write speak",
        LEAD + r"(?:use|answer|reply|respond|write|speak) (?:only|always|exclusively|in)\b",
    ),
    Cue.of(
        "no",
        LEAD + r"no (?:(?:phone )?calls?|emails?|emojis?|small talk|exceptions|comments (?:in|please))\b"
        r"(?!.*\b(?:so far|today|yet|yesterday|since|for once|lately|(?:this|last) \w+|from (?:him|her|them|you))\b)",
    ),
    Cue.of(
        "use",
        LEAD + r"use (?:the )?\S+(?: \S+){0,4}?,? (?:not|never|instead of|rather than) \S",
        also="not never instead rather",
    ),
    Cue.of(
        "when whenever every each time",
        r"^\W*(?:(?:and|but|also|so|ok(?:ay)?|please)[, ]+)*(?:when(?:ever)?|every time|each time) (?:i|we|you|"
        r"some(?:one|body)|any(?:one|body)|they|the \w+) [^?.;]{2,80}?[, ](?:please |always |just |then |also )?"
        + "".join(
            rf"(?<!\b{word} )" for word in "to not and can will would could must should i it we they he she you".split()
        )
        + r"(?<!n['’]t )(?:use|give|show|tell|"
        r"write|"
        r"send|call|answer|reply|ask|don['’]?t|do not|never|add|include|put|keep|remind|say|sign|start|stop|skip|run|"
        r"check|"
        r"wait|cc|ping|notify|explain|quote|mention|round|format)\b(?!ed\b)(?! (?:was|were|is|are|did|had)\b)",
        also="i we you someone somebody anyone anybody they the",
    ),
    Cue.of(
        "nobody noone no",
        LEAD
        + r"(?:nobody|no[- ]?one)\b(?! (?:here |really |ever |else )*(?:knows?|knew|cares?|is|was|has|had|told|said|"
        r"wants?|wanted|likes?|came|got|did|noticed|answered)\b)[^?]*\b(?:before|until|till|unless|without|except)\b",
    ),
    Cue.of(
        "always never",
        # What one was told, or promised, is another's rule.
        r"\b(?=[psmtra])(?:please|(?<!\bi )(?<!\bpeople )(?<!\bone )(?<!\bhe )(?<!\bshe )(?:should|must|shall)|replies|"
        r"answers|(?<!\breminder )(?<!\btold )(?<!\btold me )(?<!\btold us )(?<!\bused )(?<!\btaught )(?<!\btaught "
        r"me )(?<!\btend )"
        r"(?<!\bpromised )(?<!\bswore )(?<!\bvowed )(?<!\bseems )(?<!\bseem )(?<!\blearned )to)\s+(?:always|never)\b|"
        # What one can always do is left to one.
        r"\b(?=[yitewa])(?:you|it|they|this|that|everything|everyone|all|we)\s+(?:(?:must|should|shall)\s+(?:always|"
        r"never)|may\s+never)\b|"
        r"(?=[an])(?<!\bi )(?<!\bwe )(?<!\bthey )(?<!\byou )(?<!\bi can )(?<!\bi could )(?<!\bi will )(?<!\bi would )"
        r"(?<!\bwe can )(?<!\bwe could )(?<!\bwe will )(?<!\bwe would )\b(?:never|always) (?:use|mention|share|call|"
        r"send|ask|include|book|answer|say|tell|show|give|write|reply|add|assume|schedule|contact|remove|delete)\b",
    ),
    Cue.of(
        "must shall should may are have need can't can’t cannot",
        # What holds for anybody ("things that you can't reach", "you may not always be near") is none.
        r"\b(?=you)(?<!\bif )(?<!\bwhy )(?<!\bbecause )(?<!\bsince )(?<!\bas )(?<!\bwhen )"
        r"(?<!\bwhere )(?<!\bhow )(?<!\bwhat )(?<!\bwhich )"
        r"you\s+(?:must(?! have\b)|shall|are not to|are never to|may not(?! (?:always|be|yet|have|want|know|need|"
        r"even)\b)|(?<!\bthat you )(?<!\bthings you )(?:can['’]?t|cannot) (?:ever |just )?(?:use|mention|share|call|"
        r"send|ask|include|book|answer|say|tell|show|give|write|reply|add|assume|schedule|contact|delete|change|spend|"
        r"charge|post|publish|touch|repeat|skip|talk|order|buy|pay|sign|accept|cancel|sell)\b|shouldn['’]?t (?!(?:have|"
        r"worry|be)\b)|(?:should|have to|need to) (?:not|always|never|only|answer|reply|respond|speak|use|keep|include|"
        r"mention|ask|call|address|treat|act|behave|follow|stick|avoid|refer|cite|quote|format|translate|remember|"
        r"confirm))\b",
        also="you",
    ),
    Cue.of(
        "can could would will",
        r"\b(?=[cw])(?<!\bhow )(?<!\bwhy )(?:can|could|would|will) you (?:please )?(?:always|never|only|from now on|"
        r"make sure|not)\b",
        also="you",
    ),
    Cue.of(
        "please", r"\bplease\s+(?:do not|don['’]?t|only|avoid|make sure)\b(?!\W*$)", also="do don dont only avoid make"
    ),
    # What somebody tells of themselves or of others ("I stretch and avoid stairs") is no rule for who listens.
    Cue.of(
        "and but so",
        r"^(?:(?!\b(?:i|we|he|she|they|it|there|my|our|is|are|was|were|has|works?|does|how to|tips|"
        r"ways)\b).)*?\b(?:and|but|so)"
        r"\s+(?:do not|don['’]?t|only|avoid|make sure)\b"
        r"(?! (?:know|think|want|have|need|like|we|they|i|you)\b)",
        also="do don dont only avoid make",
    ),
    Cue.of(
        "under from without",
        r"\bunder no circumstances\b|^(?!.*\bi(?:['’]ll|['’]m| will| am| think i| plan| hope| try)\b).*?\bfrom "
        r"now on\b|\bwithout (?:my|our) (?:approval|permission|consent)\b",
        also="circumstances now my our",
    ),
)
