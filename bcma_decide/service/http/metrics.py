"""Counts and times for Prometheus: by route template and status, never by anything a request says.

Several workers write them into files that whichever of them is asked adds up (the multiprocess mode of the library):
where ``PROMETHEUS_MULTIPROC_DIR`` names a folder when the library is imported. What ended workers counted stays.
"""

from __future__ import annotations

import os
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

from bcma_decide.version import __version__

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The variable with the folder of the files."""
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


def known_method(method: str) -> str:
    """The method, or ``other``: a request may make up its own."""
    return method if method in _METHODS else "other"


class Metrics:
    """The counters of one service."""

    def __init__(self, evidence_hash: str) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "bcma_decide_requests", "Answers given", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "bcma_decide_request_seconds", "Time to answer", ("route",), buckets=_SECONDS, registry=self.registry
        )
        self.running = Gauge(
            "bcma_decide_requests_running", "Requests being answered", registry=self.registry,
            multiprocess_mode="livesum",
        )  # fmt: skip
        self._feedback = Counter(
            "bcma_decide_feedback", "What became of cards", ("outcome", "reason"), registry=self.registry
        )
        self._searches = Counter(
            "bcma_decide_fhir_searches", "Searches at FHIR servers by result", ("result",), registry=self.registry
        )
        self._reading = Histogram(
            "bcma_decide_fhir_seconds", "Time to read a record", buckets=_SECONDS, registry=self.registry
        )
        self._unlogged = Counter(
            "bcma_decide_log_lines_lost", "Lines of the log that nobody read in time", registry=self.registry
        )
        build = Gauge(
            "bcma_decide_build", "Versions", ("version", "evidence"), registry=self.registry,
            multiprocess_mode="livemax",
        )  # fmt: skip
        build.labels(__version__, evidence_hash).set(1)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self._requests.labels(known_method(method), route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def reported(self, outcome: str, reason: str) -> None:
        """Count what became of one card; ``reason`` is one of the codes that cards offer, or *other*."""
        self._feedback.labels(outcome, reason).inc()

    def searched(self, result: str, count: int = 1) -> None:
        """Count what became of searches at FHIR servers, in a word of this program."""
        self._searches.labels(result).inc(count)

    def read_record(self, seconds: float) -> None:
        """Note how long all searches of one call took."""
        self._reading.observe(seconds)

    def line_lost(self) -> None:
        """Count a line of the log that could not be written."""
        self._unlogged.inc()

    def text(self) -> bytes:
        """All of them in the text format of Prometheus, those of all workers."""
        if FOLDER not in os.environ:
            return generate_latest(self.registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
