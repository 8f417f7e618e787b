"""German cue phrases."""

from __future__ import annotations

from session_core.language.cue import Cue
from session_core.language.locales.locale import Locale
from session_core.language.refused_things import refused_thing
from session_core.language.ways_of_answering import SOME, way_of_answering

_LEAD = (
    r"^\W*(?:(?:und|aber|also|ok(?:ay)?|ja|nein|danke|super|gut|wichtig|hinweis|regel|dann|hallo|noch "
    r"etwas)[,:.!]?\s+)*"
    r"(?:bitte[,:]?\s+)?"
)
_START = r"(?:^\W*|[.,;:!–—-]\s*|\b(?:bitte|und|aber|also|dann)\s+)"
_ORDER = (
    r"(?:schreib|nimm|gib|sag|frag|buch|nutz|benutz|verwend|sprich|lies|lass|mach|ruf|schick|send|stell|setz|nenn|"
    r"erwähn|antwort|reservier|bestell|bezahl|zahl|kauf|lösch|änder|storniere?|teil|gebrauch|empfiehl|empfehl|zeig|füg|"
    r"plan|kontaktier|veröffentlich|speicher|öffne|schließ|überweis|halt|bleib|duz|siez|übersetz|formulier|fass|wähl|"
    r"such|verrat|verrät|vereinbar|leg)(?:e|t|en sie)?"
)
_NOBODY = r"(?:ich|wir|er|es|man|war|waren|ist|sind|hat|hatte|habe|haben|bin|wird|wurde|kann|geht|gibt|fühlt|der|die)"

_WAYS = (
    r"(?:kurz|knapp|auf \w*(?:deutsch|englisch|französisch|spanisch|italienisch|russisch|türkisch)|"
    rf"(?:in|mit) {SOME}(?:\w*s[äa]tz\w*|stich(?:punkten|worten|wörtern)|wort(?:en)?|worten|listen?|tabellen?|"
    r"(?:\w+)?beispiel\w*|quellen|emojis?|reimen|versen|\w*sprache|markdown|details)|"
    r"ohne (?!mich|dich|ihn|sie|uns|zu|dass)[^\s.,;:!?]+)"
)

