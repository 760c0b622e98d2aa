"""A statement of one of our numbers, as M-Pesa's portal has it downloaded: a CSV file.

Unlike Pull Transactions it goes back as far as is asked, and shows what left. A few lines about
the account come first, then one line a movement, newest first, each with what was on the account
after it; by that a file from which lines are missing is told.

Source: the M-PESA organisation portal, Statements, “Download as CSV”.
"""

import csv
import io
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from omachemainproj.dates import NAIROBI

from .transaction_types import Direction, direction_of
from .values import UnreadableCallback, receipt_in, says_reversal

#: The columns that are read. There are others.
RECEIPT, COMPLETED, DETAILS = "Receipt No.", "Completion Time", "Details"
STATUS, PAID_IN, WITHDRAWN = "Transaction Status", "Paid In", "Withdrawn"
BALANCE, REASON, PARTY = "Balance", "Reason Type", "Other Party Info"
LINKED, ACCOUNT = "Linked Transaction ID", "A/C No."
NEEDED = (RECEIPT, COMPLETED, DETAILS, STATUS, PAID_IN, WITHDRAWN, BALANCE, REASON, PARTY, LINKED)

#: Days first, as Kenyans write them; the portal has been seen to write the year first too.
_TIMES = ("%d-%m-%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S")
_IDS = re.compile(r"omache-[0-9a-f]{32}|AG_[0-9]{8}_[0-9A-Za-z]{8,40}")
_PHONE = re.compile(r"[0-9*]{9,12}")
_CHARGE = re.compile(r"\bcharge", re.IGNORECASE)
_SHORTCODE = re.compile(r"[0-9]{5,7}")
#: A file is a few weeks' movements at most; more is read in parts.
LONGEST_FILE_BYTES = 64 * 1024 * 1024


class UnreadableStatement(ValueError):
    """The file is no whole statement of M-Pesa's portal. Its text is a plain sentence."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One completed movement of money on one of our accounts, in whole KES.

    ``phone`` is what is shown of the customer's number, ``reverses`` the payment that was taken
    back, ``ids`` what the details name of the request behind it.
    """

    receipt: str
    at: datetime
    came_in: bool
    amount: int
    phone: str
    reason: str
    reference: str
    reverses: str
    ids: tuple[str, ...]

    @property
    def is_reversal(self) -> bool:
        """Whether an earlier payment was taken back."""
        return says_reversal(self.reason) or bool(self.reverses and not self.came_in)

    @property
    def is_payment(self) -> bool:
        """Whether a customer paid."""
        return self.came_in and not self.is_reversal and direction_of(self.reason) == Direction.IN

    @property
    def came_back(self) -> bool:
        """Whether what we had sent was taken back."""
        is_linked = self.is_reversal or bool(self.reverses)
        return self.came_in and is_linked and not self.is_payment

    @property
    def went_to_a_customer(self) -> bool:
        """Whether it left to somebody's phone."""
        return not self.came_in and bool(self.phone)


@dataclass(frozen=True, slots=True)
class PortalFile:
    """What a file says: of which number, from when until when where it says so, and every
    completed movement, oldest first. Charges and moves between our own accounts are counted only.
    """

    shortcode: str
    begins: datetime | None
    ends: datetime | None
    movements: tuple[Movement, ...]
    others: int


