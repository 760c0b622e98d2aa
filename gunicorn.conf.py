"""How ``gunicorn omachemainproj.wsgi`` serves: it reads this file from the working directory."""

import os
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from gunicorn.config import Config
from gunicorn.glogging import Logger

from omachemainproj.environment import Environment
from omachemainproj.logs import JSONFormatter, PlainFormatter, PrivateFilter

_env = Environment.of_process(Path(__file__).resolve().parent)

#: As the shop itself tells; whether the key is a good one, its settings say.
_IS_PRODUCTION = not {"DJANGO_SECRET_KEY", "DJANGO_SECRET_KEY_FILE"}.isdisjoint(os.environ)

bind = _env.visible("BIND", default="127.0.0.1:8000")
#: gthread, which gives no thread to half a request.
worker_class = "omachemainproj.gunicorn_worker.PatientWorker"
workers = _env.number("WEB_CONCURRENCY", default=2, least=1, most=256)
#: No more than DATABASE_POOL_SIZE: a thread that waits for a connection serves nobody.
threads = _env.number("WEB_THREADS", default=4, least=1, most=256)
#: Longer than the longest wait for M-Pesa (5 s to connect, 30 s to answer, twice with a token).
timeout = 90
graceful_timeout = 30
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
#: Loaded once before the workers are forked: a setting that is missing stops the start, and the
#: workers share the memory.
preload_app = True
#: gunicorn would open one in the home folder.
control_socket_disable = True


class OurLogger(Logger):
    """gunicorn's own lines, also those of requests where somebody asks for them, like the shop's:
    no token of a callback's path and no phone of a query stands in them."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.addFilter(PrivateFilter())
            handler.setFormatter(JSONFormatter() if _IS_PRODUCTION else PlainFormatter())


logger_class = OurLogger
limit_request_line = 4094
limit_request_field_size = 8190

try:
    _env.refuse_problems()
except ImproperlyConfigured as error:
    sys.exit(f"O-Mache cannot start: {error}")
