"""Any LlamaIndex LLM as a summarizer; its output is checked."""

from __future__ import annotations

from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.llms.llm import LLM

from session_core.advisers import EqualByParts, require_method
from session_core.ports import SummaryRequest
from session_core.prompts import summary_prompt


class LLMSummarizer(EqualByParts):
    """A `Summarizer` that calls `llm`. It blocks; async callers run it in a thread."""

    def __init__(self, llm: LLM) -> None:
        self.llm = require_method(llm, "chat", "an LLM")
        self.name = ":".join(filter(None, ("llm", type(llm).__name__, str(getattr(llm, "model", "")))))

    async def summarize(self, request: SummaryRequest) -> str:
        """The model's summary of the notes so far and the new messages."""
        task, asked = summary_prompt(request)
        answer = self.llm.chat([ChatMessage(task, role=MessageRole.SYSTEM), ChatMessage(asked)])
        return answer.message.content or ""
