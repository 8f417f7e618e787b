"""Finds text pasted into a user's message without quotation marks: mails, chats, logs, tables, data, code."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from session_core.language.records import records

_FORWARDED = re.compile(
    r"^[ \t>*_=-]*(?:begin forwarded message|forwarded(?: (?:message|mail|e-?mail|by)\b[^\n:]{0,60})?"
    r"(?=:|[ \t]*[-_=*]{2}|[ \t]*$)|fwd?:|original (?:message|e?-?mail)(?=[ \t]*[-_=*:]|[ \t]*$)|"
    r"(?:anfang der )?weitergeleiteten? (?:nachricht|e-?mail)|ursprüngliche nachricht|"
    r"(?:début du )?message (?:transféré|réexpédié|d['’]origine)|"
    r"mensaje (?:reenviado|original)|(?:inizio )?messaggio (?:inoltrato|originale)|mensagem (?:encaminhada|original)|"
    r"(?:begin )?doorgestuurd bericht|oorspronkelijk bericht|пересылаемое (?:сообщение|письмо)|исходное сообщение|"
    r"转发的?邮件|原始邮件|転送(?:された)?メッセージ|元のメッセージ)",
    re.IGNORECASE | re.MULTILINE,
)
_HEAD_LINE = re.compile(r"^[ \t]*\*{0,2}([^\W\d_][^\W\d_ -]{0,14}(?:[ -][^\W\d_]{1,8})?)\*{0,2}[ \t]*[:：]")
_FROM = frozenset("from von de da van fra från от 发件人 差出人 寄件者 من".split())
_MAIL_ONLY = frozenset(
    "subject sent cc bcc reply-to betreff gesendet objet envoyé asunto enviado oggetto inviato assunto enviada "
    "onderwerp verzonden emne ämne тема отправлено 主题 发送时间 件名 送信日時".split()
)
_HEADS = (
    _FROM
    | _MAIL_ONLY
    | frozenset("date to datum an à fecha para data a aan til till дата кому 日期 收件人 宛先 日時".split())
)
_WROTE = re.compile(
    r"(?:\b(?:wrote|writes|schrieb|a écrit|escribió|ha scritto|escreveu|schreef|skrev|пишет|написала?)\b[^\n:]{0,80}|"
    r"写道)[:：][ \t]*$",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"(?P<who>\S+)\s+(?:says|said|reads|states|stated|claims|claimed|writes|wrote|tells (?:me|us)|told (?:me|us)"
    r"(?: this| that)?)[ \t]*[:：][ \t]*",
    re.IGNORECASE,
)
_OWN = frozenset("i we i've we've i’ve we’ve i'd as just already have always is was be been to and".split())
_RULED = re.compile(
    r"\b(?:if|when|whenever|unless|once|every time|always|never|must|should|wenn|sobald)\b", re.IGNORECASE
)
"""Phrases after which a statement is only an example for a rule."""
QUOTE_MARKS = '"“«„「'
_QUOTE_MARK = re.compile(f"[{QUOTE_MARKS}]")
_SPEECH = re.compile(r"[\"“«„「](?P<said>.+)[\"”»“」](?P<rest>[^\"”»“」]*)$")
_HEADED = re.compile(r"^[ \t(*]*(?P<head>[^:：\"“«„「]{1,80})[:：]\**[ \t]*$")
_NAMED_HEAD = re.compile(r"^(?:[^\W\d_a-z][\w.'’-]* ?){1,3}(?:\([^()]{1,40}\))? ?$")
_OF_OTHERS = re.compile(
    r"\bin (?:the|my|our|this) (?:play|story|scene|novel|book|film|movie|game|song|poem|script)\b|"
    r"(?<!\bi )(?<!\bwe )(?<!\bich )(?<!\bwir )(?<!\bje )(?<!\byo )(?<!\bio )(?<!\beu )(?<!\bik )(?<!\bя )"
    r"\b(?:says?|said|writes?|wrote|told|tells|texted|asks?|asked|answers?|answered|replie[sd]|reply|shouts?|whispers?|"
    r"sagt|sagte|schreibt|schrieb|fragt|antwortet|dit|écrit|répond|demande|dice|dijo|escribe|escribió|responde|diz|"
    r"disse|escreve|escreveu|scrive|ha (?:detto|scritto)|risponde|zegt|schrijft|сказала?|говорит|пишет|написала?)\b|"
    r"说|写道|と言|と書|말했|썼",
    re.IGNORECASE,
)
_FIRST_PERSON = re.compile(
    r"\b(?:i|i['’]\w+|me|my|mine|we|our|us|ich|mir|mich|mein\w*|wir|uns|unser\w*|je|j['’]\w+|moi|mon|mes|nous|notre|yo|mi|"
    r"mis|nosotros|quiero|soy|estoy|tengo|io|mio|mia|sono|voglio|noi|eu|meu|minha|nós|quero|sou|ik|mij|mijn|wij|я|меня|"
    r"мне|мой|моя|мы|нас)\b|我|私|僕|俺|저는|제가|나는|내가|أنا|मैं|मेरा|मेरी|मुझे",
    re.IGNORECASE,
)
_MY_OWN_WORDS = re.compile(
    r"\b(?:i|we|my|our|rules?|instructions?|preferences?|remember|note|ich|meine?|regeln?|merke?|je|mes?|règles?|mi|mis|"
    r"reglas?|io|mie|regole?|eu|meus?|regras?|ik|mijn|regels?|мои|правил\w*)\b",
    re.IGNORECASE,
)
_TASK = re.compile(
    r"^\W*(?:(?:can|could|would) you |(?:please|kindly|now|bitte|help me) )*"
    r"(?:(?:translate|summari[sz]e|proofread|paraphrase|rephrase|rewrite|transcribe|explain|übersetze?|erkläre?|traduis|"
    r"traduisez|résume|résumez|traduce|traduzca|resume|riassumi|traduci|traduza|resuma)\b|fasse?\b[^\n:]{0,60}\bzusammen\b|"
    r"翻译|总结|翻訳|要約)[^\n:：]{0,80}[:：][ \t]*",
    re.IGNORECASE,
)
_NOUNS = (
    r"(?:e-?mails?|mails?|articles?|transcripts?|letters?|logs?|chats?|conversations?|web ?pages?|pages?|websites?|"
    r"posts?|tweets?|newsletters?|documents?|contracts?|pdfs?|json|csv|code|stack ?traces?|tickets?|reviews?|messages?|"
    r"excerpts?|passages?|nachricht|artikel|brief|seite|courriel|lettre|correo|mensaje|carta|artículo|messaggio|lettera|"
    r"articolo|mensagem|artigo)"
)
_HERE = re.compile(
    r"\b(?:here(?:['’]s| is| are| comes)|th(?:is|ese) (?:is|was|are|were)|see|below (?:is|are)|"
    r"(?:i|we)(?:['’]ve| have)? (?:just |also )?(?:got|received|found|copied|pasted)|past(?:ed|ing)|attach(?:ed|ing)|"
    r"hier (?:ist|sind)|voici|aquí est[áa]n?|aqui est[áa]o?|ecco)"
    r"(?:[ \t]+(?!(?:for|in|with|when|about|to|on|how|what|why|important|und|für)\b)[\w'’-]{1,30}){0,5}?"
    rf"[ \t]+(?P<noun>{_NOUNS})\b[^\n:]{{0,60}}[:：][ \t]*",
    re.IGNORECASE,
)
_MINE = re.compile(
    r"\b(?:my|our|your|rules?|instructions?|preferences?|guidelines?|requirements?|wish(?:es)?|as follows|"
    r"like (?:this|so)|this way|these steps|using|i (?:like|want|need|prefer|expect)|you (?:should|must))\b",
    re.IGNORECASE,
)
"""Statements about the pasted text, which are the user's own."""
_FILE = re.compile(
    r"^[ \t]*(?:[\[(<*#=-]{1,5}[ \t]*)?(?:attach\w*(?: files?| documents?)?|file|document|source|contents? of|pdf)"
    r"[ \t:]{1,3}[\"'`]?[\w./ -]{0,80}?[\w)-]\."
    r"(?:pdf|docx?|txt|md|csv|html?|eml|msg|json|xlsx?|pptx?|log|ya?ml|xml|py|js|ts)\b[^\n]{0,20}?[\]:)>=-]+[ \t]*$",
    re.IGNORECASE,
)
_DIFF = re.compile(r"diff --git |@@ -\d")
_CHANGED = re.compile(r"diff --git |@@ -\d|[-+]")
_TIME = r"\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{1,6})?Z?(?: ?[AP]\.?M\.?)?"
_DAY = r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}"
_LOGGED = re.compile(rf"^[ \t]*[\[(]?\d{{4}}-\d\d-\d\d[T ]{_TIME}", re.IGNORECASE)
_STAMPED = re.compile(
    rf"^[ \t]*(?:[\[(](?:{_DAY},?[T ]{{1,2}})?{_TIME}[\])]|{_DAY},?[T ]{{1,2}}{_TIME})[ \t]*[-–—,]?[ \t]*"
    r"[^\W\d_][^\n:]{0,40}[:：][ \t]",
    re.IGNORECASE,
)
_NAMED_AT = re.compile(rf"^[ \t]*[^\W\d_][^\n:,.!?]{{0,40}}[ \t]+{_TIME}[ \t]*$", re.IGNORECASE)
_LABEL = re.compile(r"^[ \t]*([^\W\d_][\w.'’-]{0,20}(?: [\w.'’-]{1,20})?)[ \t]*[:：][ \t]*\S")
_SPEAKERS = frozenset(
    "me you user assistant human ai bot agent customer client host guest interviewer doctor patient".split()
)
_NO_SPEAKERS = frozenset("q a question answer frage antwort".split())
_SENTENCE_WORDS = 4
_CODE = re.compile(r"[=;{}]|\w\(|^\s*(?:#|//|def |class |import |return\b)")
_ROW = re.compile(r"^[ \t]*\|.*\|[ \t]*$")
_INDENTED = re.compile(r"^(?: {4}|\t)[ \t]*(?![-*•+]\s|\d{1,3}[.)]\s)\S")
_OBJECT = re.compile(r"^[ \t]*\{(?=\s*(?:[\"'{\n]|\w+[\"']?\s*:))", re.MULTILINE)
_ARRAY = re.compile(r"^[ \t]*\[[ \t]*[\[{\"\n]", re.MULTILINE)
_MARKUP = re.compile(
    r"<(/?)(?:p|div|table|tr|td|ul|ol|html|body|h[1-6]|script|article|section|span)(?:\s[^<>]{0,200})?>", re.I
)


