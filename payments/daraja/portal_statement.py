"""Parses a statement of one of our short codes, downloaded from M-Pesa's portal as CSV.

Unlike Pull Transactions it goes back as far as requested, and shows outgoing money. A few lines
about the account come first, then one line per movement, newest first, each with the balance after
it, which shows whether lines are missing.

Source: the M-PESA organisation portal, Statements, “Download as CSV”. Safaricom documents no column
of it. Names, order and formats are those in a dozen public programs that parse such files, from
2017 to 2026: they agree on the names, and differ wherever several formats are accepted here.
"""

import codecs
import csv
import io
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from omachemainproj.dates import NAIROBI

from .transaction_types import Direction, direction_of
from .values import UnreadableCallback, receipt_in, receipt_text, says_reversal

#: The columns that are read. There are others.
RECEIPT, COMPLETED, DETAILS = "Receipt No.", "Completion Time", "Details"
STATUS, PAID_IN, WITHDRAWN = "Transaction Status", "Paid In", "Withdrawn"
BALANCE, REASON, PARTY = "Balance", "Reason Type", "Other Party Info"
LINKED, ACCOUNT, CURRENCY = "Linked Transaction ID", "A/C No.", "Currency"
NEEDED = (RECEIPT, COMPLETED, DETAILS, STATUS, PAID_IN, WITHDRAWN, BALANCE)
#: At least one of these is required: without either, nobody can tell who paid or what a movement
#: was.
WHO_OR_WHAT = (REASON, PARTY)
#: Other names that have been seen for them, normalised by ``_plain``.
_OTHER_NAMES = {
    "receiptnumber": RECEIPT,
    "transactiontype": REASON,
    "otherparty": PARTY,
    "oppositeparty": PARTY,
    "accountno": ACCOUNT,
    "accountnumber": ACCOUNT,
}
#: Names of the short code in the lines before the columns.
_SHORTCODE_NAMES = frozenset(
    {
        *("shortcode", "organizationshortcode", "organisationshortcode", "businessshortcode"),
        *("paybill", "paybillnumber", "tillnumber", "till", "storenumber"),
    }
)
#: How many lines may come before the columns.
_LINES_BEFORE = 40

#: Day first, as usual in Kenya; the portal has been seen to write the year first too, and a
#: spreadsheet that saves the file again drops seconds and leading zeros.
_DATES = ("%d-%m-%Y", "%Y-%m-%d", "%d/%m/%Y", "%Y/%m/%d", "%d/%m/%y", "%d-%m-%y", "%d %b %Y")
_CLOCKS = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p")
_TIMES = tuple(f"{date} {clock}" for date, clock in itertools.product(_DATES, _CLOCKS))
_IDS = re.compile(r"omache-[0-9a-f]{32}|AG_[0-9]{8}_[0-9A-Za-z]{8,40}")
#: A phone number, in full or masked, before the name or alone.
_PHONE = re.compile(r"\+?([0-9*]{9,12})(?![0-9*])")
_PHONE_IN_DETAILS = re.compile(r"\b(?:from|to)\s+\+?([0-9*]{9,12})(?![0-9*])", re.IGNORECASE)
_CHARGE = re.compile(r"(?<![a-z])charges?(?![a-z])", re.IGNORECASE)
#: Ends M-Pesa's name of the movement in the details, and begins what the payer typed.
_PARTY = re.compile(r"\bfrom\b|\+?[0-9*]{9,12}", re.IGNORECASE)
_TYPED = re.compile(r"\bacc(?:ount)?\b", re.IGNORECASE)
_SHORTCODE = re.compile(r"([0-9]{5,7})\b")
#: With thousands separated by commas or not at all: "15,00" is not an amount, nor is "1.500,00".
_AMOUNT = re.compile(r"([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]{1,2})?")
_CURRENCIES = re.compile(r"(kes|ksh|kshs)\.?\s*", re.IGNORECASE)
#: The first bytes of files that are not text.
_OTHER_FILES = {
    b"PK\x03\x04": "an Excel file",
    b"\xd0\xcf\x11\xe0": "an Excel file",
    b"%PDF": "a PDF",
}
#: A file has a few weeks' movements at most; longer periods are read in parts.
LONGEST_FILE_BYTES = 64 * 1024 * 1024


