"""Phrases that ask for a way of answering, in many languages, as data: "réponds-moi en phrases courtes"."""

from __future__ import annotations

from session_core.language.cue import Cue

_LEAD = (
    r"^\W*(?:(?:please|and|but|also|oh|ok(?:ay)?|so|et|mais|alors|bitte|und|aber|per favore|e|ma|y|"
    r"pero|por favor|mas|en|"
    r"maar|alsjeblieft|proszę|i|ale|и|но|пожалуйста)[, ]+)*"
)
_ASKED = (
    r"(?:ce|comment|pourquoi|quel\w*|was|wie|warum|wieso|weshalb|wer|qué|cómo|por qué|cuál|lo que|cosa|che|come|perché|"
    r"quale|o que|como|qual|wat|hoe|waarom|wie|что|как|почему|зачем)"
)
"""What follows, where only this once something is to be told in such a way."""
_ENDS = rf"(?=(?: (?!{_ASKED}\b)[^\s.,;:!?]+){{0,3}}(?:\W*$|[.,;!–—(](?! ?{_ASKED}\b)))"
_SOME = r"(?:[^\s.,;:!?]+ ){0,2}?"

_FRENCH = (
    rf"(?:en {_SOME}(?:français|anglais|espagnol|allemand|italien|portugais|néerlandais|russe|chinois|japonais|arabe|"
    rf"phrases?|mots|lignes?|points?|listes?|puces|tirets|tableaux?|vers|majuscules|minuscules|markdown|bref)|"
    rf"avec {_SOME}(?:exemples?|phrases?|mots|sources|emojis?|humour|listes|puces|détails?|tableaux?)|"
    r"sans (?!attendre|tarder|faute|doute|moi|lui|elle)[^\s.,;:!?]+)"
)
_GERMAN = (
    r"(?:kurz|knapp|auf \w*(?:deutsch|englisch|französisch|spanisch|italienisch|russisch|türkisch)|"
    rf"(?:in|mit) {_SOME}(?:\w*s[äa]tz\w*|stich(?:punkten|worten|wörtern)|wort(?:en)?|worten|listen?|tabellen?|"
    r"(?:\w+)?beispiel\w*|quellen|emojis?|reimen|versen|\w*sprache|markdown|details)|"
    r"ohne (?!mich|dich|ihn|sie|uns|zu|dass)[^\s.,;:!?]+)"
)
_SPANISH = (
    rf"(?:en {_SOME}(?:español|castellano|catalán|inglés|francés|alemán|italiano|portugués|ruso|frases?|palabras|"
    r"líneas?|puntos|listas?|viñetas|tablas?|verso|mayúsculas|markdown)|"
    rf"con {_SOME}(?:ejemplos?|frases?|palabras|emojis?|fuentes|listas?|viñetas|detalles?|humor|tablas?)|"
    r"de (?:forma|manera|modo|usted|tú)|sin (?!falta|prisa|duda|mí|ti|él|ella)[^\s.,;:!?]+)"
)
_ITALIAN = (
    rf"(?:in (?!che|cosa|quale){_SOME}(?:italiano|inglese|francese|spagnolo|tedesco|portoghese|russo|frasi|parole|"
    r"righe|punti|elenco|rima|maiuscolo|markdown|modo)|"
    rf"con {_SOME}(?:esempi|esempio|frasi|parole semplici|parole brevi|emoji|fonti|elenchi|dettagli|tabelle)|"
    r"senza (?!di|fretta|dubbio|me|te|lui|lei)[^\s.,;:!?]+)"
)
_PORTUGUESE = (
    rf"(?:em {_SOME}(?:português|inglês|francês|espanhol|alemão|italiano|frases?|palavras|linhas?|tópicos|pontos|"
    r"listas?|tabelas?|verso|maiúsculas|markdown)|"
    rf"com {_SOME}(?:exemplos?|frases?|palavras|emojis?|fontes|listas?|detalhes?|humor|tabelas?)|"
    r"sem (?!falta|pressa|dúvida|mim|ti|ele|ela)[^\s.,;:!?]+)"
)
_DUTCH = (
    rf"(?:kort|in {_SOME}(?:nederlands|engels|frans|duits|spaans|italiaans|vlaams|zin(?:nen)?|woord(?:en)?|regels?|"
    r"punten|lijst(?:je|jes|en)?|tabel(?:len)?|rijm|hoofdletters|markdown|\w*taal)|"
    rf"met {_SOME}(?:voorbeeld(?:en)?|zinnen|woorden|bronnen|emoji['’]?s?|lijst(?:je|jes|en)?|details|humor|tabellen)|"
    r"zonder (?!mij|jou|hem|haar|ons|te)[^\s.,;:!?]+)"
)
_RUSSIAN = (
    r"(?:(?:только )?на (?:[а-яё]+ском(?: языке)?|ты|вы|примерах?)|по-[а-яё]+ски|кратко|коротко|"
    rf"в (?:стиле|формате|виде|стихах|двух|трёх|трех|одном){_SOME}|без (?!вопрос|проблем|меня|тебя|него)[^\s.,;:!?]+)"
)

_EVERYTHING = r"(?:everything|alles|tout|todo|tutto|tudo|всё|все|wszystko)"

