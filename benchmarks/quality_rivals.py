"""What people use instead, fed with the same messages; what is not installed is named, not left out in silence."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.quality_data import Conversation, Said, count, message_tokens, text_of
from benchmarks.quality_methods import Asked, Contexts, Method, Oracle, fitted, newest

KEPT_RESULTS = 3
"""How many tool results `ClearToolUsesEdit` leaves, which is its default."""
EMBEDDED_CHARACTERS = 4_000
SUMMARY_TOKENS = 32
"""What langmem is told to leave for a summary: here it is empty, and its message says little more than that."""


def rivals() -> tuple[list[Method], list[str]]:
    """The rivals that are installed, and a line for each that is not."""
    makers: list[tuple[str, str, Callable[[], Sequence[Method]]]] = [
        ("trim_messages", "langchain_core", lambda: [Trim()]),
        ("ClearToolUsesEdit", "langchain", lambda: [Clear("clear"), Clear("clear+trim", then_trim=True)]),
        ("langmem", "langmem", lambda: [LangMem()]),
        ("LlamaIndex", "llama_index", lambda: [LlamaBuffer(), LlamaMemory()]),
        ("semantic top-k", "wordllama", lambda: [Semantic()]),
    ]
    there: list[Method] = []
    missing: list[str] = []
    for name, package, make in makers:
        if find_spec(package) is None:
            missing.append(f"{name} is left out: {package} is not installed (pip install 'llm-sessions[bench]')")
        else:
            there.extend(make())
    return [*there, Oracle()], missing


class Trim:
    """LangChain's `trim_messages`, the last messages that fit."""

    name = "trim"
    asks = False

    def begin(self, conversation: Conversation) -> Contexts:
        """The messages as LangChain has them, with the numbers of their places as ids."""
        from langchain_core.messages import trim_messages

        said = conversation.messages
        converted = as_langchain(said)

        def price(messages: Sequence[Any]) -> int:
            return sum(message_tokens(said[int(message.id)]) for message in messages)

        def context(asked: Asked) -> list[Said]:
            kept = trim_messages(
                converted[: asked.at], max_tokens=asked.budget_tokens, strategy="last", token_counter=price
            )
            return [said[int(message.id or 0)] for message in kept]

        return context


class Clear:
    """LangChain's context editing: old tool results cleared once the budget is reached; then, perhaps, trimmed."""

    asks = False

    def __init__(self, name: str, *, then_trim: bool = False) -> None:
        self.name = name
        self._then_trim = then_trim

    def begin(self, conversation: Conversation) -> Contexts:
        """The edit changes the list, so each context has messages of its own."""
        from langchain.agents.middleware.context_editing import ClearToolUsesEdit
        from langchain_core.messages import trim_messages

        def back(message: Any) -> Said:
            before = conversation.messages[int(message.id)]
            return before if message.content == before["content"] else before | {"content": str(message.content)}

        def price(messages: Sequence[Any]) -> int:
            return sum(message_tokens(back(message)) for message in messages)

        def context(asked: Asked) -> list[Said]:
            messages = as_langchain(conversation.messages[: asked.at])
            edit = ClearToolUsesEdit(trigger=asked.budget_tokens, keep=KEPT_RESULTS)
            edit.apply(messages, count_tokens=price)
            if self._then_trim:
                messages = trim_messages(messages, max_tokens=asked.budget_tokens, strategy="last", token_counter=price)
            return [back(message) for message in messages]

        return context


