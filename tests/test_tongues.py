"""What users and assistants say in fourteen languages is kept for what it is; what only sounds like it costs nothing."""

from __future__ import annotations

import pytest

from session_core.classify import RuleClassifier, filler
from session_core.facts import extract
from session_core.language.accepting import decides, takes
from session_core.language.cues import corrects, kinds, promises
from session_core.language.slots import slot
from session_core.language.values import currency, values
from session_core.plan import FactKind
from session_core.turns import Importance, Message, Role

STATED = """
de rule Bitte merke dir: keine Anrufe nach 20 Uhr!
de rule Denk daran, dass wir zwei Hunde haben.
de rule Vergiss nicht, die Quellen anzugeben.
de rule Vergessen Sie bitte nicht, mich zu fragen.
de rule Verwende nie das alte Passwort.
de rule Schicken Sie mir bitte keine Anhänge.
de rule Antworte nur auf Deutsch.
de rule Du sollst keine Dateien überschreiben.
de rule Bestelle unter keinen Umständen etwas ohne Rückfrage.
de rule Von nun an bitte kurze Sätze.
de rule Immer mit Zwischensumme rechnen.
de rule Sag mir niemals, wie der Film ausgeht.
de rule Kannst du bitte immer die Uhrzeit dazuschreiben?
de rule Ändere nichts ohne meine Zustimmung.
de constraint Das Zimmer darf höchstens 90 Euro kosten.
de constraint Meine Tochter hat eine Milchallergie.
de constraint Ich esse kein Fleisch.
de constraint Unser Reisebudget liegt bei 1.500 Euro.
de constraint Die Bühne muss vor Freitag stehen.
de constraint Wir können nur am Wochenende.
de decision Wir haben uns auf den Dienstag geeinigt.
de decision Wir bleiben bei der kleinen Lösung.
de decision Ich nehme die zweite Variante.
de preference Ich sitze gern am Fenster.
de preference Wir möchten lieber ein ruhiges Viertel.
de identity Ich heiße Jutta.
de identity Mein Name ist Karsten Voigt.
de identity Ich bin nach Kiel gezogen.
de identity Ich arbeite bei der Post.
de correction Nein, doch lieber Mittwoch.
de correction Wir fahren doch nicht mit dem Auto.
de correction Der Termin hat sich geändert.
de promise Ich werde die Rechnung heute noch schicken.
de promise Der Tisch ist reserviert.
es rule Recuerda que viajamos con un perro.
es rule No olvides citar las fuentes.
es rule Nunca uses la tarjeta de la empresa.
es rule No borres nada sin mi permiso.
es rule Siempre responde en español.
es rule Contesta siempre con una tabla.
es rule De ahora en adelante, frases cortas.
es rule No compres nada bajo ninguna circunstancia.
es rule Por favor, no me llames por la noche.
es rule Debes preguntar antes de pagar.
es rule ¿Puedes responder siempre en español?
es constraint La habitación debe tener dos camas.
es constraint Como máximo 90 euros por noche.
es constraint Mi hermana es celíaca.
es constraint No puedo viajar los lunes.
es constraint Nuestro presupuesto es bajo.
es decision Hemos decidido ir en tren.
es decision Me quedo con la azul.
es decision Vamos con la segunda opción.
es preference Prefiero la ventanilla.
es preference Nos gustaría un barrio tranquilo.
es identity Me llamo Jimena.
es identity Vivo en Murcia.
es identity Me he mudado a Bilbao.
es identity Mi correo es jimena arroba casa.
es correction No, mejor el miércoles.
es correction En realidad somos once.
es correction La hora ha cambiado.
es correction No es el lunes, sino el martes.
es promise He reservado la mesa.
es promise Voy a enviar la factura esta tarde.
fr rule Retenez que nous voyageons avec un chien.
fr rule N'oubliez pas de citer les sources.
fr rule N'utilise jamais la carte de la société.
fr rule Ne supprime rien sans mon accord.
fr rule Réponds toujours en français.
fr rule À partir de maintenant, des phrases courtes.
fr rule Tu ne dois pas modifier la base.
fr rule Il ne faut jamais appeler le soir.
fr rule S'il te plaît, ne m'appelle pas le soir.
fr rule Gardez en tête que je suis au bureau le mardi.
fr rule Peux-tu toujours répondre en français, et ne jamais traduire les noms ?
fr constraint La chambre doit avoir deux lits.
fr constraint Au maximum 90 euros la nuit.
fr constraint Ma sœur est intolérante au lactose.
fr constraint Je ne mange pas de viande.
fr constraint Notre budget est serré.
fr decision Nous avons décidé de partir en train.
fr decision Je prends la bleue.
fr decision On a choisi la deuxième offre.
fr preference Je préfère le couloir.
fr preference J'aimerais un quartier calme.
fr identity Je m'appelle Maëlle.
fr identity J'habite à Nantes.
fr identity Nous avons déménagé à Rennes.
fr identity Mon adresse est au 4 rue Haute.
fr correction Non, finalement mercredi.
fr correction Finalement pas le train.
fr correction En fait nous sommes onze.
fr correction Le budget a changé.
fr promise J'ai réservé la table.
fr promise Je vais envoyer la facture.
it rule Ricordati che viaggiamo con un cane.
it rule Non dimenticare di citare le fonti.
it rule Non usare mai la carta aziendale.
it rule Non cancellare niente senza il mio permesso.
it rule Rispondi sempre in italiano.
it rule Da ora in avanti frasi brevi.
it rule Non devi modificare il database.
it rule In nessun caso prima delle nove.
it rule Per favore, non chiamarmi la sera.
it rule Puoi rispondere sempre in italiano, e non tradurre mai i nomi?
it constraint La camera deve avere due letti.
it constraint Al massimo 90 euro a notte.
it constraint Mia sorella è celiaca.
it constraint Non mangio carne.
it constraint Non posso viaggiare il lunedì.
it decision Abbiamo deciso di andare in treno.
it decision Scelgo quella blu.
it decision Prendo il secondo.
it preference Preferisco il finestrino.
it preference Ci piacerebbe un quartiere tranquillo.
it identity Mi chiamo Ginevra.
it identity Abito a Parma.
it identity Mi sono trasferita a Lecce.
it identity Il mio indirizzo è via Verdi.
it correction No, meglio mercoledì.
it correction Anzi, siamo in undici.
it correction Il programma è cambiato.
it correction Invece prendiamo il traghetto.
it promise Ho prenotato il tavolo.
it promise Le invierò la fattura.
pt rule Lembre-se de que viajamos com um cão.
pt rule Não esqueça de citar as fontes.
pt rule Nunca use o cartão da empresa.
pt rule Não apague nada sem a minha permissão.
pt rule Sempre responda em português.
pt rule Responda sempre com uma tabela.
pt rule De agora em diante, frases curtas.
pt rule Não compre nada em hipótese alguma.
pt rule Por favor, não me ligue à noite.
pt rule Você deve perguntar antes de pagar.
pt rule Tenha em mente que viajamos com um bebê.
pt constraint O quarto deve ter duas camas.
pt constraint No máximo 90 euros por noite.
pt constraint A minha irmã é celíaca.
pt constraint Não posso viajar na segunda.
pt constraint O nosso orçamento é curto.
pt decision Decidimos ir de trem.
pt decision Fico com o azul.
pt decision Escolhemos a segunda opção.
pt preference Prefiro a janela.
pt preference Gostaríamos de um bairro tranquilo.
pt identity Eu me chamo Iara.
pt identity Moro em Recife.
pt identity Mudei para Natal.
pt identity Meu endereço é rua das Flores.
pt correction Na verdade, somos onze.
pt correction Não, melhor quarta.
pt correction O horário mudou.
pt correction Mudei de ideia.
pt promise Reservei a mesa.
pt promise Vou enviar a fatura hoje.
nl rule Onthoud dat we met een hond reizen.
nl rule Vergeet niet de bronnen te noemen.
nl rule Gebruik nooit de kaart van de zaak.
nl rule Verwijder niets, en wijzig geen bestanden.
nl rule Antwoord altijd in het Nederlands.
nl rule Vanaf nu korte zinnen.
nl rule Je mag de database niet wissen.
nl rule Koop in geen geval iets zonder te vragen.
nl rule Bel me alsjeblieft niet in de avond.
nl rule Houd er rekening mee dat ik dinsdag werk.
nl rule Kun je alsjeblieft altijd in het Nederlands antwoorden?
nl constraint De kamer moet twee bedden hebben.
nl constraint Hoogstens 90 euro per nacht.
nl constraint Mijn zus heeft een notenallergie.
nl constraint Ik eet geen vlees.
nl constraint Mijn budget is klein.
nl constraint Ik kan alleen in het weekend.
nl decision We hebben voor de trein gekozen.
nl decision Ik neem de blauwe.
nl decision We gaan voor de tweede optie.
nl preference Ik zit liever bij het raam.
nl preference We willen een rustige buurt.
nl identity Ik heet Femke.
nl identity Ik woon in Zwolle.
nl identity Ik ben naar Breda verhuisd.
nl identity Mijn naam is Joris.
nl correction Nee, toch liever woensdag.
nl correction We gaan toch niet met de auto.
nl correction Eigenlijk zijn we met elf.
nl correction Het tijdstip is veranderd.
nl promise Ik heb de tafel gereserveerd.
nl promise De factuur is verstuurd.
zh rule 请记住我们带着一只狗。
zh rule 别忘了注明出处。
zh rule 不要忘记先问我。
zh rule 永远不要使用公司的卡。
zh rule 未经我同意不要删除任何文件。
zh rule 以后请用中文回答。
zh rule 从今天起,句子要短。
zh rule 晚上请勿打电话。
zh rule 任何情况下都不要付款。
zh rule 务必先确认价格。
zh constraint 房间必须有两张床。
zh constraint 每晚最多90欧元。
zh constraint 我妹妹对牛奶过敏。
zh constraint 我吃素。
zh constraint 我们的预算不高。
zh constraint 周一我不能出门。
zh decision 我们决定坐火车。
zh decision 那就选第二个方案。
zh decision 就这么定了。
zh preference 我更喜欢靠窗的座位。
zh preference 我们想要安静一点的街区。
zh identity 我叫林小雨。
zh identity 我住在成都。
zh identity 我搬到杭州了。
zh correction 不对,是周三。
zh correction 时间改到下午了。
zh correction 我说错了,是十一个人。
zh correction 不去山里了,我们去海边。
zh promise 我会在今天发送账单。
zh promise 已为您预订座位。
ja rule 犬を連れていることを覚えておいてください。
ja rule 出典を書くのを忘れないで。
ja rule 会社のカードは決して使わないでください。
ja rule いつも日本語で答えてください。
ja rule 今後は短い文でお願いします、表にしてください。
ja rule 許可なしに削除してはいけません。
ja rule 必ず先に値段を確認してください。
ja rule 夜に電話しないで。
ja constraint 部屋にはベッドが二つなければなりません。
ja constraint 一泊90ユーロ以内です。
ja constraint 妹は牛乳アレルギーです。
ja constraint 私はベジタリアンです。
ja constraint 金曜までに必要です。
ja decision 電車で行くことに決めました。
ja decision 青いほうにします。
ja decision 二番目のプランに決定。
ja preference 窓側の席が好きです。
ja preference 静かな地区がいいです。
ja identity 佐藤と申します。
ja identity 札幌に住んでいます。
ja identity 神戸に引っ越しました。
ja correction やっぱり水曜日がいいです。
ja correction 月曜日ではなく火曜日です。
ja correction すみません、間違えました。
ja promise 席を予約しました。
ja promise 請求書をお送りします。
ko rule 개와 함께 여행한다는 걸 기억해 주세요.
ko rule 출처를 적는 것을 잊지 마세요.
ko rule 회사 카드는 절대 쓰지 마세요.
ko rule 항상 한국어로 답해 주세요.
ko rule 이제부터 짧은 문장으로 써 주세요.
ko rule 허락 없이 삭제하면 안 됩니다.
ko rule 밤에는 전화하지 마.
ko rule 반드시 먼저 가격을 확인해 주세요.
ko constraint 방에는 침대가 두 개 있어야 합니다, 최소 두 개요.
ko constraint 하룻밤에 최대 90유로예요.
ko constraint 여동생은 우유 알레르기가 있어요.
ko constraint 저는 채식주의자예요.
ko constraint 저희 예산이 적어요.
ko decision 기차로 가기로 결정했어요.
ko decision 파란 걸로 할게요.
ko decision 두 번째 안을 선택할게요.
ko preference 창가 자리가 더 좋아요.
ko preference 조용한 동네를 원해요.
ko identity 제 이름은 민지예요.
ko identity 저는 대구에 살아요.
ko identity 얼마 전에 부산으로 이사했어요.
ko correction 아니요, 수요일이에요.
ko correction 월요일 말고 화요일이요.
ko correction 시간이 바뀌었어요.
ko promise 자리를 예약했습니다.
ko promise 청구서를 보내 드릴게요.
ru rule Запомните: мы едем с собакой.
ru rule Не забудь указать источники.
ru rule Никогда не используй карту фирмы.
ru rule Не удаляй ничего без моего согласия.
ru rule Всегда отвечайте по-русски.
ru rule Отвечай только по-русски.
ru rule С этого момента короткие фразы.
ru rule Ни в коем случае не плати сам.
ru rule Пожалуйста, не звоните мне вечером.
ru rule Нельзя менять базу данных.
ru rule Имей в виду, что по вторникам занято.
ru constraint В номере должны быть две кровати.
ru constraint Не больше 90 евро за ночь.
ru constraint У сестры непереносимость молока.
ru constraint Я не ем мясо.
ru constraint У нас маленький бюджет.
ru decision Мы решили ехать поездом.
ru decision Я беру синий.
ru decision Остановимся на втором варианте.
ru preference Я предпочитаю место у окна.
ru preference Нам хотелось бы тихий район.
ru identity Меня зовут Арина.
ru identity Я живу в Твери.
ru identity Мы недавно переехали в Омск.
ru correction Нет, лучше в среду.
ru correction Я ошиблась, нас одиннадцать.
ru correction Время изменилось.
ru correction Не в понедельник, а во вторник.
ru promise Я забронировал столик.
ru promise Счёт отправлен.
pl rule Zapamiętaj, że jedziemy z psem.
pl rule Nie zapomnij podać źródeł.
pl rule Nigdy nie używaj karty firmowej.
pl rule Zawsze odpowiadaj po polsku.
pl rule Od tej pory krótkie zdania.
pl rule Pod żadnym pozorem nie płać.
pl constraint Mój budżet to 900 zł.
pl constraint Jestem uczulona na mleko.
pl constraint Co najwyżej dwie przesiadki.
pl decision Bierzemy drugi wariant.
pl decision Zdecydowaliśmy jechać pociągiem.
pl correction Jednak wolę środę.
tr rule Unutmayın, köpeğimizle geliyoruz.
tr rule Şirket kartını asla kullanma.
tr rule Her zaman Türkçe cevap ver.
tr rule Bundan sonra kısa cümleler.
tr rule Lütfen akşamları aramayın.
tr constraint Bütçemiz düşük.
tr constraint Kardeşimin süt alerjisi var.
tr constraint En fazla 90 euro.
tr decision Trenle gitmeye karar verdik.
tr decision İkinci seçeneği alıyoruz.
tr correction Aslında on bir kişiyiz.
ar rule تذكر أننا نسافر مع كلب.
ar rule لا تنس ذكر المصادر.
ar rule لا تستخدم بطاقة الشركة أبدا.
ar rule من الآن فصاعدا جمل قصيرة.
ar rule أجب دائما بالعربية.
ar constraint ميزانيتنا صغيرة.
ar constraint أختي لديها حساسية من الحليب.
ar decision قررنا السفر بالقطار.
ar decision سنأخذ الخيار الثاني.
hi rule याद रखें कि हमारे साथ एक कुत्ता है।
hi rule स्रोत बताना मत भूलना।
hi rule कंपनी का कार्ड कभी मत इस्तेमाल करना।
hi rule हमेशा हिंदी में जवाब दें।
hi rule अब से छोटे वाक्य।
hi constraint हमारा बजट कम है।
hi constraint मेरी बहन को दूध से एलर्जी है।
hi decision हमने ट्रेन से जाने का फैसला किया।
hi decision हम दूसरा वाला लेंगे।
"""