def pasted_spans(text: str) -> Iterator[tuple[int, int]]:
    """The spans of pasted text, in no order; they may overlap. One without a clear end (a mail, an announced text)
    extends to the end of `text`, since it may contain anything."""
    lines = _lines(text)
    open_end = [at for find in (_forwards, _mails, _announced) for at in find(lines, text)]
    if open_end:
        yield min(open_end), len(text)
    yield from _reported(lines)
    if _QUOTE_MARK.search(text):
        yield from _speeches(lines)
    yield from _talks(lines)
    yield from _rows(lines)
    yield from _structures(text)
    yield from records(lines, text)


def of_one_line(text: str) -> bool:
    """Whether a `text` of one line may be pasted although it has no sign of it: a forwarded mail, a file, or speech."""
    return (
        text.startswith(tuple(QUOTE_MARKS)) or _FORWARDED.match(text) is not None or _FILE.match(text[:300]) is not None
    )


def _lines(text: str) -> list[tuple[int, str]]:
    """The lines of `text`, each with its start."""
    found, at = [], 0
    for line in text.splitlines(keepends=True):
        found.append((at, line.rstrip("\r\n")))
        at += len(line)
    return found


def _forwards(lines: Sequence[tuple[int, str]], text: str) -> Iterator[int]:
    yield from (found.start() for found in _FORWARDED.finditer(text))
    for (_, before), (at, line) in pairwise(lines):
        if ":" in line or "：" in line:
            yield from [at] if _wrote(before, line) else []
    if lines and _wrote("", lines[0][1]):
        yield lines[0][0]


