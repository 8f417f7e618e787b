"""The most frequent cue phrases of Polish, Turkish, Arabic and Hindi."""

from __future__ import annotations

from session_core.language.cue import Cue
from session_core.language.locales.locale import Locale

_START = r"(?:^\W*|[.,;:!–—-]\s*|\b(?:i|ale|proszę|więc)\s+)"
_NOBODY = r"(?!.*\b(?:ja|jest|był[aoy]?|byłem|byłam|nie (?:ma|byłem|byłam|widział\w*)|mam|mamy|lubię|pada|on|ona)\b)"
_ORDER = (
    r"(?:pisz|odpowiadaj|odpowiedz|używaj|użyj|rezerwuj|zarezerwuj|wysyłaj|wyślij|dzwoń|kupuj|kup|płać|usuwaj|usuń|"
    r"zmieniaj|zmień|pytaj|zapytaj|mów|podawaj|podaj|dawaj|daj|rób|zrób|wspominaj|proponuj|pokazuj|dodawaj|dodaj|"
    r"anuluj|zamawiaj|zamów|kontaktuj|udostępniaj|publikuj|wybieraj|tłumacz)(?:cie)?"
)

POLISH = Locale(
    rules=(
        Cue.of(
            "zawsze nigdy",
            rf"\b(?:zawsze|nigdy nie) (?:mi |mu |nam |do mnie )?{_ORDER}\b|\b{_ORDER} (?:\S+ ){{0,3}}zawsze\b|"
            rf"^\W*(?:proszę )?nigdy (?:przed|po|w|bez|nie)\b{_NOBODY}",
            whole=True,
        ),
        Cue.of(
            "nie",
            rf"{_START}nie (?:mi |mu |jej )?{_ORDER}\b|\bnie (?:wolno|możesz)\b(?! (?:sobie|wiedzieć))",
            whole=True,
        ),
        Cue.of(
            "pamiętaj pamiętajcie zapamiętaj zapomnij zapominaj miej upewnij unikaj",
            _START
            + r"(?:za)?pamiętaj(?:cie)?\b|"
            + _START
            + r"nie zapom(?:nij|inaj)(?:cie)?\b|"
            + _START
            + r"(?:miej na uwadze|upewnij się|unikaj)\b",
        ),
        Cue.of(
            "teraz odtąd pory żadnym żadnych",
            r"\b(?:od teraz|odtąd|od tej pory)\b"
            + _NOBODY
            + r"|\b(?:w żadnym wypadku|pod żadnym pozorem)\b|"
            + _START
            + r"żadnych (?!problem|wątpliwości|pomysł)\w+",
            whole=True,
        ),
        Cue.of("bez", r"\bbez (?:mojej|naszej) zgody\b", whole=True),
    ),
    constraints=(
        Cue.of(
            "mogę możemy może",
            r"\bnie mo(?:gę|żemy|że) (?:jeść|pić|latać|podróżować|przyjść|brać|używać|wydać)\b",
            whole=True,
        ),
        Cue.of("budżet budżetu", r"\bbudżet\w*"),
        Cue.of(
            "uczulony uczulona uczulenie alergię alergia alergii wegetarianinem wegetarianką wegetarianin weganinem "
            "weganką bezglutenowe",
            r"\b(?:uczul|alergi|wegetaria|wegan|bezgluten)\w+",
        ),
        Cue.of(
            "najwyżej maksymalnie najmniej minimum co musi muszą",
            r"\b(?:co najwyżej|maksymalnie|co najmniej|nie więcej niż|musi|muszą)\b(?! (?:przyznać|być pomyłka)\b)",
            whole=True,
        ),
    ),
    decisions=(
        Cue.of(
            "bierzemy biorę wybieramy wybieram wybrałem wybrałam wybraliśmy zdecydowałem zdecydowałam zdecydowaliśmy "
            "decydujemy rezerwujemy postanowione umowa",
            r"\b(?:bierzemy|biorę|wybieramy|wybieram|wybra(?:łem|łam|liśmy)|zdecydowa(?:łem|łam|liśmy)|decydujemy|"
            r"rezerwujemy)\b(?! (?:udział|zawsze|zwykle|często|prysznic|pod)\b)|^\W*postanowione\b|\bumowa stoi\b",
            whole=True,
        ),
    ),
    preferences=(
        Cue.of(
            "wolę wolałbym wolałabym chcę chcemy chciałbym chciałabym lubię potrzebuję szukam",
            r"\b(?:wolę|wolał(?:bym|abym)|chcę|chcemy|chciał(?:bym|abym)|lubię|potrzebuję|szukam)\b",
            whole=True,
        ),
    ),
    identities=(
        Cue.of(
            "nazywam mieszkam pracuję imię przeprowadziłem przeprowadziłam",
            r"\b(?:nazywam się|mam na imię|mieszkam w|pracuję (?:w|jako)|przeprowadził(?:em|am) się)\b",
            whole=True,
        ),
    ),
    commitments=(
        Cue.of(
            "zarezerwowałem zarezerwowałam wysłałem wysłałam anulowałem zamówiłem",
            r"\b(?:zarezerwował|wysłał|anulował|zamówił)(?:em|am)\b",
        ),
    ),
    corrections=(
        Cue.of(
            "jednak zamiast pomyliłem pomyliłam pomyłka miałem miałam",
            r"\bmiał[ae]m na myśli\b|^\W*(?:nie, )?jednak\b|\bjednak (?:nie|wolę|wezm\w+|chc\w+)\b|\bzamiast\b|"
            r"\bpomyl\w+",
        ),
        Cue.of(
            "zmienił zmieniła zmieniło zmieniam przesunięto przesuń przełożono przełóż przenieś",
            r"\bzmienił[aoy]? się\b|\b(?:zmieni\w+|przesu\w+|przeł[oó]ż\w*|przenie\w+) (?:\S+ ){0,3}(?:na|do)\b",
        ),
    ),
    takes=r"tak\b(?! (?:ale|i)\b)|dobrze|zgoda|pasuje|jasne|oczywiście|w porządku|świetnie|może być",
    refuses=r"nie\b(?! ma (?:problemu|sprawy))",
    doings=r"\b(?:zarezerw|wy[śs][łl]|zam[óo]w|anulow|kup|zmieni|doda|usun|zapis)\w*",
    requests=r"\b(?:czy )?(?:możesz|mógłbyś|mogłabyś|może pan|może pani)\b",
    fillers="cześć|dzień dobry|dobry wieczór|dobranoc|dziękuję|dziękuję bardzo|dzięki|wielkie dzięki|proszę|do "
    "widzenia|"
    "nie ma za co|rozumiem",
)

