"""`Policy`: what users configure: the budget, what is kept, sizes of outputs, and helper models."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from session_core.advisers import Extractor, Index, LateClassifier, PlainEmbedder, PlainIndex, require_method
from session_core.budget import MIN_LIMIT_TOKENS, Budget
from session_core.counting.tokens import RememberingCounter, TokenCounter, counter_for
from session_core.errors import BudgetError, ConfigError
from session_core.plan import RECALL_TOKENS, UNCACHED_TOKENS, Limits
from session_core.ports import Classifier, Embedder, Summarizer

_LEAST = {
    "keep_turns": 1,
    "digest_tokens": 40,
    "facts_tokens": 0,
    "tool_output_tokens": 32,
    "whole_tool_outputs": 0,
    "recall_tokens": 0,
    "overhead_tokens": 0,
    "max_message_bytes": 1,
    "resume_after_s": 0,
    "helper_wait_s": 0,
}
"""The smallest value of each number."""
_OPTIONAL = ("whole_tool_outputs", "recall_tokens")
_FRACTIONAL = ("max_message_bytes", "resume_after_s", "helper_wait_s")
_METHODS = {
    "summarizer": "summarize",
    "classifier": "classify",
    "extractor": "extract",
    "embedder": "embed",
    "index": "near",
    "counter": "count",
}
_MADE_OF_MODELS = {
    "summarizer": "ChatModelSummarizer(model) of langchain_session, LLMSummarizer(llm) of llamaindex_session",
    "classifier": "ChatModelClassifier(model) of langchain_session",
    "extractor": "ChatModelExtractor(model) of langchain_session",
    "embedder": "EmbeddingsEmbedder(embeddings) of langchain_session",
    "index": "VectorStoreIndex(store) of langchain_session",
}
"""What makes a helper of a framework's model, which itself is none."""
_NAMED = ("summarizer", "extractor", "index")
Folding = Literal["inline", "background", "off"]


