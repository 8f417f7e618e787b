"""Phrases that state rules, limits, wishes, decisions and promises, as data."""

from __future__ import annotations

from session_core.language.cue import Cue

_LEAD = (
    r"^[\s\"'“(]*(?:(?:and|also|but|so|then|ok(?:ay)?|yes|no|hi|hello|hey|well|oh|sure|great|thanks|actually|"
    r"one more thing|important|note|rule|reminder)[,:.!]?\s+)*(?:please[,:]?\s+)?"
)
_DOINGS = (
    "book reserv order schedul cancel confirm send sent email creat updat add remov chang move set fil submi "
    "open clos refund issu ship pay paid upgrad renew register sign call notif remind forward escalat arrang "
    "sav delet deploy fix install enabl disabl charg appl transfer assign written wrote made put start "
    "complet "
    "finish follow check prepar provid keep bring ask request contact implement merg push publish record log"
)
DONE = "|".join(_DOINGS.split())

_NARRATES = (
    r"(?!(?: again)?(?:\W*$|[.,;!?])| (?:in my life|in a million|have i|an?|been|had|has|was|were|is|are|would|could|will|"
    r"did|done|seen|saw|heard|known|knew|thought|gone|went|got|felt|found|met|understood|used to|happens?|works?|said|"
    r"told|ate|eaten|came|"
    r"(?!(?:need|feed|embed|proceed|exceed|succeed|speed)\b)[^\W\d_]{2,}ed|"
    r"(?!(?:bring|sing|ring|swing|cling)\b)[^\W\d_]{2,}ing)\b)"
)
"""After "always" and "never": nothing that tells of what was, instead of what is to be done."""

