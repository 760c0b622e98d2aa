"""How ``gunicorn omachemainproj.wsgi`` serves: it reads this file from the working directory."""

import gc
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from gunicorn.config import Config
from gunicorn.glogging import Logger

from omachemainproj.environment import Environment
from omachemainproj.logs import JSONFormatter, PlainFormatter, PrivateFilter
from omachemainproj.metric_files import sweep

_env = Environment.of_process(Path(__file__).resolve().parent)

#: As the shop itself tells; whether the key is a good one, its settings say.
_IS_PRODUCTION = not {"DJANGO_SECRET_KEY", "DJANGO_SECRET_KEY_FILE"}.isdisjoint(os.environ)

bind = _env.visible("BIND", default="127.0.0.1:8000")
#: gthread, which gives no thread to half a request.
worker_class = "omachemainproj.gunicorn_worker.PatientWorker"
workers = _env.number("WEB_CONCURRENCY", default=2, least=1, most=256)
#: With the threads of tasks no more than DATABASE_POOL_SIZE: one that waits for a connection serves
#: nobody.
threads = _env.number("WEB_THREADS", default=4, least=1, most=256)
#: Seconds. A request waits for the database alone, which gives up long before (DATABASE_TIMEOUTS).
timeout = 90
graceful_timeout = 30
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
#: Loaded once before the workers are forked: a setting that is missing stops the start, and the
#: workers share the memory.
preload_app = True


#: The names and bounds of the settings of the database and of background tasks, read again here.
_pool = _env.number("DATABASE_POOL_SIZE", default=16, least=1, most=1000)
_tasks = _env.number("TASK_THREADS", default=3, least=0, most=64)


def on_starting(server: Any) -> None:
    """Warn of more threads than connections: people would be told that the shop is busy."""
    if threads + 3 * _tasks > _pool:
        server.log.warning(
            "WEB_THREADS (%s) and three times TASK_THREADS (%s) are more than DATABASE_POOL_SIZE "
            "(%s): some wait for a connection, and answer after five seconds that the shop is busy",
            threads,
            _tasks,
            _pool,
        )


def when_ready(server: Any) -> None:
    """Before the first worker: what is loaded stays, so that no collection of garbage ever writes
    to it, and the workers go on sharing its memory."""
    gc.collect()
    gc.freeze()


#: The shop has a line for each request itself (omachemainproj.access_log).
accesslog = None

#: Where the workers count together: set before the shop is loaded, which opens files there.
_PREFIX = "omache-metrics-"
_metrics = Path(_env.text("METRICS_DIR") or tempfile.mkdtemp(prefix=_PREFIX))
os.environ["METRICS_DIR"] = str(_metrics)
sweep(_metrics)


def on_exit(server: Any) -> None:
    """Take away the folder that was made for these workers, unless a new gunicorn uses it on."""
    if _metrics.name.startswith(_PREFIX) and not server.reexec_pid:
        shutil.rmtree(_metrics, ignore_errors=True)


#: gunicorn would open one in the home folder.
control_socket_disable = True


class OurLogger(Logger):
    """gunicorn's own log, and its access log if enabled, masked like the shop's log: without the
    tokens in callback paths and the phones in queries."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.addFilter(PrivateFilter())
            handler.setFormatter(JSONFormatter() if _IS_PRODUCTION else PlainFormatter())


def worker_exit(server: Any, worker: Any) -> None:
    """End what a worker's task threads are doing, within the time that is given to its requests."""
    # Imported here: it reads the shop's settings, which are not to be read before the rest of this.
    from omachemainproj.background import stop_task_threads  # noqa: PLC0415

    stop_task_threads(seconds=graceful_timeout - 10)


logger_class = OurLogger
limit_request_line = 4094
limit_request_field_size = 8190

try:
    _env.refuse_problems()
except ImproperlyConfigured as error:
    sys.exit(f"O-Mache cannot start: {error}")