TURKISH = Locale(
    rules=(
        # Without a person asked to listen, the form is also a noun.
        Cue.of(
            "lütfen hiçbir bana beni bize bizi",
            r"^(?!.*\b(?:merak|kusura|üzül|endişe|kork|kız|gül|bakma)\w*)(?=.*\b(?:lütfen|"
            r"hiçbir|bana|beni|bize|bizi)\b)[^.?]*\b[^\W\d_]{2,}m[ae](?:y[ıi]n(?:[ıi]z)?)?"
            r"(?:,? lütfen)?\W*$",
            whole=True,
        ),
        Cue.of("asla", r"\basla\b[^.?]*\b(?:[^\W\d_]*m[ae](?:y[ıi]n(?:[ıi]z)?)?|yok|olmaz|olmas[ıi]n)\W*$", whole=True),
        Cue.of(
            "her daima",
            r"\b(?:her zaman|daima)\b[^.?]*\b(?:yaz|kullan|ver|cevapla|söyle|konuş|sor|yanıtla|et|yap|"
            r"göster)(?:[ıiuü]n(?:[ıiuü]z)?)?(?:,? lütfen)?\W*$",
            also="zaman daima",
        ),
        Cue.of("unutma unutmayın hatırla aklında", r"\b(?:unutma(?:y[ıi]n)?|hat[ıi]rla|akl[ıi]nda tut)\b", whole=True),
        Cue.of(
            "bundan şu", r"\b(?:bundan (?:sonra|böyle)|şu andan itibaren)\b(?!.*(?:[ıiuü]m|[ıiuü]z)\W*$)", whole=True
        ),
        Cue.of(
            "hiçbir kesinlikle",
            r"\bhiçbir (?:koşulda|şekilde|durumda)\b|"
            r"\bkesinlikle\b[^.?]*\b[^\W\d_]{2,}m[ae](?:y[ıi]n(?:[ıi]z)?)?\W*$",
            whole=True,
        ),
    ),
    constraints=(
        Cue.of(
            "yiyemem yiyemiyorum yiyemez içemem içemiyorum içemez uçamam gelemem kullanamam alamam alamaz",
            r"\b(?:yiyeme|içeme|uçama|geleme|kullanama|alama)(?:m|z|yorum)?\w*",
        ),
        Cue.of("bütçe bütçem bütçemiz bütçesi", r"\bbütçe\w*"),
        Cue.of(
            "alerjim alerjisi alerji alerjik vejetaryen vejetaryenim vegan veganım glutensiz helal hamileyim",
            r"\b(?:alerji|vejetaryen|vegan|gluten|helal|hamile)\w*",
        ),
        Cue.of(
            "en zorunda fazla",
            r"\ben (?:fazla|çok|az) \d|\b(?:olmak|kalmak|gelmek) zorunda\b|\bgeç(?:memeli|mesin|emez)\b",
            whole=True,
        ),
    ),
    decisions=(
        Cue.of(
            "karar seçtik seçtim seçiyoruz seçiyorum alıyoruz tutuyoruz",
            r"\bkarar (?:verdim|verdik|kıldık)\b|\b(?:seçtik|seçtim|seçiyoruz|seçiyorum|alıyoruz)\b|\bkarar:",
            whole=True,
        ),
    ),
    preferences=(
        Cue.of(
            "tercih istiyorum istiyoruz isterim severim sevmem",
            r"\btercih (?:ederim|ediyorum|ederiz)\b|\b(?:istiyorum|istiyoruz|isterim|severim|sevmem)\b",
            whole=True,
        ),
    ),
    identities=(
        Cue.of(
            "adım ismim yaşıyorum oturuyorum çalışıyorum taşındım",
            r"\b(?:(?:benim )?adım|ismim)\b|\b(?:yaşıyorum|oturuyorum|çalışıyorum|taşındım)\b",
            whole=True,
        ),
    ),
    corrections=(
        Cue.of(
            "aslında yerine değil değişti değiştir vazgeçtim demek ertelendi alındı kaydırıldı",
            r"\bdemek iste(?:dim|miştim)\b|^\W*(?:o |bu )?[^?]{1,20}['’ ]?[aeıiuü] (?:ertelendi|alındı|"
            r"kaydırıldı)\b|^\W*(?:hayır, )?aslında\b|\byerine\b|\bdeğil, |\bdeğişti\b|\b\w+ olarak değiştir|"
            r"\bvazgeçtim\b",
            whole=True,
        ),
    ),
    takes=r"evet\b(?! ama)|tamam\b|olur\b|anlaştık|kabul|harika|tabii|peki\b|uygun",
    refuses=r"hayır\b|olmaz\b|istemiyorum\b",
    doings=r"\b(?:rezerv|ayırt|gönder|iptal|satın|ekle|değiştir|sipariş|sil)\w*",
    requests=r"(?:misin|mısın|misiniz|mısınız|musun|müsün|musunuz|müsünüz)\b",
    fillers="merhaba|selam|günaydın|iyi akşamlar|iyi geceler|teşekkürler|teşekkür ederim|çok teşekkürler|çok "
    "teşekkür "
    "ederim|sağ ol|sağolun|rica ederim|"
    "hoşça kal|görüşürüz|anladım",
)