RULES = (
    Cue.of(
        "always never under from at make ensure be remember refrain avoid stick limit keep",
        _LEAD
        + rf"(?:(?:always|never)\b(?! mind\b){_NARRATES}|under no circumstances|from now on|at no point|make sure|ensure|"
        r"be sure to|remember (?:to|that)|refrain from|avoid|stick to|limit yourself|"
        r"keep (?:all|every|your|the|it|them|answers|replies))\b",
    ),
    Cue.of(
        "ask check tell consult warn confirm",
        _LEAD
        + r"(?:ask|check with|tell|consult|warn|confirm with) (?:me|us) (?:first )?(?:before|when(?:ever)?|every time|if) "
        r"(?:you|any|some|it|they)|^\W*(?:(?:and|but|also|so|please)[, ]+)*(?:before|if|when(?:ever)?) you [^?.;]{2,60}?, ?(?:please )?"
        r"(?:always )?(?:ask|check with|tell|consult|warn|confirm with) (?:me|us)\b",
        also="me us",
    ),
    Cue.of(
        "all every each any",
        _LEAD
        + r"(?:in|for|on|with|to) (?:all|every|each|any) [^,;.!?]{2,40}?[, ] ?(?:please |always )?(?:use|write|add|put|"
        r"include|give|say|start|end|sign|do not|don['’]?t|never|always)\b(?!ed\b)",
        also="use write add put include give say start end sign do don't don’t dont never always",
    ),
    Cue.of(
        "always",
        _LEAD
        + r"(?:use|answer|reply|respond|write|speak|explain|describe|show|give|keep|put|format|round|translate)\b[^.;!?]{1,80}"
        r"[, ]always\W*$",
        also="use answer reply respond write speak explain describe show give keep put format round translate",
    ),
    Cue.of(
        "stop",
        _LEAD + r"stop (?!(?:being|kidding|joking|lying|laughing|crying|worrying|teasing|complaining)\b)"
        r"[^\W\d_]{2,}ing\b",
    ),
    Cue.of(
        "use write format keep put give show",
        _LEAD + r"(?:use|write|format|keep|put|give|show)\b[^.;!?]{1,60}\b(?:throughout|everywhere|consistently|"
        r"at all times|every time|each time|for (?:all|every|everything))\b",
        also="throughout everywhere consistently times time all every everything",
    ),
    Cue.of(
        "do don't don’t dont",
        _LEAD + r"(?:do not|don['’]?t)\b(?! (?:worry|know|think|mind|care|have|see|understand|get me|need|want|"
        r"like|believe|recall|hesitate|you|we|they|i|he|she|it)\b)",
    ),
    # What comes with a verb of being or having, or is left, is told ("only one left", "only problem is the price").
    Cue.of(
        "only",
        _LEAD + r"only (?!(?:joking|kidding|just|because|then|now|recently|yesterday|today|god|once|thing|problem|"
        r"question|reason|issue|downside|a (?:few|little|bit|couple|joke|matter)|i|he|she|they|we)\b)"
        r"(?!(?:[^\s,.;]+ ){1,4}(?:left|remaining|to go|away|is|was|are|were|has|had|came|got|knows?|works? (?:when|if))\b)"
        r"\w+",
    ),
    Cue.of(
        "use answer reply respond write speak",
        _LEAD + r"(?:use|answer|reply|respond|write|speak) (?:only|always|exclusively|in)\b",
    ),
    Cue.of(
        "no",
        _LEAD + r"no (?:(?:phone )?calls?|emails?|emojis?|small talk|exceptions|comments (?:in|please))\b"
        r"(?!.*\b(?:so far|today|yet|yesterday|since|for once|lately|(?:this|last) \w+|from (?:him|her|them|you))\b)",
    ),
    Cue.of(
        "use",
        _LEAD + r"use (?:the )?\S+(?: \S+){0,4}?,? (?:not|never|instead of|rather than) \S",
        also="not never instead rather",
    ),
    Cue.of(
        "when whenever every each time",
        r"^\W*(?:(?:and|but|also|so|ok(?:ay)?|please)[, ]+)*(?:when(?:ever)?|every time|each time) (?:i|we|you|"
        r"some(?:one|body)|"
        r"any(?:one|body)|they|the \w+) [^?.;]{2,80}?[, ](?:please |always |just |then |also )?"
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
        _LEAD
        + r"(?:nobody|no[- ]?one)\b(?! (?:here |really |ever |else )*(?:knows?|knew|cares?|is|was|has|had|told|said|"
        r"wants?|wanted|likes?|came|got|did|noticed|answered)\b)[^?]*\b(?:before|until|till|unless|without|except)\b",
    ),
    Cue.of(
        "always never",
        # What one was told, or promised, is another's rule.
        r"\b(?=[psmtra])(?:please|(?<!\bi )(?<!\bpeople )(?<!\bone )(?<!\bhe )(?<!\bshe )(?:should|must|shall)|replies|answers|"
        r"(?<!\breminder )"
        r"(?<!\btold )(?<!\btold me )(?<!\btold us )(?<!\bused )(?<!\btaught )(?<!\btaught me )(?<!\btend )"
        r"(?<!\bpromised )(?<!\bswore )(?<!\bvowed )(?<!\bseems )(?<!\bseem )(?<!\blearned )to)\s+(?:always|never)\b|"
        # What one can always do is left to one.
        r"\b(?=[yitewa])(?:you|it|they|this|that|everything|everyone|all|we)\s+(?:(?:must|should|shall)\s+"
        r"(?:always|never)|may\s+never)\b|"
        r"(?=[an])(?<!\bi )(?<!\bwe )(?<!\bthey )(?<!\byou )(?<!\bi can )(?<!\bi could )(?<!\bi will )(?<!\bi would )"
        r"(?<!\bwe can )(?<!\bwe could )(?<!\bwe will )(?<!\bwe would )\b(?:never|always) (?:use|mention|share|"
        r"call|send|ask|include|book|answer|say|tell|show|give|write|reply|add|assume|schedule|contact|remove|delete)\b",
    ),
    Cue.of(
        "must shall should may are have need can't can’t cannot",
        # What holds for anybody ("things that you can't reach", "you may not always be near") is none.
        r"\b(?=you)(?<!\bif )(?<!\bwhy )(?<!\bbecause )(?<!\bsince )(?<!\bas )(?<!\bwhen )"
        r"(?<!\bwhere )(?<!\bhow )(?<!\bwhat )(?<!\bwhich )"
        r"you\s+(?:must(?! have\b)|shall|are not to|are never to|"
        r"may not(?! (?:always|be|yet|have|want|know|need|even)\b)|"
        r"(?<!\bthat you )(?<!\bthings you )(?:can['’]?t|cannot) (?:ever |just )?(?:use|mention|share|"
        r"call|send|ask|include|book|answer|say|tell|show|give|write|reply|add|assume|schedule|contact|delete|change|spend|charge|"
        r"post|publish|touch|repeat|skip|talk|order|buy|pay|sign|accept|cancel|sell)\b|shouldn['’]?t (?!(?:have|worry|be)\b)|"
        r"(?:should|have to|need to) (?:not|always|never|only|answer|reply|respond|speak|use|keep|include|mention|"
        r"ask|call|address|treat|act|behave|follow|stick|avoid|refer|cite|quote|format|translate|remember|confirm))\b",
        also="you",
    ),
    Cue.of(
        "can could would will",
        r"(?<!\bhow )(?<!\bwhy )\b(?:can|could|would|will) you (?:please )?(?:always|never|only|from now on|make sure|not)\b",
        also="you",
    ),
    Cue.of("please", r"\bplease\s+(?:do not|don['’]?t|only|avoid|make sure)\b", also="do don dont only avoid make"),
    # What somebody tells of themselves or of others ("I stretch and avoid stairs") is no rule for who listens.
    Cue.of(
        "and but so",
        r"^(?:(?!\b(?:i|we|he|she|they|it|there|my|our|is|are|was|were|has|works?|does|how to|tips|ways)\b).)*?\b(?:and|but|so)"
        r"\s+(?:do not|don['’]?t|only|avoid|make sure)\b"
        r"(?! (?:know|think|want|have|need|like|we|they|i|you)\b)",
        also="do don dont only avoid make",
    ),
    Cue.of(
        "under from without",
        r"\bunder no circumstances\b|^(?!.*\bi(?:['’]ll|['’]m| will| am| think i| plan| hope| try)\b).*?\bfrom now on\b|\bwithout (?:my|our) (?:approval|permission|consent)\b",
        also="circumstances now my our",
    ),
)

