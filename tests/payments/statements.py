"""Builds statements of M-Pesa's portal."""

from datetime import datetime, timedelta

from django.utils import timezone

from omachemainproj.dates import NAIROBI
from payments.reconciliation.portal_statement_import import open_statement, read_statements

HEAD = (
    "Receipt No.,Completion Time,Initiation Time,Details,Transaction Status,Paid In,Withdrawn,"
    "Balance,Balance Confirmed,Reason Type,Other Party Info,Linked Transaction ID,A/C No."
)
PAYBILL, PAYING = "174379", "600000"


def shown_time(when: datetime) -> str:
    return f"{when.astimezone(NAIROBI):%d-%m-%Y %H:%M:%S}"


def statement(*rows: dict, shortcode=PAYING, begins=None, ends=None, opening=100_000) -> bytes:
    """A file with these movements, given oldest first, written newest first."""
    now = timezone.now()
    begins, ends = begins or now - timedelta(days=2), ends or now + timedelta(hours=1)
    lines, balance = [], opening
    for row in rows:
        amount = row["amount"]
        balance += amount
        lines.append(
            ",".join(
                [
                    row["receipt"],
                    shown_time(row.get("at", now - timedelta(minutes=30))),
                    shown_time(row.get("at", now - timedelta(minutes=30))),
                    row.get("details", "Business Payment"),
                    row.get("status", "Completed"),
                    f"{amount}.00" if amount > 0 else "",
                    f"{amount}.00" if amount < 0 else "",
                    f"{balance}.00",
                    "TRUE",
                    row.get("reason", "Business Payment to Customer via API"),
                    f"{row['phone']} - JUMA OTIENO" if row.get("phone") else "",
                    row.get("reverses", ""),
                    row.get("account", ""),
                ]
            )
        )
    about = [
        "Account Holder:,O-MACHE",
        f"Short Code:,{shortcode}",
        f"Time Period:,From {shown_time(begins)} To {shown_time(ends)}",
        "",
        HEAD,
    ]
    return "\r\n".join([*about, *reversed(lines), ""]).encode()


def read(*contents: bytes):
    return read_statements([open_statement(content, ends=None) for content in contents])


def read_all(*rows: dict, paybill=(), **more):
    """Read a statement of the paying short code with these rows, and one of the pay bill."""
    return read(statement(*paybill, shortcode=PAYBILL, **more), statement(*rows, **more))
