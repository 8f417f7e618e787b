"""OpenTelemetry spans and metrics from events; they never contain message content."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from weakref import WeakSet

from session_core.errors import missing_extra
from session_core.events import (
    Appended,
    Event,
    FellBack,
    FoldAsked,
    Folded,
    FoldFailed,
    Noticed,
    Resumed,
    RulesOutgrown,
    Searched,
    TierChanged,
    Viewed,
    WorkersLost,
)
from session_core.sessions import Sessions
from session_core.turns import Key

try:
    from opentelemetry import metrics, trace
except ImportError as exc:
    raise missing_extra("opentelemetry", "otel") from exc

Attributes = Mapping[str, str | int | float | bool]

TENANT = "llm_sessions.tenant"
TIER = "llm_sessions.tier"
MADE_BY = "llm_sessions.fold.made_by"
SUMMARIZER = "llm_sessions.summarizer"
CONVERSATION = "gen_ai.conversation.id"
"""OpenTelemetry's own name for the id of a session."""

TOKEN_BUCKETS = (16, 64, 256, 1_024, 4_096, 8_192, 16_384, 32_768, 65_536, 131_072, 262_144, 1_048_576)
SECOND_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
MAX_ASKED = 1_024
"""How many requests of folds are remembered, with the span that each was made in. A full memory is cleared."""
MESSAGE_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 4_096)


class OpenTelemetry:
    """An observer that turns events into metrics, and into spans under the caller's current span.

    `Sessions(url, observers=[OpenTelemetry()])` is enough; `watch(sessions)` adds the length and the age of the fold
    queue, and the availability of a hybrid store's sides. Without explicit providers it uses the global ones.
    Attributes are tenant, tier and names of summarizers; with `session_ids` spans also carry the session id, metrics
    never do. The span of a fold in the background has a link to the one in which this process requested it.
    Thread-safe.
    """

    def __init__(
        self,
        meter_provider: metrics.MeterProvider | None = None,
        tracer_provider: trace.TracerProvider | None = None,
        *,
        session_ids: bool = False,
    ) -> None:
        meter = metrics.get_meter("llm-sessions", _version() or "", meter_provider)
        self._tracer = trace.get_tracer("llm-sessions", _version(), tracer_provider)
        self._session_ids = session_ids
        self._watched: WeakSet[Sessions] = WeakSet()
        self._asked: dict[Key, trace.SpanContext] = {}
        self._instruments = _Instruments(meter)
        meter.create_observable_gauge(
            "llm_sessions.fold.waiting",
            [self._waiting],
            unit="{session}",
            description="Sessions that wait for a fold, including the one in progress.",
        )
        meter.create_observable_gauge(
            "llm_sessions.fold.longest_wait",
            [self._longest_wait],
            unit="s",
            description="Time since the oldest request of a fold that is not done.",
        )
        meter.create_observable_gauge(
            "llm_sessions.store.degraded",
            [self._degraded],
            unit="{store}",
            description="Hybrid stores of this process with an unavailable side.",
        )

    def watch(self, sessions: Sessions) -> OpenTelemetry:
        """Observe the fold queue and the store of `sessions` as long as it lives; call it once for each."""
        sessions.observe(self)
        self._watched.add(sessions)
        return self

    def observe(self, event: Event) -> None:
        """Record `event`, which has just ended in this thread."""
        self._instruments.record(event)
        match event:
            case Appended():
                about = {"messages": event.messages, "tokens": event.tokens}
                self._span("append", event, event.seconds, about)
            case Viewed():
                about = {"tokens": event.tokens, "limit_tokens": event.limit_tokens}
                about |= {"retrieved": event.retrieved}
                self._span("view", event, event.seconds, about, {TIER: str(event.tier)})
            case FoldAsked():
                self._remember(event.key, trace.get_current_span().get_span_context())
            case Folded():
                about = {"messages": event.messages, "number": event.number}
                about |= {"tokens_before": event.tokens_before, "tokens_after": event.tokens_after}
                self._span("fold", event, event.lag_s, about, {MADE_BY: event.made_by})
            case Searched():
                self._span("search", event, event.seconds, {"hits": event.hits})
            case FoldFailed():
                self._span("fold", event, 0.0, {}, error=_error_type(event))

    def _remember(self, key: Key, asked_in: trace.SpanContext) -> None:
        if len(self._asked) >= MAX_ASKED:
            self._asked.clear()
        if asked_in.is_valid:
            self._asked[key] = asked_in

    def _span(
        self,
        name: str,
        event: Event,
        seconds: float,
        about: Mapping[str, int],
        more: Attributes | None = None,
        *,
        error: str | None = None,
    ) -> None:
        """A span that ends now and began `seconds` ago."""
        end_ns = time.time_ns()
        attributes: dict[str, str | int | float | bool] = {TENANT: event.key.tenant, **(more or {})}
        attributes |= {f"llm_sessions.{name}.{what}": figure for what, figure in about.items()}
        if self._session_ids:
            attributes[CONVERSATION] = event.key.session_id
        if error is not None:
            attributes["error.type"] = error
        asked_in = self._asked.pop(event.key, None) if name == "fold" else None
        span = self._tracer.start_span(
            f"llm_sessions.{name}",
            attributes=attributes,
            links=[trace.Link(asked_in)] if asked_in else None,
            start_time=end_ns - int(seconds * 1e9),
        )
        if error is not None:
            span.set_status(trace.StatusCode.ERROR, error)
        span.end(end_ns)

    def _waiting(self, options: metrics.CallbackOptions) -> Iterable[metrics.Observation]:  # noqa: ARG002 (the API passes it)
        if not len(self._watched):
            return []
        return [metrics.Observation(sum(sessions.pipeline.waiting for sessions in set(self._watched)))]

    def _longest_wait(self, options: metrics.CallbackOptions) -> Iterable[metrics.Observation]:  # noqa: ARG002 (the API passes it)
        # The last ones may be collected meanwhile.
        watched = set(self._watched)
        return [metrics.Observation(max(sessions.pipeline.oldest_s for sessions in watched))] if watched else []

    def _degraded(self, options: metrics.CallbackOptions) -> Iterable[metrics.Observation]:  # noqa: ARG002 (the API passes it)
        if not len(self._watched):
            return []
        return [metrics.Observation(sum(sessions.degraded is not None for sessions in set(self._watched)))]


