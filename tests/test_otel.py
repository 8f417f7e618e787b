"""Telemetry as an exporter gets it, with conversations held through the adapters that users have."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from opentelemetry.metrics import Meter, NoOpMeter, NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from langchain_session import SessionChatMessageHistory
from session_core import Budget, Policy, Sessions
from session_core.events import Event, FoldFailed, RulesOutgrown
from session_core.otel import CONVERSATION, MADE_BY, SUMMARIZER, TENANT, TIER, OpenTelemetry
from session_core.ports import SummaryRequest
from session_core.stores.keyring import Keyring
from session_core.turns import Key

ROOT = Path(__file__).resolve().parents[1]
TURNS = 12
SECRET = "marzipan"
"""Stands in every message of every conversation here, and nowhere in what is exported."""


class Exported:
    """A meter and a tracer in memory, and what they would have exported."""

    def __init__(self, **options: bool) -> None:
        self._reader = InMemoryMetricReader()
        self._spans = InMemorySpanExporter()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.observer = OpenTelemetry(MeterProvider([self._reader]), self.tracers, **options)

    def metrics(self) -> dict[str, Any]:
        data = self._reader.get_metrics_data()
        found = data.resource_metrics[0].scope_metrics[0].metrics if data else []
        return {metric.name: metric for metric in found}

    def points(self, name: str) -> list[Any]:
        return list(self.metrics()[name].data.data_points)

    def count(self, name: str) -> int:
        """Measurements in a histogram, or the value of a counter; 0 when nothing was recorded."""
        if name not in self.metrics():
            return 0
        return sum(point.count if hasattr(point, "count") else point.value for point in self.points(name))

    def spans(self, name: str) -> list[ReadableSpan]:
        return [span for span in self._spans.get_finished_spans() if span.name == f"llm_sessions.{name}"]

    def everything(self) -> str:
        data = self._reader.get_metrics_data()
        spans = [span.to_json() for span in self._spans.get_finished_spans()]
        return "\n".join([data.to_json() if data else "", *spans])


class Failing:
    """A summarizer whose model cannot be reached."""

    name = "failing"

    async def summarize(self, request: SummaryRequest) -> str:
        raise TimeoutError(f"no answer about {request.messages[0].content}")


class Slow:
    """A summarizer that answers when it is let go."""

    name = "slow"

    def __init__(self) -> None:
        self.go_on = threading.Event()

    async def summarize(self, request: SummaryRequest) -> str:
        self.go_on.wait(60)
        return ""


def _talk(exported: Exported, *, turns: int = TURNS, **policy: Any) -> SessionChatMessageHistory:
    """A conversation of `turns` turns of about 200 tokens against a limit of 1,000."""
    chosen = Policy(budget=Budget(1_000, reply_reserve_tokens=0), folding="inline", **policy)
    sessions = Sessions("memory://", policy=chosen)
    exported.observer.watch(sessions)
    history = SessionChatMessageHistory("room 7", sessions=sessions, tenant="acme")
    for turn in range(turns):
        assert history.messages is not None
        history.add_messages([HumanMessage(f"{SECRET} question {turn}: " + "why so? " * 30, id=f"q{turn}")])
        history.add_messages([AIMessage(f"{SECRET} answer {turn}: " + "for this. " * 30, id=f"a{turn}")])
    return history


@pytest.fixture(scope="module")
def spoken() -> tuple[Exported, SessionChatMessageHistory]:
    exported = Exported()
    return exported, _talk(exported)


@pytest.fixture
def exported() -> Exported:
    return Exported()


Spoken = tuple[Exported, SessionChatMessageHistory]


def test_every_append_and_view_is_measured_once(spoken: Spoken) -> None:
    exported, _ = spoken
    measured = {name: exported.count(f"llm_sessions.{name}") for name in ("append.tokens", "append.duration")}
    measured |= {name: exported.count(f"llm_sessions.{name}") for name in ("session.tokens", "view.tokens")}
    measured["view.duration"] = exported.count("llm_sessions.view.duration")
    assert measured == {
        "append.tokens": 2 * TURNS,
        "append.duration": 2 * TURNS,
        "session.tokens": 2 * TURNS,
        "view.tokens": TURNS,
        "view.duration": TURNS,
    }


def test_tokens_of_appends_add_up_to_the_session(spoken: Spoken) -> None:
    exported, history = spoken
    appended = exported.points("llm_sessions.append.tokens")
    sizes = exported.points("llm_sessions.session.tokens")
    assert sum(point.sum for point in appended) == history.session.stats().tokens
    assert max(point.max for point in sizes) == history.session.stats().tokens


def test_no_view_is_measured_over_the_limit(spoken: Spoken) -> None:
    exported, _ = spoken
    assert 0 < max(point.max for point in exported.points("llm_sessions.view.tokens")) <= 1_000


def test_every_fold_tells_its_lag_and_who_made_it(spoken: Spoken) -> None:
    exported, history = spoken
    digests = history.session.stats().digests
    lag = exported.points("llm_sessions.fold.lag")
    assert digests > 0
    assert [point.count for point in lag] == [digests]
    assert exported.count("llm_sessions.fold.lag_messages") == digests
    assert [dict(point.attributes) for point in lag] == [{TENANT: "acme", MADE_BY: "extractive"}]


def test_tiers_entered_are_counted_by_tier(spoken: Spoken) -> None:
    exported, history = spoken
    entered = {point.attributes[TIER]: point.value for point in exported.points("llm_sessions.tier.changes")}
    assert entered["summarize"] >= 1
    assert entered.get("notify", 0) == exported.count("llm_sessions.notices")
    assert len(history.session.notices()) == exported.count("llm_sessions.notices")


def test_units_follow_the_conventions(spoken: Spoken) -> None:
    exported, _ = spoken
    found = exported.metrics()
    assert found["llm_sessions.view.tokens"].unit == "{token}"
    assert found["llm_sessions.view.duration"].unit == "s"
    assert found["llm_sessions.fold.lag_messages"].unit == "{message}"


def test_the_runbook_names_each_metric_and_its_unit() -> None:
    """No more and no less than there are; a row of two metrics with one unit has it for both."""
    told: dict[str, str] = {}
    for line in (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8").splitlines():
        names = re.findall(r"`((?:llm_sessions)?\.[a-z_.]+)`", line.split("|")[1]) if line.startswith("| `llm_") else []
        units = line.split("|")[2].strip().split(", ") if names else []
        for place, name in enumerate(names):
            told[f"llm_sessions{name.removeprefix('llm_sessions')}"] = units[min(place, len(units) - 1)]
    meters = _Listing()
    with Sessions() as sessions:
        OpenTelemetry(meters).watch(sessions)
    assert told == {
        name: unit if unit in ("s", "tokens", "messages", "sessions", "stores", "rules") else "count"
        for name, unit in meters.units.items()
    }


class _Listing(NoOpMeterProvider):
    """Takes down what instruments there are, used or not."""

    def __init__(self) -> None:
        self.units: dict[str, str] = {}

    def get_meter(self, name: str, *args: Any, **named: Any) -> Meter:
        listing = self.units

        class Listed(NoOpMeter):
            def create_counter(self, name: str, unit: str = "", description: str = "") -> Any:
                listing[name] = plural(unit)
                return super().create_counter(name, unit, description)

            def create_histogram(self, name: str, unit: str = "", description: str = "", **more: Any) -> Any:
                listing[name] = plural(unit)
                return super().create_histogram(name, unit, description, **more)

            def create_observable_gauge(
                self, name: str, callbacks: Any = None, unit: str = "", description: str = ""
            ) -> Any:
                listing[name] = plural(unit)
                return super().create_observable_gauge(name, callbacks, unit, description)

        def plural(unit: str) -> str:
            return f"{unit[1:-1]}s" if unit.startswith("{") else unit

        return Listed(name)


def test_buckets_tell_small_views_from_large_ones(spoken: Spoken) -> None:
    exported, _ = spoken
    bounds = exported.points("llm_sessions.view.tokens")[0].explicit_bounds
    assert {256, 4_096, 131_072} <= set(bounds)


def test_there_is_one_span_for_each_append_view_and_fold(spoken: Spoken) -> None:
    exported, history = spoken
    counts = {name: len(exported.spans(name)) for name in ("append", "view", "fold")}
    assert counts == {"append": 2 * TURNS, "view": TURNS, "fold": history.session.stats().digests}


def test_spans_last_as_long_as_what_they_stand_for(spoken: Spoken) -> None:
    exported, _ = spoken
    lasted = sum((span.end_time or 0) - (span.start_time or 0) for span in exported.spans("append")) / 1e9
    measured = sum(point.sum for point in exported.points("llm_sessions.append.duration"))
    assert lasted == pytest.approx(measured, abs=1e-4)


def test_spans_are_children_of_the_callers_span(exported: Exported) -> None:
    with exported.tracers.get_tracer("app").start_as_current_span("request") as request:
        _talk(exported, turns=1)
    spans = [*exported.spans("append"), *exported.spans("view")]
    assert len(spans) == 3
    assert {span.parent and span.parent.span_id for span in spans} == {request.get_span_context().span_id}


class Inheriting(threading.Thread):
    """Threads as with OpenTelemetry's own instrumentation of them, and as in free-threaded Python: each begins with the
    context of whoever starts it."""

    def start(self) -> None:
        self._context = copy_context()
        super().start()

    def run(self) -> None:
        self._context.run(super().run)


def test_a_fold_in_the_background_is_linked_to_the_request_that_asked_for_it(
    exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "Thread", Inheriting)
    asked_in: dict[str, int] = {}
    with Sessions(policy=Policy(budget=Budget(1_000, reply_reserve_tokens=0))) as sessions:
        exported.observer.watch(sessions)
        for name in ("one", "two"):
            with exported.tracers.get_tracer("app").start_as_current_span(name) as request:
                asked_in[name] = request.get_span_context().span_id
                for turn in range(3):
                    sessions.session(name).append({"role": "user", "content": f"{turn} " + "why so? " * 130})
            assert sessions.drain(60)
    folds = exported.spans("fold")
    assert [[link.context.span_id for link in fold.links] for fold in folds] == [[one] for one in asked_in.values()]
    assert [fold.parent for fold in folds] == [None, None]


def test_a_search_is_a_span_with_its_hits(exported: Exported) -> None:
    history = _talk(exported, turns=3)
    hits = len(history.session.search(f"{SECRET} question 1"))
    assert exported.count("llm_sessions.search.duration") == 1
    found = [dict(span.attributes or {}) for span in exported.spans("search")]
    assert [attributes["llm_sessions.search.hits"] for attributes in found] == [hits]


def test_a_failing_summarizer_is_counted_by_name(exported: Exported) -> None:
    history = _talk(exported, summarizer=Failing())
    fallbacks = exported.points("llm_sessions.summarizer.fallbacks")
    assert [dict(point.attributes) for point in fallbacks] == [{TENANT: "acme", SUMMARIZER: "failing"}]
    assert fallbacks[0].value == history.session.stats().digests > 0


def test_a_failed_fold_is_counted_by_its_error_and_keeps_the_sessions_name(exported: Exported) -> None:
    exported.observer.observe(FoldFailed(Key("room 7"), "Conflict: session room 7 is at version 4"))
    failures = exported.points("llm_sessions.fold.failures")
    assert [point.attributes["error.type"] for point in failures] == ["Conflict"]
    assert [span.status.is_ok for span in exported.spans("fold")] == [False]
    assert "room 7" not in exported.everything()


def test_rules_that_views_have_no_room_for_are_counted(exported: Exported) -> None:
    told: list[Event] = []
    policy = Policy(budget=Budget(600, reply_reserve_tokens=0), folding="inline")
    with Sessions(policy=policy, observers=[exported.observer], on_event=told.append) as sessions:
        session = sessions.session("many rules")
        for number in range(60):
            session.append({"role": "user", "content": f"Always write the name of colour {number} in small letters."})
            session.append({"role": "assistant", "content": f"I will, from now on, for number {number}."})
    hidden = [event.hidden for event in told if isinstance(event, RulesOutgrown)]
    assert exported.count("llm_sessions.rules.hidden") == sum(hidden) > 0


def test_sessions_that_wait_for_their_fold_are_shown_until_it_is_done(exported: Exported) -> None:
    slow = Slow()
    policy = Policy(budget=Budget(1_000, reply_reserve_tokens=0), summarizer=slow)
    with Sessions("memory://", policy=policy) as sessions:
        exported.observer.watch(sessions)
        for name in ("one", "two"):
            for turn in range(2):
                sessions.session(name).append({"role": "user", "content": f"{turn} " + "why so? " * 130})
        waiting = [point.value for point in exported.points("llm_sessions.fold.waiting")]
        slow.go_on.set()
        done = sessions.drain(60)
        left = [point.value for point in exported.points("llm_sessions.fold.waiting")]
    assert (waiting, done, left) == ([2], True, [0])


def test_a_dead_side_of_a_hybrid_store_is_a_figure_of_its_own(exported: Exported, tmp_path: Path) -> None:
    keyring = Keyring({"k": bytes(32)})
    with Sessions(hot="redis://127.0.0.1:1", cold=f"sqlite:///{tmp_path}/chat.db", keyring=keyring) as sessions:
        exported.observer.watch(sessions)
        before = [point.value for point in exported.points("llm_sessions.store.degraded")]
        sessions.session("one").append({"role": "user", "content": "hello"})
        after = [point.value for point in exported.points("llm_sessions.store.degraded")]
        assert sessions.degraded is not None
        assert "127.0.0.1:1 cannot be reached" in sessions.degraded
    assert (before, after) == ([0], [1])


def test_nothing_that_was_said_is_exported(exported: Exported) -> None:
    history = _talk(exported, summarizer=Failing())
    history.session.view(f"{SECRET} question 2")
    history.session.search(SECRET)
    told = exported.everything()
    assert "llm_sessions.view.tokens" in told
    assert SECRET not in told
    assert "for this" not in told


def test_session_ids_are_left_out_unless_asked_for(spoken: Spoken) -> None:
    exported, _ = spoken
    assert "room 7" not in exported.everything()


def test_session_ids_stand_in_spans_alone_when_asked_for() -> None:
    exported = Exported(session_ids=True)
    _talk(exported, turns=1)
    assert {dict(span.attributes or {})[CONVERSATION] for span in exported.spans("append")} == {"room 7"}
    assert "room 7" not in json.dumps([str(metric) for metric in exported.metrics().values()])


def test_without_the_package_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from session_core.errors import MissingExtra\n"
        "try:\n    import session_core.otel\nexcept MissingExtra as exc:\n    print(exc)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "core")},
    )
    assert "pip install 'llm-sessions[otel]'" in told.stdout


def test_an_observer_that_watches_what_it_observes_counts_once() -> None:
    exported = Exported()
    with Sessions("memory://", observers=[exported.observer]) as sessions:
        exported.observer.watch(sessions)
        sessions.session("a").append({"role": "user", "content": SECRET})
        assert exported.count("llm_sessions.append.tokens") == 1
