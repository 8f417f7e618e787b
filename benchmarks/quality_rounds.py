"""Round after round of folding: whether what was said before the first survives as well as what came later."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.quality_ours import as_said
from benchmarks.quality_score import Context, holds
from benchmarks.quality_sessions import CORRECTING, RULES, SLOTS, STATING, new_value, stated
from benchmarks.quality_talk import chatter, small_talk
from benchmarks.timing import say, table
from session_core import Budget, Policy, Session, Sessions
from session_core.plan import Digest
from session_core.voices import run_blocking

ROUNDS = 5
BUDGET_TOKENS = 2_000
SESSIONS = 6
CORRECTED = 0.25
"""Share of the facts after which an older one is corrected."""
THINGS = ("kitchen", "terrace", "library", "workshop", "cellar", "attic", "hall", "annex")
"""Each slot is asked for in each of these places, so that there are facts for any number of rounds."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that was said once, and the number of its message."""

    about: str
    value: str
    superseded: str
    seq: int


@dataclass(slots=True)
class Survival:
    """How many facts were folded in each round, and how many of them a view after the last one holds."""

    said: dict[int, int] = field(default_factory=dict)
    shown: dict[int, int] = field(default_factory=dict)
    asked: dict[int, int] = field(default_factory=dict)
    rules: int = 0
    rules_lost: int = 0
    corrected: int = 0
    stale: int = 0


def print_rounds(seed: int) -> None:
    """The table of survival, and what must be nothing: rules that were lost, values that were shown superseded."""
    found = survival(seed, SESSIONS)
    say(
        f"{SESSIONS} synthetic sessions, folded inline {ROUNDS} times in {BUDGET_TOKENS:,} tokens: the facts that were",
        f"folded in each round, and the share of them that views after round {ROUNDS} hold, without a question and",
        "when they are asked for.",
    )
    rows = [
        [number, count, found.shown.get(number, 0) / count, found.asked.get(number, 0) / count]
        for number, count in sorted(found.said.items())
    ]
    table(["round", "facts", "in the view", "when asked"], rows)
    print(f"  rules lost: {found.rules_lost} of {found.rules}")
    print(f"  superseded values shown without the final one: {found.stale} of {found.corrected}")


def survival(seed: int, sessions: int) -> Survival:
    """What is left of `sessions` sessions after the last round."""
    found = Survival()
    for number in range(sessions):
        _count(found, random.Random(f"rounds {seed} {number}"))
    return found


def _count(found: Survival, rnd: random.Random) -> None:
    policy = Policy(Budget(BUDGET_TOKENS, reply_reserve_tokens=0), folding="inline")
    with Sessions("memory://", policy=policy) as sessions:
        session = sessions.session("made up")
        rules = rnd.sample(RULES, 3)
        for rule in rules:
            session.append([{"role": "user", "content": rule}, {"role": "assistant", "content": "Understood."}])
        facts: dict[str, Fact] = {}
        digests: dict[int, Digest] = {}
        for about, value, text in _said(rnd):
            if ROUNDS in digests:
                break
            before = facts.get(about)
            facts[about] = Fact(about, value, before.value if before else "", _append(session, rnd, text))
            digests |= {digest.number: digest for digest in _kept_digests(sessions, session)}
        # A digest is shown from the next turn on.
        _append(session, rnd, small_talk(rnd))
        _look(found, session, rules, list(facts.values()), list(digests.values()))


def _said(rnd: random.Random) -> Iterator[tuple[str, str, str]]:
    """Facts, and corrections of a quarter of them; no value is said twice."""
    taken: set[str] = set()
    known: list[str] = []
    for about in [f"{slot} for the {thing}" for thing in rnd.sample(THINGS, len(THINGS)) for slot in SLOTS]:
        value = _new(about, taken, rnd)
        known.append(about)
        yield about, value, stated(rnd.choice(STATING), about, value)
        if rnd.random() < CORRECTED:
            changed = rnd.choice(known)
            value = _new(changed, taken, rnd)
            yield changed, value, stated(rnd.choice(CORRECTING), changed, value)


def _new(about: str, taken: set[str], rnd: random.Random) -> str:
    value = new_value(about.rpartition(" for the ")[0], taken, rnd)
    taken.add(value)
    return value


def _append(session: Session, rnd: random.Random, text: str) -> int:
    """Say it, and something else; the number of its message."""
    done = session.append([{"role": "user", "content": text}, {"role": "assistant", "content": chatter(rnd, 1)}])
    session.append([{"role": "user", "content": small_talk(rnd)}, {"role": "assistant", "content": chatter(rnd, 2)}])
    return done.seqs[0]


def _kept_digests(sessions: Sessions, session: Session) -> Sequence[Digest]:
    """The digests that the store still has: it drops those that no view stands on any more."""
    holdings = run_blocking(sessions.store.holdings(session.key))
    return [digest for holding in holdings for digest in holding.digests]


def _look(
    found: Survival, session: Session, rules: Sequence[str], facts: Sequence[Fact], digests: Sequence[Digest]
) -> None:
    shown = _context(session, None)
    found.rules += len(rules)
    found.rules_lost += sum(not holds(rule, shown.whole) for rule in rules)
    for fact in facts:
        number = next((digest.number for digest in digests if fact.seq in digest.covers), None)
        asked = _context(session, f"What is {fact.about}?")
        if fact.superseded:
            found.corrected += 1
            found.stale += any(
                holds(fact.superseded, view.whole) and not holds(fact.value, view.whole) for view in (shown, asked)
            )
        if number is not None:
            for counted, there in (
                (found.said, True),
                (found.shown, holds(fact.value, shown.whole)),
                (found.asked, holds(fact.value, asked.whole)),
            ):
                counted[number] = counted.get(number, 0) + there


def _context(session: Session, query: str | None) -> Context:
    return Context([as_said(message) for message in session.view(query).messages])
