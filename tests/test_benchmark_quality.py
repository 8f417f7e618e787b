"""The benchmark of quality: its scorer is literal and fair, its made-up sessions can be answered, a run tells all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.quality import main
from benchmarks.quality_data import Conversation, Probe, Said, budget_tokens, budgets_for, read_sets, sampled
from benchmarks.quality_desk import other_sets
from benchmarks.quality_methods import Asked, Contexts, Oracle
from benchmarks.quality_ours import Ours, cut, exchanges
from benchmarks.quality_rivals import Trim
from benchmarks.quality_rounds import survival
from benchmarks.quality_run import replay
from benchmarks.quality_score import Context, holds, in_context, plain, scored, unpaired
from benchmarks.quality_sessions import made_sets
from session_core.counting.tokens import counter_for

CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"order": "W-77"}'}}


def user(text: str, turn: str = "t1") -> Said:
    return {"role": "user", "content": text, "turn_id": turn}


def asking(answer: str, evidence: str, **more: object) -> tuple[Probe, Conversation]:
    probe = Probe("slot_final", "?", (answer,), ("t1",), 1)
    return replace(probe, **more), Conversation("c", (user(evidence),), ())  # type: ignore[arg-type]


class Whole:
    """Shows all that was said."""

    name = "whole"
    asks = False

    def begin(self, conversation: Conversation) -> Contexts:
        return lambda asked: conversation.messages[: asked.at]


class Failing(Whole):
    name = "failing"

    def begin(self, conversation: Conversation) -> Contexts:
        def context(asked: Asked) -> Sequence[Said]:
            raise ValueError("no room")

        return context


@pytest.mark.parametrize(
    ("value", "text", "there"),
    [
        ("W-77", "order W-77, please", True),
        ("W-77", "order W-778", False),
        ("77", "order W-77", True),
        ("77", "order 1774 or 774", False),
        ("77", "no 774 but 77", True),
        ("New  York", "to new\nyork.", True),
        ("5号", "在5号楼", True),
        ("", "anything", False),
    ],
)
def test_a_value_counts_as_kept_only_as_a_whole_word(value, text, there):
    assert holds(value, plain(text)) is there


def test_a_bare_list_of_values_is_not_in_context():
    evidence = ["The red bicycle number W-77 waits at the harbour gate."]
    assert in_context("W-77", ["the bicycle w-77 waits at the gate"], evidence)
    assert not in_context("W-77", ["w-77; w-78; gate"], evidence)
    assert in_context("W-77", ["w-77"], ["W-77"])


def test_words_far_from_a_value_are_not_its_context():
    evidence = ["The red bicycle number W-77 waits at the harbour gate."]
    assert not in_context("W-77", ["w-77 " + "so " * 40 + "red bicycle waits at the harbour gate"], evidence)


@pytest.mark.parametrize(
    ("messages", "bad"),
    [
        ([{"role": "assistant", "content": "", "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "c1"}], False),
        ([{"role": "tool", "tool_call_id": "c1"}], True),
        ([{"role": "assistant", "content": "", "tool_calls": [CALL]}], True),
        ([{"role": "assistant", "tool_calls": [CALL]}, user("and?"), {"role": "tool", "tool_call_id": "c1"}], True),
        ([user("and?")], False),
    ],
)
def test_a_call_and_its_result_belong_together(messages, bad):
    assert unpaired(messages) is bad


def test_a_superseded_value_alone_is_stale_and_beside_the_final_one_is_not():
    probe, conversation = asking("12 May", "We meet on 12 May.", superseded=("3 May",))
    assert scored(Context([user("We meet on 3 May.")]), probe, conversation).stale is True
    assert scored(Context([user("Not 3 May but 12 May.")]), probe, conversation).stale is False
    assert scored(Context([user("We meet.")]), probe, conversation).stale is False
    assert scored(Context([]), replace(probe, superseded=()), conversation).stale is None


def test_tool_calls_count_as_content():
    probe, conversation = asking("W-77", "My order is W-77.")
    assert scored(Context([{"role": "assistant", "content": "", "tool_calls": [CALL]}]), probe, conversation).hit


def test_evidence_is_covered_by_its_words_close_together():
    said = "Dagny wants the old reading room painted before the autumn exhibition opens."
    probe, conversation = asking("", said, kind="qa", extractive=False)
    close = "dagny: old reading room painted before autumn exhibition opens"
    apart = " ".join(f"{word} {'and so on ' * 30}" for word in said.split())
    assert scored(Context([user(close)]), probe, conversation).hit
    assert not scored(Context([user(apart)]), probe, conversation).hit
    assert scored(Context([user(f"Quoted: {said}")]), probe, conversation).cover == 1.0


def test_an_answer_must_stand_beside_what_was_asked():
    probe, conversation = asking("12 May", "The roof offer comes by 12 May.", kind="qa", question="When is the offer?")
    assert scored(Context([user("the roof offer: 12 May")]), probe, conversation).hit
    assert not scored(Context([user("12 May")]), probe, conversation).hit


def test_a_budget_is_a_number_or_a_share_with_a_floor():
    assert (budget_tokens("500", 9_000), budget_tokens("25%", 9_000), budget_tokens("25%", 40)) == (500, 2_250, 48)


def test_a_probe_is_put_only_where_the_history_is_larger_than_the_budget():
    said = [user("The code is W-77. " + "And so on. " * 40, "t1"), *[user("More. " * 20, f"t{n}") for n in range(2, 9)]]
    probes = tuple(Probe("needed_value", "?", ("W-77",), ("t1",), at, gap_tokens=0) for at in (1, 8))
    rows, _ = replay("made", [Conversation("c", tuple(said), probes)], [Whole()], ["200"])
    assert [(row.probes, row.over) for row in rows] == [(1, 1.0)]


def test_a_method_that_raises_scores_as_empty():
    (row,), broken = replay("agent", made_sets(1, 1)["agent"], [Failing()], ["500"])
    assert (row.hit, row.used, row.bad) == (0.0, 0.0, 0.0)
    assert row.failed == len(broken) > 0
    assert {one.what for one in broken} == {"raised ValueError"}


def test_an_empty_message_takes_nothing_from_the_others():
    said = [user("The code is W-77. " + "And so on. " * 200), user("", "t2"), user("And now? " * 40, "t3")]
    probe = Probe("needed_value", "What is the code?", ("W-77",), ("t1",), 3)
    rows, broken = replay("made", [Conversation("c", tuple(said), (probe,))], [Ours("ours")], ["400"])
    assert [(row.hit, row.failed) for row in rows] == [(1.0, 0)]
    assert broken == []


@pytest.mark.parametrize("kind", ["agent", "chat", "meeting", "desk", "adviser"])
def test_the_whole_of_a_made_up_session_answers_all_of_its_probes(kind):
    conversations = {**made_sets(3, 2), **other_sets(3, 2)}[kind]
    rows, broken = replay(kind, conversations, [Whole()], budgets_for(conversations))
    assert rows
    assert all((row.hit, row.context, row.bad, row.stale or 0.0) == (1.0, 1.0, 0.0, 0.0) for row in rows)
    assert {one.what for one in broken} == {"over its budget"}


def test_made_up_sessions_are_the_same_for_a_seed_and_others_for_another():
    assert made_sets(1, 1) == made_sets(1, 1)
    assert made_sets(1, 1) != made_sets(2, 1)


def test_probes_are_drawn_by_the_seed_alone():
    conversations = made_sets(1, 3)["agent"]
    drawn = sampled(conversations, 5, seed=7)
    assert drawn == sampled(conversations, 5, seed=7) != sampled(conversations, 5, seed=8)
    assert sum(len(one.probes) for one in drawn) == 5
    assert sampled(conversations, 0, seed=7) == conversations


def test_ours_keeps_what_a_window_loses_and_breaks_no_promise():
    conversations = sampled(made_sets(1, 2)["agent"], 20, seed=1)
    rows, broken = replay("agent", conversations, [Ours("ours"), Trim(), Oracle()], ["1000"])
    hit = {row.method: row.hit for row in rows}
    assert hit["trim"] < hit["ours"] <= hit["oracle"] == 1.0
    assert [one for one in broken if one.method == "ours"] == []


def test_rules_outlive_the_rounds():
    found = survival(1, sessions=1)
    assert sorted(found.said) == [1, 2, 3, 4, 5]
    assert (found.rules, found.rules_lost) == (3, 0)


def test_a_plain_cut_fits_and_keeps_both_ends():
    count = counter_for().count
    text = " ".join(f"word{number}" for number in range(500))
    short = cut(text, max_tokens=60, count=count, reference="r1")
    assert short is not None
    assert short.tokens == count(short.text) <= 60
    assert short.text.startswith("word0 ")
    assert "word499\n" in short.text
    assert cut("short", max_tokens=60, count=count, reference="r1") is None


def test_exchanges_keep_calls_with_their_results():
    said = [user("a"), {"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "c1"}, user("b")]
    assert [len(batch) for batch in exchanges(said)] == [1, 2, 1]


def test_a_folder_is_replayed_and_all_figures_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (conversation,) = made_sets(5, 1)["chat"]
    probes = [{name: getattr(one, name) for name in Probe.__slots__} for one in conversation.probes]
    line = json.dumps({"id": "one", "messages": conversation.messages, "probes": probes})
    (tmp_path / "feast.jsonl").write_text(line + "\n")
    assert read_sets(tmp_path)["feast"][0].probes == conversation.probes

    out, picture = tmp_path / "out.json", tmp_path / "out.png"
    main(["--data", str(tmp_path), "--methods", "ours,trim,oracle", "--budgets", "500,25%", "--out", str(out),
          "--plot", str(picture)])  # fmt: skip
    printed = capsys.readouterr().out
    assert "feast" in printed
    assert "Promises that views of ours broke" in printed
    rows = json.loads(out.read_text())["rows"]
    assert {(row["budget"], row["method"]) for row in rows} == {
        (budget, method) for budget in ("500", "25%") for method in ("ours", "trim", "oracle")
    }
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_jobs_change_no_figure_but_times(tmp_path: Path):
    rows = []
    for jobs in ("1", "2"):
        out = tmp_path / jobs
        main(["--sets", "chat", "--methods", "ours,oracle", "--probes", "12", "--budgets", "500", "--jobs", jobs,
              "--out", str(out)])  # fmt: skip
        rows.append([{**row, "ms": 0, "ms_95": 0} for row in json.loads(out.read_text())["rows"]])
    assert rows[0] == rows[1]
    assert [row["method"] for row in rows[0]] == ["ours", "oracle"]


def test_unknown_methods_folders_and_sets_are_named(tmp_path: Path):
    with pytest.raises(SystemExit, match="no method magic; there are: ours"):
        main(["--methods", "magic"])
    with pytest.raises(SystemExit, match="has no"):
        main(["--data", str(tmp_path)])
    with pytest.raises(SystemExit, match="no set nowhere; there are: agent, chat, meeting"):
        main(["--sets", "nowhere"])
