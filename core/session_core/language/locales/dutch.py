"""Dutch cue phrases."""

from __future__ import annotations

from session_core.language.cue import Cue
from session_core.language.locales.locale import Locale
from session_core.language.refused_things import refused_thing
from session_core.language.ways_of_answering import SOME, way_of_answering

_LEAD = (
    r"^\W*(?:(?:en|maar|ja|nee|oké|ok|dus|belangrijk|regel|dan|hallo)[,:.!]?\s+)*(?:(?:alsjeblieft|alstublieft|"
    r"graag)[,:]?\s+)?"
)
_START = r"(?:^\W*|[.,;:!–—-]\s*|\b(?:alsjeblieft|alstublieft|en|maar|dus|dan)\s+)"
_ORDER = (
    r"(?:schrijf|boek|stuur|bel|noem|geef|zeg|vraag|neem|koop|betaal|verwijder|wijzig|verander|reserveer|annuleer|"
    r"bestel|deel|toon|spreek|praat|antwoord|gebruik|beantwoord|mail|plan|maak|doe|laat|publiceer|bewaar|kies|vermeld|"
    r"contacteer|wis|zet|vertaal|open|sluit)"
)
_NOBODY = r"(?:ik|we|wij|hij|het|men|was|waren|is|zijn|heeft|heb|hebben|had|ben|wordt|kan|gaat)"

_WAYS = (
    rf"(?:kort|in {SOME}(?:nederlands|engels|frans|duits|spaans|italiaans|vlaams|zin(?:nen)?|woord(?:en)?|regels?|"
    r"punten|lijst(?:je|jes|en)?|tabel(?:len)?|rijm|hoofdletters|markdown|\w*taal)|"
    rf"met {SOME}(?:voorbeeld(?:en)?|zinnen|woorden|bronnen|emoji['’]?s?|lijst(?:je|jes|en)?|details|humor|tabellen)|"
    r"zonder (?!mij|jou|hem|haar|ons|te)[^\s.,;:!?]+)"
)

