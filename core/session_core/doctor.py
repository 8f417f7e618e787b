"""Diagnosis of a store: reads the states of its sessions and reports problems with their fixes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from session_core.budget import Budget, Tier
from session_core.embedding import embedder_of
from session_core.outputs.pieces import counted
from session_core.policy import Folding, Policy
from session_core.ports import SessionStore
from session_core.stats import Percentiles, standing_tokens
from session_core.stores.risks import Risk, risks_of
from session_core.turns import Key

NAMED = 5
"""How many sessions a line of the report names before it gives only their number."""


@dataclass(frozen=True, slots=True)
class Named:
    """One session with the figure that it is listed for."""

    key: Key
    figure: int


@dataclass(frozen=True, slots=True)
class Findings:
    """The condition of a store, computed from the states of its sessions without reading messages.

    `record_tokens` are of whole records, `standing_tokens` of active digests and the messages after them,
    uncompressed. `branched` sessions (edits, forks, resets) have no such figure and count with the tier of their last
    append. `in_tier` is the number of sessions in each tier; `early` that of sessions folded below the threshold, as
    those of an application with a smaller window are. Lists are complete, the largest figure first.
    """

    scheme: str
    tenant: str | None
    budget: Budget
    folding: Folding
    counter: str
    exact: bool
    estimated: bool
    embedder: str | None
    sessions: int
    record_tokens: Percentiles
    standing_tokens: Percentiles
    in_tier: tuple[int, ...]
    branched: int
    early: int
    swaps_waiting: int
    largest: tuple[Named, ...]
    behind: tuple[Named, ...]
    open_calls: tuple[Named, ...]
    oversized: tuple[Named, ...]
    risks: tuple[Risk, ...] = ()
    damage: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether there are no problems."""
        found = (self.damage, self.risks, self.behind, self.open_calls, self.oversized)
        return not (any(found) or self.estimated)


async def examine(store: SessionStore, policy: Policy, *, tenant: str | None = None) -> Findings:
    """The condition of the sessions in `store` under `policy`; of all tenants, or of one."""
    states = await store.sessions(tenant)
    counter, budget, embedder = policy.counting(), policy.budget, embedder_of(policy)
    standing = [standing_tokens(state) for state in states]
    known = [tokens for tokens in standing if tokens is not None]
    tiers = [
        Tier(state.tier) if tokens is None else budget.tier(tokens)
        for state, tokens in zip(states, standing, strict=True)
    ]
    return Findings(
        scheme=store.scheme,
        tenant=tenant,
        budget=budget,
        folding=policy.folding,
        counter=counter.name,
        exact=counter.exact,
        estimated=counter.name.startswith("estimate"),
        embedder=getattr(embedder, "name", type(embedder).__name__) if embedder else None,
        sessions=len(states),
        record_tokens=Percentiles.of([state.ledger.tokens for state in states]),
        standing_tokens=Percentiles.of(known),
        in_tier=tuple(tiers.count(tier) for tier in Tier),
        branched=standing.count(None),
        early=sum(
            tokens is not None and state.ready.number > 0 and budget.tier(state.ledger.tokens) < Tier.SUMMARIZE
            for state, tokens in zip(states, standing, strict=True)
        ),
        swaps_waiting=sum(state.ready != state.active for state in states),
        largest=_named((state.key, state.ledger.tokens) for state in states),
        behind=_named(
            (state.key, tokens or 0)
            for state, tokens, tier in zip(states, standing, tiers, strict=True)
            if tier >= Tier.SUMMARIZE and state.ready == state.active
        ),
        open_calls=_named((s.key, len(s.ledger.open_calls)) for s in states if s.ledger.open_calls),
        oversized=_named(
            (state.key, state.ledger.largest_tokens)
            for state in states
            if state.ledger.largest_tokens > budget.limit_tokens
        ),
        risks=await risks_of(store),
        damage=await store.damage(),
    )


def lines(findings: Findings) -> list[str]:
    """The findings as text lines: the figures, then each problem with its meaning and its fix."""
    whose = f" of tenant {findings.tenant}" if findings.tenant is not None else ""
    if not findings.sessions:
        texts = [f"The {findings.scheme} store holds no sessions{whose}."]
    else:
        texts = [f"The {findings.scheme} store holds {counted(findings.sessions, 'session')}{whose}."]
        texts += _figures(findings)
    texts.append(f"Tokens are counted with {findings.counter}, {_trust(findings)}.")
    texts.append(_found_by(findings))
    problems = _problems(findings)
    if findings.sessions and not problems:
        texts.append("No problems found.")
    return texts + problems