def _wrote(before: str, line: str) -> bool:
    """Whether `line` is the last before a quoted mail: "On 3 May Ann <a@b.c> wrote:", on one line or two."""
    if not _WROTE.search(line[-200:]):
        return False
    return any(c.isdigit() or c == "@" for c in line[-300:] + before[-300:])


def _mails(lines: Sequence[tuple[int, str]], _: str) -> Iterator[int]:
    """The starts of mail headers of at least two lines."""
    heads = [(at, line, _head(line)) for at, line in lines]
    for headed, group in groupby(heads, key=lambda one: one[2] != ""):
        if headed:
            block = list(group)
            names = {name for _, _, name in block}
            sender = not names.isdisjoint(_FROM) and any("@" in line for _, line, _ in block)
            if len(block) > 1 and (sender or not names.isdisjoint(_MAIL_ONLY)):
                yield block[0][0]


def _head(line: str) -> str:
    found = _HEAD_LINE.match(line)
    name = found.group(1).casefold() if found else ""
    return name if name in _HEADS else ""


def _announced(lines: Sequence[tuple[int, str]], _: str) -> Iterator[int]:
    for at, line in lines:
        if ":" in line or "：" in line:
            task = _TASK.match(line[:300])
            led = task or _HERE.search(line[:300])
            if led and not _MINE.search(line[: led.end() if task else led.start("noun")]):
                yield at + led.end()
            elif _FILE.match(line):
                yield at
        elif _FILE.match(line[:300]):
            yield at


