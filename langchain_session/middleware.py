"""`SessionMiddleware`: the model of a `create_agent` agent is called with messages that fit its budget."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from langchain.agents.middleware import AgentMiddleware
from langchain.agents.middleware.types import ModelRequest, ModelResponse
from langchain_core.messages import AnyMessage

from langchain_session.inrun import Squeeze
from langchain_session.saver import SessionSaver
from session_core import Policy, Sessions
from session_core.workshop import Workshop


class SessionMiddleware(AgentMiddleware[Any, Any, Any]):
    """Fits the messages of every model call into the policy's budget, beside system prompt and tools.

    The agent's state stays raw. `source` is the agent's SessionSaver, a Sessions, or a Policy.
    """

    def __init__(self, source: SessionSaver | Sessions | Policy) -> None:
        super().__init__()
        self.tools = []
        self._squeeze = Squeeze(_workshop(source))

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Call the model with messages that fit."""
        return handler(self._fitted(request))

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any]:
        """As `wrap_model_call`, awaited."""
        return await handler(self._fitted(request))

    def _fitted(self, request: ModelRequest[Any]) -> ModelRequest[Any]:
        overhead = self._squeeze.overhead(request.system_message, request.tools)
        fitted = self._squeeze(request.messages, overhead_tokens=overhead)
        return request.override(messages=cast(list[AnyMessage], fitted))


def _workshop(source: SessionSaver | Sessions | Policy) -> Workshop:
    if isinstance(source, Policy):
        return Workshop(source)
    return source.sessions.workshop if isinstance(source, SessionSaver) else source.workshop