_AMOUNT = r"(?:[$€£¥₹]|\d)"
_NOBODY_HERE = (
    "".join(rf"(?<!\b{who} )" for who in "i we you just ll will might may to not do does did".split()) + r"(?<!n['’]t )"
)
CONSTRAINTS = (
    Cue.of(
        "more less fewer later earlier longer bigger higher most least latest",
        # Without a quantity it is a manner of speaking ("at least it is warm").
        r"\b(?:no|not) (?:more|less|fewer|later|earlier|longer|bigger|higher) than\b"
        r"(?! an? (?:rumou?r|joke|dream|guess|suggestion|hobby|formality)\b)|"
        # What was at least so is told.
        r"^(?!.*\b(?:(?:i|we|they)['’]ve been|(?:have|has) been|was|were|had|took|used to)\b).*?\bat (?:least|most) (?:[$€£¥₹]?\d|an?\b(?! (?:handful|few|little|bit|start|rumou?r|joke|guess)\b)|one\b|two\b|three\b|four\b|five\b|six\b|ten\b|once\b|twice\b|half\b|"
        r"on\b|as\b)|\b(?:at|by) the latest\b",
        also="than at by",
    ),
    Cue.of(
        "nothing",
        r"(?:^\W*|[,;.–—-] ?|\b(?:and|but|please|so) )nothing (?:after|before|over|above|under|below|later than|earlier than|"
        r"longer than) [^.;!?]{0,20}\d",
    ),
    Cue.of(
        "exceed go spend afford cost",
        r"\b(?:cannot|can['’]?t|must not|may not|should(?: not|n['’]?t)|not) (?:exceed|go over|spend|afford|"
        r"cost)\b",
        also="cannot cant not shouldnt t",
    ),
    Cue.of(
        "up under below within less between max maximum min minimum",
        r"(?<!\bwas )(?<!\bwere )(?<!['’]m )(?<!\bam )\b(?:up to|under|below|within|less than|between|max(?:imum)?(?: of)?|min(?:imum)?(?: of)?)\s+"
        + _AMOUNT,
        whole=True,
    ),
    Cue.of(
        "over above more",
        # What there is more of is no limit ("we have over 100 players") unless something asks for it or rules it out.
        r"(?:\b(?:no|not|nothing|none|never|anything|cannot|must|should|needs?|have to|if|unless|only|want|prefer|"
        r"looking for)\b|n['’]t\b)[^.;]{0,60}\b(?:over|above|more than)\s+" + _AMOUNT,
        also="no not nothing none never anything cannot must should need needs have if unless only want prefer "
        "looking t",
    ),
    Cue.of(
        "budget budgets limit limited capped deadline due",
        # Who only mentions a budget limits nothing: "the budget meeting", "budget airlines".
        r"\bbudgets?\b(?!-)(?=.*(?:\d|[$€£¥₹]|\b(?:tight|low|small|limited|fixed|hundred|thousand|grand|bucks|dollars|euros|"
        r"pounds|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)\b))|"
        r"\b(?:on|within|over|under|above|exceed|tight|low|small|limited|fixed|no) (?:(?:a|my|our|the|his|her|tight|low|"
        r"small|limited) )*budget\b|(?:\d|[$€£¥₹])\S* (?:\w+ )?budget\b|\b(?:my|our|the|a) (?:\w+ )?budget"
        r"(?:['’]s| is| was|:| of| stays| remains| must| can['’]?t| cannot| does)(?! (?:meeting|the problem)\b) ?\w|"
        r"\blimit (?:is|of|to)\b|\blimited to\b|\bcapped\b|\bdue (?:by|on|date)\b|"
        r"\bdeadline\b(?=.*(?:\d|day\b|week|month|tomorrow|tonight|noon))",
        whole=True,
    ),
    Cue.of(
        "allergic allergy intolerant vegan vegetarian gluten kosher halal lactose diabetic coeliac celiac "
        "pregnant wheelchair",
        r"\b(?:allerg|intoleran|vegan|vegetarian|gluten|kosher|halal|lactose|diabet|coeliac|celiac|pregnant|"
        r"wheelchair)",
    ),
    Cue.of(
        "must mustn't mustn’t has have needs need required mandatory non-negotiable",
        # What speakers have to do themselves, and what anybody has to, binds nobody; unless it has a time or a number.
        rf"\b(?=[mh])(?:must|mustn['’]?t|has to|{_NOBODY_HERE}have to)\b(?!['’]ve)(?<!n['’]t has to)"
        r"(?! not have (?:\w+ed|heard|seen|been|gone|known|had|got|done)\b)"
        r"(?! (?:say|admit|confess|understand|go now|have|be an?|be the|be joking)\b)(?!-)|"
        r"\b(?=[iw])(?:i|we)(?:['’]ll| will| just)? have to\b(?:(?=.*(?:\d|\b(?:by|before|until)\b))|"
        r" (?:use|support|stay|keep|fit|comply|include|avoid|run|deploy|target|stick)\b)|"
        r"(?<!\bnot )\b(?=[nrm])(?:needs? to be|(?<!anything else is )required|mandatory|non-negotiable)\b",
        also="must mustn mustnt to required mandatory negotiable",
    ),
    Cue.of(
        "can't can’t cannot can",
        r"(?<!\byou )(?<!\bpeople )\b(?:can['’]?t|cannot|can not) (?:eat|have|take|use|travel|fly|attend|do|make|work|be|drink|walk|"
        r"climb|share|tolerate|leave|come|join|meet|start|lift|swim|kneel|host|upgrade|move)\b",
        also="cant cannot not t",
    ),
    Cue.of(
        "can't can’t cannot can",
        r"\b(?:i|we|he|she|they) (?:can['’]?t|cannot|can not) [^.;!?]{1,40}\b(?:after|before|until|later than|earlier than|more than|"
        r"less than) \d",
        also="cant cannot not t",
    ),
    Cue.of(
        "only",
        r"\bonly (?:(?:if|when|on|in|at|for|with|after|before|have|has|want|need|eat|use|works?|accept|"
        r"available|"
        r"interested in|looking for|needing|accepts|between|until)\b|\d)|\b(?:can|may|will|must|works?) only\b|"
        r"\b(?:so|please)[, ]+(?:[^\W\d_]+ ){1,2}only\W*$|^\W*(?:[^\W\d_]+ ){1,3}only,? please\b",
    ),
    Cue.of("except unless", r"\b(?:except|unless)\b(?!,)"),
    Cue.of(
        "limits off-limits taboo forbidden allowed",
        r"\boff[- ]limits\b|\b(?:is|are|['’]s|stays?) (?:a )?(?:taboo|forbidden|not allowed)\b",
        whole=True,
    ),
)