ARABIC = Locale(
    rules=(
        Cue.within(
            "arabic",
            r"(?:^|[\s،.:!])(?:و|ف)?(?:تذكر(?=[\s:،!]|ي |وا )|تذكّر|لا تنس|لا تنسى|لا تنسَ|احرص على|تأكد من|تجنب )|من "
            r"الآن (?:فصاعد|وصاعد)|بعد الآن لا ت|"
            r"(?:^|[\s،.:!])لا ت(?!قلق|خف|حزن|وجد|زال|عمل|مطر|شرق)\S+[^.؟?]*(?:أبد|مطلق|إطلاق)|تحت أي ظرف|"
            r"(?:ممنوع|يمنع)|"
            r"بدون (?:إذني|موافقتي)|"
            r"(?:أجب|اكتب|استخدم|رد|تحدث|أرسل)\S*[^.؟?]*(?:دائم|فقط)|(?:^|[\s،.:!])لا (?:تعط|تستخدم|تحذف|ترسل|تتصل|"
            r"تحجز|تكتب|تذكر|تغير|تشارك|تضف|تشتر|تلغ|تنشر|تلمس)[يوا]*(?:ني|نا|ه|ها|هم)?(?=\s)|"
            r"(?:دائم[اً]+) (?:أجب|اكتب|استخدم|رد|تحدث|أرسل)|"
            r"(?:الرجاء|رجاءً?|من فضلك) (?:عدم|لا ت)|(?:^|[:،] ?)أبد[اً]+ لا ت",
        ),
    ),
    constraints=(
        Cue.within(
            "arabic",
            r"لا (?:أستطيع|يمكنني|أقدر|نستطيع) (?:أن )?(?:أكل|آكل|شرب|أشرب|تناول|أتناول|السفر|أسافر)|ميزاني|"
            r"حساسي[ةه]|(?<!\S)نباتي|حلال|سكري|حامل(?=[\s.،]|$)|على الأكثر|على الأقل \d|كحد أقصى|كحد أدنى|"
            r"لا (?:يتجاوز|تتجاوز|يزيد|تزيد)|يجب أن(?! أ(?:عترف|قول|فكر|ذهب|نام))",
        ),
    ),
    decisions=(
        Cue.within(
            "arabic", r"(?<!\S)(?:لقد )?(?:قررت|قررنا|اخترت|اخترنا)(?=\s)|سنأخذ|سآخذ|سنختار|سأختار|القرار:|اتفقنا|سنحجز"
        ),
    ),
    preferences=(
        Cue.within(
            "arabic", r"(?<!\S)(?:أفضل(?= (?:ال|أن|[^\s.؟?]+ا(?:ً)?(?:\s|$)))|أريد|نريد|أحب|أكره|أحتاج|أود)(?=\s)"
        ),
    ),
    identities=(Cue.within("arabic", r"(?<!\S)(?:اسمي|أسكن|أعيش في|أعمل (?:في|لدى|ك)|انتقلت إلى)"),),
    corrections=(
        Cue.within(
            "arabic",
            r"(?:^|[،.] ?)(?:لا، ?|في الواقع|بل )|(?<!\S)ليس \S[^؟?]* بل |(?<!\S)غي?ّ?ر(?:وا|ي)? [^؟?]* إلى |"
            r"(?:تم |جرى )?(?:تأجيل|نقل|تغيير)(?:ه|ها) إلى|بدل[اً]+ من|غيرت رأيي|تغيرت?(?= (?:ال|إلى))|قصدت|وليس ",
        ),
    ),
    takes=r"نعم(?=[،.\s!]|$)|حسن[اً]+|موافق|تمام|اتفقنا|ممتاز|بالتأكيد|طبع[اً]+",
    refuses=r"لا(?=[،.\s!]|$)|كلا",
    doings=r"(?<!\S)[أان](?:حجز|رسل|لغي|شتري|ضيف|غي?ّ?ر|ستخدم|خذ|ختار|طلب|حذف|ؤجل|سجل)\S*",
    requests=r"هل (?:يمكنك|تستطيع|بإمكانك)",
    fillers="شكرا|شكراً|شكرا لك|شكرا جزيلا|شكراً جزيلاً|مرحبا|مرحباً|السلام عليكم|صباح الخير|مساء الخير|مع "
    "السلامة|"
    "عفوا|"
    "عفواً|فهمت",
)