NOTHING = """
de Ich war nie in Rom.
de Es regnet hier immer.
de Das macht nichts, keine Sorge.
de Meine Schwester denkt oft daran.
de Was muss ich beachten?
de Sie hat nie geantwortet.
de Darf man dort parken?
de Der Film war gar nicht schlecht.
de Ich weiß nicht.
de Kein Problem.
de Wie spät ist es dort?
de Die Altstadt gefällt den Leuten.
de Immer wieder schön.
de Macht nichts, so schlimm war das nicht.
de Erzähl mir von der Burg.
de Der Bus nimmt nie die Brücke.
es Nunca he estado en Roma.
es Siempre llueve aquí.
es No sé.
es No hay problema.
es ¿Siempre hay que pagar?
es Mi hermana nunca contesta.
es Ella siempre llega tarde.
es La película no estuvo mal.
es Cuéntame algo del castillo.
es Nunca se sabe.
es Al menos no llueve.
es ¿Qué hay que ver allí?
es Los vecinos cantan siempre.
es Mejor imposible.
fr Il ne pleut jamais ici.
fr Je ne suis jamais allé à Rome.
fr On ne sait jamais.
fr Je ne sais pas.
fr Ne t'inquiète pas.
fr N'hésitez pas.
fr Pas de problème.
fr Elle est toujours en retard.
fr Faut-il toujours payer ?
fr Le film n'était pas mal.
fr Raconte-moi l'histoire du château.
fr Le chat dort toujours là.
fr Toujours pas de nouvelles.
fr Ce n'est pas grave.
it Non sono mai stato a Roma.
it Qui piove sempre.
it Non lo so.
it Non c'è problema.
it Non preoccuparti.
it Bisogna sempre pagare?
it Mia sorella non risponde mai.
it Lei arriva sempre tardi.
it Il film non era male.
it Raccontami del castello.
it Non si sa mai.
it Meglio tardi che mai.
it I vicini cantano sempre.
pt Nunca estive em Roma.
pt Aqui sempre chove.
pt Não sei.
pt Não há problema.
pt Não se preocupe.
pt É sempre preciso pagar?
pt A minha irmã nunca responde.
pt Ela sempre chega tarde.
pt O filme não foi mau.
pt Conte-me sobre o castelo.
pt Nunca se sabe.
pt Os vizinhos cantam sempre.
nl Ik ben nooit in Rome geweest.
nl Het regent hier altijd.
nl Ik weet het niet.
nl Geen probleem.
nl Maak je geen zorgen.
nl Moet je altijd betalen?
nl Mijn zus antwoordt nooit.
nl Ze komt altijd te laat.
nl De film was niet slecht.
nl Vertel me over het kasteel.
nl Je weet maar nooit.
nl De buren zingen altijd.
nl Het heeft geen haast.
zh 我不知道。
zh 我从来没去过罗马。
zh 这里总是下雨。
zh 他总是迟到。
zh 别担心。
zh 不要紧。
zh 没关系,慢慢来。
zh 我记得那家店。
zh 要不要带伞?
zh 那部电影还不错。
zh 给我讲讲那座城堡。
zh 天就要下雨了。
zh 她还没决定。
zh 别人都走了。
ja わかりません。
ja ローマには行ったことがありません。
ja ここはいつも雨です。
ja 彼はいつも遅れます。
ja 心配しないでください。
ja 気にしないで。
ja 何も食べないで寝ました。
ja 傘は必要ですか?
ja その映画は悪くなかった。
ja お城について教えてください。
ja 旅行を楽しみにします。
ja 駅まで歩きました。
ko 모르겠어요.
ko 로마에 가 본 적이 없어요.
ko 여기는 항상 비가 와요.
ko 그는 항상 늦어요.
ko 걱정하지 마세요.
ko 우산이 필요한가요?
ko 그 영화는 나쁘지 않았어요.
ko 성에 대해 알려 주세요.
ko 동생은 절대 대답하지 않아요.
ko 날씨가 맑네요.
ru Я не знаю.
ru Я никогда не был в Риме.
ru Здесь всегда идёт дождь.
ru Он всегда опаздывает.
ru Не волнуйся.
ru Не переживай.
ru Нет проблем.
ru Нужно ли всегда платить?
ru Сестра никогда не отвечает.
ru Фильм был неплохой.
ru Расскажи мне о замке.
ru Должно быть, там красиво.
ru Нельзя сказать, что дорого.
ru Соседи всегда пели.
ru Он решил задачу.
pl Nigdy nie byłem w Rzymie.
pl Tu zawsze pada.
pl Nie wiem.
pl Nie ma problemu.
pl On zawsze się spóźnia.
pl Opowiedz mi o zamku.
tr Roma'ya hiç gitmedim.
tr Burada her zaman yağmur yağıyor.
tr Bilmiyorum.
tr Sorun değil.
tr O asla geç kalmaz.
tr Bana kaleyi anlat.
ar لا أعرف.
ar لم أذهب إلى روما أبدا.
ar هنا تمطر دائما.
ar لا تقلق.
ar حدثني عن القلعة.
hi मुझे नहीं पता।
hi मैं कभी रोम नहीं गया।
hi यहाँ हमेशा बारिश होती है।
hi कोई बात नहीं।
hi मुझे किले के बारे में बताओ।
"""

