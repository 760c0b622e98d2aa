"""A page with the e-mails that a program on the same machine writes to a folder.

It reads RFC 5322 files, with several messages per file if they are separated by a line of dashes,
as Django's file backend writes them. Links are clickable; no other content is active.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from .clock import EAT
from .html_pages import serve_page
from .wire import Reply, Request

PATH = "/mails/"
#: How many e-mails are shown, and how many characters of each.
SHOWN, LONGEST = 100, 20_000
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")
_BETWEEN = re.compile(rb"^-{79}\n?", re.MULTILINE)

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>E-mails · M-PESA simulator</title><link rel="icon" href="data:,">
<style nonce="{nonce}">
body {{ font: 16px/1.5 system-ui, sans-serif;
  max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }}
article {{ border: 1px solid #8885; border-radius: 8px; padding: .5rem 1rem; margin: 1rem 0; }}
h2 {{ font-size: 1.1rem; margin: .3rem 0; }} p {{ margin: .2rem 0; color: #666; }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; }}
:root {{ color-scheme: light dark; }}
</style></head><body>
<h1>E-mails</h1>
<p>The e-mails that your program has sent, newest first. <a href="">Reload</a> ·
<a href="/">The phone</a></p>
{mails}
</body></html>
"""


@dataclass(frozen=True, slots=True)
class Mail:
    """One e-mail. ``at`` is when its file was written."""

    to: str
    subject: str
    text: str
    at: datetime


def show(folder: str | None, request: Request) -> Reply:
    """Handle ``GET /mails/``: show the newest e-mails in a folder."""
    return serve_page(request, lambda nonce: _PAGE.format(nonce=nonce, mails=_listed(folder)))


def _listed(folder: str | None) -> str:
    if folder is None:
        return (
            "<p>Start the simulator with <code>--mails FOLDER</code> to show the e-mails that your"
            " program writes to that folder.</p>"
        )
    shown = [_article(mail) for mail in read(Path(folder))]
    return "\n".join(shown) or "<p>No e-mails yet.</p>"


def _article(mail: Mail) -> str:
    return (
        f"<article><h2>{html.escape(mail.subject)}</h2>"
        f"<p>To {html.escape(mail.to)}, {mail.at:%d %b %H:%M:%S}</p>"
        f"<pre>{_with_links(mail.text)}</pre></article>"
    )


def _with_links(text: str) -> str:
    parts, end = [], 0
    for link in _LINK.finditer(text):
        address = html.escape(link.group())
        parts.append(html.escape(text[end : link.start()]))
        parts.append(f'<a href="{address}" target="_blank" rel="noopener">{address}</a>')
        end = link.end()
    return "".join([*parts, html.escape(text[end:])])


def read(folder: Path) -> list[Mail]:
    """Read the newest e-mails in a folder, newest first. A missing folder has none."""
    try:
        files = [(path.stat().st_mtime, path) for path in folder.iterdir() if path.is_file()]
    except FileNotFoundError:
        return []
    mails: list[Mail] = []
    for written, path in sorted(files, reverse=True)[:SHOWN]:
        at = datetime.fromtimestamp(written, EAT)
        mails += reversed(list(_mails_in(path, at)))
    return mails[:SHOWN]


def _mails_in(path: Path, at: datetime) -> Iterator[Mail]:
    for content in _BETWEEN.split(path.read_bytes()):
        if content.strip():
            message = message_from_bytes(content.lstrip(), _class=EmailMessage, policy=default)
            body = message.get_body(("plain", "html"))
            text = body.get_content() if body is not None else ""
            yield Mail(str(message["To"] or ""), str(message["Subject"] or ""), text[:LONGEST], at)
