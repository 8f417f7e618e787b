"""French cue phrases."""

from __future__ import annotations

from session_core.language.cue import Cue
from session_core.language.locales.locale import Locale
from session_core.language.refused_things import refused_thing
from session_core.language.ways_of_answering import SOME, way_of_answering

_PLEASE = r"s['’]il (?:te|vous) pla[iî]t"
_LEAD = (
    rf"^\W*(?:(?:et|mais|alors|donc|oui|non|ok|bon|bonjour|merci|surtout|important|règle|rappel|note|"
    rf"{_PLEASE})[,:.!]?\s+)*"
)
_START = rf"(?:^\W*|[.,;:!–—-]\s*|\b(?:et|mais|donc|alors|surtout|{_PLEASE})\s+)"
_ORDER = (
    r"(?:réponds|répondez|écris|écrivez|utilise|utilisez|parle|parlez|envoie|envoyez|appelle|appelez|réserve|réservez|"
    r"achète|achetez|paie|payez|demande|demandez|dis|dites|donne|donnez|propose|proposez|cite|citez|mentionne|"
    r"mentionnez|montre|montrez|garde|gardez|prends|prenez|mets|mettez|ajoute|ajoutez|supprime|supprimez|modifie|"
    r"modifiez|change|changez|choisis|choisissez|traduis|traduisez|vérifie|vérifiez|confirme|confirmez|partage|"
    r"partagez|contacte|contactez|fais|faites|tutoie|vouvoie|commence|commencez)"
)
_LIMIT = r"(?:ne (?:doit|doivent|peut|peuvent) pas|pas plus de|pas plus tard que)"

_WAYS = (
    rf"(?:en {SOME}(?:français|anglais|espagnol|allemand|italien|portugais|néerlandais|russe|chinois|japonais|arabe|"
    rf"phrases?|mots|lignes?|points?|listes?|puces|tirets|tableaux?|vers|majuscules|minuscules|markdown|bref)|"
    rf"avec {SOME}(?:exemples?|phrases?|mots|sources|emojis?|humour|listes|puces|détails?|tableaux?)|"
    r"sans (?!attendre|tarder|faute|doute|moi|lui|elle)[^\s.,;:!?]+)"
)