def _reported(lines: Sequence[tuple[int, str]]) -> Iterator[tuple[int, int]]:
    """Reported speech after a colon, to the end of its line; if the line ends there, to the end of the text."""
    for at, line in lines:
        if ":" not in line and "：" not in line:
            continue
        said = _SAID.search(line[:400])
        if said and said["who"].lower() not in _OWN and not _RULED.search(line[: said.start()].rpartition(". ")[2]):
            yield at + said.end(), at + len(line) if said.end() < len(line) else _end(lines)


def _speeches(lines: Sequence[tuple[int, str]]) -> Iterator[tuple[int, int]]:
    """What a line gives in quotation marks as the words of somebody who speaks of themselves: all of the line, or what
    stands behind a name, a verb of speaking or a task, and a colon. So speak the roles of a play, and letters."""
    for at, line in lines:
        mark = _QUOTE_MARK.search(line)
        if mark is None or (found := _SPEECH.search(line, mark.start())) is None:
            continue
        opened = mark.start()
        head = line[:opened]
        led = _led_by_another(head) if head.strip() else not found["rest"].strip(" \t.!)")
        if led and _FIRST_PERSON.search(found["said"]):
            yield at + opened, at + found.start("rest")


def _led_by_another(head: str) -> bool:
    headed = _HEADED.match(head)
    if headed is None:
        return False
    told = headed["head"].rstrip("*")
    if _TASK.match(head):
        return True
    if _MY_OWN_WORDS.search(told) and not _OF_OTHERS.search(told):
        return False
    return _NAMED_HEAD.match(told) is not None or _OF_OTHERS.search(told) is not None


def _talks(lines: Sequence[tuple[int, str]]) -> Iterator[tuple[int, int]]:
    """Lines of logs, and copied chats: with times to the end of the text, with names to the last line that has one."""
    yield from ((at, at + len(line)) for at, line in lines if _LOGGED.match(line))
    stamped = [at for at, line in lines if _STAMPED.match(line)]
    posted = [
        at
        for (at, line), (_, text) in pairwise(lines)
        if _NAMED_AT.match(line) and text.strip() and not _NAMED_AT.match(text)
    ]
    for times in (stamped, posted):
        if len(times) > 1:
            yield times[0], _end(lines)
    labelled = [(at, line, found.group(1).casefold()) for at, line in lines if (found := _LABEL.match(line))]
    counted = Counter(name for _, line, name in labelled if name not in _NO_SPEAKERS and not line.lstrip()[0].islower())
    again = {name for name, times in counted.items() if times > 1}
    turns = [(at, at + len(line)) for at, line, name in labelled if name in counted]
    talked = sum(len(line.split()) > _SENTENCE_WORDS for _, line, name in labelled if name in counted) > 1
    if len(counted) > 1 and talked and (len(again) > 1 or (again and counted.keys() & _SPEAKERS)):
        yield turns[0][0], turns[-1][1]


def _rows(lines: Sequence[tuple[int, str]]) -> Iterator[tuple[int, int]]:
    """Rows of a table, a diff up to its last line, and indented code after an empty line."""
    changed = [at for at, line in lines if _DIFF.match(line)]
    if changed:
        yield changed[0], max(at + len(line) for at, line in lines if _CHANGED.match(line))
    yield from ((at, at + len(line)) for at, line in lines if _ROW.match(line))
    if all(_INDENTED.match(line) or not line.strip() for _, line in lines):
        return
    before = False
    for (indented, _), group in groupby(
        lines, key=lambda one: (_INDENTED.match(one[1]) is not None, not one[1].strip())
    ):
        block = list(group)
        if indented and before and any(_CODE.search(line) for _, line in block):
            yield block[0][0], block[-1][0] + len(block[-1][1])
        before = not block[-1][1].strip()


def _end(lines: Sequence[tuple[int, str]]) -> int:
    return lines[-1][0] + len(lines[-1][1])


def _structures(text: str) -> Iterator[tuple[int, int]]:
    """From the first bracket at the beginning of a line to the last at the end of one, and from tag to tag."""
    for opened, closing in ((_OBJECT.search(text), "}"), (_ARRAY.search(text), "]")):
        if opened and (closed := text.rfind(closing) + 1) > opened.end():
            yield opened.start(), closed
    tags = [found.span() for found in _MARKUP.finditer(text)] if "</" in text else []
    if len(tags) > 1:
        yield tags[0][0], tags[-1][1]
