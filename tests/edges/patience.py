"""An application behind the shop's gunicorn worker, with little patience: for test_slow_clients."""

from omachemainproj import gunicorn_worker

gunicorn_worker.WHOLE_WITHIN = 1
gunicorn_worker.SLOWEST = 1024 * 1024 * 1024
gunicorn_worker.TURN_WITHIN = 1


def application(environ, start_response):
    body = environ["wsgi.input"].read()
    is_whole = len(body) == int(environ.get("CONTENT_LENGTH") or len(body))
    said = f"{len(body)} bytes".encode()
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(said)))]
    start_response("200 OK" if is_whole else "400 Bad Request", headers)
    return [said]
