"""The statement of a shortcode, as downloaded from the M-PESA portal: a CSV file.

Unlike Pull Transactions it includes outgoing money and has no time limit.

Source: the M-PESA organisation portal, Statements, "Download as CSV".
"""

import csv
import io
from collections.abc import Sequence
from datetime import datetime

from .config import Config
from .entries import Entry, TopUp
from .subscribers import full_name

COLUMNS = (
    "Receipt No.",
    "Completion Time",
    "Initiation Time",
    "Details",
    "Transaction Status",
    "Paid In",
    "Withdrawn",
    "Balance",
    "Balance Confirmed",
    "Reason Type",
    "Other Party Info",
    "Linked Transaction ID",
    "A/C No.",
)

_REASONS = {
    "stk": "Pay Bill Online",
    "c2b": "Pay Bill",
    "b2c": "Business Payment to Customer via API",
    "reversal": "Transaction Reversal",
}


def write(
    config: Config,
    shortcode: str,
    lines: Sequence[Entry | TopUp],
    *,
    start: datetime,
    end: datetime,
) -> str:
    """Return the statement of a shortcode from ``start`` to ``end``, newest line first."""
    text = io.StringIO(newline="")
    out = csv.writer(text)
    out.writerow(["Account Holder:", config.merchant_name])
    out.writerow(["Short Code:", shortcode])
    out.writerow(["Account:", "Utility Account"])
    out.writerow(["Time Period:", f"From {_time(start)} To {_time(end)}"])
    out.writerow([])
    out.writerow(COLUMNS)
    for line in reversed(lines):
        if start <= line.time <= end:
            out.writerow(_entry(config, line) if isinstance(line, Entry) else _top_up(line))
    return text.getvalue()


def _entry(config: Config, entry: Entry) -> list[str]:
    purpose = entry.purpose
    amount = f"{entry.amount:,}.00"
    came = entry.direction == "in"
    is_goods = purpose.party_b == config.till
    reason = "Merchant Payment Online" if came and is_goods else _REASONS[purpose.kind]
    return [
        entry.receipt,
        _time(entry.time),
        _time(entry.time),
        _details(entry, reason),
        "Completed",
        amount if came else "",
        "" if came else f"-{amount}",
        f"{entry.account_after:,}.00",
        "TRUE",
        reason,
        f"{entry.phone} - {full_name(entry.phone)}",
        purpose.reverses,
        "" if is_goods else purpose.reference,
    ]


def _details(entry: Entry, reason: str) -> str:
    purpose = entry.purpose
    if entry.direction == "in" and purpose.reverses:
        return f"Reversal of {purpose.reverses} from {entry.phone}."
    if entry.direction == "in":
        return f"{reason} from {entry.phone} Acc. {purpose.reference}"
    if purpose.reverses:
        return f"Reversal of {purpose.reverses} via API."
    return (
        f"{reason} {entry.phone}. Original conversation ID is {purpose.originator_conversation_id}."
    )


def _top_up(line: TopUp) -> list[str]:
    amount = f"{abs(line.amount):,}.00"
    came = line.amount > 0
    return [
        line.receipt,
        _time(line.time),
        _time(line.time),
        "Moved between the organization's own accounts",
        "Completed",
        amount if came else "",
        "" if came else f"-{amount}",
        f"{line.account_after:,}.00",
        "TRUE",
        "Organization Settlement",
        "",
        "",
        "",
    ]


def _time(when: datetime) -> str:
    return f"{when:%d-%m-%Y %H:%M:%S}"