_NO_DECISION = (
    r"(?! (?:a (?:(?:closer|quick|good|short|little) )?(?:look|break|nap|walk|photo|picture|moment|minute|shot|shower|step)(?! and\b)|"
    r"care|part|notes?|time|into|advantage|an eye|track|(?:\S+ ){0,4}in mind|you)\b|(?<=keep) [^\W\d_]+ing\b)"
)
"""After "take" and "keep"."""

DECISIONS = (
    Cue.of(
        "go going take book choose pick stick keep buy order proceed settle",
        r"\b(?:let['’]?s|(?:we|i)['’]ll|(?:we|i) will|i['’]d like to|i want to)\s+(?:go (?:ahead )?with|go "
        r"for|"
        rf"take|book|choose|pick|stick (?:with|to)|keep|buy|order|proceed|settle)\b{_NO_DECISION}|"
        r"(?:(?<!\bto )|(?<=\bgoing to )|(?<=\bhappy to ))(?<!\bof )(?<!\babout )(?<!\bthat )(?<!\bwould )\bgo(?:ing)? (?:ahead )?with\b(?! (?:me|her|him|them|us)\b)|"
        r"(?<!\bthe )(?<!\ba )(?<!\bmy )(?<!\bthis )(?<!\bdid you )\bbook (?:it|that|the|this)\b",
        also="go going take book choose pick stick keep buy order proceed settle",
    ),
    Cue.of(
        "we i",
        r"^\W*(?:ok(?:ay)?|fine|alright|all right|good|great|perfect|then|right)[,.! ]+(?:then )?(?:we|i) (?:take|stay|book|buy|keep|choose|"
        r"rent|move|use|go (?:for|with|by)|wait|leave|travel|fly)\b",
        whole=True,
    ),
    Cue.of("skip leave", _LEAD + r"(?:skip|leave out) (?:the|that|this|my|our|all)\b(?! (?:intro\w*|explanation)\b)"),
    Cue.of(
        "do",
        _LEAD + r"do the (?:first|second|third|last|other|cheaper|smaller|bigger) (?:one|option|quote|version)\b",
    ),
    Cue.of("let's let’s use", r"^\W*(?:ok(?:ay)?[,.]? |so |then )?let['’]s use\b"),
    Cue.of(
        "decided chosen chose picked agreed settled opted approve approved selected confirm confirmed",
        r"\b(?:i|we)(?:['’]ve| have)?(?: both| all| finally| just)? (?:decided|chosen|chose|picked|agreed|"
        r"settled|"
        r"opted|approved?|selected|confirm(?:ed)?)\b|\b(?:agreed|approved)\s*:|"
        r"\b(?:team|everyone|everybody|board|family|committee|management|parties|sides)(?: has| have)?(?: both| all| "
        r"finally| now)? (?:decided|agreed|settled) (?:to|on|for|that|against)\b",
        whole=True,
    ),
    Cue.of("decision final conclusion", r"\b(?:decision|final answer|conclusion)\s*:"),
    Cue.of(
        "takes charge responsible owns",
        r"(?<!\bthat )(?<!\bthis )(?<!\bit )\btakes (?:it|this|that|over|care of)\b|\b(?:is|are|['’]s) (?:now )?(?:in charge of|responsible for)\b|"
        r"\bowns (?:the|this|that)\b",
    ),
    Cue.of("agree", r"\b(?:we|i)(?: both| all)? agree (?:to|on)\b", also="we i"),
    Cue.of(
        "staying sticking going keeping",
        r"^\W*(?:\w+[,.! ]+){0,2}(?:(?:staying|sticking|going) with|sticking to|"
        r"keeping(?!.*\b(?:will|would|helps?|is|can|makes?)\b))\b",
    ),
)

