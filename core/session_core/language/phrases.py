"""Phrases that state limits, wishes, decisions and promises, as data."""

from __future__ import annotations

from session_core.language.cue import Cue
from session_core.language.rules import LEAD

_DOINGS = (
    "book reserv order schedul cancel confirm send sent email creat updat add remov chang move set fil submi open clos "
    "refund issu ship pay paid upgrad renew register sign call notif remind forward escalat arrang sav delet deploy "
    "fix install enabl disabl charg appl transfer assign written wrote made put start complet finish follow check "
    "prepar provid keep bring ask request contact implement merg push publish record log"
)
DONE = "|".join(_DOINGS.split())

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
        r"^(?!.*\b(?:(?:i|we|they)['’]ve been|(?:have|has) been|was|were|had|took|used to)\b).*?\bat (?:least|"
        r"most) (?:[$€£¥₹]?\d|an?\b(?! (?:handful|few|little|bit|start|rumou?r|joke|guess)\b)|one\b|two\b|three\b|"
        r"four\b|five\b|six\b|ten\b|once\b|twice\b|half\b|on\b|as\b)|\b(?:at|by) the latest\b",
        also="than at by",
    ),
    Cue.of(
        "nothing",
        r"(?:^\W*|[,;.–—-] ?|\b(?:and|but|please|so) )nothing (?:after|before|over|above|under|below|later than|"
        r"earlier than|longer than) [^.;!?]{0,20}\d",
    ),
    Cue.of(
        "exceed go spend afford cost",
        r"\b(?:cannot|can['’]?t|must not|may not|should(?: not|n['’]?t)|not) (?:exceed|go over|spend|afford|cost)\b",
        also="cannot cant not shouldnt t",
    ),
    Cue.of(
        "up under below within less between max maximum min minimum",
        r"\b(?=[ubwlm])(?<!\bwas )(?<!\bwere )(?<!['’]m )(?<!\bam )(?:up to|under|below|within|less than|between|"
        r"max(?:imum)?(?: of)?|min(?:imum)?(?: of)?)\s+" + _AMOUNT,
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
        r"\bbudgets?\b(?!-)(?=.*(?:\d|[$€£¥₹]|\b(?:tight|low|small|limited|fixed|hundred|thousand|grand|bucks|dollars|"
        r"euros|pounds|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)\b))|"
        r"\b(?:on|within|over|under|above|exceed|tight|low|small|limited|fixed|no) (?:(?:a|my|our|the|his|her|tight|"
        r"low|small|limited) )*budget\b|(?:\d|[$€£¥₹])\S* (?:\w+ )?budget\b|\b(?:my|our|the|a) (?:\w+ )?budget"
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
        r"\b(?=[iw])(?:i|we)(?:['’]ll| will| just)? have to\b(?:(?=.*(?:\d|\b(?:by|before|until)\b))| (?:use|support|"
        r"stay|keep|fit|comply|include|avoid|run|deploy|target|stick)\b)|"
        r"\b(?=[nrm])(?<!\bnot )(?:needs? to be|(?:(?<=\bit )|(?<=\bthis )|(?<=\bthat )|(?<=\beverything ))needs? "
        r"to (?:run|work|fit|support|cost|stay|end|start|arrive|include)|(?<!anything else is )required|mandatory|"
        r"non-negotiable)\b",
        also="must mustn mustnt to required mandatory negotiable",
    ),
    Cue.of(
        "can't can’t cant cannot can",
        r"\b(?=ca)(?<!\byou )(?<!\bpeople )(?:can['’]?t|cannot|can not) (?:eat|have|take|use|travel|fly|attend|do|make|"
        r"work|be|drink|walk|climb|share|tolerate|leave|come|join|meet|start|lift|swim|kneel|host|upgrade|move)\b",
        also="cant cannot not t",
    ),
    Cue.of(
        "can't can’t cant cannot can",
        r"\b(?:i|we|he|she|they) (?:can['’]?t|cannot|can not) [^.;!?]{1,40}\b(?:after|before|until|later than|earlier "
        r"than|more than|less than) \d",
        also="cant cannot not t",
    ),
    Cue.of(
        "only",
        r"\bonly (?:(?:if|when|on|in|at|for|with|after|before|have|has|want|need|eat|use|works?|accept|available|"
        r"interested in|looking for|needing|accepts|between|until)\b|\d)|\b(?:can|may|will|must|works?) only\b|"
        r"\b(?:so|please)[, ]+(?:[^\W\d_]+ ){1,2}only\W*$|^\W*(?:[^\W\d_]+ ){1,3}only,? please\b|"
        r"^\W*(?!(?:if|not|the|one|it|my|members|staff|read)\b)[^\W\d_]+ (?!(?:time|if|the|is|was|not)\b)[^\W\d_]+s "
        r"only\W*$",
    ),
    Cue.of("except unless", r"\b(?:except|unless)\b(?!,)"),
    Cue.of(
        "limits off-limits taboo forbidden allowed",
        r"\boff[- ]limits\b|\b(?:is|are|['’]s|stays?) (?:a )?(?:taboo|forbidden|not allowed)\b",
        whole=True,
    ),
)

