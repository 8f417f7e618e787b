"""Italian cue phrases."""

from __future__ import annotations

from session_core.language.cue import Cue
from session_core.language.locales.locale import Locale
from session_core.language.refused_things import refused_thing
from session_core.language.ways_of_answering import SOME, way_of_answering

_LEAD = (
    r"^\W*(?:(?:e|ma|allora|sì|no|ok|bene|ciao|grazie|importante|regola|nota|inoltre|per favore|per "
    r"piacere)[,:.!]?\s+)*"
)
_START = r"(?:^\W*|[.,;:!–—-]\s*|\b(?:e|ma|quindi|per favore|ti prego di)\s+)"
_ORDER = (
    r"(?:rispondi|risponda|scrivi|scriva|usa|usi|parla|parli|manda|mandi|chiama|chiami|chiamami|prenota|prenoti|compra|"
    r"compri|paga|paghi|chiedi|chieda|chiedimi|di|dimmi|dai|dammi|proponi|cita|menziona|mostra|mostrami|tieni|prendi|"
    r"metti|aggiungi|elimina|cancella|modifica|cambia|scegli|traduci|verifica|conferma|condividi|contatta|fai|fammi|"
    r"dammi del|suggerisci|includi|indica)"
)

_WAYS = (
    rf"(?:in (?!che|cosa|quale){SOME}(?:italiano|inglese|francese|spagnolo|tedesco|portoghese|russo|frasi|parole|righe|"
    rf"punti|elenco|rima|maiuscolo|markdown|modo)|con {SOME}(?:esempi|esempio|frasi|parole semplici|parole brevi|emoji|"
    rf"fonti|elenchi|dettagli|tabelle)|senza (?!di|fretta|dubbio|me|te|lui|lei)[^\s.,;:!?]+)"
)

