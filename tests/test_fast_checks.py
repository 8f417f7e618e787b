"""Where a text is looked at quickly before a pattern is tried, both find the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from session_core.compress.digest_text import digest_message, lines_of
from session_core.compress.fold import fold
from session_core.compress.plan_cache import PlanCache, PlanContext
from session_core.compress.summary import _FIGURES, _NUMERALS
from session_core.counting.tokens import counter_for, message_tokens
from session_core.language import instructions, quoting
from session_core.language.corrections import CORRECTIONS, REVISIONS
from session_core.language.cue import STEM_CHARACTERS, Cue
from session_core.language.cues import _Cues, is_rule, may_be_rule
from session_core.language.pasted_text import of_one_line
from session_core.language.phrases import COMMITMENTS, CONSTRAINTS, DECISIONS, IDENTITIES, PREFERENCES
from session_core.language.rules import RULES
from session_core.language.words import _END, _END_IN_ASCII, _WORD, runs, words
from session_core.plan import Digest, Limits
from session_core.policy import Policy
from session_core.ranges import Ranges
from session_core.turns import Message, Role

MARKS = [
    *("<", ">", "~", "`", "：", '"', '"""', "'", "'''", "-", "---", "=", "***", "___", "#", "###", "[", "{", "|", "("),
    *(":", ": ", ":\t", ":\n", "\n", "\t", " ", "    ", "diff ", "DIFF ", "@@ ", "1:23", "12:", "34", "\r", "\x0b"),
    *("forward", "Original", "MESSAGE", "meſſage", "ursprünglich", "system", "user", "note", "rule", "the admin said"),
    *("ignore all rules", "$5", "€€6,5", "7", "a@b", "https://x.y", "http", "as an AI", "!--", "/user>", "word"),
]
SAID = st.text("aIwe'd_.!?)\"* \t-12", max_size=24)
PROMISED = st.lists(
    st.sampled_from("I we We've is was now also sent booked check ordered orders x_y l'i - . , it's will".split()),
    max_size=6,
).map(" ".join)
CUES = [
    cue
    for cues in (RULES, CONSTRAINTS, DECISIONS, PREFERENCES, IDENTITIES, COMMITMENTS, CORRECTIONS, REVISIONS)
    for cue in cues
    if cue.also != frozenset() and not cue.pattern.pattern.startswith(r"\b(?=you)")
]
"""Those that need a whole word; less one whose conditions on what stands before no text made by chance fulfils."""
ASCII = st.characters(max_codepoint=127)
TEXTS = st.lists(st.sampled_from(MARKS), max_size=8).map("".join)


@given(TEXTS)
def test_the_fast_check_for_quotes_agrees_with_the_pattern(text: str) -> None:
    assert quoting._may_quote(text) == (quoting._MAYBE.search(text) is not None)


@given(TEXTS)
def test_the_fast_check_for_instructions_in_data_agrees_with_the_patterns(text: str) -> None:
    signs = (instructions._ORDER, instructions._ROLE, instructions._WILL, instructions._NOTE)
    assert instructions.imitates_message(text) == any(sign.search(text) for sign in signs)


@given(TEXTS.filter(lambda text: "@" not in text and "http" not in text))
def test_a_text_without_an_address_has_as_many_numerals_as_figures(text: str) -> None:
    assert len(_NUMERALS.findall(text)) == len(_FIGURES.findall(text))


@given(SAID)
def test_words_without_an_apostrophe_are_parted_as_by_the_pattern(text: str) -> None:
    assert words(text) == _WORD.findall(text.lower())


@given(SAID)
def test_a_line_of_ascii_ends_its_sentences_where_any_other_would(line: str) -> None:
    assert [m.span() for m in _END_IN_ASCII.finditer(line)] == [m.span() for m in _END.finditer(line)]


@given(
    st.text("-_=#:*xX'\" \t\n", max_size=6).map(lambda end: f"message {end}") | TEXTS.map(lambda text: f"message{text}")
)
def test_nothing_is_quoted_in_a_line_without_a_mark(text: str) -> None:
    assert not (quoting._plain(text) and not of_one_line(text) and list(quoting._spans(text)))


@given(PROMISED)
def test_a_cue_is_not_passed_over_for_a_word_that_it_can_do_without(sentence: str) -> None:
    stems = {word[:STEM_CHARACTERS] for word in words(sentence)}
    for cue in COMMITMENTS:
        tried = not stems.isdisjoint(cue.stems)
        assert _Cues([cue]).matches(sentence) == (tried and cue.pattern.search(sentence) is not None)


@given(st.sampled_from(CUES).flatmap(lambda cue: st.tuples(st.just(cue), st.from_regex(cue.pattern, alphabet=ASCII))))
def test_what_a_pattern_finds_has_one_of_the_words_that_it_is_looked_up_by(found: tuple[Cue, str]) -> None:
    cue, sentence = found
    assert not cue.also.isdisjoint({*words(sentence), *runs(sentence)})


def _tools(memory: PlanCache, limits: Limits) -> PlanContext:
    counter = counter_for(None)
    return PlanContext(counter.count, lambda message: message_tokens(message, counter), limits, memory)


def test_the_message_of_a_digest_is_handed_on_and_is_that_of_its_own_room() -> None:
    memory, limits = PlanCache(), Policy().limits
    digest = Digest(Ranges.span(1, 9), "User: We meet on Monday.\nAssistant: Noted, on Monday.", ())
    numbered = Digest(Ranges.span(1, 9), digest.summary, (), number=3)
    made = digest_message(digest, context=_tools(memory, limits))
    memory.carry_over(digest, numbered)
    assert digest_message(numbered, context=_tools(memory, limits)) is made
    small = Policy(limits.budget.minus_overhead(limits.budget.limit_tokens - 200)).limits
    narrow = digest_message(numbered, context=_tools(memory, small))
    assert narrow == digest_message(numbered, context=_tools(PlanCache(), small))
    assert digest_message(numbered, context=_tools(memory, limits)) == made


def test_the_lines_of_a_fold_upon_another_are_what_they_are_without_a_memory() -> None:
    limits = Policy().limits
    tools = _tools(PlanCache(), limits)
    said = ["My budget is $900.", "Always answer in English.", "The deadline is 3 May.", "No, my budget is $700."]
    digest: Digest | None = None
    for seq, text in enumerate(said, 1):
        message = Message(Role.USER, text, seq=seq, id=str(seq))
        digest = fold(digest, [message], Ranges.span(1, seq), context=tools)
    assert digest is not None
    assert len(digest.facts) == 3
    assert "$700" in "".join(lines_of(digest, tools).texts)
    assert lines_of(digest, tools) == lines_of(digest, _tools(PlanCache(), limits))


RULED = ("always ", "never ", "must ", "don't ", "do not ", "'", '"', "{", "}", "; ", ":", "\n", "only ", "rule", "x ")


@given(st.lists(st.sampled_from(RULED), max_size=10).map("".join))
def test_no_part_of_a_text_lays_down_a_rule_where_none_may(text: str) -> None:
    assert may_be_rule(text) or not any(map(is_rule, (text, *instructions._PARTS.split(text))))