SMALL_TALK = """
de Gern, dabei helfe ich Ihnen. Die Burg stammt aus dem Mittelalter.
es Claro, el castillo es muy antiguo y merece una visita.
fr Bien sûr, le château est très ancien.
it Certo, il castello è molto antico.
pt Claro, o castelo é muito antigo.
nl Natuurlijk, het kasteel is heel oud.
zh 当然,那座城堡很古老。
ja はい、そのお城はとても古いです。お手伝いいたします。
ko 네, 그 성은 아주 오래되었어요. 감사하겠습니다.
ru Конечно, замок очень старый.
"""

TAKEN = [
    "Einverstanden.", "Klingt gut, mach das.", "Ja, bitte.", "De acuerdo, resérvalo.", "Sí, por favor.", "Me parece bien.",
    "D'accord.", "Oui, ça me va.", "Ça marche.", "Va bene, procedi.", "Sì, perfetto.", "Combinado.", "Sim, pode ser.",
    "Akkoord.", "Ja graag.", "Doe maar.", "好的,就这个。", "可以,订吧。", "没问题。", "はい、それでお願いします。", "いいですね。",
    "네, 그걸로 해 주세요.", "좋아요.", "Хорошо, давайте.", "Да, согласна.", "Tak, zgoda.", "Evet, olur.", "نعم، موافق", "हाँ, ठीक है",
]  # fmt: skip
NOT_TAKEN = [
    "Ja, aber ist es laut?", "Jacken sind teuer.", "Nein, danke.", "Sí, pero ¿es caro?", "Silvia llega hoy.", "No, otro.",
    "Oui, mais c'est loin.", "Ouvrons la porte.", "No, un altro.", "Simone arriva oggi.", "Não, outro.", "Simples demais.",
    "Nee, een andere.", "Graafmachines zijn duur.", "不,换一个。", "好像不太行。", "いいえ、別のを。", "ハイキングは?", "아니요, 다른 거요.",
    "Нет, другой.", "Далеко ли это?", "Nie, inny.", "Hayır, başka.",
]  # fmt: skip
SETTLED = [
    ("Soll ich den Tisch reservieren?", "Ja, gerne."),
    ("¿Reservo la mesa junto a la ventana?", "De acuerdo."),
    ("Voulez-vous que je réserve la table ?", "D'accord."),
    ("Prenoto il tavolo?", "Va bene."),
    ("Devo cancellare la prenotazione?", "No, meglio di no."),
    ("Reservo a mesa?", "Combinado."),
    ("Zal ik de tafel reserveren?", "Akkoord."),
    ("要我预订那张桌子吗?", "好的。"),
    ("席を予約しましょうか?", "はい、それでお願いします。"),
    ("자리를 예약할까요?", "좋아요."),
    ("Забронировать столик?", "Хорошо, давайте."),
]
FILLERS = [
    "Vielen Dank für Ihre Hilfe!", "Guten Abend!", "¡Buenas tardes!", "Muchísimas gracias", "Merci pour votre aide !",
    "Bonne journée", "Grazie per l'aiuto!", "Buona serata", "Obrigado pela ajuda!", "Boa noite", "Dank je wel!", "Goedemorgen",
    "谢谢你的帮助!", "早上好", "ありがとうございました", "おはようございます", "고마워요!", "안녕하세요", "Большое спасибо!", "Добрый день",
    "Dziękuję bardzo!", "Teşekkür ederim!", "شكرا جزيلا", "Kann ich sonst noch etwas für Sie tun?",
]  # fmt: skip
NO_FILLERS = [
    "Danke, das blaue.", "Gracias, el segundo.", "Merci, le deuxième.", "Grazie, il secondo.", "Obrigado, o segundo.",
    "Dank je, de tweede.", "谢谢,要第二个", "ありがとう、二番目で", "고마워요, 두 번째로", "Спасибо, второй", "Guten Abend in Kiel",
]  # fmt: skip


