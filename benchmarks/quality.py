"""What a view keeps of what is needed later, beside what people use instead, on conversations with known answers.

Replays a folder of transcripts (`--data`, or the environment variable LLM_SESSIONS_TRANSCRIPTS), or sessions that
are made up here when none is named. docs/benchmarks.md says what each measure means.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

from benchmarks.quality_data import Conversation, budgets_for, read_sets, sampled
from benchmarks.quality_desk import other_sets
from benchmarks.quality_methods import Method
from benchmarks.quality_ours import variants
from benchmarks.quality_plot import plot
from benchmarks.quality_rivals import rivals
from benchmarks.quality_rounds import print_rounds
from benchmarks.quality_run import Broken, Replayed, Row, added_up, replay, replayed
from benchmarks.quality_sessions import made_sets
from benchmarks.timing import machine, say, table

FOLDER = "LLM_SESSIONS_TRANSCRIPTS"
MOST_TOLD = 3
"""Places of a broken promise that are printed; all of them are in the file of `--out`."""
NOTHING = {"-", "0.00"}
"""A line of nothing else is left out."""
PACKAGES = ("langchain", "llama-index-core")

Cell = Callable[[Row], str]


def main(options: Sequence[str] = ()) -> None:
    """Replay, and print the table, the rounds, and what broke."""
    chosen = _options(options)
    methods, missing = chosen_methods(chosen.methods)
    print(machine(*PACKAGES))
    for line in missing:
        print(line)
    made = {} if chosen.data else {**made_sets(chosen.seed), **other_sets(chosen.seed)}
    sets = read_sets(Path(chosen.data), chosen.sets) if chosen.data else _named(made, chosen.sets)
    rows: list[Row] = []
    broken: list[Broken] = []
    for name, conversations in sets.items():
        drawn = sampled(conversations, chosen.probes, chosen.seed)
        budgets = chosen.budgets or budgets_for(drawn)
        if chosen.jobs == 1:
            found, wrong = replay(name, drawn, methods, budgets)
        else:
            found, wrong = added_up(name, _shared_out(name, drawn, methods, budgets, chosen.jobs))
        print(f"  {name}: {sum(len(one.probes) for one in drawn)} probes, {len(drawn)} conversations", flush=True)
        rows += found
        broken += wrong
        if chosen.out:
            report = {"rows": list(map(asdict, rows)), "broken": list(map(asdict, broken))}
            Path(chosen.out).write_text(json.dumps(report, indent=1))
    print_rows(rows)
    print_broken([one for one in broken if one.method in ("ours", "ours folded")])
    if not chosen.data:
        print_rounds(chosen.seed)
    if chosen.plot:
        print(f"\n{plot(rows, Path(chosen.plot))}")


_HERE: list[Method] = []
"""The methods of a process that takes its share of the conversations."""


def _shared_out(
    name: str, drawn: Sequence[Conversation], methods: Sequence[Method], budgets: Sequence[str], jobs: int
) -> Iterator[Replayed]:
    """The conversations in `jobs` processes at once, each with methods of its own; in the order of the set."""
    names = [method.name for method in methods]
    with ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (names,)) as processes:
        asked = [processes.submit(_replayed_there, name, one, budgets) for one in drawn]
        yield from (one.result() for one in asked)


def _begin(names: Sequence[str]) -> None:
    _HERE.extend(chosen_methods(names)[0])


def _replayed_there(name: str, conversation: Conversation, budgets: Sequence[str]) -> Replayed:
    return replayed(name, conversation, _HERE, budgets)


def chosen_methods(names: Sequence[str]) -> tuple[list[Method], list[str]]:
    """Ours and the rivals, or those that are named, and a line for each that is not installed."""
    others, missing = rivals()
    methods = [*variants(), *others]
    if unknown := set(names) - {method.name for method in methods}:
        known = ", ".join(method.name for method in methods)
        raise SystemExit(f"no method {', '.join(sorted(unknown))}; there are: {known}")
    return [method for method in methods if not names or method.name in names], missing


def print_rows(rows: Sequence[Row]) -> None:
    """One table: a part for each measure, a line for each set and budget, a column for each method."""
    methods = list(dict.fromkeys(row.method for row in rows))
    by_place = {(row.set, row.budget, row.method): row for row in rows}
    places = list(dict.fromkeys((row.set, row.budget, row.probes) for row in rows))
    for title, cell in MEASURES:
        cells = [[cell(by_place[name, budget, method]) for method in methods] for name, budget, _ in places]
        lines = [
            [name, budget, probes, *line]
            for (name, budget, probes), line in zip(places, cells, strict=True)
            if not set(line) <= NOTHING
        ]
        if lines:
            say(title)
            table(["set", "budget", "probes", *methods], lines)


def print_broken(broken: Sequence[Broken]) -> None:
    """What of ours is invalid, over its budget, empty, or shows a superseded value alone, and where that is seen."""
    say(f"Promises that views of ours broke: {len(broken):,}.")
    for kind in dict.fromkeys(one.kind for one in broken):
        method, name, what = kind
        places = [one.place for one in broken if one.kind == kind]
        print(f"  {method} on {name}: {what}, {len(places):,} times: {'; '.join(places[:MOST_TOLD])}")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


MEASURES: tuple[tuple[str, Cell], ...] = (
    (
        "hit: the value, or the answer, is in the context (* more than 2 % of contexts are over budget or invalid):",
        lambda row: _share(row.hit) + ("" if row.valid else "*"),
    ),
    (
        "ctx: the value with its neighbouring words; share of the answering turns present:",
        lambda row: _share(row.context),
    ),
    ("far: hits among values whose last mention is further back than the budget reaches:", lambda row: _share(row.far)),
    ("near: hits among the others:", lambda row: _share(row.near)),
    ("stale: a superseded value is there and the final one is not:", lambda row: _share(row.stale)),
    ("bad: contexts that separate a call from its result:", lambda row: _share(row.bad)),
    ("over: contexts over their budget:", lambda row: _share(row.over)),
    ("used: mean tokens of a context:", lambda row: f"{row.used:,.0f}"),
    ("ms: median milliseconds of a context:", lambda row: f"{row.ms:.1f}"),
)


def _named(sets: dict[str, list[Conversation]], names: Sequence[str]) -> dict[str, list[Conversation]]:
    if missing := set(names) - set(sets):
        raise SystemExit(f"no set {', '.join(sorted(missing))}; there are: {', '.join(sets)}")
    return {name: sets[name] for name in names or sets}


def _options(options: Sequence[str]) -> argparse.Namespace:
    words = argparse.ArgumentParser(prog="python -m benchmarks quality", description=__doc__)
    words.add_argument("--data", default=os.environ.get(FOLDER, ""), help="folder of .jsonl or .jsonl.gz transcripts")
    words.add_argument("--sets", type=_list, default=[], help="names of files, parted by commas (all of the folder)")
    words.add_argument("--methods", type=_list, default=[], help="names of columns, parted by commas (all)")
    words.add_argument("--budgets", type=_list, default=[], help="tokens, or shares of the history as 25%% (by set)")
    words.add_argument("--probes", type=int, default=0, help="most probes of a set, drawn at random (0: all)")
    words.add_argument(
        "--jobs", type=int, default=1, help="processes at once (more than 1: times are not to be trusted)"
    )
    words.add_argument("--seed", type=int, default=1, help="for what is drawn and what is made up")
    words.add_argument("--plot", default="", help="file for a picture (PNG)")
    words.add_argument("--out", default="", help="file for all figures (JSON)")
    return words.parse_args(list(options))


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
