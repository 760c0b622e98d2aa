"""One request of the matrix, put to the shop and taken back."""

from contextlib import contextmanager

from django.db import connection, transaction

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
#: Answers of one letter: 2 done, 0 bad input, 1 sign in first, 3 forbidden, 4 not there,
#: . not offered (405), 9 conflict, l sent to the log-in page, r sent elsewhere, ! anything else.
LETTERS = {400: "0", 401: "1", 403: "3", 404: "4", 405: ".", 409: "9", 422: "9"}
#: What forbids: nothing is written with it.
FORBIDS = frozenset("134.l")
_WRITES = ("INSERT", "UPDATE", "DELETE")
#: Whatever is asked for, that a session is in use is noted once a minute, and what the admin's next
#: page says is kept in the browser's session.
_NOTED = ('UPDATE "accounts_session" SET "last_used_at"', 'UPDATE "django_session"')


class MatrixAnswer:
    """The letter of the answer, what caches are told, and the statements that wrote something of
    the shop's."""

    def __init__(self, response, writes):
        self.letter, self.writes = _letter(response), writes
        self.may_be_kept = "no-store" not in response.headers.get("Cache-Control", "")


def send(client, method, address, body=None, *, form=False):
    """Send the request, note what it writes, and roll it back."""
    writes = []

    def watch(execute, sql, params, many, context):
        done = execute(sql, params, many, context)
        # SQLite counts the rows of an INSERT … RETURNING only once they are fetched.
        counted = context["cursor"].rowcount or (sql.startswith("INSERT") and "RETURNING" in sql)
        writing = sql.lstrip().upper().startswith(_WRITES) and not sql.startswith(_NOTED)
        if writing and counted:
            writes.append(sql[:120])
        return done

    kind = "text/csv" if isinstance(body, str) else "application/json"
    sent = {"data": body or {}} if form else {"data": body, "content_type": kind}
    if method in {"GET", "HEAD", "OPTIONS"} or (body is None and not form):
        sent = {}
    cookies = client.cookies.copy()
    with rolled_back(), _watching(watch):
        response = getattr(client, method.lower())(address, **sent)
        if response.streaming:
            # A file is written while it is read.
            b"".join(response.streaming_content)
    client.cookies = cookies  # some requests sign in or out
    return MatrixAnswer(response, writes)


def _letter(response):
    code = response.status_code
    if code in {301, 302}:
        return "l" if response["Location"].startswith("/admin/login/") else "r"
    return "2" if 200 <= code < 300 else LETTERS.get(code, "!")


@contextmanager
def _watching(watch):
    """Let it see every statement.

    Not by ``execute_wrapper``, which takes away the newest: that is the shop's own where a
    connection serves its first request (omachemainproj/access_log.py), and a thousand watch the
    next.
    """
    connection.execute_wrappers.append(watch)
    try:
        yield
    finally:
        connection.execute_wrappers.remove(watch)


@contextmanager
def rolled_back():
    """A transaction that is rolled back, and that durable ones of the shop's may begin in."""
    block = transaction.atomic()
    block._from_testcase = True
    with block:
        yield
        transaction.set_rollback(True)
