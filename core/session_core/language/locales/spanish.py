"""Spanish cue phrases."""

from __future__ import annotations

from session_core.language.cue import Cue
from session_core.language.locales.locale import Locale
from session_core.language.ways_of_answering import SOME, way_of_answering

_LEAD = (
    r"^\W*(?:(?:y|pero|entonces|sí|si|no|ok|vale|bueno|hola|gracias|importante|regla|nota|además|por favor)[,:.!]?\s+)*"
)
_START = r"(?:^\W*|[.,;:!¡–—-]\s*|\b(?:y|pero|así que|por favor)\s+)"
_PRONOUNS = r"(?:(?:me|le|les|nos|lo|la|los|las|te|se) ){0,2}"
_FORBIDDEN = (
    r"(?:escrib|respond|hag|dig|pong|pid|incluy|añad|vend|asum|elij|sug[ie]r|traduzc|abr|corrij|sup[oo]ng|teng|ofrezc|"
    r"hable?|perm|compart|met|prometa?)(?:as|a|áis|an)|"
    r"(?:reserv|envíe?|env|mand|llam|us|utilic|compr|pagu|borr|elimin|cambi|mencion|pregunt|acept|contest|habl|tom|dej|"
    r"des|recomiend|agregu|muestr|cancel|modifiqu|publiqu|llev|busqu|contact|molest|gast|recort|firm|toqu|uses?|olvid|"
    r"program|confirm|guard|revel|mezcl|supong)(?:es|e|éis|en)"
)
_ORDER = (
    r"(?:escrib|respond|hag|di|pon|pid|incluy|añad|elig|traduc|comparte?|reserv|enví|mand|llám|llam|us|utiliz|compr|"
    r"pag|borr|elimin|cambi|mencion|pregunt|acept|contest|habl|tom|recomiend|agreg|muestr|cancel|modific|busc|contact|"
    r"confirm|guard|da|dame|dime|trát|consult|avis)(?:a|e|es|an|en|me|ame|eme|nos|ad|ed|id)?"
)

_WAYS = (
    rf"(?:en {SOME}(?:español|castellano|catalán|inglés|francés|alemán|italiano|portugués|ruso|frases?|palabras|"
    r"líneas?|puntos|listas?|viñetas|tablas?|verso|mayúsculas|markdown)|"
    rf"con {SOME}(?:ejemplos?|frases?|palabras|emojis?|fuentes|listas?|viñetas|detalles?|humor|tablas?)|"
    r"de (?:forma|manera|modo|usted|tú)|sin (?!falta|prisa|duda|mí|ti|él|ella)[^\s.,;:!?]+)"
)

