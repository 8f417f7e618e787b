"""llm-sessions: the session layer for multi-turn LLM applications."""

from session_core.budget import Budget, Tier
from session_core.errors import SessionError
from session_core.plan import View
from session_core.policy import Policy
from session_core.sessions import Session, Sessions
from session_core.turns import Importance, Media, Message, Role, ToolCall

__all__ = [
    "Budget",
    "Importance",
    "Media",
    "Message",
    "Policy",
    "Role",
    "Session",
    "SessionError",
    "Sessions",
    "Tier",
    "ToolCall",
    "View",
]
