"""The LangGraph and LangChain parts of `llm-sessions demo`."""