DUTCH = Locale(
    rules=(
        Cue.of("altijd nooit", _LEAD + rf"(?:altijd|nooit)\b(?! (?:meer|weer)\b)(?!.*\b{_NOBODY}\b)", whole=True),
        Cue.of(
            "altijd nooit niet geen alleen uitsluitend enkel",
            _START + _ORDER + r"(?: (?!je |jij |u )[^\s.,;:!?]+){0,5}? (?:altijd|nooit|niet|geen|alleen|uitsluitend|"
            r"enkel)\b(?!.*\bik\b)",
            whole=True,
        ),
        Cue.of(
            "mag moet",
            r"\b(?:je|jij|u) (?:mag|moet) (?:[^.;!?]{0,40} )?(?:niet|nooit|geen|altijd|alleen|nog)\b|"
            r"\b(?:mag|mogen) (?:nooit|in geen geval|onder geen beding)\b",
            whole=True,
        ),
        Cue.of(
            "vanaf voortaan",
            r"\bvanaf nu\b(?!.*\b(?:ik|we|wij|hij)\b)|\bvoortaan\b(?!.*\b(?:ik|we|wij|hij|gaat)\b)",
            whole=True,
        ),
        Cue.of(
            "onthoud onthou vergeet denk houd hou",
            _START
            + r"(?:onthoud?\b|vergeet (?:alsjeblieft |alstublieft )?(?:niet|nooit)\b|denk (?:er )?(?:\w+ )?(?:aan|"
            r"eraan)\b|"
            r"houd? (?:er )?rekening mee\b|houd? in gedachten\b|houd? je aan\b)",
            whole=True,
        ),
        Cue.of(
            "wil graag vraag",
            r"\b(?:wil|graag|vraag) dat (?:je|jij|u) [^.;!?]*\b(?:altijd|nooit|geen|niet)\b",
            whole=True,
        ),
        Cue.of("geen", _LEAD + r"geen [^\s,.]+,? (?:alsjeblieft|alstublieft)\b", whole=True),
        Cue.of(
            "zorg vermijd let",
            _START + r"(?:zorg (?:ervoor|er \w+ voor)\b|vermijd\b|let (?:erop|op dat)\b)",
            whole=True,
        ),
        Cue.of(
            "geval beding omstandigheid toestemming",
            r"\b(?:in geen geval|onder geen (?:beding|enkele omstandigheid|enkel beding))\b(?!.*\b(?:was|waren|had)\b)|"
            r"\bzonder (?:mijn|onze) toestemming\b",
            whole=True,
        ),
        Cue.of(
            "alsjeblieft alstublieft", r"\b(?:alsjeblieft|alstublieft) (?:nooit|altijd|geen|niet|alleen)\b", whole=True
        ),
        way_of_answering(
            "antwoord schrijf spreek",
            "(?:antwoord|schrijf|spreek)(?: me| ons)?(?: alsjeblieft)?",
            r"altijd\b|voortaan\b",
            rf"(?:alleen )?{_WAYS}",
        ),
    ),
    constraints=(
        Cue.of(
            "moet moeten mag mogen",
            r"\b(?:het|dat|dit|hij|die|de [^\s.,]+|alles) (?:moet|moeten|mag|mogen)\b(?! (?:zeggen|wel|gezegd)\b)|"
            r"\b(?:ik|we|wij) (?:moet|moeten)\b(?=.*(?:\d|\bvoor\b|\buiterlijk\b))|\b(?:moet|moeten|mag|mogen) "
            r"(?:minstens|hoogstens|maximaal|niet meer)\b",
            whole=True,
        ),
        Cue.of(
            "hoogstens minstens minimaal maximaal uiterlijk hooguit meer tot onder boven",
            r"\b(?:hoogstens|minstens|minimaal|maximaal|uiterlijk|hooguit)\b|\bniet (?:meer|minder|later|eerder|"
            r"langer) "
            r"dan\b|"
            r"\b(?:tot|onder) (?:de )?(?:[$€£]|\d)|\b(?:niet|niets|geen) [^.;!?]{0,40}\bboven (?:de )?(?:[$€£]|\d)",
            whole=True,
        ),
        Cue.of(
            "budget reisbudget deadline limiet",
            r"\b(?:mijn|ons|het) (?:\w+)?budget\b|\blimiet (?:is|van)\b",
            whole=True,
        ),
        Cue.of(
            "allergisch allergie notenallergie pinda-allergie vegetariër vegetarisch veganist veganistisch glutenvrij "
            "lactosevrij zwanger rolstoel coeliakie",
            r"\b(?:allergisch|\w*-?allergie|vegetari\w+|vegan\w*|glutenvrij\w*|lactosevrij\w*|zwanger|rolstoel\w*|"
            r"coeliakie)\b|\b[^\W\d_]+allergie\b",
        ),
        Cue.of(
            "eet drink eten drinken mag mogen",
            r"\b(?:ik|we|wij|hij|zij) (?:eet|eten|drink|drinkt|drinken|mag|mogen) geen\b",
            whole=True,
        ),
        Cue.of(
            "kan kunnen",
            r"\b(?:ik|we|wij) (?:kan|kunnen) (?:pas|alleen|niet (?:voor|na|op|eten|vliegen|reizen))\b",
            whole=True,
        ),
        Cue.of("behalve tenzij", r"\b(?:behalve|tenzij)\b", whole=True),
    ),
    decisions=(
        Cue.of(
            "nemen neem kiezen kies boeken gaan ga doen besloten gekozen beslist afgesproken houden hou laten",
            r"\b(?:we|wij|ik) (?:nemen|neem|kiezen|kies)\b(?! (?:vaak|altijd|meestal|soms|nooit|aan|deel)\b)(?!.* "
            r"(?:aan|deel)\W*$)|"
            r"\b(?:we|wij) (?:boeken|houden|laten)\b|\b(?:we|wij|ik) (?:gaan|ga) voor\b|"
            r"\b(?:we|wij|ik) (?:heb|hebben) [^.;!?]{0,50}\b(?:besloten|gekozen|beslist|afgesproken)\b|"
            r"^\W*(?:besloten|afgesproken)\b|\bdan nemen we\b|"
            r"\bhou(?:den|d)? het (?:bij|op)\b",
            whole=True,
        ),
        Cue.of("laten beslissing", r"\blaten we (?:\S+ ){1,5}(?:nemen|kiezen|boeken|doen)\b|\bbeslissing:", whole=True),
    ),
    preferences=(
        Cue.of(
            "wil willen hou houd houden zoek zoeken haat graag liever liefst voorkeur lievelingskleur",
            r"\b(?:ik|we|wij) (?:wil|willen|zoek|zoeken|haat)\b|\b(?:ik|we|wij) houd?(?:en)? (?:niet )?van\b|"
            r"\b(?:ik|we|wij) [^\s.,]+ (?:heel |zou )?(?:graag|liever|het liefst)\b|\b(?:ik|we|wij) (?:zou|zouden) "
            r"(?:graag|liever)\b|"
            r"\b(?:liever|het liefst)\b|\bvoorkeur (?:voor|aan)\b|\blievelings\w+ is\b",
            whole=True,
        ),
        Cue.of("nodig", r"\b(?:ik|we|wij) (?:heb|hebben) [^.;!?]{1,40}\bnodig\b", whole=True),
        refused_thing(
            "geen",
            "geen ",
            "idee|probleem|problemen|zorgen|dank|tijd|zin|punt|haast|nieuws|antwoord|wonder|kans|stress|vragen|fouten|"
            "van|enkele?|mening|interesse|commentaar|paniek|moeite|gedoe|plek|ervaring|reacties?|resulta(?:at|ten)|"
            "bericht(?:en)?|toegang|gegevens|oplossing|verschil",
        ),
    ),
    identities=(
        Cue.of(
            "heet naam woon werk kom noem adres telefoonnummer verjaardag vrouw man zoon dochter baas bedrijf studeer",
            r"\bik (?:heet|woon|werk|studeer)\b|\bik kom uit\b|\bnoem me\b|"
            r"\b(?:mijn|m'n) (?:naam|adres|e-?mail(?:adres)?|telefoonnummer|verjaardag|man|vrouw|zoon|dochter|baas|"
            r"bedrijf) (?:is|heet)\b",
            whole=True,
        ),
        Cue.of("verhuisd", r"\b(?:ik ben|we zijn|wij zijn) [^.;!?]{0,40}\bverhuisd\b", whole=True),
    ),
    commitments=(
        Cue.of("zal ga", r"\bik (?:zal|ga) (?:het |dit |dat |u |je |de |een |voor )[^.;!?]{2,}", whole=True),
        Cue.of(
            "geboekt gereserveerd besteld verstuurd verzonden geannuleerd aangemaakt gewijzigd opgeslagen genoteerd",
            r"\b(?:geboekt|gereserveerd|besteld|verstuurd|verzonden|geannuleerd|aangemaakt|gewijzigd|opgeslagen|"
            r"genoteerd)\b",
            whole=True,
        ),
        Cue.of("beloof boekingsnummer bestelnummer", r"\bik beloof\b|\b(?:boekings|bestel)nummer is\b"),
    ),
    corrections=(
        Cue.of(
            "toch bedoelde liever eigenlijk plaats correctie",
            r"\btoch (?:met |op |om |voor )*(?:\d|(?:twee|drie|vier|vijf|zes|zeven|acht|negen|tien|elf|"
            r"twaalf)(?:en)?\b)|"
            r"\btoch (?:liever|niet|geen|maar)\b(?! (?:zo|waar|erg)\b)|\bik bedoelde\b|^\W*(?:nee,? "
            r")?(?:eigenlijk(?! (?:vind|hou|haat|denk) ik\b(?!.*(?:\d|\b(?:beter|liever)\b)))|"
            r"correctie)\b|\bin plaats (?:van|daarvan)\b",
            whole=True,
        ),
        Cue.of(
            "nee vergist bedacht veranderd gewijzigd verzet verplaatst verander wijzig maar",
            r"^\W*nee[,.!]+ (?:niet|het is|het zijn|dat is|de|liever)\b|\bvergist\b|\bme bedacht\b|\b(?:is|zijn) "
            r"(?:veranderd|gewijzigd)\b|"
            r"\b(?:verzet|verplaatst|verander|wijzig)\b[^?]{1,60}?\b(?:naar|in)\b|\bniet [^.;!?]{1,40}, maar\b",
            whole=True,
        ),
    ),
    revisions=(Cue.of("wat beter", r"^\W*(?:en )?wat dacht je van\b|\bzou beter zijn\b", whole=True),),
    takes=(
        r"ja\b(?! (?:maar|wat|hoe|nee)\b)|graag\b|akkoord|prima\b|klinkt goed|afgesproken|in orde|dat is goed|"
        r"goed\b(?! (?:wat|hoe|maar)\b)|"
        r"doe maar|natuurlijk|zeker\b|perfect\b|oké\b|die is goed|(?:de|het) (?:eerste|tweede|derde|laatste)\b"
    ),
    refuses=r"nee\b|niet\b|liever niet\b|toch niet\b",
    doings=r"\b(?:boek|reserve|bestel|stuur|sturen|annule|koop|kopen|verwijder|wijzig|verplaats|bevestig|zet|"
    r"neem|"
    r"nemen)\w*",
    requests=r"\b(?:kun|kan|zou|wil) (?:je|jij|u)\b|\bkunt u\b",
    fillers="dank je|dank je wel|dankjewel|dank u|dank u wel|dankuwel|bedankt|hartelijk dank|hoi|hallo|"
    "goedemorgen|"
    "goedemiddag|"
    "goedenavond|dag|doei|tot ziens|tot straks|graag gedaan|geen dank|prima|begrepen|fijne dag|fijne dag "
    "nog|"
    "bedankt voor je hulp|bedankt voor uw hulp|dank voor de hulp|kan ik u nog ergens mee helpen|kan ik "
    "je "
    "nog "
    "ergens mee helpen|waarmee kan ik u helpen|waarmee kan ik je helpen|dat is alles",
)
