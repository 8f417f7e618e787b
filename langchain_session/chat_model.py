"""Any LangChain chat model as summarizer, classifier or extractor; its output is checked."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from session_core.advisers import EqualByParts, require_method
from session_core.answers import facts_in, facts_prompt, judge_prompt, judgements_in
from session_core.plan import Fact
from session_core.ports import SummaryRequest
from session_core.prompts import summary_prompt
from session_core.turns import Importance, Message


class _ChatModelHelper(EqualByParts):
    """Calls `model`. Its name tells class and model, since workers fold only for applications with the same helpers."""

    def __init__(self, model: BaseChatModel) -> None:
        # Whatever else was given would fail in the background, at each fold.
        self.model = require_method(model, "invoke", "a chat model", 'init_chat_model("provider:model")')
        called = getattr(model, "model_name", None) or getattr(model, "model", None)
        self.name = ":".join(["llm", type(model).__name__, *([called] if isinstance(called, str) and called else [])])

    def _answer(self, prompt: tuple[str, str]) -> str:
        task, asked = prompt
        # A fold within a node or a chain would have its callbacks, which stream what models say to the user.
        return self.model.invoke([SystemMessage(task), HumanMessage(asked)], config={"callbacks": []}).text


class ChatModelSummarizer(_ChatModelHelper):
    """A `Summarizer` that calls `model`. It blocks; async callers run it in a thread."""

    async def summarize(self, request: SummaryRequest) -> str:
        """The model's summary of the notes so far and the new messages."""
        return self._answer(summary_prompt(request))


class ChatModelClassifier(_ChatModelHelper):
    """A `LateClassifier` that calls `model` when messages are folded. It blocks; folds run in the background."""

    async def judge(self, messages: Sequence[Message]) -> dict[int, Importance]:
        """The model's judgement of each message; messages without one are left out."""
        return judgements_in(self._answer(judge_prompt(messages)))


class ChatModelExtractor(_ChatModelHelper):
    """An `Extractor` that calls `model` when messages are folded. It blocks; folds run in the background."""

    async def extract(self, messages: Sequence[Message]) -> list[Fact]:
        """The facts that the model lists."""
        return facts_in(self._answer(facts_prompt(messages)))
