"""Where LlamaIndex' agents keep what a run did so far, until it ends, and how that reads as messages of a record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llama_index.core.agent.react.types import (
    ActionReasoningStep,
    BaseReasoningStep,
    ObservationReasoningStep,
)
from llama_index.core.base.llms.types import ChatMessage

from llamaindex_session.marks import ViewMessage
from llamaindex_session.messages import as_output, from_core, to_core
from session_core.payloads.parts import arguments_of
from session_core.serial.calls import arguments_text
from session_core.turns import Message, Role, ToolCall

EXECUTE = "execute"
"""The name under which a `CodeActAgent` executes code."""


@dataclass(frozen=True, slots=True)
class Place:
    """A list in an agent's context, under `key`, with items of class `holds`.

    `kept` is the context key for the originals after they were shortened: `whole`, their `ids`, and as `shown`.
    `to_messages` gives one message per item, `sent` the form of an item that a model is sent, `shorten` an item as a
    view shows its message.
    """

    key: str
    kept: str
    holds: type
    to_messages: Callable[[Sequence[Any]], list[Message]]
    sent: Callable[[Any], ChatMessage]
    shorten: Callable[[Message, Any], Any]


def messages_of_run(messages: Sequence[ChatMessage]) -> list[Message]:
    """The record's form of what an agent wrote itself during a run: none of it is the user's words.

    A message in the user's role, as a `CodeActAgent` stores the output of code, is a tool's result, and the
    assistant's message before it the call; without one it is the assistant's.
    """
    made: list[Message] = []
    for place, message in enumerate(messages):
        neutral = to_core(message)
        if neutral.role is Role.USER:
            asks = bool(made) and made[-1].role is Role.ASSISTANT and not made[-1].tool_calls
            call = ToolCall(f"{EXECUTE}_{place}", EXECUTE)
            if asks:
                # The code is in the text of the message.
                made[-1] = replace(made[-1], tool_calls=(call,))
            neutral = as_output(message, call.id if asks else None)
        made.append(neutral)
    return made


def _shorter_message(message: Message, whole: ChatMessage) -> ChatMessage:
    made = from_core(message)
    if isinstance(made, ViewMessage):
        return ChatMessage(role=made.role, blocks=made.blocks, additional_kwargs=made.additional_kwargs)
    return made


def _messages_of_steps(steps: Sequence[BaseReasoningStep]) -> list[Message]:
    """Thoughts and actions as tool calls, observations as their results."""
    made: list[Message] = []
    called: str | None = None
    for place, step in enumerate(steps):
        if isinstance(step, ActionReasoningStep):
            called = f"step_{place}"
            call = ToolCall(called, step.action, arguments_text(step.action_input))
            made.append(Message(Role.ASSISTANT, step.thought, tool_calls=(call,)))
        elif isinstance(step, ObservationReasoningStep) and called:
            made.append(Message(Role.TOOL, step.observation, tool_call_id=called))
            called = None
        else:
            made.append(Message(Role.ASSISTANT, step.get_content()))
    return made


def _shorter_step(message: Message, step: BaseReasoningStep) -> BaseReasoningStep:
    if isinstance(step, ActionReasoningStep):
        arguments = arguments_of(message.tool_calls[0]) if message.tool_calls else {}
        return step.model_copy(update={"thought": message.content, "action_input": arguments})
    if isinstance(step, ObservationReasoningStep):
        return step.model_copy(update={"observation": message.content})
    return step


def _sent_step(step: BaseReasoningStep) -> ChatMessage:
    return ChatMessage(step.get_content(), role="user" if isinstance(step, ObservationReasoningStep) else "assistant")


def told(steps: Sequence[BaseReasoningStep]) -> ChatMessage:
    """The message that a `ReActAgent` puts into its memory at the end of a run of these `steps`."""
    return ChatMessage("\n".join(step.get_content() for step in steps), role="assistant")


SCRATCHPAD = Place(
    "scratchpad", "llm_sessions_run", ChatMessage, messages_of_run, lambda message: message, _shorter_message
)
"""Of `FunctionAgent` and `CodeActAgent`: messages, which are put into the memory when the run ends."""
REASONING = Place(
    "current_reasoning",
    "llm_sessions_reasoning",
    BaseReasoningStep,
    _messages_of_steps,
    _sent_step,
    _shorter_step,
)
"""Of `ReActAgent`: steps, which are sent as texts, and put into the memory as one message."""
