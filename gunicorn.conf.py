"""How ``gunicorn omachemainproj.wsgi`` serves: it reads this file from the working directory."""

import os

bind = os.environ.get("BIND", "127.0.0.1:8000")
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
#: No more than DATABASE_POOL_SIZE: a thread that waits for a connection serves nobody.
threads = int(os.environ.get("WEB_THREADS", "4"))
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
limit_request_line = 4094
limit_request_field_size = 8190
