"""The turns of phrase that take something back, or put another wish in its place, as data."""

from __future__ import annotations

from session_core.language.cue import Cue

CORRECTIONS = (
    Cue.of(
        "actually correction rather scratch on",
        r"(?:^|[.,;!?–—-]\s*|\b(?:no|nope|sorry|wait|oops|hm+|well|ah|oh|but|and)[,.! ]+)"
        r"(?:actually(?!\W*$|\W+(?:yes|yeah|yep)\b|[^.;!?]*\b(?:also|as well|in addition)\b)|"
        r"(?:(?:a|one|small|quick|my) )*correction|rather|scratch that|on second thoughts?)\b|"
        r"^(?=.*\d|\W*(?:\S+\s){0,6}\S+$)[^?？]*, actually\W*$",
        also="actually correction rather scratch second",
    ),
    Cue.of("not", r"\b(?:is|are|be|was|at|to|for|by|on)\b[^.;!?]{1,40}, (?:and )?not [^.;!?]{1,40}\d"),
    Cue.of("meant mean", r"\bi meant\b|\bwhat i mean is\b"),
    Cue.of(
        "no nope sorry wait",
        r"^\W*(?:no|nope|sorry|wait)[,.!]+ ?(?:it['’]?s|it is|not|i mean|that['’]?s|make|the|my)\b",
    ),
    Cue.of(
        "make",
        r"(?:^|[.,;!]\s*|\b(?:no|please|and|let['’]?s|can you|could you|we can)\s+)make (?:it|that|them)\b"
        r"(?! (?:to (?:the|my|our)|back|home|there|through|easier|harder|work|happen)\b)",
        also="it that them",
    ),
    Cue.of(
        "change switch move update correct push postpone reschedule bump",
        r"\b(?=[bcmprsu])(?<!\bshould i )(?<!\bshould we )(?<!\bhow to )(?<!\bhow do i )(?<!\bhow can i )"
        r"(?:change|switch|move|update|correct|push|postpone|reschedule|bump)\s+(?!to\b|until\b)\S.{0,59}?\b(?:to|until)\b|"
        r"^\W*(?:(?:no|please|then|can you|could you|let['’]?s)[,.! ]+)*(?:change|switch|move) (?:to|until)\b",
        also="to until",
    ),
    Cue.of("set", r"(?:^|\bplease |\bcan you |\bcould you )set\b.{1,60}?\bto\b", also="to"),
    Cue.of(
        "instead longer changed wrong misspoke typo",
        r"\binstead\b|\bno longer\b|\bchanged my mind\b|\b(?:i|that) was wrong\b|\bi misspoke\b|\btypo\b",
        whole=True,
    ),
    Cue.of("should", r"\bshould (?:have been|be) .{1,60}?\bnot\b", also="not"),
    Cue.of(
        "should",
        r"^\W*(?:(?:no|sorry|oops|wait)[,.!]? )?(?:it|that|this) should(?: have)? "
        r"(?:be|been|read|say|said)\b[^?]{1,40}$",
        also="it that this",
    ),
    Cue.of("said", r"\bi (?:just )?said\b.{1,60}?\bbut\b", also="but"),
    Cue.of(
        "sorry wait oops whoops pardon mistake bad hang hold",
        r"^\W*(?:(?:no|oh|ah|well|so)[,.! ]+)?(?:sorry|wait|oops|whoops|pardon(?: me)?|"
        r"my (?:mistake|bad)|hang on|hold on)"
        r"\s?[,.!:;–—-]+ ?(?!(?:i (?!mean)|i['’]|we|you|what|how|why|who|where|can|could|would|is|are|do|did|does|"
        r"there|"
        r"thanks?|let|to|if|but|when|one (?:sec|moment))\b)(?:[^\s?]+\s){0,6}[^\s?]+$",
    ),
    Cue.of("not", r"^\W*(?:[^\s,;!?]+\s){0,4}[^\s,;!?]+, not (?!(?:sure|really|yet|bad|at all)\b)[^,;!?]{1,60}$"),
    Cue.of(
        "not",
        r"^\W*not (?!(?:sure|really|yet|bad|much|many|a|at all|now|today|only|necessarily|that|too|so|quite|just|"
        r"exactly|for me|working)\b)[^,;!?]{1,30}[,;–—-]+ ?[^,;!?]{1,40}$",
    ),
    Cue.of(
        "meinte doch lieber stattdessen statt korrektur eigentlich ändere ändern ändert",
        r"\b(?:nein|moment),? (?:doch|lieber)\b|\b(?:ich meinte|stattdessen|statt dessen|korrektur|doch "
        r"lieber)\b|"
        r"^\W*eigentlich\b|\bänder\w*\b.{1,60}?\b(?:auf|zu)\b",
        whole=True,
    ),
    Cue.of(
        "fait finalement plutôt voulais lieu changez change changer modifiez modifier",
        r"^\W*(?:non, )?(?:en fait|finalement|plutôt)\b|\b(?:je voulais dire|au lieu de|plutôt que)\b|"
        r"\b(?:change[rz]?|modifie[rz]?)\b.{1,60}?\b(?:à|en|par|pour)\b",
        also="en finalement voulais lieu par pour",
    ),
    Cue.of(
        "realidad mejor perdón quise quería vez lugar cambia cambiar cambie cambialo cámbialo",
        r"^\W*(?:no, )?(?:en realidad|mejor|perdón)\b|\b(?:quise decir|quería decir|en (?:vez|lugar) de)\b|"
        r"\bc[aá]mbi\w+\b.{1,60}?\b(?:a|al|por)\b",
    ),
    Cue.of(
        "realtà anzi intendevo volevo invece verdade aliás quis vez muda mude troque",
        r"^\W*(?:in realtà|anzi|na verdade|aliás)\b|\b(?:intendevo|volevo dire|invece d\w*|quis dizer|"
        r"em vez de|mud[ea]|troque)\b",
        whole=True,
    ),
    Cue.of(
        "",
        "其实|不对|改成|改为|改到|我是说|更正|而不是|実は|じゃなくて|ではなく|に変更|間違え|아니라|변경|вместо|"
        "точнее|на самом деле",
    ),
    Cue.of(
        "vertan verwechselt geirrt umentschieden verschiebt verschieben verschoben verlegt sondern geändert",
        r"\b(?:vertan|verwechselt|geirrt|umentschieden)\b|\b(?:verschieb\w+|verschoben|verlegt)\b[^?]{0,60}?\bauf\b|"
        r"\bnicht (?:mehr )?[^.;!?]{1,60}, sondern\b|\b(?:hat|haben) sich [^.;!?]{0,40}geändert\b",
        also="vertan verwechselt geirrt umentschieden auf sondern",
    ),
    Cue.of(
        "changé décale décalé décalons repousse repoussé repoussée reporte reporté reportée avis trompé trompée place",
        r"\b(?:décal|repouss|report)\w*[^?]{0,60}?\b(?:au|à|en)\b|\bchangé d['’]avis\b|"
        r"\b(?:me suis|s'est|nous sommes) tromp\w+|\bà la place\b",
        also="au en suis est sommes",
    ),
    Cue.of(
        "final equivoqué equivoqué aplaza aplazó retrasa retrasó idea opinión sbagliato sbagliata fine enganei ideia",
        r"^\W*(?:al final|alla fine|no final)\b|\bme (?:equivoqué|enganei)\b|\bmi sono sbagliat[oa]\b|"
        r"\b(?:cambi\w+|mud\w+) (?:de )?(?:idea|opinión|ideia)\b|\bse (?:aplaz|retras)\w+[^?]{0,40}?\b(?:al|para)\b",
        also="al alla no me mi idea ideia se",
    ),
    Cue.of("jednak zamiast pomyli toch vergist", r"\b(?:jednak|zamiast|pomyli\w+|toch liever|vergist)\b"),
    Cue.of(
        "",
        "に変わ|変わって|変わりました|訂正|やっぱり|换成|改了|调整为|推迟到|提前到|바꿔|정정|передума|перенес|ошиб(?:ся|лась)|"
        r"\b(?:zmieni\w+|przesuni\w+|przełoż\w+) (?:\S+ ){0,3}(?:na|do)\b",
    ),
)

