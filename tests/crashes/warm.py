"""A shop loaded once and forked for every crash: ``python -m tests.crashes.warm``.

Reads one job per line and writes its outcome, both as JSON. It has no threads, so that it can be
forked; each child opens its own database connection, as a new process does.
"""

import base64
import gc
import io
import json
import os
import signal
import sys

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.utils.module_loading import import_string


def main() -> None:
    django.setup()
    application = get_wsgi_application()
    # Loads every view. Only then is it as warm as a server that has answered before.
    application(_environ("GET", "/livez/", b""), lambda status, headers: None).close()
    connection.close()
    gc.freeze()
    for line in sys.stdin:
        print(json.dumps(_in_a_child(json.loads(line), application)), flush=True)


def _in_a_child(job, application):
    """Do a job in a child; report the edges it passed, how it ended, and its answer."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _live_and_die(job, application, lambda *told: os.write(writing, _line(*told)))
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = [json.loads(line) for line in pipe]
    _, status = os.waitpid(child, 0)
    heard = {kind: value for kind, value in told if kind != "edge"}
    return {
        "edges": [value for kind, value in told if kind == "edge"],
        "killed": os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL,
        "answer": heard.get("answer"),
        "error": heard.get("error"),
        "returned": heard.get("returned"),
    }


def _line(*told) -> bytes:
    return json.dumps(told, default=str).encode() + b"\n"


def _live_and_die(job, application, tell):
    from .process_steps import Steps

    try:
        for name, value in job["settings"].items():
            setattr(settings, name, value)
        connection.settings_dict["NAME"] = job["database"]
        phases = iter(job["phases"])
        steps = Steps(next(phases), kill_at=job["kill_at"], tell=lambda edge: tell("edge", edge))
        steps.watch()
        if "call" in job:
            tell("returned", import_string(job["call"])(*job["arguments"]))
        else:
            _serve(job, application, steps, lambda *answer: tell("answer", answer))
    except BaseException as error:
        tell("error", repr(error))
    os._exit(0)


def _serve(job, application, steps, tell):
    """Serve a request as a WSGI server does: the response is closed after it was sent."""
    environ = _environ(job["method"], job["path"], base64.b64decode(job["body"]))
    began = []
    response = application(
        {**environ, **job["headers"]}, lambda status, headers: began.append(status)
    )
    text = b"".join(response)
    with steps.step("the answer"):
        tell(int(began[0].split()[0]), text.decode())
    steps.phase = job["phases"][-1]
    response.close()


def _environ(method, path, body):
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
    }


if __name__ == "__main__":
    main()