_DO = r"(?:दें|दो|दीजिए|दीजिये|देना|करें|करो|कीजिए|करना|लिखें|लिखो|लिखना|रखें|रखना|बताएं|बताना|बोलें|भेजें|भेजना)"
HINDI = Locale(
    rules=(
        Cue.within(
            "devanagari",
            rf"याद (?:रख|रहे)|(?:मत|ना|न) भूल|हमेशा [^।?]*{_DO}(?=[\s।!.]|$)|कभी (?:भी )?[^।?]*(?:मत |(?:न|नहीं) "
            rf"(?:करना|करें|भेजना|भेजें|लिखना|लिखें|करो))|अब से (?!मैं|हम)|आगे से (?!मैं|हम)|"
            r"मत [^\s।?]+ (?:करो|करना|करें|कीजिए)|(?:^|[\s,।:])[^।?]*मत (?:देना|दो|करो|करना|कीजिए|करें|भेजो|भेजना|लिखो|"
            r"लिखना|बताना|बुक)|किसी भी (?:हालत|सूरत|स्थिति) "
            r"में|मेरी (?:अनुमति|इजाज़त|इजाजत) के बिना",
        ),
    ),
    constraints=(
        Cue.within(
            "devanagari",
            r"बजट|एलर्जी|शाकाहारी|वीगन|हलाल|मधुमेह|गर्भवती|ज़्यादा से ज़्यादा|ज्यादा से ज्यादा|अधिकतम|कम से कम (?=\d)|"
            r"से (?:ज़्यादा|ज्यादा|अधिक) (?:नहीं|न )|(?:मैं|हम) [^।?]*नहीं (?:खाता|खाती|खाते|पीता|पीती|(?:खा|पी|ले) "
            r"(?:सकता|सकती|सकते))|होना चाहिए",
        ),
    ),
    decisions=(
        Cue.within(
            "devanagari",
            r"(?:तय|फैसला|फ़ैसला|निर्णय) (?:किया|कर लिया|लिया)|चुन(?:ा है|ते हैं|ता हूँ|ती हूँ)|(?:हम|मैं) "
            r"[^।?]*(?:लेंगे|लूँगा|लूंगा|लूँगी|लूंगी|बुक करेंगे)(?=[।.!]|$)|तय रहा",
        ),
    ),
    preferences=(Cue.within("devanagari", r"(?:मुझे|हमें) [^।?]*(?:पसंद|चाहिए|चाहते)|(?:चाहता|चाहती|चाहते) (?:हूँ|हूं|हैं)"),),
    identities=(Cue.within("devanagari", r"मेरा नाम|(?:मैं|हम) [^।?]*(?:रहता|रहती|रहते|काम करता|काम करती) (?:हूँ|हूं|हैं)"),),
    corrections=(
        Cue.within("devanagari", r"(?:^|[।,]) ?नहीं, |के बजाय|की जगह|असल में|बदल (?:गया|गई|दें|दो)|तक टल|मेरा मतलब"),
    ),
    takes=r"हाँ|हां|ठीक है|मंज़ूर|मंजूर|बिल्कुल|सही है|अच्छा",
    refuses=r"नहीं|ना(?=[\s,।]|$)|मत",
    doings=r"बुक|भेज|रद्द|ख़?रीद|जोड़|बदल|हटा|मँ?ग(?:वा|ा)|(?:ले|रख|कर) (?:ल[ेू]|द[ेूो])",
    requests=r"क्या (?:आप|तुम)",
)