def rows(table: str) -> list[list[str]]:
    return [line.split(" ", 2) for line in table.strip().splitlines()]


def lines(table: str) -> list[str]:
    return [line.split(" ", 1)[1] for line in table.strip().splitlines()]


@pytest.mark.parametrize(("tongue", "kind", "sentence"), [row for row in rows(STATED) if row[1] != "promise"])
def test_what_a_user_states_is_kept_for_what_it_is(tongue: str, kind: str, sentence: str) -> None:
    assert FactKind(kind) in kinds(sentence)
    message = Message(Role.USER, sentence, seq=1)
    assert RuleClassifier().classify(message) is Importance.MUST_KEEP
    assert extract([message])


@pytest.mark.parametrize("sentence", [row[2] for row in rows(STATED) if row[1] == "promise"])
def test_what_an_assistant_did_or_will_do_is_kept(sentence: str) -> None:
    assert promises(sentence)


@pytest.mark.parametrize("sentence", lines(NOTHING))
def test_what_states_nothing_is_no_fact(sentence: str) -> None:
    message = Message(Role.USER, sentence, seq=1)
    assert kinds(sentence) == ()
    assert extract([message]) == []
    assert RuleClassifier().classify(message) is not Importance.MUST_KEEP


@pytest.mark.parametrize("text", lines(SMALL_TALK))
def test_small_talk_of_an_assistant_promises_nothing(text: str) -> None:
    assert not promises(text)