@dataclass(frozen=True, slots=True)
class Policy:
    """How the sessions of one `Sessions` are kept. All values are validated; sizes are in tokens.

    Content of views:

    - `keep_turns`: how many of the latest turns a fold leaves verbatim, unless they are too long.
    - `digest_tokens`, `facts_tokens`: limits of the rolling summary and of the key facts in a view.
    - `tool_output_tokens`: tool outputs longer than this get a clip when they are stored.
    - `whole_tool_outputs`: how many of the newest of these a view shows whole. Older ones are clipped in batches of
      this size, so that between one and two batches stay whole; 0 clips at once. None (the default): all stay whole
      until the view crosses the facts threshold.
    - `recall_tokens`: limit of quotes from old messages and facts that are relevant to the newest question; 0 for
      none. None (the default): 3,000, and in views of up to 8,192 tokens 65 % of the limit plus what the turns leave.
    - `resume_after_s`: absence in seconds after which a view tells the model how much time has passed.
    - `overhead_tokens`: what callers always add to a view (system prompt, tool schemas).
    - `max_message_bytes`: larger messages are refused.
    - `model`: selects the token table. `counter`: counts instead of a table, with the tokenizer of a model that has
      none here; its counts are stored with each message.

    Helpers:

    - `folding`: where digests are made: "background" (a thread of this process, or workers with
      `Sessions(fold_queue=)`), "inline" (in the append that crosses the threshold), or "off" (views still fit, by rules
      alone).
    - `summarizer` writes the digests, `classifier` judges messages, `extractor` finds facts in addition to those of
      the rules.
    - `embedder` finds and ranks old messages by meaning. "auto": the static one of the extra `embeddings` if
      installed, else none; None: words alone. `index` finds folded messages by meaning.
    - Models are called in the background, when messages are folded. One that takes longer than `helper_wait_s`
      seconds is abandoned, and the rules take over.
    """

    budget: Budget = field(default_factory=Budget)
    keep_turns: int = field(default=3, kw_only=True)
    digest_tokens: int = field(default=300, kw_only=True)
    facts_tokens: int = field(default=400, kw_only=True)
    tool_output_tokens: int = field(default=400, kw_only=True)
    whole_tool_outputs: int | None = field(default=None, kw_only=True)
    recall_tokens: int | None = field(default=None, kw_only=True)
    overhead_tokens: int = field(default=0, kw_only=True)
    resume_after_s: float = field(default=6 * 3600.0, kw_only=True)
    max_message_bytes: int = field(default=16 * 1024 * 1024, kw_only=True)
    model: str | None = field(default=None, kw_only=True)
    folding: Folding = field(default="background", kw_only=True)
    summarizer: Summarizer | None = field(default=None, kw_only=True)
    classifier: Classifier | LateClassifier | None = field(default=None, kw_only=True)
    extractor: Extractor | None = field(default=None, kw_only=True)
    embedder: Embedder | PlainEmbedder | Literal["auto"] | None = field(default="auto", kw_only=True)
    index: Index | PlainIndex | None = field(default=None, kw_only=True)
    helper_wait_s: float = field(default=120.0, kw_only=True)
    counter: TokenCounter | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.budget, Budget):
            raise BudgetError(f"budget={self.budget!r}; pass Budget(window_tokens=...)")
        self._check_numbers()
        if self.folding not in ("inline", "background", "off"):
            raise BudgetError(f"folding={self.folding!r}; pass 'inline', 'background' or 'off'")
        self._check_helpers()

    def _check_numbers(self) -> None:
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value is None and name in _OPTIONAL:
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or value < least:
                raise BudgetError(f"{name}={value!r}; pass a number of at least {least}")
            if not isinstance(value, int) and name not in _FRACTIONAL:
                raise BudgetError(f"{name}={value!r}; pass a whole number")
        if self.overhead_tokens > self.budget.limit_tokens - MIN_LIMIT_TOKENS:
            raise BudgetError(
                f"overhead_tokens={self.overhead_tokens} leave less than {MIN_LIMIT_TOKENS} of the budget's "
                f"{self.budget.limit_tokens} tokens for a view; raise Budget(window_tokens=...)"
            )

    def _check_helpers(self) -> None:
        if isinstance(self.embedder, str) and self.embedder != "auto":
            raise BudgetError(f"embedder={self.embedder!r}; pass 'auto', None, or an object with embed(texts)")
        if not isinstance(self.model, str | None):
            raise BudgetError(f"model={type(self.model).__name__}; pass the name of a model, as 'gpt-4o'")
        if isinstance(self.counter, str):
            raise BudgetError(f"counter={self.counter!r}; pass an object with count(text), or Policy(model=...)")
        for name, method in _METHODS.items():
            helper = getattr(self, name)
            if helper not in (None, "auto") and not isinstance(helper, LateClassifier):
                require_method(helper, method, f"the policy's {name}", _MADE_OF_MODELS.get(name, ""))
            if name in _NAMED and helper is not None and not isinstance(getattr(helper, "name", None), str):
                raise ConfigError(
                    f"the {name} {type(helper).__name__} has no name, which events and digests need; "
                    "give its class one: name = 'mine'"
                )

    def counting(self) -> TokenCounter:
        """What counts tokens: the given `counter`, asked for each text once as long as that is remembered, or the table
        of `model`."""
        given = self.counter
        if given is None:
            return counter_for(self.model)
        name = getattr(given, "name", type(given).__name__)
        return RememberingCounter(given.count, name, getattr(given, "exact", False))

    @property
    def limits(self) -> Limits:
        """The numbers that plans are made with."""
        budget, most = self.budget.minus_overhead(self.overhead_tokens), self.recall_tokens
        if most is None:
            most = budget.limit_tokens if budget.limit_tokens <= UNCACHED_TOKENS else RECALL_TOKENS
        return Limits(
            budget,
            keep_turns=self.keep_turns,
            digest_tokens=self.digest_tokens,
            facts_tokens=self.facts_tokens,
            recall_tokens=most,
            whole_tool_outputs=self.whole_tool_outputs,
        )


def require_policy(policy: Policy | None) -> Policy:
    """`policy`, or the default one for None. Raises: BudgetError for anything else."""
    if policy is not None and not isinstance(policy, Policy):
        raise BudgetError(f"policy={type(policy).__name__}; pass Policy(Budget(window_tokens=...))")
    return policy or Policy()
