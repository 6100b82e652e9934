"""What the service counts, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from hitl_mlops.decisions.timed import TimedModel
from hitl_mlops.gateway.wire import Declined, Told

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15, 60)


class Metrics:
    """Counters of one process; with several workers each answers with its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._decisions = Counter(
            "hitl_decisions", "Decisions given out.", ("route", "state"), registry=self._registry
        )
        self._refused = Counter("hitl_cases_refused", "Cases that no model saw.", registry=self._registry)
        self._seconds = Histogram(
            "hitl_request_seconds",
            "From the request to the answer.",
            ("path", "status"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._waiting = Gauge(
            "hitl_cases_waiting", "Cases that no batch has taken yet.", registry=self._registry
        )
        self._too_late = Gauge(
            "hitl_model_calls_too_late",
            "Batches that a live model did not answer in time, or did not see while a call of it hung.",
            ("version", "role"),
            registry=self._registry,
        )

    def count(self, results: Iterable[Told | Declined]) -> None:
        """The answers of one request."""
        for one in results:
            if isinstance(one, Told):
                self._decisions.labels(one.route, one.state.value).inc()
            else:
                self._refused.inc()

    def took(self, path: str, status: int, seconds: float) -> None:
        """One request to a path of the service (the template, not what a caller typed)."""
        self._seconds.labels(path, str(status)).observe(seconds)

    def page(self, waiting: int, models: Iterable[TimedModel] = ()) -> bytes:
        """The page, in Prometheus's text format."""
        self._waiting.set(waiting)
        self._too_late.clear()
        for one in models:
            self._too_late.labels(one.version, "answer").set(one.answers.too_late)
            self._too_late.labels(one.version, "shadow").set(one.shadow.too_late)
        return generate_latest(self._registry)
