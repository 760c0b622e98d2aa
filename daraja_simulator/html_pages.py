"""The simulator's own pages in a browser: who may open them, and their security headers."""

import secrets
from collections.abc import Callable

from .control import ControlError
from .control_http import refuse_cross_site
from .wire import Reply, Request, json_reply


def serve_page(request: Request, write: Callable[[str], str], *, has_script: bool = False) -> Reply:
    """Answer a GET or HEAD with a page that ``write`` returns; refuse all else, and other sites.

    ``write`` gets the nonce that inline styles need, and inline scripts if ``has_script``: then the
    page may also send requests to the simulator.
    """
    try:
        refuse_cross_site(request)
    except ControlError as error:
        return json_reply(error.status, {"error": str(error)})
    if request.method not in ("GET", "HEAD"):
        return json_reply(405, {"error": "Only GET is allowed here."})
    nonce = secrets.token_urlsafe(16)
    script = f"script-src 'nonce-{nonce}'; connect-src 'self'; " if has_script else ""
    headers = {
        "Content-Security-Policy": (
            f"default-src 'none'; {script}style-src 'nonce-{nonce}'; img-src data:; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return Reply(200, write(nonce).encode(), "text/html; charset=utf-8", headers)
