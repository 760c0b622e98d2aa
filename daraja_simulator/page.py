"""The phone in the browser: one page with inline CSS and JavaScript."""

import secrets
from functools import cache
from pathlib import Path

from .control import ControlError
from .control_http import refuse_cross_site
from .wire import Reply, Request, json_reply

_HERE = Path(__file__).parent


def show(request: Request) -> Reply:
    """Handle ``GET /``: show the phone page."""
    try:
        refuse_cross_site(request)
    except ControlError as error:
        return json_reply(error.status, {"error": str(error)})
    if request.method not in ("GET", "HEAD"):
        return json_reply(405, {"error": "Only GET is allowed here."})
    nonce = secrets.token_urlsafe(16)
    headers = {
        "Content-Security-Policy": (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
            "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    body = _page().replace("{nonce}", nonce).encode()
    return Reply(200, body, "text/html; charset=utf-8", headers)


@cache
def _page() -> str:
    page, style, script, menu = (
        (_HERE / name).read_text("utf-8")
        for name in ("phone.html", "phone.css", "phone.js", "phone_menu.js")
    )
    return page.replace("{css}", style).replace("{js}", script + menu)