ITALIAN = Locale(
    rules=(
        Cue.of(
            "sempre mai",
            _LEAD + r"(?:sempre|mai)\b(?! (?:più|stato|stata|meglio|visto|sentito|dire|bene|peggio|così)\b)"
            r"(?!.*\b(?:io|ho|ha|abbiamo|sono|è|era|siamo|stato|piove)\b)|"
            + _START
            + rf"{_ORDER} (?:[^\s.,;:!?]+ ){{0,4}}?sempre\b",
            whole=True,
        ),
        Cue.of(
            # A clause that begins with "non" and an infinitive is an order.
            "non",
            _START + r"non (?:mi |gli |le |ci |lo |la |li |ne )?(?!preoccupar|esager|so\b|vedo l|vedere l|essere\b|"
            r"sapere\b|"
            r"avere "
            r"paura)"
            r"(?:[^\W\d_]{2,}(?:are|ere|ire)|[^\W\d_]+(?:armi|ermi|irmi|arci|arlo|erlo|irlo|arla|erla|irla|arli|"
            r"rne|arti|arsi|"
            r"[aei]temi|"
            r"[aei]teci|[aei]telo|[aei]tela))\b(?! (?:è|sarebbe|significa|vuol)\b)|"
            r"\bnon (?:devi|deve|puoi|dovete) (?!essere|avere|immaginare|sapere|credere|piovere)[^\W\d_]+|"
            r"\bnon (?:scriva|prenoti|usi|mandi|chiami|risponda|dica|faccia|dimentichi|cancelli|elimini|modifichi|"
            r"compri|"
            r"paghi)\b",
            whole=True,
        ),
        Cue.of(
            "devi dovete deve",
            r"(?<!\bnon )\b(?:devi|dovete)\b(?! (?:sapere|essere stanco|vedere|credere)\b)|\bdeve (?:sempre|mai)\b",
            whole=True,
        ),
        Cue.of(
            "poi avanti adesso futuro",
            r"\b(?:d['’]ora in (?:poi|avanti)|da ora in (?:poi|avanti)|da adesso in (?:poi|avanti))\b(?!.*\b(?:lavoro|"
            r"vivo|abito|sono|vado|sarà)\b)|" + _LEAD + r"in futuro\b(?!.*\b(?:io|sarà|saremo|vorrei|andrò)\b)",
            whole=True,
        ),
        Cue.of(
            "ricorda ricordati ricordi ricordatevi ricordate tieni tenga tenete dimenticare dimenticarti",
            _START
            + r"(?:ricord(?:a|ati|atevi|ate|i)\b(?! (?:un|una|il|la|mi|quando))|(?:tieni|tenga|tenete) (?:presente|"
            r"conto|a "
            r"mente)\b|"
            r"non dimenticar\w*\b)",
            whole=True,
        ),
        Cue.of(
            "assicurati evita evitare attieniti assicurarsi",
            _START + r"(?:assicurati\b|evita\b|evitare\b|attieniti\b)",
            whole=True,
        ),
        Cue.of(
            "nessun nessuna senza alcun",
            r"\b(?:in nessun (?:caso|modo)|per nessun motivo|per nessuna ragione|in alcun (?:caso|modo))\b|"
            r"\bsenza (?:la mia|il mio|la nostra|il nostro) (?:permesso|approvazione|autorizzazione|consenso)\b|"
            r"\bsenza (?:chiedermi|consultarmi|avvisarmi)\b",
            whole=True,
        ),
        Cue.of(
            "puoi potresti può potrebbe",
            r"\b(?:puoi|potresti|può|potrebbe) (?:[^\s?]+ ){0,4}?(?:sempre|mai|solo)\b(?=.*\?)",
            whole=True,
        ),
        Cue.of(
            "voglio vorrei desidero",
            r"\b(?:voglio|vorrei|desidero) che (?:tu |lei )?[^.;!?]*\b(?:sempre|mai)\b",
            whole=True,
        ),
        Cue.of(
            "niente nessuna",
            _LEAD + r"(?:niente|nessuna?) (?:email|e-mail|chiamate?|emoji|eccezion[ei]|abbreviazioni)\b",
            whole=True,
        ),
        Cue.of(
            "solo soltanto",
            _START + rf"{_ORDER} (?:[^\s.,;:!?]+ ){{0,3}}?(?:solo|soltanto|esclusivamente)\b",
            whole=True,
        ),
        way_of_answering(
            "rispondi rispondimi rispondete scrivimi parlami spiegami spiegamelo",
            "(?:rispondi(?:mi)?|rispondete|scrivimi|parlami|spiegami|spiegamelo)(?: tutto)?",
            r"sempre\b",
            rf"(?:solo )?{_WAYS}",
        ),
    ),
    constraints=(
        Cue.of(
            "deve devono devo dobbiamo dev",
            r"\b(?:deve|devono|dev['’]essere)\b(?! (?:essere (?:un|uno) (?:errore|bug|scherzo)|aver|fare (?:freddo|"
            r"caldo))\b)|\b(?:devo|dobbiamo)\b(?=.*(?:\d|\bprima\b|\bentro\b))",
            whole=True,
        ),
        Cue.of(
            "massimo minimo almeno più meno entro tardi fino superare superiore sotto sopra",
            r"\b(?:al (?:massimo|minimo|più tardi)|massimo (?=\d)|non (?:più|oltre|meno) (?:di|tardi|i|le))\b|"
            r"\balmeno (?:\d|un|una|due|tre|quattro|cinque|sei|dieci)\b|"
            r"\b(?:fino a|meno di|sotto i|entro (?:le|i|il)) (?:[$€£]|\d)|\b(?:nulla|niente|nessun\w*|non) "
            r"[^.;!?]{0,40}\b(?:sopra i|oltre i|più di) (?:[$€£]|\d)|"
            r"\bnon (?:può|deve|posso|possiamo) superare\b",
            whole=True,
        ),
        Cue.of(
            "budget scadenza limite",
            r"\bbudget\b(?=.*(?:\d|\bmila\b))|\b(?:mio|nostro) budget\b|\bbudget (?:limitato|ridotto|massimo)\b|"
            r"\b(?:la|il) (?:scadenza|limite) (?:è|di)\b",
            whole=True,
        ),
        Cue.of(
            "allergico allergica allergici allergia allergie vegetariano vegetariana vegetariani vegano vegana "
            "intollerante celiaco celiaca glutine incinta diabetico diabetica carrozzina",
            r"\b(?:allergi\w+|vegetarian[oai]|vegan[oai]|intollerant[ei]|celiac[oa]|senza glutine|incinta|diabetic[oa]|"
            r"sedia a rotelle|carrozzina)\b",
        ),
        Cue.of(
            "mangio mangiamo mangia bevo posso può possiamo",
            r"\bnon (?:mangio|mangiamo|bevo|beviamo)\b|\bnon (?:posso|può|possiamo) (?:mangiare|viaggiare|prendere|"
            r"volare|bere|partire|spendere|arrivare)\b|\b(?:posso|possiamo) solo\b",
            whole=True,
        ),
        Cue.of("tranne eccetto salvo meno", r"\b(?:tranne|eccetto|salvo|a meno che)\b", whole=True),
    ),
    decisions=(
        Cue.of(
            "teniamo manteniamo lasciamo deciso scelto scelgo scegliamo prendiamo prendo prenotiamo opto optiamo "
            "andiamo",
            r"\b(?:ho|abbiamo) (?:deciso|scelto|optato)\b|\b(?:scelgo|scegliamo|(?:man)?teniamo|lasciamo|prendiamo|"
            r"prenotiamo|opto per|optiamo per)\b(?! (?:sempre|spesso|di solito|in giro)\b)|"
            r"\bprendo (?:il|la|lo|l['’]|quell\w+|quest\w+)(?! (?:treno|autobus|metro|caffè) (?:ogni|tutti))|"
            r"\bandiamo (?:con|per|sul|sulla) (?:il |la |l['’])?(?=\w)(?!(?:la|il) (?:spiaggia|mare))|"
            r"^\W*(?:è )?deciso\b",
            whole=True,
        ),
        Cue.of("decisione affare", r"\bdecisione:|\baffare fatto\b", whole=True),
    ),
    preferences=(
        Cue.of(
            "preferisco preferiamo preferirei vorrei vorremmo voglio vogliamo piace piacciono piacerebbe cerco "
            "cerchiamo bisogno odio adoro amo",
            r"\b(?:preferisco|preferiamo|preferirei|vorrei|vorremmo|voglio|vogliamo|(?:mi|ci) (?:piace|piacciono|"
            r"piacerebbe)|cerco|cerchiamo|(?:ho|abbiamo) bisogno|odio|adoro|amo)\b",
            whole=True,
        ),
        Cue.of("preferito preferita", r"\bpreferit[oa] è\b", whole=True),
        refused_thing(
            "niente",
            "niente ",
            r"di|da|male|paura|problem\w|panico|più|meno|affatto|che|per|in|a|altro|ancora|ansia|posto|scuse|"
            r"rispost\w|novità|risultat\w|notizi\w|error\w|messagg\w|soluzion\w",
        ),
    ),
    identities=(
        Cue.of("chiamo nome chiamami", r"\bmi chiamo\b|\bil mio nome\b|\bchiamami (?-i:[A-Z])", whole=True),
        Cue.of(
            "abito abitiamo lavoro vivo studio anni",
            r"\b(?:abito|abitiamo) (?:a|in|al|vicino)\b|\bvivo (?:a|in)\b|\b(?:io )?lavoro (?:per|da|come|in|presso|"
            r"alla?)\b|\bho \d{1,3} anni\b|\bstudio (?:medicina|legge|economia|ingegneria|all['’]università)\b",
            whole=True,
        ),
        Cue.of(
            "mio mia",
            r"\b(?:mio|mia|il mio|la mia) (?:indirizzo|e-?mail|telefono|numero|compleanno|marito|moglie|figli[oa]|capo|"
            r"azienda) (?:è|si chiama)\b",
            whole=True,
        ),
        Cue.of(
            "trasferito trasferita trasferiti sono",
            r"\b(?:mi sono|ci siamo) trasferit[oaie]\b|\bsono (?:un |una )?(?:insegnante|medico|infermier[ea]|studente|"
            r"studentessa|ingegnere|sviluppat\w+)\b",
            whole=True,
        ),
    ),
    commitments=(
        Cue.of(
            "prenotato inviato ordinato creato annullato modificato confermato annotato salvato cancellato mandato",
            r"\b(?:ho|abbiamo|è stat[oa]|sono stat[ie]) (?:\w+ )?(?:prenotat|inviat|ordinat|creat|annullat|modificat|"
            r"confermat|annotat|salvat|cancellat|mandat)\w+\b",
        ),
        Cue.of(
            "invierò prenoterò manderò farò chiamerò ricorderò prometto numero",
            r"\b(?:invierò|prenoterò|manderò|farò|chiamerò|ricorderò)\b|\b(?:le |ti |ve lo )?prometto\b|\bil suo "
            r"numero di (?:prenotazione|ordine)\b",
            whole=True,
        ),
    ),
    corrections=(
        Cue.of(
            "realtà anzi intendevo volevo invece",
            r"^\W*(?:no, )?(?:in realtà|anzi)\b(?! (?:è|mi) (?:bello|piaciuto))(?! (?:mi pia\w+|odio|adoro|amo|penso|"
            r"credo)\b(?!.*(?:\d|\bmeglio\b)))|\b(?:intendevo|volevo dire|invece d\w*)\b|"
            r"^\W*(?:no, )?invece\b|\binvece\W*$|,\s*anzi\b",
            whole=True,
        ),
        Cue.of(
            "fine sbagliato sbagliata idea cambiato cambiata meglio",
            r"^\W*alla fine\b(?! (?:del\w*|di|dei)\b)|\bmi sono sbagliat[oa]\b|\bho sbagliato\b|\bcambi\w+ "
            r"idea\b|\b(?:è|sono) "
            r"cambiat[oaie]\b|^\W*no,? meglio\b|\bmeglio di no\b",
            whole=True,
        ),
        Cue.of(
            "no ma bensì",
            r"^\W*no[,.!]+ (?:è|sono|il|la|non)\b|\bnon [^.;!?]{1,40}, (?:ma|bensì)\b(?=[^.;!?]{1,30}\W*$)",
            whole=True,
        ),
        Cue.of(
            "spostato spostata rimandato rimandata cambia sposta",
            r"\b(?:spostat[oa]|rimandat[oa])\b[^?]{0,40}?\b(?:al|alle|a)\b|\b(?:cambia|sposta)\b.{1,60}?\b(?:in|al|"
            r"alle|con)\b",
            whole=True,
        ),
    ),
    revisions=(Cue.of("dici meglio", r"^\W*che ne dici di\b|\bsarebbe meglio\b", whole=True),),
    takes=(
        r"sì(?=\W|$)(?! (?:ma|e)\b)|si,|va bene|d['’]accordo|perfetto|certo\b|certamente|volentieri|ottimo|"
        r"affare fatto|mi sembra (?:buono|perfetto|ottimo)|"
        r"(?:lo|la) prendo|procedi|(?:il|la) (?:prim[oa]|second[oa]|terz[oa]|ultim[oa])\b"
    ),
    refuses=r"no\b(?! (?:problem|grazie mille))|meglio di no\b|non\b|mai\b",
    doings=r"\b(?:prenot|ordin|invi|mand|cancell|annull|compr|elimin|cambi|conferm|prend)\w*",
    requests=r"\b(?:puoi|potresti|può|potrebbe)\b",
    fillers="ciao|buongiorno|buonasera|buonanotte|salve|grazie|grazie mille|molte grazie|tante grazie|prego|di "
    "niente|va "
    "bene|perfetto|"
    "arrivederci|a presto|a dopo|capito|ricevuto|buona giornata|buona serata|altrettanto|"
    "grazie per l'aiuto|grazie per il tuo aiuto|grazie per il suo aiuto|posso aiutarla in qualcos'altro|"
    "posso "
    "aiutarti in altro|come posso aiutarla|come posso aiutarti|è tutto",
)
