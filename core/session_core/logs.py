"""Log records of events that somebody on duty looks for; they carry names and reasons, never content."""

from __future__ import annotations

import logging

from session_core.events import Event, FellBack, FoldFailed, RulesOutgrown, WorkersLost

logger = logging.getLogger("session_core")


def log(event: Event) -> None:
    """Log folds that failed and lost workers as warnings, and what rules took over or outgrew as information."""
    match event:
        case FoldFailed():
            logger.warning(
                "session %s: a fold failed (%s); it is tried again at the next turn", event.key, event.reason
            )
        case WorkersLost():
            logger.warning("no workers: %s; this process folds by itself until there is one", event.reason)
        case FellBack():
            logger.info("session %s: the rules took over from %s (%s)", event.key, event.summarizer, event.reason)
        case RulesOutgrown():
            logger.info(
                "session %s: %d of %d standing rules have no room in views; raise the budget, or move them into the "
                "system message",
                event.key,
                event.hidden,
                event.rules,
            )
