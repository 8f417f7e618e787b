"""Log records of events that somebody on duty looks for; they carry names and reasons, never content."""

from __future__ import annotations

import logging

from session_core.events import Event, FellBack, FoldFailed, RulesOutgrown

logger = logging.getLogger("session_core")


def log(event: Event) -> None:
    """Log a fold that failed as a warning, and what rules took over or outgrew as information; nothing else."""
    match event:
        case FoldFailed():
            logger.warning(
                "session %s: a fold failed (%s); it is tried again at the next turn", event.key, event.reason
            )
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