REVISIONS = (
    Cue.of(
        "about",
        r"^\W*(?:(?:no|yes|ok(?:ay)?|hm+|well|then|and|or|thanks)[,.! ]+)*"
        r"(?:how about|what about(?! (?:the|my|your|our|his|her|their|its|these|those|this|that|other)\b))\b",
        also="how what",
    ),
    Cue.of(
        "try",
        r"^\W*(?:(?:no|yes|ok(?:ay)?|hm+|well|then)[,.! ]+)*(?:please )?(?:let ?['’]?s |"
        r"(?:can|could|would) (?:you|we) |"
        r"maybe |perhaps )?(?:please )?try\b",
    ),
    Cue.of(
        "no nope nah",
        r"^\W*(?:no|nope|nah)\s?[,.!;–—-]+ ?(?!(?:thanks?|thank|you|that ?['’]?s|that is|that will|problem|worries|"
        r"need|not|"
        r"i (?:think|guess|do|did|am|have)|i ?['’]?m|we ?['’]re|nothing|it['’]s (?:ok|fine|all))\b)\S",
    ),
    Cue.of(
        "better preferable best",
        r"^(?!.*\b(?:which|whether|if|why|see)\b)[^?？]*(?:\bwould be (?:better|preferable|best)\b|"
        r"\b(?:works?|suits?|fits?|is) .{0,12}?better\b)[^?？]*$",
    ),
    Cue.of("wie lieber", r"^\W*wie wäre es mit\b|\bwäre (?:mir )?(?:besser|lieber)\b"),
    Cue.of(
        "plutôt mieux pourquoi que",
        r"^\W*(?:et si|pourquoi pas|que dirais-tu de|que diriez-vous de)\b|\bserait mieux\b",
    ),
    Cue.of(
        "qué que mejor tal come meglio",
        r"^\W*(?:¿?qué tal|¿?y si|que tal|che ne dici di)\b|\bsería mejor\b|\bsarebbe meglio\b",
        also="si tal che meglio",
    ),
)
"""Another wish in the place of an earlier one, so it seems: it may add to that one as well."""
