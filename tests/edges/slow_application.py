"""An application behind the shop's gunicorn worker, which waits as long as it is told to."""

import os

from omachemainproj import gunicorn_worker

gunicorn_worker.REQUEST_TIMEOUT_SECONDS = gunicorn_worker.THREAD_WAIT_SECONDS = int(
    os.environ["REQUEST_TIMEOUT_SECONDS"]
)
gunicorn_worker.SLOWEST = 1024 * 1024 * 1024


def application(environ, start_response):
    body = environ["wsgi.input"].read()
    is_whole = len(body) == int(environ.get("CONTENT_LENGTH") or len(body))
    said = f"{len(body)} bytes".encode()
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(said)))]
    start_response("200 OK" if is_whole else "400 Bad Request", headers)
    return [said]
