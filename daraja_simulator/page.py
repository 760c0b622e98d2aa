"""The phone in the browser: one page with inline CSS and JavaScript."""

from functools import cache
from pathlib import Path

from .html_pages import serve_page
from .wire import Reply, Request

_HERE = Path(__file__).parent


def show(request: Request) -> Reply:
    """Handle ``GET /``: show the phone page."""
    return serve_page(request, lambda nonce: _page().replace("{nonce}", nonce), has_script=True)


@cache
def _page() -> str:
    page, style, script, menu = (
        (_HERE / name).read_text("utf-8")
        for name in ("phone.html", "phone.css", "phone.js", "phone_menu.js")
    )
    return page.replace("{css}", style).replace("{js}", script + menu)
