"""What a user may set: the budget, what is kept, how long outputs may be, and which helpers do the work."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from session_core.advisers import Extractor, Index, LateClassifier, require_power
from session_core.budget import MIN_LIMIT_TOKENS, Budget
from session_core.counting.tokens import RememberingCounter, TokenCounter, counter_for
from session_core.errors import BudgetError, ConfigError
from session_core.plan import RECALL_TOKENS, UNCACHED_TOKENS, Limits
from session_core.ports import Classifier, Embedder, Summarizer

_POWERS = {
    "summarizer": "summarize",
    "classifier": "classify",
    "extractor": "extract",
    "embedder": "embed",
    "index": "near",
    "counter": "count",
}
_NAMED = ("summarizer", "extractor", "index")
Folding = Literal["inline", "background", "off"]


@dataclass(frozen=True, slots=True)
class Policy:
    """How the sessions of one `Sessions` are kept. Every value is checked; sizes are in tokens.

    `keep_turns` is how many of the last turns a fold leaves word for word where they are not too long.
    `digest_tokens` and `facts_tokens` bound the rolling summary and the key facts of a view.
    `tool_output_tokens` is the length over which a tool output gets a clip beside it when it is
    stored. `whole_tool_outputs` is how many of the newest of these a view shows whole: those before them
    are clipped, as many at a time, so that between this and twice as many stand whole; 0 clips them at
    once. By default (None) all stand whole until the view crosses the facts threshold. `recall_tokens`
    bounds the old messages and facts that bear on the newest question; 0 brings back none. By default (None) these are
    3,000, and in a view of up to 8,192 tokens all that its share of 65 % and the turns leave. `resume_after_s` is the
    absence in seconds after which a view reminds the model of the time that went by.
    `overhead_tokens` is what callers always put around a view (system prompt, tool schemas).
    `max_message_bytes` refuses larger messages. `model` picks the token table; `counter` counts instead, with the
    tokenizer of a model that has none here, and what it counted is stored with each message. `folding` says where
    digests are made: "background" (a thread of this process), "inline" (in the append that crosses
    the threshold), or "off" (views still fit, with the deterministic rules alone). `summarizer`
    writes the digests, `classifier` judges messages, `extractor` finds facts beside those of the rules, `embedder`
    finds and orders old messages by meaning ("auto": the static one of the extra `embeddings` where that is installed,
    else none; None: words alone), `index` finds folded messages by it. Models work in the background, when messages
    are folded; one that takes longer than `helper_wait_s` seconds is given up, and the rules go on.
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
    embedder: Embedder | Literal["auto"] | None = field(default="auto", kw_only=True)
    index: Index | None = field(default=None, kw_only=True)
    helper_wait_s: float = field(default=120.0, kw_only=True)
    counter: TokenCounter | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.budget, Budget):
            raise BudgetError(f"budget={self.budget!r}; pass Budget(window_tokens=...)")
        least = {"keep_turns": 1, "digest_tokens": 40, "facts_tokens": 0, "tool_output_tokens": 32}
        least |= {
            "overhead_tokens": 0,
            "resume_after_s": 0,
            "max_message_bytes": 1,
            "helper_wait_s": 0,
        }
        least |= {name: 0 for name in ("whole_tool_outputs", "recall_tokens") if getattr(self, name) is not None}
        for name, smallest in least.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or value < smallest:
                raise BudgetError(f"{name}={value!r}; pass a number of at least {smallest}")
        whole = (
            "keep_turns",
            "digest_tokens",
            "facts_tokens",
            "tool_output_tokens",
            "whole_tool_outputs",
            "recall_tokens",
            "overhead_tokens",
        )
        for name in whole:
            if not isinstance(getattr(self, name), int | None):
                raise BudgetError(f"{name}={getattr(self, name)!r}; pass a whole number")
        if self.overhead_tokens > self.budget.limit_tokens - MIN_LIMIT_TOKENS:
            raise BudgetError(
                f"overhead_tokens={self.overhead_tokens} leave less than {MIN_LIMIT_TOKENS} of the budget's "
                f"{self.budget.limit_tokens} tokens for a view; raise Budget(window_tokens=...)"
            )
        if isinstance(self.embedder, str) and self.embedder != "auto":
            raise BudgetError(f"embedder={self.embedder!r}; pass 'auto', None, or an object with embed(texts)")
        if isinstance(self.counter, str):
            raise BudgetError(f"counter={self.counter!r}; pass an object with count(text), or Policy(model=...)")
        for name, power in _POWERS.items():
            helper = getattr(self, name)
            if helper not in (None, "auto") and not isinstance(helper, LateClassifier):
                require_power(helper, power, f"the policy's {name}")
            if name in _NAMED and helper is not None and not isinstance(getattr(helper, "name", None), str):
                raise ConfigError(
                    f"the {name} {type(helper).__name__} has no name, by which events and digests tell of it; "
                    "give its class one: name = 'mine'"
                )
        if self.folding not in ("inline", "background", "off"):
            raise BudgetError(f"folding={self.folding!r}; pass 'inline', 'background' or 'off'")

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
        budget, most = self.budget.less(self.overhead_tokens), self.recall_tokens
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
