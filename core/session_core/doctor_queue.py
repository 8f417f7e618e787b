"""Diagnosis of a queue of folds: who folds by which policy, what waits, and problems with their fixes."""

from __future__ import annotations

from collections.abc import Sequence

from session_core.doctor import problem
from session_core.fold_queue import PolicyQueue
from session_core.folds.fold_policy import differences, settings_of
from session_core.outputs.pieces import counted

SLOW_S = 60.0
"""Age of a request from which on workers are too few, or too slow."""
LATELY_S = 600.0
"""Age of a request up to which its application counts as being there."""
MEND_WORKERS = "Start workers with the application's Sessions: llm-sessions worker --app module:name."


def queue_lines(place: str, found: Sequence[PolicyQueue]) -> tuple[list[str], bool]:
    """The state of the queue at `place` as text lines, and whether there are no problems."""
    if not found:
        return [f"The queue {place} has had no request and no worker lately."], True
    ordered = sorted(found, key=lambda one: (-one.workers, one.policy))
    texts = [line for one in ordered for line in _figures(place, one)]
    problems = [line for one in ordered for line in _problems(one, ordered)]
    return texts + problems, not problems


def _figures(place: str, one: PolicyQueue) -> list[str]:
    asked = "no request lately" if one.asked_s is None else f"the last request {one.asked_s:,.0f} s ago"
    oldest = f", the oldest for {one.oldest_s:,.0f} s" if one.waiting or one.at_work else ""
    policy = ", ".join(f"{name}={value}" for name, value in settings_of(one.policy).items())
    there = f"{counted(one.workers, 'worker')}, {counted(one.waiting, 'session')} waiting and {one.at_work} at work"
    lines = [f"The queue {place} has {there}{oldest}; {asked}.", f"  policy: {policy}"]
    if not one.workers and (one.waiting or one.at_work):
        lines.append(
            "  These requests wait for a worker with this policy for a day; without one their sessions are requested "
            "again at their next turn, by the policy that their application has then."
        )
    return lines


def _problems(one: PolicyQueue, all_of: Sequence[PolicyQueue]) -> list[str]:
    if not one.workers and one.asked_s is not None and one.asked_s < LATELY_S:
        other = next((other for other in all_of if other.workers), None)
        if other is None:
            what = "applications request folds, and there is no worker"
        else:
            asked, there = differences(one.policy, other.policy)
            what = f"applications request folds by a policy that no worker has ({asked}; workers have {there})"
        return problem(what, "These applications fold by themselves, in their own processes.", MEND_WORKERS)
    if one.workers and one.oldest_s > SLOW_S:
        return problem(
            f"a session has waited {one.oldest_s:,.0f} s for its fold",
            "Views still fit, since each call folds by rules what no digest covers.",
            "Start more workers, or find out why folds take long: metric llm_sessions.fold.lag, by made_by.",
        )
    return []
