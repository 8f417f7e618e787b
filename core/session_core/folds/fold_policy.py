"""What of a policy decides how sessions are folded, as a text that processes on different machines compare."""

from __future__ import annotations

import json
from typing import Any

from session_core.advisers import LateClassifier
from session_core.policy import Policy

NONE = "none"


def fold_policy(policy: Policy, counter_name: str) -> str:
    """Equal for policies that make the same digests, with the helpers of the same names; not meant to be read.

    What only concerns appends and views is left out, so that a worker need not have it. `counter_name` is what
    `policy` counts with in this process: one without token tables estimates, and folds elsewhere.
    """
    limits, budget = policy.limits, policy.limits.budget
    late = policy.classifier if isinstance(policy.classifier, LateClassifier) else None
    settings: dict[str, Any] = {
        "limit_tokens": budget.limit_tokens,
        "summarize_at": budget.summarize_at,
        "hysteresis": budget.hysteresis,
        "keep_turns": limits.keep_turns,
        "digest_tokens": limits.digest_tokens,
        "facts_tokens": limits.facts_tokens,
        "counter": counter_name,
    }
    helpers = (
        ("summarizer", policy.summarizer),
        ("classifier", late),
        ("extractor", policy.extractor),
        ("index", policy.index),
    )
    settings |= {what: helper.name for what, helper in helpers if helper is not None}
    return json.dumps(settings)


def settings_of(text: str) -> dict[str, str]:
    """The settings in a text of `fold_policy`, ready to be shown; empty for another text."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return {name: _shown(value) for name, value in found.items()} if isinstance(found, dict) else {}


def differences(ours: str, theirs: str) -> tuple[str, str]:
    """Where two policies differ: the settings of `ours`, and those of `theirs`."""
    mine, others = settings_of(ours), settings_of(theirs)
    names = [name for name in {**mine, **others} if mine.get(name) != others.get(name)]
    one, other = (", ".join(f"{name}={held.get(name, NONE)}" for name in names) for held in (mine, others))
    return one, other


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