_NO_DECISION = (
    r"(?! (?:a (?:(?:closer|quick|good|short|little) )?(?:look|break|nap|walk|photo|picture|moment|minute|shot|"
    r"shower|step)(?! and\b)|"
    r"care|part|notes?|time|into|advantage|an eye|track|(?:\S+ ){0,4}in mind|you)\b|(?<=keep) [^\W\d_]+ing\b)"
)
"""After "take" and "keep"."""

DECISIONS = (
    Cue.of(
        "go going take book choose pick stick keep buy order proceed settle",
        rf"\b(?:let['’]?s|(?:we|i)['’]ll|(?:we|i) will|i['’]d like to|i want to)\s+(?:go (?:ahead )?with|go for|take|"
        rf"book|choose|pick|stick (?:with|to)|keep|buy|order|proceed|settle)\b{_NO_DECISION}|"
        r"\b(?=go)(?:(?<!\bto )|(?<=\bgoing to )|(?<=\bhappy to ))(?<!\bof )(?<!\babout )(?<!\bthat )(?<!\bwould "
        r")\bgo(?:ing)? (?:ahead )?with\b(?! (?:me|her|him|them|us)\b)|"
        r"\b(?=book )(?<!\bthe )(?<!\ba )(?<!\bmy )(?<!\bthis )(?<!\bdid you )book (?:it|that|the|this)\b",
        also="go going take book choose pick stick keep buy order proceed settle",
    ),
    Cue.of(
        "ok okay fine alright good great perfect then right",
        r"^\W*(?:ok(?:ay)?|fine|alright|all right|good|great|perfect|then|right)[,.! ]+(?:then )?(?:we|i) "
        r"(?:take|stay|book|buy|keep|choose|rent|move|use|go (?:for|with|by)|wait|leave|travel|fly)\b",
        also="we i",
    ),
    Cue.of("skip leave", LEAD + r"(?:skip|leave out) (?:the|that|this|my|our|all)\b(?! (?:intro\w*|explanation)\b)"),
    Cue.of("let's let’s use", r"^\W*(?:ok(?:ay)?[,.]? |so |then )?let['’]s use\b"),
    Cue.of(
        "decided chosen chose picked agreed settled opted approve approved selected confirm confirmed",
        r"\b(?:i|we)(?:['’]ve| have)?(?: both| all| finally| just)? (?:decided|chosen|chose|picked|agreed|settled|"
        r"opted|approved?|selected|confirm(?:ed)?)\b|\b(?:agreed|approved)\s*:|"
        r"\b(?:team|everyone|everybody|board|family|committee|management|parties|sides)(?: has| have)?(?: both| all| "
        r"finally| now)? (?:decided|agreed|settled) (?:to|on|for|that|against)\b",
        whole=True,
    ),
    Cue.of("decision final conclusion", r"\b(?:decision|final answer|conclusion)\s*:"),
    Cue.of(
        "takes charge responsible owns",
        r"\b(?=takes)(?<!\bthat )(?<!\bthis )(?<!\bit )takes (?:it|this|that|over|care of)\b|\b(?:is|are|['’]s) (?:now "
        r")?(?:in charge of|responsible for)\b|"
        r"\bowns (?:the|this|that)\b",
    ),
    Cue.of("agree", r"\b(?:we|i)(?: both| all)? agree (?:to|on)\b", also="we i"),
    Cue.of(
        "staying sticking going keeping",
        r"^\W*(?:(?:\w+[,.! ]+){0,2}|(?:\w+[,.! ]+)?(?:i|we)['’](?:m|re) )(?:(?:staying|sticking|going) with|sticking "
        r"to|keeping(?!.*\b(?:will|would|helps?|is|can|makes?)\b))\b",
    ),
)

