"""`SessionMiddleware`: for `create_agent`, fits the messages of every model call into the budget."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

from langchain.agents.middleware import AgentMiddleware
from langchain.agents.middleware.types import ModelRequest, ModelResponse
from langchain_core.messages import AnyMessage, BaseMessage

from langchain_session.checkpointing.whole_state import handouts
from langchain_session.conversion.messages import to_core
from langchain_session.in_run import RunFitter
from langchain_session.question_quotes import QuestionQuotes
from langchain_session.saver import SessionSaver
from session_core import Policy, Sessions
from session_core.counting.tokens import is_of_another_table
from session_core.errors import ConfigError
from session_core.services import Services

logger = logging.getLogger(__name__)


class SessionMiddleware(AgentMiddleware[Any, Any, Any]):
    """Fits the messages of every model call into the policy's budget, together with system prompt and tools.

    The agent's state stays unchanged. `source` is the agent's SessionSaver, a Sessions (of `tenant`), or a Policy.
    With a record, old turns and facts that are relevant to the newest question are quoted right before it.

    Put it last in `middleware=[...]`, next to the model: it counts the system prompt, tools and messages produced by
    the middlewares before it; what those after it add comes on top. Other context middlewares work beside it but are
    not needed: `SummarizationMiddleware` removes old messages from the thread, and `ClearToolUsesEdit` clears outputs
    whose essence a clip would keep.

    A warning is logged if the model's tokens are more than those of the table that counts them, since the policy does
    not name the model.
    """

    def __init__(self, source: SessionSaver | Sessions | Policy, *, tenant: str = "default") -> None:
        if not isinstance(source, SessionSaver | Sessions | Policy):
            raise ConfigError(
                f"SessionMiddleware({type(source).__name__}); pass the agent's SessionSaver, or a Sessions or a Policy"
            )
        super().__init__()
        self.tools = []
        self._fitter = RunFitter(_services_of(source))
        self._reminding: QuestionQuotes | None = None
        self._looked = False
        if isinstance(source, SessionSaver):
            self._reminding = QuestionQuotes(source.sessions, source.tenant)
        elif isinstance(source, Sessions):
            self._reminding = QuestionQuotes(source, tenant)

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Call the model with messages that fit."""
        reminding, seen = self._reminding, handouts.seen(request.messages).messages
        recalled = reminding.text(seen, _names(request)) if reminding is not None else ""
        return handler(self._fit_request(request, seen, recalled))

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any]:
        """Async form of `wrap_model_call`."""
        reminding, seen = self._reminding, handouts.seen(request.messages).messages
        recalled = await reminding.atext(seen, _names(request)) if reminding is not None else ""
        return await handler(await self._fitter.offload(seen, lambda: self._fit_request(request, seen, recalled)))

    def _fit_request(self, request: ModelRequest[Any], seen: Sequence[BaseMessage], recalled: str) -> ModelRequest[Any]:
        self._look_at(request.model)
        overhead = self._fitter.overhead_tokens(
            request.system_message, request.tools, _schemas(request.response_format)
        )
        fitted = cast(list[AnyMessage], self._fitter(seen, overhead_tokens=overhead, recalled=recalled))
        system = request.system_message
        if system is not None and to_core(system).empty:
            # deepagents sends one when it has nothing to say; providers refuse an empty message.
            return request.override(messages=fitted, system_message=None)
        return request.override(messages=fitted)

    def _look_at(self, model: object) -> None:
        """Tell, once, of a model that is counted as another one, so that what fits here may be too long for it."""
        policy, name = self._fitter.services.policy, _name_of(model)
        if self._looked or policy.model is not None or policy.counter is not None or not is_of_another_table(name):
            return
        self._looked = True
        logger.warning(
            "the model %s is counted with OpenAI's table, which gives too few tokens for it; name it, so that calls "
            "fit its window: Policy(model=%r)",
            name,
            name,
        )


def _name_of(model: object) -> str:
    """How a provider's class calls its model; empty where it does not say."""
    names = (getattr(model, field, None) for field in ("model_name", "model", "model_id"))
    return next((name for name in names if isinstance(name, str)), "")


def _services_of(source: SessionSaver | Sessions | Policy) -> Services:
    if isinstance(source, Policy):
        return Services(source)
    return source.sessions.services if isinstance(source, SessionSaver) else source.services


def _names(request: ModelRequest[Any]) -> Mapping[str, Any]:
    """The thread and the namespace of the run that calls the model."""
    info = getattr(request.runtime, "execution_info", None)
    return {} if info is None else {"thread_id": info.thread_id, "checkpoint_ns": info.checkpoint_ns}


def _schemas(response_format: Any) -> list[Any]:
    """The schemas of a structured answer, which are sent to the provider too."""
    specs = getattr(response_format, "schema_specs", None) or [getattr(response_format, "schema_spec", None)]
    made = [schema for spec in specs if (schema := getattr(spec, "json_schema", None)) is not None]
    bare: Any = getattr(response_format, "schema", None)
    if made or bare is None:
        return made
    return [bare.model_json_schema() if hasattr(bare, "model_json_schema") else bare]