@pytest.mark.parametrize("text", TAKEN)
def test_an_offer_is_taken(text: str) -> None:
    assert takes(text)


@pytest.mark.parametrize("text", NOT_TAKEN)
def test_an_offer_is_not_taken(text: str) -> None:
    assert not takes(text)


@pytest.mark.parametrize(("offer", "answer"), SETTLED)
def test_a_short_answer_settles_what_was_offered(offer: str, answer: str) -> None:
    assert decides(offer, answer)


@pytest.mark.parametrize("text", FILLERS)
def test_greetings_and_thanks_say_nothing(text: str) -> None:
    assert filler(text)


@pytest.mark.parametrize("text", NO_FILLERS)
def test_thanks_with_an_answer_say_something(text: str) -> None:
    assert not filler(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [("2400欧元", "eur"), ("2400ユーロ", "eur"), ("2400유로", "eur"), ("2400 евро", "eur"), ("900 рублей", "rub"),
     ("300美元", "usd"), ("90 złotych", "pln"), ("5块", "cny")],
)  # fmt: skip
def test_an_amount_has_its_currency(text: str, code: str) -> None:
    (value,) = values(text)
    assert currency(value.text) == code


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Mijn budget is 900 euro.", "Mijn budget is 1.100 euro."),
        ("Мой бюджет 900 евро.", "Мой бюджет теперь 1100 евро."),
        ("我的预算是900欧元。", "预算变了,现在是1100欧元。"),
        ("予算は900ユーロです。", "予算は1100ユーロです。"),
        ("제 예산은 900유로예요.", "예산이 1100유로예요."),
    ],
)
def test_one_thing_has_one_slot(first: str, second: str) -> None:
    assert slot(first) is not None
    assert slot(first) == slot(second)


def test_a_thing_that_only_changed_has_no_value() -> None:
    assert slot("予算が変わりました。") is None
    assert not corrects("我们的预算不高。")