PREFERENCES = (
    Cue.of(
        "prefer rather like love enjoy hate dislike want need favor favour don't don’t can't can’t do "
        "looking "
        "interested",
        r"\b(?:i|we|he|she|they)(?:['’]d|['’]m| would| am)? (?:really |also |much |always |usually "
        r")?(?:prefer|"
        r"rather|like|love|enjoy|hate|dislike|want|need|favou?r|(?:don['’]?t|do not) (?:like|want|need|"
        r"enjoy)|"
        r"can['’]?t stand|looking for|interested in)",
        also="i we he she they",
    ),
    Cue.of(
        "fan looking interested into not hoping",
        r"\bi['’]?m (?:a (?:big )?fan of|into|not into|hoping)\b",
        also="im i",
    ),
    Cue.of(
        "favorite favourite preference prefer prefers preferred preferably",
        r"\bfavou?rite\b|\bpreference\b|\bprefer(?:s|red|ably)?\b",
    ),
    Cue.of(
        "don't don’t dont do",
        r"\bwe (?:don['’]?t|do not) (?:do|use|take|accept|allow|eat|drink|support|ship|hire|fly|drive|offer|sell|"
        r"serve)\b",
        also="we",
    ),
    # What is left out. Of what is not there ("no errors in the log") somebody only tells.
    Cue.of(
        "no",
        r"(?:^\W*|[.,;:–—-] ?|\b(?:so|and|but|also|please|pls|says|said|means|prefer)\s)"
        r"no (?!(?:problems?|worries|ideas?|thanks?|way|doubts?|matter|wonder|one|news|rush|hurry|longer|clue|chance|"
        r"luck|"
        r"reasons?|questions?|comments?|more|less|sooner|errors?|warnings?|issues?|results?|changes?|updates?|signs?|"
        r"failures?|matches|tests?|differences?|need|wait|i|we|you|it|that|this|the|my|not|but|its|"
        # Other languages say "no" too.
        r"me|te|se|les?|l[ao]s?|nos|os|es|son|hay|vamos|gracias|\w{2,}[aei]res|tienes|puedes|sabes|eres)\b)"
        r"(?:more )?(?:[^\W\d_][\w-]*)(?: [^\W\d_][\w-]*){0,2}?"
        r"(?:,? (?:pls|please|ever|at all|whatsoever|anything|allowed)\b|(?<=s) (?:in|on|at|for|with|after|before|"
        r"until|"
        r"during|to|from|near)\b| for (?:me|us|him|her|them|my|our|the)\b|(?<=[^s]s)\W*$| though\b)",
    ),
)

