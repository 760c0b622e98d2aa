"""The metrics each process counts for ``/metrics/``; docs/metrics.md describes them.

Labels have few, known values: routes, never paths. Facts in the database are not counted here but
queried at each scrape (payments.watch.gauges), which is right across processes and restarts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    values,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from .metric_files import VARIABLE, AllocatedFile, Place, files_to_read

#: The folder shared by all processes; empty: this process counts on its own.
FOLDER = settings.METRICS_DIR
if FOLDER:
    os.environ[VARIABLE] = FOLDER
    with suppress(OSError):
        Path(FOLDER).mkdir(parents=True, exist_ok=True)
    vars(values)["MmapedDict"] = AllocatedFile
    # The library chooses this on import, and would use the process id.
    values.ValueClass = values.MultiProcessValue(Place(Path(FOLDER)).number)  # type: ignore[no-untyped-call]

# These would double the number of lines, and are not used.
disable_created_metrics()  # type: ignore[no-untyped-call]

#: This process's metrics.
registry = CollectorRegistry()

REQUESTS = Counter(
    "omache_requests",
    "Requests that were answered.",
    ("method", "route", "status"),
    registry=registry,
)
REQUEST_SECONDS = Histogram(
    "omache_request_seconds",
    "From a request until its answer.",
    ("method", "route"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=registry,
)
REQUEST_STATEMENTS = Counter(
    "omache_request_statements",
    "SQL statements for requests.",
    ("method", "route"),
    registry=registry,
)
GATEWAY_SECONDS = Histogram(
    "omache_gateway_call_seconds",
    "Calls to M-Pesa, until its answer or until it was given up.",
    ("call", "outcome"),
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40),
    registry=registry,
)
TASKS = Counter(
    "omache_tasks",
    "Background tasks that began, failed, or were left to the clock.",
    ("outcome",),
    registry=registry,
)
TASKS_WAITING = Gauge(
    "omache_tasks_waiting",
    "Background tasks that wait for a thread of the web.",
    ("service",),
    multiprocess_mode="livesum",
    registry=registry,
)
PAUSES = Counter(
    "omache_service_pauses",
    "A service did not answer, and a process does without for ten seconds.",
    ("service",),
    registry=registry,
)


class _OfAllProcesses(Collector):
    def collect(self) -> Iterator[Metric]:
        yield from MultiProcessCollector.merge(  # type: ignore[no-untyped-call]
            files_to_read(Path(FOLDER))
        )


def counted() -> CollectorRegistry:
    """The metrics of all processes that share the folder, or of this one without a folder."""
    if not FOLDER:
        return registry
    shared = CollectorRegistry()
    shared.register(_OfAllProcesses())
    return shared