PREFERENCES = (
    Cue.of(
        "prefer rather like love enjoy hate dislike want wanna need favor favour don't don’t can't can’t cant do "
        "looking interested",
        r"\b(?:i|we|he|she|they)(?:['’]d|['’]m| would| am)? (?:really |also |much |always |usually )?(?:prefer|rather|"
        r"like|love|enjoy|hate|dislike|want|wanna|need|favou?r|(?:don['’]?t|do not) (?:like|want|need|enjoy)|can['’]?t "
        r"stand|looking for|interested in)",
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
)

IDENTITIES = (
    Cue.of(
        "my",
        r"\bmy (?:\w+ )?(?:name|surname|e-?mail|phone|number|address|birthday|age|job|title|company|employer|boss|"
        r"manager|team|wife|husband|partner|son|daughter|kids?|children|mother|father|dog|cat|account|passport|"
        r"username|time ?zone) (?:is|are|has|:)",
    ),
    Cue.of(
        "doctor dentist gp lawyer landlord landlady teacher therapist vet accountant agent contact sister brother "
        "girlfriend boyfriend fiancé fiancée fiance fiancee roommate flatmate colleague supervisor",
        r"\b(?:my|our) (?:doctor|dentist|gp|lawyer|landlord|landlady|teacher|therapist|vet|accountant|agent|contact|"
        r"sister|brother|girlfriend|boyfriend|fianc[ée]e?|roommate|flatmate|colleague|supervisor)(?:['’]s name)? "
        r"is (?:called |named )?"
        r"(?!(?:Not|In|On|At|So|A|An|The)\b)(?-i:[A-Z])",
        also="my our",
    ),
    Cue.of(
        "call called go this",
        r"(?:^|[.,;!]\s*|\b(?:please|just|can|and) )call me (?!before|after|at|on|when|if|back|by|later|in|tomorrow|"
        r"today|again|asap|only)|\bi['’]?m called\b|\bi go by\b|\bthis is .{1,30} (?:speaking|from|here)\b",
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
        rf"\b(?:i|we)(?:['’]ve| have)? (?:now |just |already |also |successfully )?(?:{DONE})\w*(?:ed|t|de|n)\b|"
        rf"\b(?:is|are|was|were|been) (?:now |already |successfully )?(?:{DONE})\w*(?:ed|t)\b",
        also="i we is are was were been",
    ),
    Cue.of(
        "number reference code id confirmation ticket reservation booking pnr",
        r"\byour .{0,40}?(?:number|reference|code|id|confirmation|ticket|reservation|booking|pnr)\b\W{0,3}(?:is\b|:)|"
        r"\b(?:confirmation|reference|booking|ticket|order|tracking|case) (?:number|code|id|no\.?)\b",
        also="your number code id no",
    ),
    Cue.of("promise guarantee commit", r"\bi (?:promise|guarantee|commit)\b", also="i"),
)
