"""Tasks run by Celery workers if there is a broker, else in threads of the web processes."""

from omachemainproj.service_urls import read_service_url

from .base import env
from .localization import TIME_ZONE

#: Threads for each service that tasks wait for: M-Pesa, mail and SMS, the database. 0: none; tasks
#: run within the request.
TASK_THREADS = env.number("TASK_THREADS", default=3, least=0, most=64)

CELERY_BROKER_URL = env.url(
    "CELERY_BROKER_URL",
    lambda text: read_service_url(
        text, {"redis", "rediss", "redis+socket", "sentinel", "amqp", "amqps"}
    ),
    default="",
    wrong="must be like redis://:password@127.0.0.1:6379/1 or amqp://…, with what is special in a "
    "password percent-encoded",
)
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 120
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
#: A broker that is down must not delay a request, which then runs the task itself (background.py).
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 0.5,
    "socket_timeout": 5,
    "max_retries": 0,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE = {
    "clock": {"task": "payments.tasks.tick", "schedule": 10.0, "options": {"expires": 10}},
    "nightly proof": {"task": "payments.tasks.prove", "schedule": 20.0, "options": {"expires": 20}},
    "watch": {"task": "payments.tasks.watch", "schedule": 60.0, "options": {"expires": 60}},
    "housekeeping": {"task": "payments.tasks.housekeep", "schedule": 24 * 3600.0},
}
#: Hours, in Nairobi, in which the clock may start the nightly integrity check; once started, it
#: runs to the end.
PROOF_HOURS = range(1, 5)