def read_portal_file(content: bytes) -> PortalFile:
    """Read a downloaded statement. Raises UnreadableStatement with the line that is wrong."""
    if len(content) > LONGEST_FILE_BYTES:
        raise UnreadableStatement("It is larger than 64 MB: download a shorter period at a time.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableStatement("It is no text file: download the statement as CSV.") from None
    lines = list(csv.reader(io.StringIO(text, newline="")))
    head = _find_header(lines)
    names = {name.strip(): place for place, name in enumerate(lines[head])}
    movements: list[Movement] = []
    others, balances = 0, []
    for number, line in enumerate(lines[head + 1 :], head + 2):
        if not any(cell.strip() for cell in line):
            continue
        if len(line) < len(names):
            raise UnreadableStatement(f"Line {number} is cut off.")
        row = {name: line[place].strip() for name, place in names.items()}
        if row[STATUS].lower() != "completed":
            continue
        gained = _amount(row[PAID_IN], number) - abs(_amount(row[WITHDRAWN], number))
        balances.append((_amount(row[BALANCE], number), gained, number))
        movement = _movement(row, gained, number)
        if movement is None:
            others += 1
        else:
            movements.append(movement)
    _check_balances(balances)
    about = [cell.strip() for line in lines[:head] for cell in line]
    begins, ends = _period(about)
    movements.sort(key=lambda one: (one.at, one.receipt))
    return PortalFile(_shortcode(about), begins, ends, tuple(movements), others)


def _find_header(lines: Sequence[Sequence[str]]) -> int:
    for number, line in enumerate(lines[:40]):
        names = {cell.strip() for cell in line}
        if RECEIPT in names:
            missing = [name for name in NEEDED if name not in names]
            if missing:
                raise UnreadableStatement(f"It has no column “{missing[0]}”.")
            return number
    raise UnreadableStatement(f"It has no column “{RECEIPT}”: this is no statement of the portal.")


def _movement(row: dict[str, str], gained: Decimal, number: int) -> Movement | None:
    """What a line says; None for a charge, and for a move between accounts of our own."""
    reason, reverses = row[REASON][:100], row[LINKED].upper()
    phone = _phone(row[PARTY])
    if not gained or _CHARGE.search(f"{reason} {row[DETAILS]}") or not (phone or reverses):
        return None
    if gained != gained.to_integral_value():
        raise UnreadableStatement(f"Line {number}: KES {abs(gained)} are no whole shillings.")
    try:
        receipt = receipt_in(row[RECEIPT].upper(), RECEIPT)
    except UnreadableCallback as error:
        raise UnreadableStatement(f"Line {number}: {error}") from error
    return Movement(
        receipt=receipt,
        at=_time(row[COMPLETED], number),
        came_in=gained > 0,
        amount=abs(int(gained)),
        phone=phone,
        reason=reason,
        reference=row.get(ACCOUNT, "")[:64],
        reverses=reverses if reverses != receipt else "",
        ids=tuple(_IDS.findall(row[DETAILS])),
    )


def _amount(typed: str, number: int) -> Decimal:
    try:
        amount = Decimal(typed.replace(",", "") or "0")
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise UnreadableStatement(f"Line {number}: “{typed[:40]}” is no amount.")
    return amount


def _check_balances(balances: Sequence[tuple[Decimal, Decimal, int]]) -> None:
    """See that each balance follows from the one before it, newest line first or oldest first.

    Raises UnreadableStatement where one does not: then lines are missing, or two accounts are in
    one file.
    """
    if len(balances) < 2:
        return
    newest_first = _gap(balances[::-1])
    oldest_first = _gap(balances)
    if newest_first is not None and oldest_first is not None:
        raise UnreadableStatement(
            f"Line {newest_first}: the balance does not follow from the line beside it. Lines are "
            "missing, or were changed. Download it anew, each account by itself."
        )


def _gap(balances: Sequence[tuple[Decimal, Decimal, int]]) -> int | None:
    for (before, _, _), (after, gained, number) in itertools.pairwise(balances):
        if before + gained != after:
            return number
    return None


def _time(typed: str, number: int) -> datetime:
    found = _moment(typed)
    if found is None:
        raise UnreadableStatement(f"Line {number}: “{typed[:40]}” is no time.")
    return found


def _moment(typed: str) -> datetime | None:
    for form in _TIMES:
        try:
            return datetime.strptime(typed.strip(), form).replace(tzinfo=NAIROBI)
        except ValueError:
            continue
    return None


def _phone(party: str) -> str:
    """What is shown of a customer's number before their name; "" for a short code."""
    shown = party.split(" ", 1)[0].strip()
    return shown if _PHONE.fullmatch(shown) else ""


def _shortcode(about: Sequence[str]) -> str:
    for name, value in itertools.pairwise(about):
        if re.sub(r"[^a-z]", "", name.lower()) == "shortcode" and _SHORTCODE.fullmatch(value):
            return value
    return ""


def _period(about: Sequence[str]) -> tuple[datetime | None, datetime | None]:
    """From when until when, where a cell says ``From … To …``, or two cells do."""
    for cell in about:
        found = re.search(r"from:?\s+(.{10,19}?)\s+to:?\s+(.{10,19})", cell, re.IGNORECASE)
        if found:
            return _moment(found.group(1)), _moment(found.group(2))
    return None, None
