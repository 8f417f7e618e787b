"""Any LangChain chat model as a summarizer; what it writes is checked before it is believed."""

from __future__ import annotations

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from session_core.ports import SummaryRequest
from session_core.prompts import summary_prompt


class ChatModelSummarizer:
    """A `Summarizer` that asks `model`. It blocks; awaiting callers run it in a thread."""

    def __init__(self, model: BaseChatModel) -> None:
        self.model = model
        self.name = f"llm:{type(model).__name__}"

    async def summarize(self, request: SummaryRequest) -> str:
        """The notes so far and the new messages, as the model sums them up."""
        task, asked = summary_prompt(request)
        return self.model.invoke([SystemMessage(task), HumanMessage(asked)]).text