WAYS_OF_ANSWERING = (
    # What is asked for wherever something is not known.
    Cue.of(
        "if when whenever wenn falls si se als если jeśli",
        r"^\W*(?:[^\W\d_]+[, ]+)?(?:(?:if|when|whenever) you(?:['’]re| are)? (?:not (?:sure|certain)|unsure|"
        r"uncertain|in doubt|"
        r"do(?:n['’]?t| not) know)|(?:wenn|falls) du (?:dir )?(?:unsicher|nicht sicher)|si tu n['’](?:es|est) "
        r"pas sûre?|si no (?:estás|está) "
        r"segur[oa]|se non sei sicur[oa]|se não tiver certeza|als je (?:het )?niet zeker|если ты? ?не уверен\w*|"
        r"jeśli nie jesteś pewn\w+)\b"
        r"[^,.;?]{0,30}, ?\S",
        also="sure certain unsure uncertain doubt know don't don’t unsicher sicher sûr sûre seguro segura sicuro "
        "sicura certeza "
        "zeker уверен уверена pewny pewna pewien",
    ),
    # What is asked for everything holds from now on: "explique-moi tout comme à un enfant".
    Cue.of(
        "explain write answer describe translate erkläre erklär schreib schreibe formuliere formulier übersetze "
        "übersetz explique "
        "expliquez écris écrivez traduis traduisez explícame explícamelo explícanos escribe escríbeme tradúceme "
        "traduce explica "
        "escreve escreva explicame spiegami spiega scrivi scrivimi traduci leg schrijf vertaal объясняй "
        "объясняйте пиши пишите "
        "переводи переводите tłumacz wyjaśniaj pisz",
        rf"{_LEAD}[^\W\d_]+(?:[ -](?:me|moi|nous|us|mir|uns|ons|mij|мне|нам|mi))? {_EVERYTHING}\b(?! (?:ce|das|"
        rf"was|lo|quello|o|that|i|you|ça|"
        r"cela|ciò|aquilo|eso|isso|dit|wat|that['’]s|about|again|nochmal|von)\b)",
        whole=True,
    ),
    Cue.of(
        "from rest",
        r"\bfrom here on(?: out)?(?=\W*$|,| (?:please|only|always|never|no|use|answer|reply|write|speak|call|keep)\b)|"
        r"(?<!stay )(?<!here )\bfor the rest of (?:this|our) (?:chat|conversation|session)\b",
        also="here rest",
    ),
    Cue.of(
        "réponds répondez écris écrivez parle parlez explique expliquez",
        rf"{_LEAD}(?:(?:réponds|répondez|écris|écrivez|parle|parlez|explique|expliquez)-(?:moi|nous)|"
        rf"réponds|répondez|écrivez|expliquez) (?:(?:[^\s.,;:!?]+ )?toujours\b|(?:seulement )?{_FRENCH}\b{_ENDS})",
        whole=True,
    ),
    Cue.of(
        "antworte antworten schreib schreibe sprich erkläre erklär",
        rf"{_LEAD}(?:antworte|schreibe?|sprich|erkläre?) (?:mir |uns )?(?:das |es |alles )?(?:bitte )?"
        rf"(?:immer\b|ab jetzt\b|(?:nur )?{_GERMAN}\b{_ENDS})",
        whole=True,
    ),
    Cue.of(
        "respóndeme respóndame respóndanme respondeme responde respondan contéstame contésteme "
        "háblame hábleme háblenme "
        "escríbeme explícame explíqueme explíquenme",
        rf"{_LEAD}(?:resp[óo]nd\w*me|respondan|responde(?! siempre)|cont[ée]st\w+me|h[áa]bl\w+me|"
        rf"escr[íi]b\w+me|expl[íi][cq]\w+me) (?:siempre\b|(?:solo |sólo )?{_SPANISH}\b{_ENDS})",
        whole=True,
    ),
    Cue.of(
        "rispondi rispondimi rispondete scrivimi parlami spiegami spiegamelo",
        rf"{_LEAD}(?:rispondi(?:mi)?|rispondete|scrivimi|parlami|spiegami|spiegamelo) (?:tutto )?"
        rf"(?:sempre\b|(?:solo )?{_ITALIAN}\b{_ENDS})",
        whole=True,
    ),
    Cue.of(
        "responde responda explica explique escreve escreva",
        rf"{_LEAD}(?:me |nos )?(?:responda|explique|escreva|(?<=me )(?:responde|explica|escreve)|(?<=nos )explica) "
        rf"(?:tudo )?(?:sempre\b|(?:só )?{_PORTUGUESE}\b{_ENDS})",
        whole=True,
    ),
    Cue.of(
        "antwoord schrijf spreek",
        rf"{_LEAD}(?:antwoord|schrijf|spreek) (?:me |ons )?(?:alsjeblieft )?"
        rf"(?:altijd\b|voortaan\b|(?:alleen )?{_DUTCH}\b{_ENDS})",
        whole=True,
    ),
    Cue.of(
        "отвечай отвечайте пиши пишите объясняй объясняйте",
        rf"{_LEAD}(?:отвечай|пиши|объясняй)(?:те)? (?:мне |нам )?(?:всегда\b|{_RUSSIAN})",
        whole=True,
    ),
    Cue.within(
        "kana",
        r"(?:返事|返信|回答|答え|説明|返答)は(?![^。？?]*(?:送|聞|待|明日|今日|昨日|後で|あと|まで|もう一度))[^。？?]{1,14}"
        r"(?:お願い|ください|下さい|して(?:。|$))",
    ),
    Cue.within(
        "han", r"(?:回答|回复|解释|说话)(?:时|的时候)?(?:请(?!稍|等)|都要|尽量|只能|必须|要(?![多等花几付很到]))"
    ),
    Cue.within(
        "hangul", r"(?:답변|대답|설명|답장)(?:은|는) (?!기다|다시|나중|내일|오늘|먼저)[^.?]{1,14}(?:주세요|해줘|부탁)"
    ),
)