class LangMem:
    """langmem's `summarize_messages`, message by message, with summaries left empty since no model is there: what
    its cut keeps."""

    name = "langmem cut"
    asks = False

    def begin(self, conversation: Conversation) -> Contexts:
        """A running summary for each budget."""
        from langchain_core.language_models.fake_chat_models import FakeListChatModel
        from langmem.short_term import summarize_messages

        said = conversation.messages
        converted = as_langchain(said)
        running: dict[int, tuple[int, Any, Sequence[Any]]] = {}

        def back(message: Any) -> Said:
            known = message.id is not None and message.id.isdigit()
            return said[int(message.id)] if known else {"role": "system", "content": message.content}

        def price(messages: Sequence[Any]) -> int:
            return sum(message_tokens(back(message)) for message in messages)

        def context(asked: Asked) -> list[Said]:
            done, summary, kept = running.get(asked.budget_tokens, (0, None, ()))
            with warnings.catch_warnings():
                # A message that its model could not take whole is a warning; here no model reads it.
                warnings.simplefilter("ignore", RuntimeWarning)
                for end in range(done + 1, asked.at + 1):
                    result = summarize_messages(
                        converted[:end],
                        running_summary=summary,
                        model=FakeListChatModel(responses=[""]),
                        max_tokens=asked.budget_tokens,
                        max_summary_tokens=min(SUMMARY_TOKENS, asked.budget_tokens // 2),
                        token_counter=price,
                    )
                    summary, kept = result.running_summary, result.messages
            running[asked.budget_tokens] = (asked.at, summary, kept)
            return [back(message) for message in kept]

        return context


class LlamaBuffer:
    """LlamaIndex's `ChatMemoryBuffer`. It is handed no more of the past than it could keep: it counts all of its
    messages anew for each one it drops."""

    name = "llama buffer"
    asks = False

    def begin(self, conversation: Conversation) -> Contexts:
        """Nothing to prepare."""
        from llama_index.core.memory import ChatMemoryBuffer

        def context(asked: Asked) -> list[Said]:
            history = conversation.messages[: asked.at]
            start = len(history) - len(newest(history, 2 * asked.budget_tokens))
            memory = ChatMemoryBuffer.from_defaults(
                chat_history=as_llama(history, start), token_limit=asked.budget_tokens, tokenizer_fn=_encode
            )
            return [history[message.additional_kwargs["place"]] for message in memory.get()]

        return context


class LlamaMemory:
    """LlamaIndex's `Memory`: the queue of recent messages alone, since its blocks want a model. It too is handed only
    what is recent, from four times its budget back: each message takes it milliseconds."""

    name = "llama memory"
    asks = False

    def begin(self, conversation: Conversation) -> Contexts:
        """A memory for each budget, which is given the messages one by one."""
        from llama_index.core.memory import Memory

        said = conversation.messages
        memories: dict[int, tuple[int, Any]] = {}

        def context(asked: Asked) -> list[Said]:
            budget, history = asked.budget_tokens, said[: asked.at]
            done, memory = memories.get(budget, (len(history) - len(newest(history, 4 * budget)), None))
            memory = memory or Memory.from_defaults(
                session_id=conversation.id,
                token_limit=budget,
                chat_history_token_ratio=0.99,
                token_flush_size=max(32, budget // 10),
                tokenizer_fn=_encode,
            )
            for message in as_llama(history, done):
                memory.put(message)
            memories[budget] = (asked.at, memory)
            return [said[message.additional_kwargs["place"]] for message in memory.get()]

        return context


class Semantic:
    """The messages nearest to the question by wordllama's vectors, as many as fit: what a vector store over the
    messages gives."""

    name = "semantic"
    asks = True

    def __init__(self) -> None:
        self._model: Any = None

    def begin(self, conversation: Conversation) -> Contexts:
        """A vector for each message."""
        said = conversation.messages
        vectors = self._embedded([text_of(message)[:EMBEDDED_CHARACTERS] or " " for message in said])

        def context(asked: Asked) -> list[Said]:
            (wanted,) = self._embedded([asked.probe.query[:EMBEDDED_CHARACTERS] or " "])
            near = vectors[: asked.at] @ wanted
            return fitted(said[: asked.at], (-near).argsort().tolist(), asked.budget_tokens)

        return context

    def _embedded(self, texts: Sequence[str]) -> Any:
        if self._model is None:
            # It tells what it loads to the log of everybody.
            logging.getLogger("wordllama").setLevel(logging.WARNING)
            import wordllama

            # Its wheel has the weights and the tokenizer; only from this folder it finds both without a network.
            folder = Path(wordllama.__file__).parent
            self._model = wordllama.WordLlama.load(cache_dir=folder, disable_download=True)
        return self._model.embed(list(texts), norm=True)


def as_langchain(said: Sequence[Said]) -> list[Any]:
    """The messages as LangChain has them, with the numbers of their places as ids."""
    from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

    def converted(place: int, message: Said) -> Any:
        content, name = message["content"] or "", str(place)
        if message["role"] == "user":
            return HumanMessage(content, id=name)
        if message["role"] == "tool":
            return ToolMessage(content, tool_call_id=message["tool_call_id"], id=name)
        calls = [
            {"name": call["function"]["name"], "args": _arguments(call["function"]["arguments"]), "id": call["id"]}
            for call in message.get("tool_calls") or ()
        ]
        return AIMessage(content, tool_calls=calls, id=name)

    return [converted(place, message) for place, message in enumerate(said)]


def as_llama(said: Sequence[Said], start: int) -> list[Any]:
    """The messages from `start` on as LlamaIndex has them, calls in their text: it counts nothing else."""
    from llama_index.core.base.llms.types import ChatMessage, MessageRole

    return [
        ChatMessage(
            role=MessageRole(said[place]["role"]), content=text_of(said[place]), additional_kwargs={"place": place}
        )
        for place in range(start, len(said))
    ]


def _arguments(text: str) -> dict[str, Any]:
    try:
        read = json.loads(text)
    except ValueError:
        return {"raw": text}
    return read if isinstance(read, dict) else {"raw": read}


def _encode(text: str) -> list[int]:
    """A tokenizer for those who only look at how much it gives."""
    return [0] * count(text)