IDENTITIES = (
    Cue.of(
        "my",
        r"\bmy (?:\w+ )?(?:name|surname|e-?mail|phone|number|address|birthday|age|job|title|company|"
        r"employer|boss|"
        r"manager|team|wife|husband|partner|son|daughter|kids?|children|mother|father|dog|cat|account|"
        r"passport|"
        r"username|time ?zone) (?:is|are|has|:)",
    ),
    Cue.of(
        "my our",
        r"\b(?:my|our) (?:doctor|dentist|gp|lawyer|landlord|landlady|teacher|therapist|vet|accountant|agent|contact|sister|brother|"
        r"girlfriend|boyfriend|fianc[ée]e?|roommate|flatmate|colleague|supervisor)(?:['’]s name)? is (?:called |named )?"
        r"(?!(?:Not|In|On|At|So|A|An|The)\b)(?-i:[A-Z])",
    ),
    Cue.of(
        "call called go this",
        r"(?:^|[.,;!]\s*|\b(?:please|just|can|and) )call me (?!before|after|at|on|when|if|back|by|later|in|"
        r"tomorrow|today|again|asap|only)|\bi['’]?m called\b|\bi go by\b|\bthis is .{1,30} (?:speaking|from|"
        r"here)\b",
        also="me called by is",
    ),
    Cue.of(
        "i'm i’m im am",
        r"\bi(?:['’]?m| am) (?:an? (?!fan|bit|little|lot|big)\w+|from|based in|\d{1,3} years)\b",
    ),
    Cue.of(
        "live work study teach born",
        r"\bi (?:live|work|study|teach) (?:in|at|as|for|on|with)\b|\bborn (?:in|on)\b",
        also="i born",
    ),
    Cue.of(
        "moved relocated joined",
        r"\b(?:i|we)(?:['’]ve| have)?(?: just| recently| now)? (?:(?:moved|relocated) (?:back |over )?to|joined)\b",
        also="i we",
    ),
)

COMMITMENTS = (
    Cue.of(
        "i'll i’ll we'll we’ll will shall going",
        r"\b(?:i|we)(?:['’]ll| will| shall|['’](?:m|re) going to| am going to| are going to) "
        rf"(?:\w+ly |also |then |now |get )?(?:{DONE}|back)",
        also="i we",
    ),
    Cue.of(
        _DOINGS,
        rf"\b(?:i|we)(?:['’]ve| have)? (?:now |just |already |also |successfully )?(?:{DONE})\w*(?:ed|t|de|"
        r"n)\b|"
        rf"\b(?:is|are|was|were|been) (?:now |already |successfully )?(?:{DONE})\w*(?:ed|t)\b",
        also="i we is are was were been",
    ),
    Cue.of(
        "number reference code id confirmation ticket reservation booking pnr",
        r"\byour .{0,40}?(?:number|reference|code|id|confirmation|ticket|reservation|booking|"
        r"pnr)\b\W{0,3}(?:is\b|:)|"
        r"\b(?:confirmation|reference|booking|ticket|order|tracking|case) (?:number|code|id|no\.?)\b",
        also="your number code id no",
    ),
    Cue.of("promise guarantee commit", r"\bi (?:promise|guarantee|commit)\b", also="i"),
)
