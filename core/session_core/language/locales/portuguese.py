"""Portuguese cue phrases."""

from __future__ import annotations

from session_core.language.cue import Cue
from session_core.language.locales.locale import Locale
from session_core.language.ways_of_answering import SOME, way_of_answering

_LEAD = r"^\W*(?:(?:e|mas|então|sim|não|ok|bom|olá|obrigad[oa]|importante|regra|nota|além disso|por favor)[,:.!]?\s+)*"
_START = r"(?:^\W*|[.,;:!–—-]\s*|\b(?:e|mas|então|por favor)\s+)"
_PRONOUNS = r"(?:(?:me|lhe|lhes|nos|o|a|os|as|te|se) ){0,2}"
_ORDERED = (
    r"(?:escreva|responda|faça|diga|ponha|coloque|peça|inclua|acrescente|adicione|assuma|escolha|sugira|traduza|abra|"
    r"reserve|envie|mande|ligue|telefone|use|utilize|compre|pague|apague|exclua|elimine|altere|mude|mencione|pergunte|"
    r"aceite|fale|tome|deixe|dê|recomende|mostre|cancele|modifique|publique|leve|busque|contate|contacte|gaste|esqueça|"
    r"confirme|guarde|revele|compartilhe|partilhe|agende|marque|suponha|toque|assine|chame|trate|consulte|avise|delete|"
    r"remova)(?:s|m)?"
)
_TOLD = r"(?:escreve|responde|usa|fala|manda|envia|pergunta|inclui|mostra|diz|faz|reserva|confirma|chama)(?:-me)?"

_WAYS = (
    rf"(?:em {SOME}(?:português|inglês|francês|espanhol|alemão|italiano|frases?|palavras|linhas?|tópicos|pontos|"
    rf"listas?|tabelas?|verso|maiúsculas|markdown)|com {SOME}(?:exemplos?|frases?|palavras|emojis?|fontes|listas?|"
    rf"detalhes?|humor|tabelas?)|sem (?!falta|pressa|dúvida|mim|ti|ele|ela)[^\s.,;:!?]+)"
)

