"""Detects courtesies around a conversation: thanks, good wishes, offers of more help, "that is all"."""

from __future__ import annotations

import re
from collections.abc import Callable

_CLAUSES = re.compile(r"[.,;:!?()\n–—]+|\s-+\s|(?<!\bbut)(?<!\band)\s(?=thank(?:s| you)\b)", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_NEEDED = frozenset(
    "thank thanks thx have enjoy hope wish else further more other help helped helping helpful assist assistance "
    "assisting welcome appreciate appreciated kind all everything set pleasure glad happy hesitate free care luck "
    "travels know today bye goodbye".split()
)
_GOOD = (
    r"(?:(?:very|really|most|truly|so|quite) )*(?:nice|great|good|lovely|wonderful|excellent|fantastic|pleasant|safe|"
    r"amazing|fun|beautiful|happy|super|awesome|blessed|fabulous|terrific|marvelous|marvellous|relaxing)"
)
_TIMES = (
    r"(?:rest of (?:the |your )?)?(?:day|evening|night|afternoon|morning|time|trip|stay|visit|weekend|week|journey|"
    r"flight|ride|meal|dinner|lunch|breakfast|one|holidays?|vacation|travels?|weekend)"
)
_WHERE = r"(?: (?:in|at|to|with|there|here|today|tonight|ahead|as well|too|now|again)(?: \w+){0,3})?"
_HELP = (
    r"(?:help|assistance|support|service|services|time|patience|kindness|understanding|effort|efforts|advice|info|"
    r"information)"
)
_HELPED = r"(?:help|assist|be of|do|serve|answer|find|offer|provide)"
_AGAIN = (
    r"(?: (?:today|again|now|then|for now|for today|at the moment|right now|at this time|so much|very much|a lot))*"
)
_CLOSINGS = (
    # Thanks for help, or for having come.
    (
        r"(?:i |we )?(?:just |do )?(?:thank you|thanks|thx|thank u)(?: (?:so|very) much| a lot| a bunch| kindly|"
        r" again)*"
        rf"(?: for (?:all )?(?:of )?(?:the |your |that |this )?(?:{_GOOD} |kind |quick )*{_HELP}"
        r"| for everything| for (?:your )?(?:using|choosing|calling|contacting|visiting|reaching out|stopping by|"
        r"shopping|helping|assisting|letting me (?:help|assist))(?: \w+){0,6}| everyone| all| to you)?"
        rf"{_AGAIN}"
    ),
    # Good wishes.
    (
        rf"(?:(?:i |we )?(?:do )?(?:hope|wish)(?: that)? (?:you )?)?(?:you )?(?:please )?have (?:a|an|yourself a) "
        rf"{_GOOD} {_TIMES}{_WHERE}"
    ),
    (
        rf"(?:(?:i |we )?(?:do )?(?:hope|wish)(?: that)? (?:you )?)?(?:please )?enjoy"
        rf"(?: (?:it|yourself|(?:your|the|a|this) (?:{_GOOD} )?{_TIMES}{_WHERE}))?{_AGAIN}"
    ),
    r"(?:please )?take care|good luck(?: to you)?|safe travels?|all the best|see you(?: soon| later| then| again)?",
    (
        rf"(?:i |we )?(?:hope|wish) (?:that )?(?:i|we|this|that) (?:was|were|could be|has been|have been|helps?|helped)"
        rf"(?: of)?(?: (?:some|any|a))?(?: {_HELP}| helpful)?{_AGAIN}"
    ),
    # What an assistant offers when it has done.
    (
        r"(?:(?:is|was|will) there (?:be )?)?(?:anything|something|nothing) (?:else|more|further|other)"
        rf"(?: (?:that )?(?:(?:i|we) (?:can|could|may|might) {_HELPED}(?: \w+){{0,4}}|(?:you )?(?:would )?"
        rf"(?:need|want|like|d like)(?: (?:{_HELP}|done|to know))?(?: with)?))?{_AGAIN}"
    ),
    (
        rf"(?:can|may|could|shall|should|might) (?:i|we) (?:please )?{_HELPED}(?: you)?(?: with)?(?: \w+){{0,2}} "
        rf"(?:anything|something) (?:else|further|more){_AGAIN}"
    ),
    (
        rf"(?:can|may|could|shall|should) (?:i|we) (?:help|assist|be of)(?: you| any| further| more| assistance|"
        rf" service)*(?: with (?:anything|something)(?: else)?)?{_AGAIN}"
    ),
    rf"(?:will|would) (?:that|this|it|there) be (?:all|everything|anything else){_AGAIN}",
    (
        rf"(?:do|would|will|did) you (?:need|want|require|have|like) (?:any|some) (?:other|further|more|additional) "
        rf"(?:{_HELP}|questions?|information|help){_AGAIN}"
    ),
    (
        rf"(?:do|would|will|did) you (?:need|want|require|like) (?:anything|something) (?:else|further|more)"
        rf"(?: from me| from us| help with)?{_AGAIN}"
    ),
    (
        rf"(?:how|what)(?: else)? (?:can|may|could) (?:i|we) (?:help|assist|do for|serve|be of)"
        rf"(?: (?:you|help|assistance|service))*(?: with)?{_AGAIN}"
    ),
    (
        r"(?:please )?(?:just )?(?:let me know|feel free to \w+(?: me| us| back| out| again)*|"
        r"(?:do not|don t|do n t|never) hesitate to \w+(?: me| us| back| out| again)*)"
        rf"(?: (?:if|should|when|whenever) (?:there (?:is|s)|you (?:need|have|want|require)) (?:anything|something|any|"
        rf"some|further|more|other)(?: (?:else|further|more|other|additional))?(?: (?:{_HELP}|questions?|information))?"
        rf"(?: with)?)?{_AGAIN}"
    ),
    (
        r"(?:please )?(?:do )?(?:call|contact|visit|come)(?: us| me| back| again)+(?: (?:if|should|when) you need "
        rf"(?:anything|something|help)(?: else)?)?{_AGAIN}"
    ),
    (
        rf"(?:if|should) you (?:need|have|want|require) (?:anything|any)(?: (?:else|further|more|other|additional))?"
        rf"(?: (?:{_HELP}|questions?|information))?"
    ),
    (
        r"(?:i am |i m |we are |we re |it is |it s |it was )?(?:always |so |very |really |more than |only )*(?:happy|"
        r"glad|pleased|delighted|here) (?:that )?(?:i |we |to )?(?:could |can |was able to |were able to )?(?:be of |"
        rf"help|assist|serve|hear)(?: (?:you|help|assistance|service|that|it|to hear))*{_AGAIN}"
    ),
    (
        rf"(?:it is |it s |it was |was )?(?:a|my|our) (?:great |real )?pleasure(?: (?:to )?(?:\w+ )?(?:help\w*|"
        rf"assist\w*|serv\w*|talk\w*|speak\w*|chat\w*)(?: (?:to|with))?(?: you)?)?{_AGAIN}"
    ),
    rf"(?:you are |you re |you r |your )?(?:very |most |always |so |quite |more than )*welcome{_AGAIN}",
    # That it was good.
    (
        r"you(?: ve| have| are| re| were)?(?: been)? (?:(?:so|very|really|most|such|a|an|more than|extremely|great|"
        rf"big) )*(?:helpful|kind|help|great|awesome|the best|amazing)(?: help)?{_AGAIN}"
    ),
    (
        rf"(?:i|we) (?:really |truly |do |greatly )*appreciate (?:it|that|this|everything|(?:all )?(?:of )?(?:the|"
        rf"your) (?:{_GOOD} |kind )*{_HELP}){_AGAIN}"
    ),
    rf"(?:that|this|it)(?: is| s| was| has been)? (?:(?:so|very|really|most|a|of|great|big) )*(?:helpful|help){_AGAIN}",
    r"good ?bye|bye(?: bye| now| for now)*|good ?day",
)
_ALL = (
    r"(?:(?:i think|i guess|i believe) )?(?:(?:that|this|it)(?: is| s| was| ll| will| would| d| should)?(?: be)?|"
    r"those are|these are)? ?(?:about |just |really |actually )?(?:all|it|everything)(?: of it)?(?: the \w+)?(?: that)?"
    r"(?: (?:i|we)(?: ll| will| ve| have)?(?: just| really| only)?(?: need(?:ed)?| want(?:ed)?| had| have|"
    r" was looking for| wanted to know| got)?(?: to know)?)?(?: help with)?(?: for)?" + _AGAIN,
    (
        r"(?:i|we)(?: do n t| don t| do not| didn t| won t)? (?:need|want|have|require) (?:anything|nothing|any)"
        rf"(?: (?:else|more|further|other))(?: (?:{_HELP}|questions?))?{_AGAIN}"
    ),
    r"(?:i|we|you)(?: are| am| re| m)? (?:all set|all good|good to go|all done)" + _AGAIN,
    rf"there(?: is| s| ll be| will be)? nothing (?:else|more|further){_AGAIN}",
    (
        r"(?:i (?:think|guess|believe) )?(?:that|this|it)(?: ll| will| should| would)? (?:covers?|do|does|settles?)"
        rf"(?: (?:it|all|everything))?(?: for me)?{_AGAIN}"
    ),
    rf"all (?:of )?(?:my|our) questions (?:have been|were|are)(?: all)? answered{_AGAIN}",
    rf"(?:i|we)(?: ve| have)?(?: got)? no (?:more|further|other) questions{_AGAIN}",
    (
        r"(?:i (?:think|guess|believe) )?(?:i|we|you)(?: ve| have| ll have)?(?: (?:got|given|told)(?: me| us)?)? "
        r"(?:all|everything)(?: of)?(?: the info\w*)?(?: that)? (?:i|we) (?:need|needed|wanted)"
        rf"(?: (?:to know|from you))?{_AGAIN}"
    ),
)
""""That was all", in many languages."""
_LEAD = r"(?:(?:ok|okay|and|so|oh|well|again|but|then|great|good|perfect|thanks|thank you) )*"
_CLOSING = re.compile(_LEAD + "(?:" + "|".join(_CLOSINGS) + ")")
_DONE = re.compile(_LEAD + "(?:(?:yes|yeah|yep|no|nope|nah) )?" + _LEAD + "(?:" + "|".join(_ALL) + ")")
_ENDING = re.compile(
    _LEAD + r"(?:good ?bye|bye(?: bye| now| for now)*|good ?day|take care|have (?:a|an|yourself a)\b.*|"
    r"you(?: ve| have) been\b.*|thank(?:s| you)(?: so much| very much| again)? for (?:all|everything)\b.*)"
)
"""Phrases at the end of a conversation only: with "no" before them, they want nothing more."""
_YES, _NO = frozenset("yes yeah yep".split()), frozenset("no nope nah".split())


def is_courtesy(text: str, phrases: Callable[[str], bool]) -> bool:
    """Whether each clause of `text` only thanks for help, wishes well, offers more help, says that this was all, or
    is one of the filler `phrases`.

    "No" and "yes" are courtesies beside "that was all", "no" also beside a goodbye; otherwise they are answers. Text
    with numbers never is one, and thanks only if they are for help: "thanks for the blue one" makes a choice.
    """
    if _NEEDED.isdisjoint(_WORD.findall(text.casefold())) or any(map(str.isdigit, text)):
        return False
    parts = [(part, " ".join(_WORD.findall(part.casefold()))) for part in _CLAUSES.split(text)]
    told = [(part, sentence) for part, sentence in parts if sentence]
    answers: set[str] = set()
    for part, said in told:
        if phrases(part) or _courteous(said):
            continue
        if said not in _YES and said not in _NO:
            return False
        answers.add(said)
    if not answers:
        return True
    done = any(_DONE.fullmatch(said) for _, said in told)
    ends = done or any(_ENDING.fullmatch(said) for _, said in told)
    return ends and answers <= (_YES | _NO if done else _NO)


def _courteous(text: str) -> bool:
    parts = (text,) if _closes(text) else text.split(" and ")
    return all(map(_closes, parts))


def _closes(text: str) -> bool:
    return _CLOSING.fullmatch(text) is not None or _DONE.fullmatch(text) is not None