def _figures(findings: Findings) -> list[str]:
    limit, budget, all_of = findings.budget.limit_tokens, findings.budget, findings.sessions
    reserve = budget.reply_reserve
    shares = (
        (budget.summarize_at, Tier.SUMMARIZE),
        (budget.facts_at, Tier.FACTS),
        (budget.notify_at, Tier.NOTIFY),
    )
    over = [
        f"{sum(findings.in_tier[tier:]) / all_of:.0%} over {share:.0%} of the limit ({tier})" for share, tier in shares
    ]
    texts = [
        f"A view may have {limit:,} tokens (a window of {budget.window_tokens:,} minus {reserve:,} for the reply).",
        f"Whole records: {_percentiles(findings.record_tokens, limit)}.",
        f"Active digest and messages after it: {_percentiles(findings.standing_tokens, limit)}.",
        f"Sessions: {', '.join(over)}.",
        f"The largest records: {_list(findings.largest[:NAMED], 'tokens')}.",
    ]
    if findings.branched:
        texts.append(
            f"With edits, forks or resets: {counted(findings.branched, 'session')}; the figures of their views are not "
            "known without reading them, so they count with the tier of their last append."
        )
    if findings.early:
        texts.append(
            f"Folded although under {budget.summarize_at:.0%} of this limit: {counted(findings.early, 'session')}; "
            "if the application has a smaller window, examine with that one (--window)."
        )
    if findings.swaps_waiting:
        texts.append(
            f"With a new digest that takes effect at the next turn: {counted(findings.swaps_waiting, 'session')}."
        )
    return texts


def _problems(findings: Findings) -> list[str]:
    texts = [
        line
        for one in findings.damage
        for line in problem(
            f"the store is damaged: {one}",
            "Sessions of which a part is in damaged places cannot be read; all others are intact.",
            "Stop the writers, then restore a backup, or save what can be read (docs/runbook.md).",
        )
    ]
    texts += [line for risk in findings.risks for line in problem(risk.what, risk.means, risk.mend)]
    if findings.behind:
        texts += problem(
            f"folding is behind in {_list(findings.behind, 'tokens')}",
            "They are over the threshold and no newer digest is ready. Their views still fit, since each call folds "
            "them by rules, but they miss the provider's prompt cache more often.",
            _folding_mend(findings.folding),
        )
    if findings.open_calls:
        texts += problem(
            f"tool calls wait for their results in {_list(findings.open_calls, 'calls')}",
            "A run is still at work, ended before its tools did, or was edited. Views leave such calls out, "
            "since providers refuse a call without its result.",
            "Append the results, or a result that says the call was abandoned.",
        )
    if findings.oversized:
        texts += problem(
            f"single messages are larger than a whole view in {_list(findings.oversized, 'tokens')}",
            "The model reads such a message shortened; the record has it whole.",
            "Have tools return pages, or raise Budget(window_tokens=...); a recall tool and "
            "session.expand(reference) give the rest.",
        )
    if findings.estimated:
        texts += problem(
            "tokens are estimated, since this machine has no token table",
            "Views are a little smaller than they could be.",
            "pip install 'llm-sessions[langchain]', or bpe-openai alone.",
        )
    return texts


def problem(what: str, means: str, mend: str) -> list[str]:
    """The lines of a problem."""
    return [f"PROBLEM  {what}.", f"  means  {means}", f"  fix    {mend}"]


def _folding_mend(folding: Folding) -> str:
    if folding == "off":
        return "Policy(folding='off') leaves folding to you: call session.fold(), or use 'background'."
    return (
        "Run this again in a minute. If they are still listed: do processes end before their folds (call "
        "sessions.drain() before they do), does the summarizer answer slowly (metric llm_sessions.fold.lag), "
        "do folds fail (llm_sessions.fold.failures)? session.fold() does it now; when it returns None, the "
        "newest turn alone is over the threshold: have tools return pages, or raise the budget."
    )


def _trust(findings: Findings) -> str:
    if findings.exact:
        return "the provider's own table"
    if findings.estimated:
        return "an estimate"
    return "not the provider's own table; name the model with Policy(model=...) if you have not"


def _found_by(findings: Findings) -> str:
    if findings.embedder:
        return f"Old messages are found by their words and by meaning ({findings.embedder})."
    return "Old messages are found by words alone; pip install 'llm-sessions[embeddings]' adds meaning."


def _percentiles(tokens: Percentiles, limit: int) -> str:
    return ", ".join(
        f"{name} {figure:,} tokens ({figure / limit:.0%} of the limit)"
        for name, figure in (("p50", tokens.p50), ("p90", tokens.p90), ("p99", tokens.p99))
    )


def _list(named: Sequence[Named], unit: str) -> str:
    text = ", ".join(f"{one.key} ({one.figure:,} {unit})" if one.figure else str(one.key) for one in named[:NAMED])
    return text if len(named) <= NAMED else f"{text} and {len(named) - NAMED:,} more"


def _named(figures: Iterable[tuple[Key, int]]) -> tuple[Named, ...]:
    return tuple(sorted((Named(*one) for one in figures), key=lambda one: (-one.figure, str(one.key))))