SPANISH = Locale(
    rules=(
        Cue.of(
            "siempre nunca jamás",
            _LEAD
            + rf"(?:nunca|jamás) {_PRONOUNS}(?:{_FORBIDDEN})\b|{_LEAD}siempre {_PRONOUNS}(?:{_ORDER})\b(?! que\b)|"
            + _START
            + r"(?:[^\W\d_]*[áéíóú][^\W\d_]*(?:me|nos|les?|l[oa]s?)|dime|dame|ponme|dinos|danos) siempre\b|"
            + _START
            + rf"{_ORDER} (?:[^\s.,;:!?]+ ){{0,4}}?siempre\b|\b(?:que|por favor) (?:siempre|nunca) "
            rf"{_PRONOUNS}(?:{_FORBIDDEN}|{_ORDER})\b|"
            # Where no verb tells of anybody, it is asked for: "nunca antes de las 8".
            + _LEAD
            + r"(?:siempre|nunca|jamás) (?:en|por|con|sin|antes|después|más de|vuelos|hoteles|correos|llamadas)\b"
            r"(?!.*\b(?:he|ha|hemos|había|fue|fui|era|es|está|voy|estuve|llueve|estado)\b)",
            whole=True,
        ),
        Cue.of(
            "no",
            _START + rf"(?:que )?no (?!me digas\W*$){_PRONOUNS}(?:{_FORBIDDEN})\b|\bno quiero que "
            rf"{_PRONOUNS}(?:{_FORBIDDEN})\b|"
            rf"\bno [^\W\d_]+[áé]is (?:nunca|jamás)\b|\bno (?:debes|puedes|debe usted|podéis)\b(?! (?:imaginar|"
            rf"creer|ser|estar)\w*)",
            also=(
                "debes puedes debe podéis escribas escriba respondas responda hagas haga digas diga pongas ponga pidas "
                "pida incluyas incluya añadas añada asumas asuma elijas elija sugieras sugiera traduzcas abras tengas "
                "compartas comparta metas vendas ofrezcas supongas suponga prometas permitas reserves reserve envíes "
                "envíe mandes mande llames llame uses use utilices utilice compres compre pagues pague borres borre "
                "elimines elimine cambies cambie menciones mencione preguntes pregunte aceptes acepte contestes "
                "conteste hables hable tomes tome dejes deje des recomiendes agregues agregue muestres muestre "
                "canceles cancele modifiques modifique publiques publique lleves lleve busques busque contactes "
                "contacte molestes gastes gaste olvides olvide programes programe confirmes confirme guardes guarde "
                "reveles revele toques toque firmes firme"
            ),
        ),
        Cue.of(
            "debes debe tienes tiene tendrás",
            r"\b(?:debes|tienes que|usted debe|usted tiene que)\b(?! (?:saber|estar cansad|ser|ver|entender)\w*)|"
            r"\b(?:debe|deben) (?:siempre|nunca)\b",
            whole=True,
        ),
        Cue.of(
            "trátame trateme tratame tráteme háblame hábleme tutéame tuteame",
            r"\b(?:tr[áa]t[ea]me|h[áa]bl[ea]me) de (?:usted|tú|vos)\b|\btut[ée]ame\b",
            whole=True,
        ),
        Cue.of(
            "partir adelante ahora",
            r"\b(?:a partir de (?:ahora|este momento|hoy)|de ahora en adelante|de aquí en adelante)\b(?!.*\b(?:trabajo|"
            r"vivo|voy|soy|estoy|tengo|será)\b)|" + _LEAD + r"en adelante\b",
            whole=True,
        ),
        Cue.of(
            "recuerda recuerde recuerden recordad olvides olvide acuérdate acuerdate acuérdese ten tenga tengan toma "
            "apunta anota memoriza",
            _START + r"(?:recuerd(?:a|e|en)\b(?! a (?:mi|un|una))|recordad\b|no (?:te |se )?olvid(?:es|e|en)\b|"
            r"acu[ée]rd(?:ate|"
            r"ese)\b|"
            r"ten(?:ga|gan)? (?:en cuenta|presente)\b|toma nota\b|(?:apunta|anota) (?:que|esto)\b|memoriza\b)",
            whole=True,
        ),
        Cue.of(
            "asegúrate asegurate asegúrese evita evite procura limítate cíñete",
            _START + r"(?:aseg[úu]r(?:ate|ese)\b|evit(?:a|e)\b|procura\b|limítate\b|cíñete\b)",
            whole=True,
        ),
        Cue.of(
            "ningún ninguna absoluto sin",
            r"\b(?:bajo ning(?:ún|una) (?:concepto|circunstancia|pretexto)|en ningún caso|de ning(?:ún|una) (?:modo|"
            r"manera))\b(?!.*\b(?:fue|era|había|estuvo)\b)|"
            r"\bsin (?:mi|nuestra|nuestro) (?:permiso|aprobación|autorización|consentimiento)\b|\bsin "
            r"(?:preguntarme|consultarme|avisarme)\b",
            whole=True,
        ),
        Cue.of(
            "puedes podrías puede podría",
            r"\b(?:puedes|podrías|puede usted|podría(?: usted)?) (?:[^\s?]+ ){0,4}?(?:siempre|nunca|solo|sólo)\b",
            whole=True,
        ),
        Cue.of(
            "quiero necesito gustaría pido",
            r"\b(?:quiero|necesito|gustaría|pido) que [^.;!?]*\b(?:siempre|nunca)\b",
            whole=True,
        ),
        Cue.of("ocurra", r"\bni se (?:te|le) ocurra\b"),
        Cue.of(
            "nada",
            _LEAD
            + r"nada de (?!eso|nada|particular|nuevo|especial|importante|lo)[^\W\d_]+\b(?!.*\b(?:es|fue|hay|era)\b)",
            whole=True,
        ),
        Cue.of(
            "solo sólo únicamente",
            _START + rf"{_ORDER} (?:[^\s.,;:!?]+ ){{0,3}}?(?:solo|sólo|únicamente)\b",
            whole=True,
        ),
        way_of_answering(
            "respóndeme respóndame respóndanme respondeme responde respondan contéstame contésteme háblame hábleme "
            "háblenme escríbeme explícame explíqueme explíquenme",
            r"(?:resp[óo]nd\w*me|respondan|responde(?! siempre)|cont[ée]st\w+me|h[áa]bl\w+me|escr[íi]b\w+me|"
            r"expl[íi][cq]\w+me)",
            r"siempre\b",
            rf"(?:solo |sólo )?{_WAYS}",
        ),
    ),
    constraints=(
        Cue.of(
            "debe deben",
            r"\b(?:debe|deben)\b(?! (?:de (?:ser|estar|haber)|ser un (?:error|fallo)|haber|hacer (?:frío|calor))\b)",
            whole=True,
        ),
        Cue.of(
            "máximo maximo mínimo minimo menos más tarde hasta superar exceder pasar",
            r"\b(?:como (?:máximo|maximo|mínimo|minimo|mucho)|máximo de|al menos|por lo menos|no más (?:de|tarde de)|a "
            r"más tardar)\b(?! (?:no llueve|está|es)\b)|"
            r"\b(?:hasta|menos de) (?:[$€£]|\d)|\bno (?:puede|debe|puedo|podemos) (?:superar|exceder|pasar)\b|"
            r"\b(?:nada|ning[úu]n\w*|no) [^.;!?]{0,40}\bmás de (?:[$€£]|\d)",
            also="máximo maximo mínimo minimo mucho menos más tardar hasta superar exceder pasar",
        ),
        Cue.of(
            "presupuesto límite plazo",
            r"\bpresupuesto\b(?=.*(?:\d|\bmil\b))|\b(?:mi|nuestro) presupuesto\b|\bpresupuesto (?:limitado|"
            r"ajustado|máximo|bajo)\b|\b(?:el|mi|nuestro) (?:límite|plazo) (?:es|de|vence)\b",
            whole=True,
        ),
        Cue.of(
            "alérgico alérgica alérgicos alergico alergica alergia alergias vegetariano vegetariana vegetarianos "
            "vegano vegana intolerante celíaco celíaca celiaco celiaca gluten embarazada diabético diabética halal "
            "kosher silla",
            r"\b(?:al[ée]rgi\w+|vegetarian[oa]s?|vegan[oa]s?|intolerante|cel[íi]ac[oa]s?|sin gluten|embarazada|"
            r"diabétic[oa]|halal|kosher|silla de ruedas)\b",
        ),
        Cue.of(
            "como comemos come bebo puedo puede podemos",
            r"\b(?:yo )?no (?:como|comemos|bebo|bebemos)\b(?! (?:tú|tu|antes|siempre|el|la)\b)|\bno (?:puedo|puede|"
            r"podemos) "
            r"(?:comer|viajar|tomar|volar|beber|salir|gastar|ir antes|llegar)\b|\bsolo (?:puedo|podemos)\b",
            whole=True,
        ),
        Cue.of(
            "tengo tenemos tiene hay",
            r"\btiene que (?:ser|estar|tener|costar|caber|funcionar|incluir|quedar|llegar|salir)\b|\b(?:tengo|tenemos|"
            r"hay) que\b(?=.*(?:\d|\bantes\b))",
            whole=True,
        ),
        Cue.of("excepto salvo menos", r"\b(?:excepto|salvo|a menos que|a no ser que)\b", whole=True),
    ),
    decisions=(
        Cue.of(
            "decidido decidí decidimos vamos elijo elegimos escojo quedo quedamos reservamos cogemos tomamos opto "
            "optamos elegido",
            r"\b(?:he|hemos) (?:decidido|elegido|escogido|optado)\b|\b(?:decidí|decidimos)\b|\b(?:nos )?vamos "
            r"(?:con|a reservar|a coger|a tomar|por el|por la)\b|"
            r"\b(?:elijo|elegimos|escojo|dejamos|optamos por|opto por)\b|\b(?:me quedo|nos quedamos) con\b(?! (?:ganas|"
            r"hambre|la duda|las ganas))|"
            r"\b(?:lo|la) (?:cogemos|tomamos|reservamos)\b|\b(?:cogemos|reservamos) (?:es[ea]|est[ea]|el|la)\b|"
            r"^\W*(?:decidido)\b",
            whole=True,
        ),
        Cue.of(
            "decisión hecho reservemos cojamos tomemos",
            r"\bdecisión:|^\W*hecho[,:]|\b(?:reservemos|cojamos|tomemos)\b",
            whole=True,
        ),
    ),
    preferences=(
        Cue.of(
            "prefiero preferimos preferiría quiero queremos quisiera gusta gustaría gustan encanta encantan necesito "
            "necesitamos odio busco buscamos",
            r"\b(?:prefiero|preferimos|preferiría|quiero|queremos|quisiera|(?:me|nos) (?:gusta|gustaría|gustan|"
            r"encantan?)|necesito|necesitamos|odio|busco|buscamos)\b",
            whole=True,
        ),
        Cue.of(
            "favorito favorita", r"\bfavorit[oa]s? (?:es|son)\b|\b(?:mi|nuestr[oa]) [^\s.,]+ favorit[oa]\b", whole=True
        ),
    ),
    identities=(
        Cue.of(
            "llamo nombre llámame soy",
            r"\bme llamo\b(?! la atención)|\bmi nombre\b|\bllámame\b|^\W*(?:hola, )?soy (?-i:[A-ZÁÉÍÓÚ])|\bsoy "
            r"(?:profesora?|médic[oa]|enfermer[oa]|estudiante|ingenier[oa]|desarrollador\w*|de (?-i:[A-Z]))",
            whole=True,
        ),
        Cue.of(
            "vivo trabajo estudio años",
            r"\bvivo (?:en|a)\b|\btrabajo (?:en|como|para)\b|\bestudio (?:en|para)\b|\btengo \d{1,3} años\b",
            whole=True,
        ),
        Cue.of(
            "mi",
            r"\bmi (?:correo|dirección|teléfono|número|cumpleaños|marido|esposa|mujer|hij[oa]|jef[ea]|empresa) "
            r"(?:es|se llama|está)\b",
            whole=True,
        ),
        Cue.of("mudé mudado mudamos", r"\b(?:me (?:mudé|he mudado)|nos (?:mudamos|hemos mudado))\b", whole=True),
    ),
    commitments=(
        Cue.of(
            "voy vamos", r"\bvoy a (?!(?:menudo|veces|la|las|los|casa|un|una|el|pie)\b)[^\W\d_]+[aeí]r\w*\b", whole=True
        ),
        Cue.of(
            "reservado enviado pedido creado cambiado cancelado confirmado anotado guardado borrado reservada enviada "
            "cancelada",
            r"\b(?:he|hemos|ha sido|han sido|queda|está) (?:\w+ )?(?:reservad|enviad|pedid|cread|cambiad|cancelad|"
            r"confirmad|anotad|guardad|borrad)\w+\b",
        ),
        Cue.of(
            "enviaré reservaré llamaré haré recordaré prometo número",
            r"\b(?:le |te |lo |la |os )*(?:enviaré|reservaré|llamaré|haré|recordaré)\b|\b(?:le |te |lo )*prometo\b|"
            r"\bsu número de (?:reserva|pedido)\b",
            whole=True,
        ),
    ),
    corrections=(
        Cue.of(
            "realidad mejor perdón quise quería vez lugar cambia cambiar cambie cámbialo cambialo",
            r"^\W*(?:no, )?(?:en realidad(?! (?:me (?:gusta|encanta)\w*|odio|creo|pienso|adoro)\b(?!.*(?:\d|"
            r"\bmejor\b)))|mejor(?! (?:imposible|tarde|dicho|que nunca)\b)|perdón)\b|\b(?:quise decir|quería decir|"
            r"en (?:vez|lugar) de)\b|"
            r"\b(?:mejor no|no, mejor)\b|\bc[aá]mbi\w+\b.{1,60}?\b(?:a|al|por)\b",
            whole=True,
        ),
        Cue.of(
            "final equivoqué han hemos equivocado aplaza aplazó retrasa retrasó idea opinión cambiado cambió",
            r"\b(?:l[oa]s? )(?:han|he|ha|hemos) (?:pasado|cambiado|movido|aplazado) (?:al?|para)\b|^\W*(?:no, "
            r")?al final\b(?! del?\b)|\bme (?:equivoqué|he equivocado)\b|\bcambi\w+ (?:de )?(?:idea|opinión)\b|"
            r"\b(?:ha|han) cambiado\b|\bse (?:aplaz|retras)\w+[^?]{0,40}?\b(?:al|para)\b",
            whole=True,
        ),
        Cue.of(
            "no sino",
            r"^\W*no[,.!]+ (?:es|son|el|la|los|las|no)\b(?! (?:verdad|problema)\b)|\bno [^.;!?]{1,40}, sino\b",
            whole=True,
        ),
    ),
    revisions=(
        Cue.of(
            "ponlo ponla ponlos déjalo déjala",
            r"^\W*(?:(?:mejor|entonces)[, ]+)?(?:p[oó]nl[oa]s?|déjal[oa]) (?:a|en|para)\b",
            whole=True,
        ),
        Cue.of(
            "qué que tal mejor si",
            r"^\W*(?:¿?qué tal|¿?y si)\b(?! (?:estás|está|todo|te va))|\bsería mejor\b",
            also="qué si sería",
        ),
    ),
    takes=(
        r"s[ií](?=[\W]|$)(?! (?:pero|y)\b)|claro\b(?! que no)|vale\b|perfecto\b|de acuerdo|está bien|me "
        r"parece bien|suena bien|por supuesto|adelante|hecho\b|trato hecho|genial\b|me lo quedo|(?:el|"
        r"la) (?:primer[oa]?|segund[oa]|tercer[oa]?|últim[oa])\b"
    ),
    refuses=r"no\b(?! (?:hay (?:problema|de qué)|te preocupes))|mejor no\b|nunca\b",
    doings=r"\b(?:reserv|enví|envi|mand|cancel|compr|borr|elimin|pid|cambi|agend|confirm)\w*",
    requests=r"\b(?:puedes|podrías|puede usted|podría)\b",
    fillers="hola|buenas|buenos días|buenas tardes|buenas noches|gracias|muchas gracias|mil gracias|muchísimas "
    "gracias|"
    "de nada|"
    "vale|genial|perfecto|adiós|hasta luego|hasta pronto|entendido|igualmente|que tenga un buen día|que "
    "tengas "
    "un buen día|"
    "gracias por su ayuda|gracias por tu ayuda|gracias por la ayuda|hay algo más en lo que pueda "
    "ayudarle|"
    "hay "
    "algo más en lo que pueda ayudarte|en qué puedo ayudarle|en qué puedo ayudarte|eso es todo",
)
