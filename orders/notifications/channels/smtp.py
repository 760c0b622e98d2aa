"""E-mail by Django's mail backend, reporting exactly whether it was sent."""

from __future__ import annotations

import smtplib
from contextlib import suppress
from uuid import uuid4

from django.core.mail import EmailMessage, get_connection
from django.core.mail.utils import DNS_NAME

from omachemainproj.sms.errors import MaybeSent, NotSent


def send(*, address: str, subject: str, text: str) -> str:
    """Send one e-mail, once. Returns its Message-ID, 64 characters at most.

    Raises NotSent and MaybeSent.
    """
    message_id = f"<{uuid4().hex}@{str(DNS_NAME)[:29]}>"
    connection = get_connection()
    try:
        # Opened before sending: if this fails, certainly nothing was sent.
        connection.open()
    except Exception as error:
        raise NotSent(f"the mail server: {_brief(error)}", retryable=True) from error
    try:
        connection.send_messages(
            [EmailMessage(subject, text, to=[address], headers={"Message-ID": message_id})]
        )
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise NotSent(_brief(error), retryable=_are_temporary(codes)) from error
    except smtplib.SMTPResponseException as error:
        # The server refused: 4xx is temporary, 5xx is final (RFC 5321, 4.2.1).
        raise NotSent(_brief(error), retryable=_are_temporary([error.smtp_code])) from error
    except Exception as error:
        raise MaybeSent(_brief(error)) from error
    finally:
        _close(connection)
    return message_id


def _close(connection: object) -> None:
    """Close the connection; an error here says nothing about what was sent."""
    with suppress(Exception):
        connection.close()  # type: ignore[attr-defined]


def _are_temporary(codes: list[int]) -> bool:
    return all(400 <= code < 500 for code in codes)


def _brief(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:180]