GERMAN = Locale(
    rules=(
        Cue.of(
            "immer nie niemals",
            # In Polish "nie" is "not".
            _LEAD + r"(?:immer|niemals|nie(?= (?:vor|nach|ohne|in|im|an|am|auf|mit|zu|über|unter|bei|mehr|per)\b|"
            rf".*(?:en|ern|eln)\W*$))\b(?! (?:wieder|mehr)\b)(?!.*\b{_NOBODY}\b)",
            whole=True,
        ),
        Cue.of(
            "immer nie niemals nur nicht kein keine keinen keinem ausschließlich stets",
            _START
            + _ORDER
            + r"(?: (?!dir\b)[^\s.,;:!?]+){0,5}? (?:immer|nie|niemals|nur|nicht|kein\w*|ausschließlich|stets)\b"
            r"(?! (?:wahr|so|schlimm|sorgen?|ahnung)\b)(?!.*\bich\b)",
            whole=True,
        ),
        Cue.of(
            "immer nie niemals nur nicht kein keine keinen ausschließlich stets bitte",
            r"\bbitte (?:immer|nie|niemals|nur|stets|ausschließlich|kein\w*|nicht(?! wahr\b))\b|"
            r"\b(?!haben|sind|wissen|können|könnten|wollen|möchten|werden|würden|mögen|kennen|hatten|waren)"
            r"[^\W\d_]+en sie (?:mir |uns |bitte |sich )*(?:(?:[^\s.,;:!?]+ ){0,3}?)"
            r"(?:immer|nie|niemals|nur|stets|ausschließlich|nicht|kein\w*)\b(?! sorgen\b)",
            whole=True,
        ),
        Cue.of(
            "darfst dürfen musst müssen sollst sollen solltest",
            r"\bdu (?:darfst|musst|sollst|solltest)\b(?! (?:wissen|mal|nicht denken)\b)|\b(?:darfst|musst|sollst) "
            r"du (?:nicht|nie|immer)\b|"
            r"\b(?-i:Sie) (?:dürfen (?:nicht|nie|kein\w*|nur)|müssen|sollen)\b|"
            r"\b(?:darf|dürfen|soll|sollen) (?:nie|niemals|auf keinen fall)\b",
            also="darfst dürfen musst müssen sollst sollen solltest",
        ),
        Cue.of(
            "sprich sprechen rede reden duz duze duzen siez sieze siezen",
            r"\b(?:sprich|rede|sprechen sie|reden sie) (?:mich|uns) [^.;!?]*\ban\W*$|\b(?:duz|siez)e?(?:n sie)? "
            r"(?:mich|uns)\b",
            whole=True,
        ),
        Cue.of("jetzt nun an", r"\b(?:ab jetzt|von nun an|von jetzt an)\b", also="jetzt nun"),
        Cue.of(
            "sofort künftig zukünftig zukunft",
            _LEAD + r"(?:ab sofort|künftig|zukünftig|in zukunft)\b(?!.*\b(?:ich|wir|er|es|man|wird|werden|gibt|ist|"
            r"sind)\b)",
            whole=True,
        ),
        Cue.of(
            "erinnere erinner erinnern merk merke merken denk denke denken denkt vergiss vergesst vergessen behalte "
            "behalt beachte beachten achte achten",
            _START + r"(?:merk(?:e|t|en sie)? (?:bitte )?(?:dir|euch|sich)|denk(?:e|t|en sie)? (?:bitte |immer |auch "
            r")*(?:daran|"
            r"dran)|"
            r"erinner(?:e|n sie)? (?:dich|sich|mich) (?:bitte )?(?:immer )?daran|"
            r"vergiss (?:bitte |mir )*(?:nicht|nie)|vergesst (?:bitte )?nicht|vergessen sie (?:bitte )?(?:nicht|"
            r"nie)|"
            r"behalt\w* [^.;!?]{0,30}\b(?:(?:hinter)?kopf|gedächtnis)|(?:beachte|beachten sie)\b|"
            r"acht(?:e|en sie) (?:bitte |immer |stets )*(?:darauf|auf)\b)",
            whole=True,
        ),
        Cue.of(
            "stell stelle stellen sorg sorge sorgen vermeide vermeiden halte halten",
            _START + r"(?:stell(?:e|en sie)? (?:bitte )?sicher\b|sorg(?:e|en sie)? (?:bitte )?dafür\b|vermeid(?:e|en "
            r"sie)\b(?! "
            r"ich)|"
            r"halt(?:e|en sie) (?:dich|sich) (?:bitte )?an\b)",
            whole=True,
        ),
        Cue.of(
            "keinen keinesfalls keinerlei",
            r"\b(?:auf keinen fall|unter keinen umständen|keinesfalls)\b(?!.*\b(?:war|waren|hat|hatte|wurde|"
            r"gewesen)\b)",
            whole=True,
        ),
        Cue.of(
            "ohne",
            r"\bohne (?:meine|unsere|vorherige) (?:zustimmung|erlaubnis|genehmigung|freigabe)\b|"
            r"\bohne (?:mich|uns) (?:vorher |zuerst )?zu fragen\b",
            whole=True,
        ),
        Cue.of(
            "dass",
            r"\bdass (?:du|(?-i:Sie)) (?:mir |mich |uns )?(?:immer|nie|niemals|nur|stets|keine?n?)\b(?!.*\?)",
            whole=True,
        ),
        Cue.of(
            "keine kein",
            _LEAD + r"keine? (?!ahnung|sorge|angst|frage|panik|zeit|lust|idee|problem|chance|ursache|eile)[^\W\d_]+"
            r"(?:,? bitte\b| (?:mit|vor|nach|ohne|über|unter|am) (?!.*\b(?:ist|hat|war|habe|haben|gibt|gab)\b))|"
            + _LEAD
            + r"keine? (?:e-?mails?|anrufe?|emojis?|small ?talk|ausnahmen?|abkürzungen)\b",
            whole=True,
        ),
        way_of_answering(
            "antworte antworten schreib schreibe sprich erkläre erklär",
            "(?:antworte|schreibe?|sprich|erkläre?)(?: mir| uns)?(?: das| es| alles)?(?: bitte)?",
            r"immer\b|ab jetzt\b",
            rf"(?:nur )?{_WAYS}",
        ),
    ),
    constraints=(
        Cue.of(
            "muss müssen darf dürfen",
            # What speakers have to say, do, or laugh at binds nobody.
            r"(?<!\bman )(?:(?<!\bich )(?<!\bwir )|(?=.*(?:\d|\b(?:bis|vor|spätestens|nicht|nie|kein\w*|nur|"
            r"unbedingt)\b)))\b(?:muss|müssen|darf|dürfen)\b(?! man\b)(?! (?:man|ich|wir) (?:sagen|zugeben|gestehen|"
            r"lachen)\b)"
            r"(?! (?:sagen|zugeben|gestehen|lachen|weinen|leider|ja|wohl|ich|wir)\b)(?! (?:mal|jetzt|nun|los|gehen)\b)",
            whole=True,
        ),
        Cue.of(
            "höchstens mindestens spätestens frühestens maximal bis über unter mehr weniger",
            r"\b(?:höchstens|mindestens|spätestens|frühestens|maximal)\b|\bnicht (?:mehr|weniger|länger|später|früher) "
            r"als\b|\b(?:bis zu|unter) (?:[$€£]|\d)|\b(?:nicht|nichts|kein\w*) [^.;!?]{0,40}\büber (?:[$€£]|\d)",
            whole=True,
        ),
        Cue.of(
            "budget reisebudget obergrenze frist abgabefrist limit",
            r"\b(?:\w*budget|obergrenze|\w*frist)\b(?=.*(?:\d|\b(?:tausend|hundert)\b))|\w*frist (?:ist am|endet|"
            r"läuft)\b|"
            r"\b(?:mein|unser|im|kein|knappes|kleines|begrenztes|enges) (?:\w+ )?\w*budget\b|\blimit (?:ist|"
            r"liegt|von)\b",
            whole=True,
        ),
        Cue.of(
            "allergisch vegetarisch vegetarier vegetarierin veganer veganerin vegan glutenfrei laktosefrei schwanger "
            "rollstuhl zöliakie",
            r"\b(?:allergisch|vegetari\w+|vegan\w*|glutenfrei\w*|laktosefrei\w*|schwanger|rollstuhl\w*|zöliakie|"
            r"diabetiker\w*)\b",
        ),
        Cue.of(
            "habe hat haben allergie allergien unverträglichkeit intoleranz vertrage verträgt leide",
            r"(?=[auiv])(?:allergien?\b|unverträglichkeit|intoleranz|\bvertr(?:age|ägt|agen) (?:\S+ ){0,3}?(?:nicht|"
            r"kein\w*)\b)",
            whole=True,
        ),
        Cue.of(
            "esse isst essen trinke trinkt trinken kann können",
            r"\b(?:ich|wir|er|sie) (?:esse|essen|isst|trinke|trinken|trinkt) (?:\S+ )?kein\w*\b|"
            r"\b(?:ich|wir) (?:kann|können) (?:erst|nur|nicht (?:vor|nach|am|länger|später|fliegen|reisen|essen))\b",
            whole=True,
        ),
        Cue.of(
            "außer ausser ausschließlich",
            r"\bau(?:ß|ss)er (?:am|an|im|in|bei|wenn)\b|\bausschließlich\b",
            also="ausser ausschliesslich",
        ),
    ),
    decisions=(
        Cue.of(
            "behalten behalte lassen lasse nehmen nehme wählen wähle buchen entscheide entscheiden entschieden "
            "beschlossen geeinigt festgelegt bleiben bleibe",
            r"\b(?:wir|ich) (?:behalten?|lassen?(?= (?:das|die|den|es|alles)\b))\b|"
            r"\b(?:wir|ich) (?:nehmen?|wählen?|entscheiden?)\b(?! (?:an|oft|immer|selten|meist\w*|normalerweise|nie|"
            r"teil)\b)(?!.* (?:an|teil|zu|ab)\W*$)|"
            r"\b(?:ich|wir) (?:habe?|haben) (?:mich|uns) [^.;!?]{0,60}\b(?:entschieden|geeinigt|festgelegt)\b|"
            r"\b(?:ich|wir) (?:habe|haben) [^.;!?]{0,40}\bbeschlossen\b|\b(?:ich|wir) bleiben? bei\b|\bwir "
            r"buchen\b|^\W*(?:entschieden|beschlossen)\b|\b(?:nehmen|buchen|wählen) wir (?:das|den|die|es)\b",
            whole=True,
        ),
        Cue.of(
            "machen gehen fahren entscheidung fest abgemacht",
            r"\b(?:so machen wir|machen wir es so|wir machen es so|das steht fest|abgemacht)\b|\bentscheidung:",
            whole=True,
        ),
    ),
    preferences=(
        Cue.of(
            "mag mögen möchte möchten bevorzuge bevorzugen will wollen hätte hätten brauche brauchen suche "
            "suchen "
            "hasse",
            r"\b(?:ich|wir) (?:mag|mögen|möchten?|bevorzugen?|will|wollen|hätten? gern|brauchen?|suchen?|hasse)\b|"
            r"\b(?:möchten?|bevorzugen?|hätten?|brauchen?) (?:ich|wir)\b",
            whole=True,
        ),
        Cue.of(
            "lieber liebsten gern gerne lieblingsfarbe lieblingsessen",
            r"\b(?:lieber|am liebsten)\b|\b(?:ich|wir) [^\s.,]+ (?:sehr )?gerne?\b|\blieblings\w+ ist\b",
            whole=True,
        ),
        refused_thing(
            "kein keine keinen keiner keinem",
            "keine?[nrm]? ",
            "ahnung|probleme?|fragen?|sorgen?|zeit|lust|angst|chance|ideen?|wunder|eile|stress|panik|antwort|ursache|"
            "verbindung|netz|empfang|strom|mensch|zweifel|gute|fehler|änderung(?:en)?|ergebnisse?|unterschied|mehr|von|"
            "der|die|das|thema|ding|witz|bock|meinung|interesse|kommentar|grund|wort|platz|erfahrung|"
            "rückmeldung(?:en)?|treffer|ergebnis|weiteren?|andere[rnsm]?|nachrichten?|meldung(?:en)?|lösung(?:en)?|"
            "neuigkeiten|daten|zugriff",
        ),
    ),
    identities=(
        Cue.of("heiße heisse", r"\bich hei(?:ß|ss)e\b", whole=True),
        Cue.of(
            "name adresse email e-mail mail telefonnummer handynummer geburtstag mann frau sohn tochter chef chefin "
            "firma",
            r"\b(?:mein|meine|unser|unsere) (?:name|adresse|e-?mail(?:-adresse)?|telefonnummer|handynummer|geburtstag|"
            r"mann|frau|sohn|tochter|chef|chefin|firma) (?:ist|sind|lautet|hei(?:ß|ss)t)\b",
            whole=True,
        ),
        Cue.of(
            "wohne lebe arbeite komme studiere nenn nennen bin",
            r"\bich (?:wohne|lebe|arbeite|studiere)\b|\bich komme aus\b|\bnenn(?:e|en sie)? mich\b|"
            r"\bich bin (?:\d{1,3} jahre|von beruf|in [^\s.,]+ geboren|(?:arzt|ärztin|lehrer|lehrerin|entwickler|"
            r"entwicklerin|student|studentin|rentner|rentnerin)\b)",
            whole=True,
        ),
        Cue.of("gezogen umgezogen", r"\b(?:um)?gezogen\b", whole=True),
    ),
    commitments=(
        Cue.of(
            "werde werden",
            r"\b(?:ich werde|wir werden|werde ich)\b(?! (?:oft|alt|müde|nass|krank|immer)\b)",
            whole=True,
        ),
        Cue.of(
            "gebucht reserviert bestellt gesendet geschickt erstellt geändert storniert gelöscht gespeichert "
            "vorgemerkt notiert",
            r"\b(?:gebucht|reserviert|bestellt|gesendet|geschickt|erstellt|geändert|storniert|gelöscht|gespeichert|"
            r"vorgemerkt|notiert)\b",
            whole=True,
        ),
        Cue.of(
            "merke verspreche kümmere melde schicke buche",
            r"\bich (?:merke mir|verspreche|kümmere mich|melde mich|schicke (?:ihnen|dir)|buche)\b",
            whole=True,
        ),
        Cue.of(
            "buchungsnummer bestellnummer reservierungsnummer",
            r"\b(?:buchungs|bestell|reservierungs)nummer (?:ist|lautet)\b",
        ),
    ),
    corrections=(
        Cue.of(
            "meinte doch lieber stattdessen statt korrektur eigentlich ändere ändern ändert",
            r"\b(?:nein|moment),? (?:doch|lieber)\b|\b(?:ich meinte|stattdessen|statt dessen|korrektur|doch lieber)\b|"
            r"^\W*(?:nein,? |ach,? )*doch (?:nicht|kein\w*)\b(?! nötig)|\b(?:ich|wir) [^.;!?]{1,40}\bdoch "
            r"(?:nicht|lieber|kein\w*)\b|"
            r"^\W*eigentlich\b(?! (?:mag|liebe|hasse|finde|denke|glaube) ich\b(?!.*(?:\d|\b(?:besser|lieber|"
            r"statt)\b)))|"
            r"\bdoch (?:nur |schon |erst |zu |am |um |für )*(?:\d|(?:zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|"
            r"elf|zwölf)(?:t|en)?\b)|"
            r"\bänder\w*\b.{1,60}?\b(?:auf|zu)\b",
            whole=True,
        ),
        Cue.of(
            "mach macht machen nimm setz setze draus daraus quatsch",
            r"\b(?:mach|nimm|setz)\w* [^.;!?]{1,30}\b(?:draus|daraus)\W*$|^\W*quatsch[,.!]+ \S",
            whole=True,
        ),
        Cue.of(
            "ach nein moment warte halt",
            r"^\W*(?:ach|oh|äh|ah|hm+|moment|warte|halt)[, ]+(?:nein|nee|ne)\b|^\W*(?:nein|nee),? (?:warte|moment|"
            r"halt)\b",
            also="nein nee ne",
        ),
        Cue.of(
            "nein falsch", r"^\W*nein[,.!]+ (?:nicht|es ist|es sind|das ist|der|die|das)\b|^\W*falsch[,:]", whole=True
        ),
        Cue.of(
            "verschoben verlegt vorverlegt",
            r"^\W*(?:sie|er|es|die|der|das) (?:wurde|ist|wird)\b [^?;]{0,20}\bauf [^?;]{1,30} (?:verschoben|"
            r"verlegt|vorverlegt)\b",
            whole=True,
        ),
        Cue.of(
            "vertippt vertan verwechselt geirrt umentschieden verschiebt verschieben verschoben verlegt sondern "
            "geändert",
            r"\b(?:vertippt|vertan|verwechselt|geirrt|umentschieden)\b|\b(?:verschieb\w+|verschoben|"
            r"verlegt)\b[^?]{0,60}?\bauf\b|"
            r"\bnicht (?:mehr )?[^.;!?]{1,60}, sondern\b|\b(?:hat|haben) sich [^.;!?]{0,40}geändert\b",
            whole=True,
        ),
    ),
    revisions=(Cue.of("wie wäre", r"^\W*wie wäre es mit\b|\bwäre (?:mir )?(?:besser|lieber)\b", also="wäre"),),
    takes=(
        r"ja\b(?! (?:aber|was|wie|nein)\b)|gerne?\b|klingt (?:gut|super|perfekt)|passt\b|einverstanden|in "
        r"ordnung|abgemacht|genau\b|jawohl|natürlich|klar\b|(?:das|so) (?:passt|geht|machen wir)|machen wir (?:es )?so|"
        r"(?:den|die|das) (?:erste|zweite|dritte|letzte)n?\b"
    ),
    refuses=r"nein\b|nicht\b|nee\b|lieber nicht\b|auf keinen fall\b",
    doings=r"\b(?:buch|reservier|bestell|send|schick|stornier|lösch|änder|kauf|verschieb|trag|setz|nehm)\w*",
    requests=r"\b(?:kannst|könntest|würdest) du\b|\b(?:können|könnten|würden) sie\b",
    fillers="hallo|danke|danke schön|dankeschön|vielen dank|besten dank|danke sehr|bitte|bitte schön|gerne|gern "
    "geschehen|guten tag|"
    "guten morgen|guten abend|gute nacht|tschüss|auf wiedersehen|bis bald|bis später|schönen tag noch|"
    "alles "
    "klar|"
    "super danke|"
    "verstanden|moin|servus|grüß gott|"
    "vielen dank für ihre hilfe|danke für deine hilfe|danke für die hilfe|kann ich sonst noch etwas für "
    "sie "
    "tun|"
    "kann ich dir sonst noch helfen|wie kann ich ihnen helfen|wie kann ich dir helfen|das ist alles|das "
    "wäre "
    "alles",
)