class _Instruments:
    """The instruments of one meter, and which event goes into which."""

    def __init__(self, meter: metrics.Meter) -> None:
        self._meter = meter
        self._append_tokens = self._tokens("append.tokens", "Tokens of one append.")
        self._append_duration = self._seconds("append.duration", "Duration of an append until it is durable.")
        self._session_tokens = self._tokens("session.tokens", "Tokens of the whole record, at each append.")
        self._view_tokens = self._tokens("view.tokens", "Tokens of one view.")
        self._view_duration = self._seconds("view.duration", "Duration of making a view.")
        self._view_retrieved = self._count("view.retrieved", "{message}", "Old messages quoted in views.")
        self._search_duration = self._seconds("search.duration", "Duration of a search.")
        self._fold_lag = self._seconds("fold.lag", "Time from the request of a fold until its digest is written.")
        self._fold_lag_messages = self._histogram(
            "fold.lag_messages", "{message}", MESSAGE_BUCKETS, "Messages that were not folded at the start of a fold."
        )
        self._fold_failures = self._count("fold.failures", "{failure}", "Folds that raised.")
        self._fallbacks = self._count(
            "summarizer.fallbacks", "{fallback}", "Summaries that failed or contradicted their source."
        )
        self._workers_lost = self._count(
            "fold.workers_lost", "{loss}", "Times that a process found no worker, or no queue, for its folds."
        )
        self._tier_changes = self._count("tier.changes", "{change}", "Changes of tier.")
        self._notices = self._count("notices", "{notice}", "Notices stored because a session is nearly full.")
        self._hidden_rules = self._count("rules.hidden", "{rule}", "Standing rules without room in views, at a fold.")
        self._resumes = self._count("resumes", "{resume}", "Sessions resumed after an absence.")

    def record(self, event: Event) -> None:
        """Add the figures of `event` to its instruments."""
        of = {TENANT: event.key.tenant}
        match event:
            case Appended():
                self._append_tokens.record(event.tokens, of)
                self._append_duration.record(event.seconds, of)
                self._session_tokens.record(event.session_tokens, of)
            case Viewed():
                in_tier = of | {TIER: str(event.tier)}
                self._view_tokens.record(event.tokens, in_tier)
                self._view_duration.record(event.seconds, in_tier)
                self._view_retrieved.add(event.retrieved, in_tier)
            case Searched():
                self._search_duration.record(event.seconds, of)
            case Folded():
                by = of | {MADE_BY: event.made_by}
                self._fold_lag.record(event.lag_s, by)
                self._fold_lag_messages.record(event.lag_messages, by)
            case FoldFailed():
                self._fold_failures.add(1, of | {"error.type": _error_type(event)})
            case FellBack():
                self._fallbacks.add(1, of | {SUMMARIZER: event.summarizer})
            case WorkersLost():
                self._workers_lost.add(1, of)
            case TierChanged():
                self._tier_changes.add(1, of | {TIER: str(event.after), f"{TIER}.before": str(event.before)})
            case Noticed():
                self._notices.add(1, of)
            case RulesOutgrown():
                self._hidden_rules.add(event.hidden, of)
            case Resumed():
                self._resumes.add(1, of)

    def _tokens(self, name: str, promise: str) -> metrics.Histogram:
        return self._histogram(name, "{token}", TOKEN_BUCKETS, promise)

    def _seconds(self, name: str, promise: str) -> metrics.Histogram:
        return self._histogram(name, "s", SECOND_BUCKETS, promise)

    def _histogram(self, name: str, unit: str, buckets: Sequence[float], promise: str) -> metrics.Histogram:
        return self._meter.create_histogram(
            f"llm_sessions.{name}", unit=unit, description=promise, explicit_bucket_boundaries_advisory=buckets
        )

    def _count(self, name: str, unit: str, promise: str) -> metrics.Counter:
        return self._meter.create_counter(f"llm_sessions.{name}", unit=unit, description=promise)


def _error_type(event: FoldFailed) -> str:
    """The error's class name; its text may name the session."""
    return event.reason.partition(":")[0]


def _version() -> str | None:
    try:
        return metadata.version("llm-sessions")
    except metadata.PackageNotFoundError:
        return None