FRENCH = Locale(
    rules=(
        Cue.of(
            "toujours jamais",
            _LEAD + r"(?:toujours|jamais)\b(?! (?:je|j|nous|il|elle|on|deux|pas|personne|rien)\b)"
            r"(?!.*\b(?:je|j['’]|nous|il|elle|on|suis|est|était|avons|ai)\b)",
            whole=True,
        ),
        Cue.of(
            "toujours uniquement seulement",
            _START + _ORDER + r"(?:[ -][^\s.,;:!?]+){0,4}? (?:toujours|uniquement|seulement)\b",
            whole=True,
        ),
        Cue.of(
            # A clause that begins with "ne" has no subject, and is an order.
            "ne n",
            _START + r"n(?:e |['’])(?:(?:me|m['’]|lui|leur|nous|le|la|les|l['’]|en|y|te|t['’]|vous) ?){0,2}"
            r"(?!est\b|serait|a\b|ai\b|avait\b|était\b|sais\b|suis\b|sont\b|y a\b|ont\b|inquiète|inquiétez|hésite|"
            r"hésitez|"
            r"vous inquiétez|bouge|quittez|quitte|faut\b|peux\b|pouvez\b|fait\b|va\b)[^\W\d_]+[ -](?:[^\s.,;:!?]+ "
            r"){0,2}?"
            r"(?:jamais|pas|plus|rien|aucun\w*|que|qu['’])",
            also="ne n",
        ),
        Cue.of(
            "dois devez faut devras devrez",
            r"\b(?:tu (?:ne )?dois|vous (?:ne )?devez|tu devras|vous devrez)\b(?! (?:être (?:fatigu|content)|avoir "
            r"raison|savoir|penser|te demander)\w*)|"
            r"\bil ne faut (?:jamais|pas|surtout)\b(?! (?:oublier|exagérer|croire|rêver|confondre))|\bil faut "
            r"(?:toujours|absolument)\b",
            also="dois devez faut devras devrez",
        ),
        Cue.of(
            "tutoie tutoyez vouvoie vouvoyez appelle appelez",
            r"\b(?:tutoie|tutoyez|vouvoie|vouvoyez|appelle|appelez)[ -](?:moi|nous)\b(?! (?:quand|si|avant|après|"
            r"demain|plus|dès|ce|un|à|au|pour)\b)",
            whole=True,
        ),
        Cue.of(
            "dorénavant désormais partir avenir",
            r"\b(?:dorénavant|désormais)\b(?!.*\b(?:je|j['’]|nous|il|elle|on|est|sont)\b)|\bà partir de "
            rf"maintenant\b|{_LEAD}à l['’]avenir\b(?!.*\b(?:je|j['’]|nous|il|elle|on|sera|seront)\b)",
            whole=True,
        ),
        Cue.of(
            "retiens retenez souviens souvenez rappelle rappelez note notez garde gardez sache sachez pense pensez "
            "oublie oubliez",
            _START + r"(?:(?:retiens|retenez)\b|souviens-toi\b|souvenez-vous\b|rappelle-toi\b|rappelez-vous\b|(?:note|"
            r"notez) "
            r"(?:bien )?que\b|"
            r"gardez? (?:bien )?(?:en tête|à l['’]esprit|en mémoire)\b|(?:sache|sachez) que\b|(?:pense|pensez) "
            r"(?:bien "
            r")?à\b|"
            r"n['’]oubli(?:e|ez) (?:pas|jamais|surtout pas)\b)",
            whole=True,
        ),
        Cue.of(
            "assure assurez veille veillez évite évitez tiens tenez",
            _START + r"(?:assure-toi|assurez-vous|(?:veille|veillez) à|(?:évite|évitez)|tiens compte|tenez compte)\b",
            whole=True,
        ),
        Cue.of(
            "aucun prétexte sans",
            r"\b(?:en aucun cas|sous aucun prétexte|sans (?:mon|notre) (?:accord|autorisation|approbation)|sans (?:me|"
            r"nous) (?:demander|consulter))\b",
            whole=True,
        ),
        Cue.of(
            "peux pourrais pouvez pourriez",
            r"\b(?:(?:peux|pourrais)-tu|(?:pouvez|pourriez)-vous) (?:[^\s?]+ ){0,4}?(?:toujours|jamais|uniquement)\b",
            whole=True,
        ),
        Cue.of(
            "veux voudrais souhaite aimerais",
            r"\b(?:veux|voudrais|souhaite|aimerais) que (?:tu|vous) [^.;!?]*\b(?:toujours|jamais)\b",
            whole=True,
        ),
        Cue.of(
            "pas plus",
            _LEAD
            + r"plus jamais (?:de |d['’])|"
            + _LEAD
            + r"(?:pas|plus) (?:d['’]|de )(?:e-?mails?|appels?|emojis?|émojis?|exceptions?|anglicismes|"
            r"abréviations)\b",
            whole=True,
        ),
        way_of_answering(
            "réponds répondez écris écrivez parle parlez explique expliquez",
            "(?:(?:réponds|répondez|écris|écrivez|parle|parlez|explique|expliquez)-(?:moi|nous)|"
            "réponds|répondez|écrivez|expliquez)",
            r"(?:[^\s.,;:!?]+ )?toujours\b",
            rf"(?:seulement )?{_WAYS}",
        ),
    ),
    constraints=(
        Cue.of(
            "faut doit doivent",
            # What one has to do in general binds nobody: "il faut le voir pour le croire".
            r"\bil (?:me|nous) faut\b|\bil faut(?! (?:dire|avouer|reconnaître|croire|voir|l[ea]s? voir)\b)"
            r"(?= (?:absolument|impérativement|au (?:moins|plus)|que|un|une|des|du|deux|trois)\b|.*\d)|"
            r"(?<!\bcomme il )\b(?:doit|doivent)\b(?! (?:être (?:une|un) (?:erreur|bug)|pleuvoir|faire (?:froid|chaud|"
            r"beau))\b)",
            whole=True,
        ),
        Cue.of(
            "maximum minimum plus moins tard avant moins",
            rf"\bau (?:plus|moins|maximum|minimum)\b(?= (?:\d|un|une|deux|trois|quatre|cinq|six|dix|tard|tôt|de)\b|"
            rf"\W*$)|"
            rf"\b{_LIMIT}\b|\b(?:moins de|jusqu['’]à) (?:[$€£]|\d)|\b(?:rien|pas|"
            r"aucun\w*) [^.;!?]{0,40}\b(?:au-dessus de|à plus de) "
            r"(?:[$€£]|\d)",
            whole=True,
        ),
        Cue.of(
            "budget limite plafond échéance",
            r"\bbudget\b(?=.*(?:\d|\bmille\b))|\b(?:mon|notre) budget\b|\bbudget (?:serré|limité|maximum|max)\b|"
            r"\b(?:la|ma|notre) (?:date )?limite\b|\bplafond (?:est|de)\b|\béchéance\b",
            whole=True,
        ),
        Cue.of(
            "allergique allergiques allergie allergies végétarien végétarienne végétariens végétalien végan vegan "
            "intolérant intolérante gluten halal casher enceinte fauteuil diabétique cœliaque",
            r"\b(?:allergi(?:ques?|es?)|végétari\w+|végétali\w+|vég[ae]ne?|intolérant\w*|sans gluten|halal|casher|"
            r"enceinte|fauteuil roulant|diabétique|cœliaque)\b",
        ),
        Cue.of(
            "mange mangeons bois peux pouvons",
            r"\b(?:je ne|nous ne|il ne|elle ne|on ne) (?:mange\w*|bois|buvons|boit) (?:pas|jamais|plus|ni)\b|"
            r"\b(?:je ne peux|nous ne pouvons) pas (?:manger|dépenser|voyager|prendre|voler|venir|avant|partir)\b|"
            r"\b(?:je ne peux|nous ne pouvons) [^.;!?]{0,20}\b(?:qu['’]|que)\b",
            whole=True,
        ),
        Cue.of("sauf excepté moins", r"\b(?:sauf|excepté|à moins que)\b(?! erreur)", whole=True),
    ),
    decisions=(
        Cue.of(
            "prends prend prenons choisis choisissons réservons réserve opte optons décidé choisi garde gardons laisse "
            "laissons partons retiens retenons",
            r"\b(?:je prends|on prend|nous prenons|je choisis|nous choisissons|nous réservons|on réserve|j['’]opte|"
            r"nous optons|on garde|nous gardons|on laisse|nous laissons|je retiens|nous retenons)\b"
            r"(?! (?:toujours|souvent|parfois|rarement|soin|plaisir|note)\b)|"
            r"\b(?:j['’]ai|nous avons|on a) (?:finalement |donc )?(?:décidé|choisi|opté)\b|\b(?:on part|nous partons|"
            r"partons) (?:donc )?sur\b",
            whole=True,
        ),
        Cue.of(
            "décision entendu convenu décidé allons va vas",
            r"\bdécision ?:|^\W*(?:c['’]est )?(?:entendu|convenu|décidé)\b|\b(?:va|allons(?:-y)?) pour\b",
            whole=True,
        ),
    ),
    preferences=(
        Cue.of(
            "préfère préférons préférerais veux voulons voudrais voudrions aime aimons aimerais aimerions déteste "
            "cherche cherchons",
            r"\b(?:je|nous) (?:n['’]|ne |me |les |la |le )*(?:préf|veux|voul(?!ais dire)|voudr|aim|détest|cherch)\w*|"
            r"\bj['’](?:aim|ador)\w*|\bje n['’]aime\b",
            also="je j nous",
        ),
        Cue.of(
            "j'aime j'aimerais j'adore j'ai besoin",
            r"\bj['’](?:aim|ador)\w*|\b(?:j['’]ai|nous avons) besoin\b",
            also="j besoin",
        ),
        Cue.of("préféré préférée préférés", r"\bpréférée?s? (?:est|sont)\b"),
        refused_thing(
            "pas",
            "pas d(?:e |es |u |['’])",
            "problèmes?|soucis?|panique|chance|quoi|nouvelles?|doute|raison|mal|réponses?|idées?|temps|questions?|"
            "changements?|erreurs?|réseau|connexion|vrai|résultats?|différences?|tout|moi|lui|vous|nous|accord|avis|"
            "commentaires?|inquiétudes?|urgence|importance|stress|bol|retours?|place|pluie|plan|autres?|retard|heure|"
            "messages?|données?|traces?|accès|solutions?|signal",
        ),
    ),
    identities=(
        Cue.of(
            "appelle m'appelle nom adresse e-mail mail téléphone numéro anniversaire mari femme fils fille patron "
            "entreprise",
            r"\bje m['’]appelle\b|\bappelle[z-]?-?moi\b|\b(?:mon|ma|notre) (?:nom|prénom|adresse|e-?mail|téléphone|"
            r"numéro|anniversaire|mari|femme|fils|fille|patron|entreprise) (?:est|sont|s['’]appelle)\b",
        ),
        Cue.of(
            "habite j'habite vis travaille étudie viens",
            r"\bj['’]habite\b|\bje (?:vis|travaille|étudie)\b(?! (?:sur|dessus)\b)|\bj['’]étudie\b|\bje viens de "
            r"(?-i:[A-Z])",
            also="j je",
        ),
        Cue.of("moi", r"\bmoi,? c['’]est (?-i:[A-Z])"),
        Cue.of("déménagé installé", r"\b(?:j['’]ai|nous avons|on a|ai) déménagé\b|\bme suis installée?\b", whole=True),
        Cue.of(
            "ans suis",
            r"\bj['’]ai \d{1,3} ans\b|\bje suis (?:professeure?|médecin|développeu\w+|étudiante?|ingénieure?|"
            r"retraitée?|infirmi\w+)\b",
            also="ans suis",
        ),
    ),
    commitments=(
        Cue.of(
            "vais allons",
            r"\bje vais (?!bien\b|mieux\b|souvent\b|à\b|au\b|en\b|chez\b)|\bnous allons (?!bien\b|à\b|au\b|"
            r"en\b)[^.;!?]*(?:er|ir|re)\b",
            whole=True,
        ),
        Cue.of(
            "réservé envoyé commandé créé modifié annulé confirmé noté enregistré supprimé",
            r"\b(?:j['’]ai|nous avons|a été|ont été) (?:bien |déjà )?(?:réservé|envoyé|commandé|créé|modifié|annulé|"
            r"confirmé|noté|enregistré|supprimé)\w*",
        ),
        Cue.of(
            "promets engage numéro",
            r"\bje (?:vous |te )?promets\b|\bje m['’]engage\b|\bvotre numéro de (?:réservation|commande|dossier)\b",
            whole=True,
        ),
        Cue.of(
            "enverrai réserverai ferai rappellerai noterai",
            r"\bje (?:vous |te |le |la |les )*(?:enverrai|réserverai|ferai|rappellerai|noterai)\b",
            whole=True,
        ),
    ),
    corrections=(
        Cue.of(
            "fait finalement plutôt voulais lieu changez change changer modifiez modifier",
            r"^\W*(?:non, )?(?:en fait|finalement|plutôt)\b(?! (?:tout|c['’]était|bien|pas mal)\b)"
            r"(?! (?:j['’]|je )(?:n['’])?(?:aime|adore|déteste|pense|trouve|crois)\b(?!.*(?:\d|\b(?:mieux|plutôt)\b)))|"
            r"\b(?:je voulais dire|au lieu de|plutôt que)\b|"
            r"\b(?:non|mais|et|,) finalement\b|\bfinalement pas\b|"
            r"\b(?:change[rz]?|modifie[rz]?)\b.{1,60}?\b(?:à|en|par|pour)\b",
            also="fait finalement plutôt voulais lieu par pour en à",
        ),
        Cue.of(
            "changé décale décalé décalée décalons repousse repoussé repoussée reporte reporté reportée avis trompé "
            "trompée place",
            r"\b(?:décal|repouss|report)\w*[^?]{0,60}?\b(?:au|à|en)\b|\bchangé d['’]avis\b|"
            r"\b(?:a|ont) changé\b(?! (?:ma|la|notre|le) (?:vie|monde|ville)\b)|\b(?:me suis|s['’]est|nous sommes) "
            r"tromp\w+|\bà la place\b",
            whole=True,
        ),
        Cue.of(
            "mets mettez prends prenez disons",
            r"^\W*(?:(?:non|finalement|alors)[, ]+)*(?:mets|mettez|prends|prenez|disons) plutôt\b",
            whole=True,
        ),
        Cue.of(
            "non mais",
            r"^\W*non[,.!]+ (?:pas|c['’]est|ce sont|plutôt|le|la|les)\b|\b(?:n['’]est|ce n['’]est|non) pas "
            r"[^.;!?]{1,40}, (?:mais|c['’]est)\b",
            also="non mais",
        ),
    ),
    revisions=(
        Cue.of(
            "plutôt mieux pourquoi si dirais-tu diriez-vous",
            r"^\W*(?:et si|pourquoi pas|que dirais-tu de|que diriez-vous de)\b|\bserait mieux\b",
            also="mieux pourquoi et dirais diriez",
        ),
    ),
    takes=(
        r"oui\b(?! (?:mais|et)\b)|d['’]accord|ça (?:me|nous) (?:va|convient)|ça marche|parfait|très bien|"
        r"entendu|c['’]est bon|volontiers|avec plaisir|bien sûr|allons-y|vas-y|allez-y|va pour|je (?:le|la|les) prends|"
        r"le (?:premier|deuxième|second|dernier)|"
        r"la (?:première|deuxième|seconde|dernière)"
    ),
    refuses=r"non\b|pas\b(?! de (?:problème|souci))|plutôt pas\b|surtout pas\b",
    doings=r"\b(?:réserv|command|envo|annul|achet|achèt|supprim|modifi|chang|confirm|prend|prenn)\w*",
    requests=r"\b(?:peux|pourrais|veux)-tu\b|\b(?:pouvez|pourriez|voulez)-vous\b|\b(?:tu (?:peux|pourrais)|vous "
    r"(?:pouvez|"
    r"pourriez))\b",
    fillers="bonjour|bonsoir|salut|coucou|merci|merci beaucoup|merci bien|un grand merci|d'accord|au revoir|à "
    "bientôt|à "
    "plus tard|"
    "très bien|parfait|bonne journée|bonne soirée|bonne nuit|de rien|je vous en prie|je t'en prie|avec "
    "plaisir|"
    "compris|c'est noté|super|"
    "merci pour votre aide|merci pour ton aide|merci de votre aide|y a-t-il autre chose que je puisse "
    "faire "
    "pour "
    "vous|puis-je vous aider avec autre chose|comment puis-je vous aider|comment puis-je t'aider|c'est "
    "tout",
)