PORTUGUESE = Locale(
    rules=(
        Cue.of(
            "sempre nunca jamais",
            rf"{_LEAD}(?:nunca|jamais|sempre) (?:mais )?{_PRONOUNS}(?:{_ORDERED})\b|{_START}(?:me |nos |lhe "
            rf")?(?:{_ORDERED}|{_TOLD})(?:-me)? (?:[^\s.,;:!?]+ ){{0,4}}?sempre\b|"
            rf"\b(?:que|favor) (?:sempre|nunca) {_PRONOUNS}(?:{_ORDERED})\b|"
            + _LEAD
            + r"(?:sempre|nunca|jamais) (?:em|por|com|sem|antes|depois|mais de|voos|hotéis|e-?mails)\b(?!.*\b(?:eu|"
            r"fui|"
            r"foi|"
            r"era|é|está|estive|chove|tinha)\b)",
            whole=True,
        ),
        Cue.of(
            "não nao",
            _START
            + rf"(?:que )?n[ãa]o {_PRONOUNS}(?:{_ORDERED})\b(?! (?:preocupação)\b)|\bvocê não (?:deve|pode)\b(?! "
            rf"(?:imaginar|"
            rf"estar|ser)\b)",
            whole=True,
        ),
        Cue.of(
            "deve devem tens tem",
            r"\b(?:você deve|vocês devem|você tem que|tens de|tens que)\b(?! (?:saber|estar|ser|ver)\b)|\bdeve "
            r"(?:sempre|nunca)\b",
            whole=True,
        ),
        Cue.of(
            "partir diante adiante",
            r"\b(?:a partir de agora|a partir de hoje|de agora em diante|daqui em diante|daqui para a frente|daqui pra "
            r"frente|doravante)\b"
            r"(?!.*\b(?:trabalho|moro|vivo|vou|sou|estou|será)\b)",
            also="agora hoje diante frente doravante",
        ),
        Cue.of("doravante", r"\bdoravante\b"),
        Cue.of(
            "lembre lembre-se lembra lembra-te lembrem tenha tenham tem tome anote esqueça esqueças",
            _START
            + r"(?:lembr(?:e|em|a)(?:-(?:se|te))?\b(?! (?:um|uma|o|a|quando))|(?:tenha|tenham|tem) (?:em (?:mente|"
            r"conta)|"
            r"presente)\b|"
            r"(?:tome|toma) nota\b|anot[ea] (?:que|isto|isso)\b|não (?:se |te )?esque[çc]\w+\b)",
            also="lembre lembra lembrem tenha tenham tem tome toma anote anota esqueça esqueças",
        ),
        Cue.of(
            "certifique-se certifique garanta evite evita atenha-se",
            _START + r"(?:certifique-se|garanta|evit[ea]|atenha-se)\b",
            also="certifique garanta evite evita atenha",
        ),
        Cue.of(
            "hipótese nenhuma nenhum circunstância sem",
            r"\b(?:em hipótese (?:alguma|nenhuma)|sob (?:nenhuma|hipótese) (?:circunstância|alguma|nenhuma)|em nenhuma "
            r"circunstância|em caso algum|de (?:jeito|forma|modo) (?:nenhum|nenhuma|algum|alguma))\b|"
            r"\bsem (?:a )?(?:minha|nossa) (?:permissão|aprovação|autorização)\b|\bsem (?:o )?meu consentimento\b|"
            r"\bsem me (?:perguntar|consultar|avisar)\b",
            whole=True,
        ),
        Cue.of(
            "pode poderia podes podias",
            r"\b(?:pode|poderia|podes|podias) (?:[^\s?]+ ){0,4}?(?:sempre|nunca|só|apenas)\b(?=.*\?)",
            whole=True,
        ),
        Cue.of("quero preciso gostaria", r"\b(?:quero|preciso|gostaria) que [^.;!?]*\b(?:sempre|nunca)\b", whole=True),
        Cue.of("nada", _LEAD + r"nada de (?:e-?mails|ligações|chamadas|emojis|exceções|gírias)\b", whole=True),
        Cue.of(
            "só apenas somente",
            rf"{_START}(?:{_ORDERED}|{_TOLD}) (?:[^\s.,;:!?]+ ){{0,3}}?(?:só|apenas|somente)\b",
            whole=True,
        ),
        way_of_answering(
            "responde responda explica explique escreve escreva",
            "(?:me |nos )?(?:responda|explique|escreva|(?<=me )(?:responde|explica|escreve)|(?<=nos )explica)"
            "(?: tudo)?",
            r"sempre\b",
            rf"(?:só )?{_WAYS}",
        ),
    ),
    constraints=(
        Cue.of(
            "deve devem",
            r"\b(?:deve|devem)\b(?! (?:ser um (?:erro|engano)|ter|estar (?:frio|quente|chovendo)|haver)\b)",
            whole=True,
        ),
        Cue.of(
            "máximo mínimo menos mais tardar até abaixo acima ultrapassar passar",
            r"\b(?:no (?:máximo|mínimo)|máximo de|não mais (?:de|do que|que)|o mais tardar)\b|\bpelo menos (?=\d|um|"
            r"uma|dois|duas|três|quatro|cinco|seis|dez)|"
            r"\b(?:até|menos de|abaixo de) (?:[$€£]|r\$|\d)|\b(?:nada|nenhum\w*|não) [^.;!?]{0,40}\b(?:acima de|mais "
            r"de) "
            r"(?:[$€£]|r\$|\d)|\bnão (?:pode|deve|posso|podemos) (?:ultrapassar|passar|exceder)\b",
            whole=True,
        ),
        Cue.of(
            "orçamento prazo limite",
            r"\borçamento\b(?=.*(?:\d|\bmil\b))|\b(?:meu|nosso) orçamento\b|\borçamento (?:limitado|apertado|"
            r"máximo|baixo)\b|\b(?:o|meu|nosso) (?:prazo|limite) (?:é|de)\b",
            whole=True,
        ),
        Cue.of(
            "alérgico alérgica alérgicos alergico alergica alergia alergias vegetariano vegetariana vegetarianos "
            "vegano vegana vegan intolerante celíaco celíaca glúten grávida diabético diabética cadeira",
            r"\b(?:al[ée]rgi\w+|vegetarian[oa]s?|vegan[oa]?s?|intolerante|celíac[oa]|sem glúten|grávida|diabétic[oa]|"
            r"cadeira de rodas)\b",
        ),
        Cue.of(
            "como comemos bebo posso pode podemos",
            r"\b(?:eu )?não (?:como|comemos|bebo|bebemos)\b(?! (?:você|tu|antes|sempre|o|a)\b)|\bnão (?:posso|pode|"
            r"podemos) "
            r"(?:comer|viajar|tomar|voar|beber|sair|gastar|chegar)\b|\bsó (?:posso|podemos)\b",
            whole=True,
        ),
        Cue.of(
            "tem temos tenho",
            r"\btem (?:que|de) (?:ser|estar|ter|custar|caber|funcionar|incluir|ficar|chegar|sair)\b|\b(?:tenho|temos) "
            r"(?:que|de)\b(?=.*(?:\d|\bantes\b|\baté\b))",
            whole=True,
        ),
        Cue.of("exceto salvo menos", r"\b(?:exceto|salvo se|a menos que|a não ser que)\b", whole=True),
    ),
    decisions=(
        Cue.of(
            "decidi decidimos decidido vamos escolho escolhi escolhemos fechado fico ficamos reservamos optamos opto",
            r"\b(?:decidi|decidimos|está decidido)\b|^\W*decidido\b|\bvamos (?:com|de|ficar com|manter|deixar|"
            r"reservar)\b(?! (?:carro|ônibus|trem|férias|avião|comboio))|\b(?:escolho|escolhi|escolhemos|optamos por|"
            r"opto por)\b|"
            r"\bfechado\W*$|^\W*fechado\b|\b(?:fico|ficamos) com\b(?! (?:fome|medo|sono|vontade|pena|frio|calor))",
            whole=True,
        ),
        Cue.of("decisão reservemos", r"\bdecisão:|\breservemos\b", whole=True),
    ),
    preferences=(
        Cue.of(
            "prefiro preferimos preferia quero queremos queria gostaria gostaríamos gosto gostamos odeio preciso "
            "precisamos adoro procuro procuramos",
            r"\b(?:prefiro|preferimos|preferia|quero|queremos|queria|gostaria|gostaríamos|(?:eu )?gosto|gostamos|odeio|"
            r"preciso|precisamos|adoro|procuro|procuramos)\b",
            whole=True,
        ),
        Cue.of("favorito favorita preferido preferida", r"\b(?:favorit|preferid)[oa] é\b", whole=True),
    ),
    identities=(
        Cue.of(
            "chamo nome",
            r"\bme chamo\b|\bchamo-me\b|\bmeu nome\b|\bme chame de\b|\bsou (?:professora?|médic[oa]|enfermeir[oa]|"
            r"estudante|engenheir[oa])\b",
        ),
        Cue.of(
            "moro moramos trabalho vivo estudo anos sou",
            r"\b(?:moro|moramos) (?:em|no|na|perto)\b|\btrabalho (?:em|no|na|como|para|com)\b|\bvivo (?:em|no|na)\b|"
            r"\btenho \d{1,3} anos\b|\bsou (?:professora?|médic[oa]|enfermeir[oa]|estudante|engenheir[oa])\b",
            whole=True,
        ),
        Cue.of(
            "meu minha",
            r"\b(?:meu|minha) (?:e-?mail|endereço|telefone|número|aniversário|marido|esposa|mulher|filh[oa]|chefe|"
            r"empresa) (?:é|se chama)\b",
            whole=True,
        ),
        Cue.of("mudei mudamos", r"\b(?:me mudei|mudei-me|mudei para|mudamos para|nos mudamos)\b", whole=True),
    ),
    commitments=(
        Cue.of(
            "vou", r"\bvou (?!(?:bem|a|ao|à|para|de|com|em|muito|sempre)\b)(?:[^\W\d_]+ )?[^\W\d_]+[aei]r\b", whole=True
        ),
        Cue.of(
            "reservei enviei cancelei confirmei anotei criei alterei agendei reservado enviado cancelado confirmado "
            "reservada enviada",
            r"\b(?:reservei|enviei|cancelei|confirmei|anotei|criei|alterei|agendei)\b|\b(?:foi|foram|está) "
            r"(?:reservad|enviad|cancelad|confirmad)\w+",
            whole=True,
        ),
        Cue.of(
            "enviarei reservarei farei lembrarei prometo número",
            r"\b(?:enviarei|reservarei|farei|lembrarei|prometo)\b|\bseu número d[eao] (?:reserva|pedido)\b",
            whole=True,
        ),
    ),
    corrections=(
        Cue.of(
            "verdade aliás quis vez muda mude troque realidade",
            r"^\W*(?:não, )?(?:na (?:verdade|realidade)|aliás)\b(?! (?:eu )?(?:gosto|adoro|odeio|acho|"
            r"amo)\b(?!.*(?:\d|\bmelhor\b)))|\b(?:quis dizer|em vez de|mude|troque)\b|"
            r"\bmuda\b.{1,40}?\bpara\b",
            whole=True,
        ),
        Cue.of(
            "final enganei ideia mudou mudaram melhor",
            r"^\W*no final\b(?! d[aeo]s?\b)|\bme enganei\b|\benganei-me\b|\bmud\w+ de ideias?\b|\b(?:mudou|"
            r"mudaram)\b(?! (?:a|minha|nossa) (?:vida|minha)\b)|^\W*(?:não,? )?melhor\b(?= (?:em|n[oa]|para|com|às|"
            r"a) \S+(?: \S+){0,3}\W*$)|^\W*não,? melhor\b|\bmelhor não\b",
            whole=True,
        ),
        Cue.of(
            "não mas sim", r"^\W*não[,.!]+ (?:é|são|o|a|não)\b|\bnão [^.;!?]{1,40}, (?:mas sim|e sim)\b", whole=True
        ),
        Cue.of("adiado adiada transferido", r"\b(?:adiad[oa]|transferid[oa])\b[^?]{0,40}?\bpara\b", whole=True),
    ),
    revisions=(Cue.of("que tal melhor", r"^\W*que tal\b|\bseria melhor\b", also="tal melhor"),),
    takes=(
        r"sim\b(?! (?:mas|e)\b)|pode ser|combinado|perfeito|está bem|tá bom|tudo bem|claro\b|certo\b|com "
        r"certeza|de acordo|fechado|ótimo|parece bom|fico com (?:ele|ela|esse|essa)|(?:o|a) (?:primeir[oa]|segund[oa]|"
        r"terceir[oa]|últim[oa])\b"
    ),
    refuses=r"não\b(?! (?:há problema|tem problema))|melhor não\b|nunca\b",
    doings=r"\b(?:reserv|envi|mand|cancel|compr|apag|exclu|altere|mud|marc|agend|confirm)\w*",
    requests=r"\b(?:você )?(?:pode|poderia|podes|podias)\b",
    fillers="olá|oi|bom dia|boa tarde|boa noite|obrigado|obrigada|muito obrigado|muito obrigada|de nada|tudo bem|"
    "tchau|"
    "até logo|"
    "até mais|perfeito|entendi|entendido|valeu|igualmente|tenha um bom dia|"
    "obrigado pela ajuda|obrigada pela ajuda|posso ajudar em mais alguma coisa|posso ajudá-lo em algo "
    "mais|"
    "como "
    "posso ajudar|como posso ajudá-lo|é só isso|isso é tudo",
)
