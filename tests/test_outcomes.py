"""A view without a subject says what came of an exchange, and how far a run of tools has come."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise

import pytest

from session_core import Budget, Policy, Sessions
from session_core.passages.reading import read
from session_core.passages.scoring import Read
from session_core.recall.outcomes import find_outcomes, minor_voices, outcome
from session_core.turns import Message, Role, ToolCall


def _read(*said: str, tools: int = 0) -> list[Read]:
    """What user and assistant said in turn; behind it what so many calls gave."""
    roles = (Role.USER, Role.ASSISTANT)
    told = [Message(roles[n % 2], text, id=f"m{n}", seq=n + 1) for n, text in enumerate(said)]
    for n in range(tools):
        call = ToolCall(f"c{n}", "read_file", json.dumps({"path": f"src/part_{n}.py"}))
        told.append(Message(Role.ASSISTANT, "", tool_calls=(call,), id=f"a{n}", seq=len(told) + 1))
        text = "\n".join(f"def part_{n}_{line}(): return {line}" for line in range(20))
        told.append(Message(Role.TOOL, text, tool_call_id=f"c{n}", id=f"t{n}", seq=len(told) + 1))
    return [(message, read(message, lambda text: len(text) // 4)) for message in told]


@pytest.mark.parametrize(
    ("asked", "offer", "said", "came"),
    [
        ("And the oven?", "The Vulcan costs 9,800, the Brisa 7,200.", "the cheaper one", "The Brisa rack oven."),
        ("Any names?", "How about Crumb, Peel or Salt?", "the second", "Peel is a lovely name."),
        ("What if we sold coffee?", "It needs a second counter.", "tempting. no", "No coffee then."),
        ("should the sign be lit?", "A lit sign needs a permit.", "then not", "No lit sign."),
        ("Teppich oder Linoleum?", "Linoleum ist leichter zu reinigen.", "dann das", "Linoleum kommt rein."),
        ("¿alcázar o acueducto?", "El alcázar se llena pronto.", "pues eso", "Primero el alcázar."),
        ("поезд или автобус?", "Поезд быстрее.", "давайте первое", "Тогда едете поездом."),
        ("晚餐你有什么建议?", "可以选自助餐或者桌餐。", "第二个", "那就桌餐。"),
    ],
)
def test_what_came_of_an_exchange_is_found(asked: str, offer: str, said: str, came: str) -> None:
    found = find_outcomes(_read(asked, offer, said, came), ())
    assert found.told == {3}
    assert found.settling == {2}


@pytest.mark.parametrize(
    "said",
    [
        ("We live in Graz.", "A fine city.", "It rains.", "Take an umbrella."),
        ("And the oven?", "The Brisa costs 7,200.", "and how large is it?", "Two metres."),
        ("And the oven?", "The Brisa or the Vulcan?", "whichever of the two my brother once had", "The Brisa."),
        ("And the oven?", "The Brisa or the Vulcan?", "the first", "Shall I order the Brisa today?"),
        ("And the oven?", "The Brisa or the Vulcan?", "the first", "Thanks!"),
        (
            "And the oven?",
            "The Brisa or the Vulcan?",
            "the first",
            "Ovens of this kind were made in many places, and those who use them swear by what they have.",
        ),
    ],
)  # fmt: skip
def test_what_settles_nothing_has_no_outcome(said: tuple[str, ...]) -> None:
    assert not find_outcomes(_read(*said), ()).told


def test_an_outcome_is_one_short_sentence() -> None:
    assert outcome("The Brisa rack oven. It comes on Monday.") == "The Brisa rack oven."
    assert outcome("Which one?") == ""
    assert outcome("") == ""


def _goes_first(run: list[Read], room_tokens: int) -> list[str]:
    """What people say of `run` that goes before the outputs of tools; what binds has a figure."""
    first = minor_voices(run, room_tokens, lambda passage: any(map(str.isdigit, passage.text)))
    said = [passage for message, reading in run if message.role is not Role.TOOL for passage in reading.passages]
    return [passage.text for passage in said if first is not None and passage.voice != "call" and first(passage)]


def test_what_people_say_goes_first_among_tools_if_all_of_it_has_room() -> None:
    run = _read("Migrate the billing module.", "Step 1 is done, the mailer is left.", tools=30)
    assert _goes_first(run, 2_000) == ["Migrate the billing module.", "Step 1 is done, the mailer is left."]
    assert _goes_first(run, 40) == ["Migrate the billing module."]
    assert _goes_first(run, 10) == []
    long = _read("Go.", "I look at the parts of the module one by one. " * 40, tools=60)
    assert _goes_first(long, 1_000) == ["Go."]


def test_of_much_talk_among_tools_what_binds_goes_first_if_it_has_room() -> None:
    chat = ["The weather is lovely by the lake today, I think.", "So it is, the sun came out at last."] * 12
    run = _read(*chat, "Never deploy before 9.", "Noted.", tools=60)
    assert _goes_first(run, 100) == ["Never deploy before 9."]
    assert _goes_first(run, 10) == []


def test_a_conversation_without_tools_is_weighed_as_before() -> None:
    assert _goes_first(_read("We take slate.", "Good.", "And tin for the shed.", "All right."), 5_000) == []


RUN = [
    ("user", "Goal: move billing to the new ledger. The branch is feat/led-9. Stop and ask before any migration."),
    ("assistant", "Plan: map the models, write the adapter, switch the callers, update the docs."),
    *[("tool", str(n)) for n in range(30)],
    ("assistant", "The adapter is written. Open: rounding in refunds differs by one cent. Next the callers."),
    *[("tool", str(n)) for n in range(30, 90)],
]


def _messages(run: Sequence[tuple[str, str]] = RUN) -> list[dict[str, object]]:
    made: list[dict[str, object]] = []
    for role, text in run:
        if role != "tool":
            made.append({"role": role, "content": text})
            continue
        call = {
            "id": f"c{text}",
            "function": {"name": "read_file", "arguments": json.dumps({"path": f"src/p{text}.py"})},
        }
        lines = "\n".join(f"def part_{text}_{n}(value_{n}): return {n}" for n in range(30))
        made += [
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"c{text}", "content": lines},
        ]
    return [*made, {"role": "assistant", "content": "The callers are switched."}]


@pytest.mark.parametrize("question", ["OK, what's next?", "continue"])
def test_a_long_run_knows_its_goal_its_plan_and_what_is_open(question: str) -> None:
    with Sessions("memory://", policy=Policy(Budget(2_000, reply_reserve_tokens=0), folding="inline")) as sessions:
        session = sessions.session("s")
        session.append(_messages())
        shown = "\n".join(message.content for message in session.view(question).messages)
    for said in ("feat/led-9", "Stop and ask", "update the docs", "rounding in refunds"):
        assert said in shown


def test_a_run_too_long_to_be_read_whole_knows_them_too() -> None:
    steps = iter(range(1_000))
    said = [(role, str(next(steps)) if role == "tool" else text) for role, text in [*RUN[:4], *RUN[3:-1] * 3, RUN[-1]]]
    policy = Policy(Budget(2_000, reply_reserve_tokens=0), folding="inline", embedder=None)
    with Sessions("memory://", policy=policy) as sessions:
        session = sessions.session("s")
        session.append(_messages(said))
        assert len(session.record()) > 500
        shown = "\n".join(message.content for message in session.view("continue").messages)
    for text in ("feat/led-9", "update the docs", "rounding in refunds"):
        assert text in shown


def test_a_plan_under_a_long_digest_is_found_by_the_words_of_progress() -> None:
    steps = iter(range(1_000))
    run = [("user", "Goal: move billing to the new ledger."), RUN[1]]
    for part in range(60):
        run += [("user", f"now look at part {part}"), *[("tool", "")] * 4, ("assistant", f"Part {part} looks fine")]
    messages = _messages([(role, str(next(steps)) if role == "tool" else text) for role, text in run])[:-1]
    turns = [place for place, message in enumerate(messages) if message["role"] == "user"]
    policy = Policy(Budget(2_000, reply_reserve_tokens=0), folding="inline", embedder=None)
    with Sessions("memory://", policy=policy) as sessions:
        session = sessions.session("s")
        for start, end in pairwise([*turns, len(messages)]):
            session.append(messages[start:end])
        shown = "\n".join(message.content for message in session.view("continue").messages)
    assert "update the docs" in shown