class UnreadableStatement(ValueError):
    """The file is not a complete statement of M-Pesa's portal. Its text can be shown to staff."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One completed movement on one of our accounts, in whole KES.

    ``phone`` is the customer's number as shown, ``reverses`` the payment that was reversed, ``ids``
    the ids in the details of the request that caused it.
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
        """Whether an earlier payment was reversed."""
        return says_reversal(self.reason) or bool(self.reverses and not self.came_in)

    @property
    def is_payment(self) -> bool:
        """Whether a customer paid.

        The amount's column tells the direction: the movement's name need not be known.
        """
        goes = direction_of(self.reason)
        return self.came_in and not self.is_reversal and goes != Direction.OUT and not self.reverses

    @property
    def is_returned_transfer(self) -> bool:
        """Whether it is a transfer of ours that came back."""
        is_linked = self.is_reversal or bool(self.reverses)
        return self.came_in and is_linked and not self.is_payment

    @property
    def is_unclear(self) -> bool:
        """Whether it came in although its name is that of outgoing money."""
        return self.came_in and not self.is_payment and not self.is_returned_transfer


@dataclass(frozen=True, slots=True)
class PortalFile:
    """A parsed file: its short code, its period if it states one, and all completed movements,
    oldest first. Charges and moves between our own accounts are only counted."""

    shortcode: str
    begins: datetime | None
    ends: datetime | None
    movements: tuple[Movement, ...]
    others: int


def read_portal_file(content: bytes) -> PortalFile:
    """Parse a downloaded statement. Raises UnreadableStatement with the line that is wrong."""
    if len(content) > LONGEST_FILE_BYTES:
        raise UnreadableStatement("It is larger than 64 MB. Download a shorter period at a time.")
    lines, head = _table(_text(content))
    places = _places(lines[head])
    movements: list[Movement] = []
    others, balances = 0, []
    for number, line in enumerate(lines[head + 1 :], head + 2):
        row = _row(line, places, number)
        if row is None:
            continue
        gained = _amount(row[PAID_IN], number) - abs(_amount(row[WITHDRAWN], number))
        if not row[BALANCE]:
            raise UnreadableStatement(
                f"Line {number} has no balance, so the file may not be complete."
            )
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


def _text(content: bytes) -> str:
    """The file as text: UTF-8, or as spreadsheets save it (UTF-16 with a BOM, Windows-1252)."""
    for begins, what in _OTHER_FILES.items():
        if content.startswith(begins):
            raise UnreadableStatement(f"It is {what}. Download the statement as CSV.")
    is_marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if is_marked else ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UnreadableStatement("It is not a text file. Download the statement as CSV.")


def _table(text: str) -> tuple[list[list[str]], int]:
    """The cells of each line, and the line with the column names; separated by commas, or by what a
    spreadsheet used instead."""
    for delimiter in (",", ";", "\t"):
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        try:
            lines = list(reader)
        except csv.Error as error:
            message = f"Line {reader.line_num} is not CSV: {error}."
            raise UnreadableStatement(message) from error
        for number, line in enumerate(lines[:_LINES_BEFORE]):
            if RECEIPT in _places(line) and len(line) > 1:
                return lines, number
    raise UnreadableStatement(
        f"It has no column “{RECEIPT}”: this is not a statement from the portal."
    )


def _places(line: Sequence[str]) -> dict[str, int]:
    """The position of each column that is read, ignoring case and punctuation in its name.

    Raises UnreadableStatement if one is missing or occurs twice.
    """
    known = {_plain(name): name for name in (*NEEDED, *WHO_OR_WHAT, LINKED, ACCOUNT, CURRENCY)}
    known |= _OTHER_NAMES
    places: dict[str, int] = {}
    for place, cell in enumerate(line):
        name = known.get(_plain(cell))
        if name in places:
            raise UnreadableStatement(f"It has two columns “{name}”.")
        if name is not None:
            places[name] = place
    if RECEIPT in places and len(line) > 1:
        missing = [name for name in NEEDED if name not in places]
        if not missing and not set(WHO_OR_WHAT) & set(places):
            missing = [PARTY]
        if missing:
            raise UnreadableStatement(f"It has no column “{missing[0]}”.")
    return places


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _row(line: Sequence[str], places: Mapping[str, int], number: int) -> dict[str, str] | None:
    """A completed movement by column name, "" for a missing column; None for an empty line, a sum,
    and a movement that was not completed."""
    if not any(cell.strip() for cell in line):
        return None
    if len(line) <= max(places.values()):
        raise UnreadableStatement(f"Line {number} is cut off.")
    row = dict.fromkeys((*NEEDED, *WHO_OR_WHAT, LINKED, ACCOUNT, CURRENCY), "")
    row |= {name: line[place].strip() for name, place in places.items()}
    if row[STATUS].lower() != "completed":
        return None
    if row[CURRENCY] and row[CURRENCY].upper() != "KES":
        raise UnreadableStatement(f"Line {number} is in {row[CURRENCY][:10]}, not in KES.")
    return row


def _movement(row: Mapping[str, str], gained: Decimal, number: int) -> Movement | None:
    """Parse a line; None for a charge, and for a move between accounts of our own."""
    reason = (row[REASON] or _word_in(row[DETAILS]))[:100]
    reverses, phone = _linked(row[LINKED]), _phone(row)
    is_paid = gained > 0 and direction_of(reason) == Direction.IN
    says_charge = _CHARGE.search(f"{row[REASON]} {_word_in(row[DETAILS])}")
    # A customer never pays us a charge: whatever it is called, it is their money.
    is_charge = says_charge and not (gained > 0 and phone)
    if not gained or is_charge or not (phone or reverses or is_paid):
        return None
    if gained != gained.to_integral_value():
        raise UnreadableStatement(
            f"Line {number}: KES {abs(gained)} is not a whole number of shillings."
        )
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
        reference=row[ACCOUNT][:64],
        reverses=reverses if reverses != receipt else "",
        ids=tuple(_IDS.findall(row[DETAILS])),
    )


def _word_in(details: str) -> str:
    """M-Pesa's own name of the movement, without the customer's name or text: an account “refund”
    does not refund, and Charger is not a charge."""
    return _PARTY.split(_TYPED.split(details, 1)[0], 1)[0].strip()


def _linked(shown: str) -> str:
    """The receipt of the linked transaction; "" for any other number there."""
    number = receipt_text(shown.upper())
    return "" if number.isdigit() else number


def _amount(typed: str, number: int) -> Decimal:
    """Parse an amount; negative with a minus before it, or in brackets, as a spreadsheet may write
    it."""
    shown = _CURRENCIES.sub("", typed.strip())
    if not shown:
        return Decimal(0)
    is_less = shown.startswith(("-", "(", "−"))
    digits = shown[is_less:].removesuffix(")").strip()
    if not _AMOUNT.fullmatch(digits) or shown.startswith("(") != shown.endswith(")"):
        raise UnreadableStatement(f"Line {number}: “{typed[:40]}” is not an amount.")
    amount = Decimal(digits.replace(",", ""))
    return -amount if is_less else amount


def _check_balances(balances: Sequence[tuple[Decimal, Decimal, int]]) -> None:
    """Check that each balance follows from the previous one, newest line first or oldest first.

    Raises UnreadableStatement if one does not: lines are missing, or the file mixes two accounts.
    """
    if len(balances) < 2:
        return
    newest_first = _gap(balances[::-1])
    oldest_first = _gap(balances)
    if newest_first is not None and oldest_first is not None:
        raise UnreadableStatement(
            f"Line {newest_first}: the balance does not follow from the adjacent line. Lines are "
            f"missing or were changed. Download each account again, separately."
        )


def _gap(balances: Sequence[tuple[Decimal, Decimal, int]]) -> int | None:
    for (before, _, _), (after, gained, number) in itertools.pairwise(balances):
        if before + gained != after:
            return number
    return None


def _time(typed: str, number: int) -> datetime:
    moment = _moment(typed)
    if moment is None:
        raise UnreadableStatement(f"Line {number}: “{typed[:40]}” is not a time.")
    return moment


def _moment(typed: str) -> datetime | None:
    shown = " ".join(typed.split()).upper()
    for form in _TIMES:
        try:
            return datetime.strptime(shown, form).replace(tzinfo=NAIROBI)
        except ValueError:
            continue
    return None


def _day(typed: str) -> datetime | None:
    for form in _DATES:
        try:
            return datetime.strptime(typed.strip(), form).replace(tzinfo=NAIROBI)
        except ValueError:
            continue
    return None


def _phone(row: Mapping[str, str]) -> str:
    """The customer's number as shown: before their name, or in the details if no party is named; ""
    for a short code, a bank, or a name alone."""
    party, details = row[PARTY], row[DETAILS]
    before_typed = _TYPED.split(details, 1)[0]
    match = _PHONE.match(party) if party else _PHONE_IN_DETAILS.search(before_typed)
    return match[1] if match else ""


def _shortcode(about: Sequence[str]) -> str:
    for name, value in itertools.pairwise(about):
        match = _SHORTCODE.match(value)
        if _plain(name) in _SHORTCODE_NAMES and match:
            return match[1]
    for cell in about:
        name, _, value = cell.partition(":")
        match = _SHORTCODE.match(value.strip())
        if _plain(name) in _SHORTCODE_NAMES and match:
            return match[1]
    return ""


def _period(about: Sequence[str]) -> tuple[datetime | None, datetime | None]:
    """The period in a cell like ``From … To …``, or two days or times with a dash or ``to`` between
    them. A day that ends a period counts to its last moment."""
    for begins, ends in _periods(about):
        first = _moment(begins) or _day(begins)
        last = _moment(ends)
        if last is None and (day := _day(ends)) is not None:
            last = day + timedelta(days=1, microseconds=-1)
        if first is not None and last is not None:
            return first, last
    return None, None


def _periods(about: Sequence[str]) -> Iterator[tuple[str, str]]:
    for cell in about:
        # With single spaces: patterns of several take quadratic time on a long row of them.
        line = " ".join(cell.split())
        for between in (r" to:? ", r" [-–] "):
            text = re.sub(r"^.*?\b(from|period):? ", "", line, flags=re.IGNORECASE)
            parts = re.split(between, text, flags=re.IGNORECASE)
            if len(parts) == 2:
                yield parts[0], parts[1]
