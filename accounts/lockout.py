"""One lock-out for every door that asks for a password or for a second factor's code.

Each try is counted before anything is hashed or compared, in the database, so that all doors of
all processes share the count and tries at once do not slip past it; a right one is taken back.
Counted are

- the pair of an account and a network: what one place may guess about one person;
- the account, from anywhere: guesses that come from many places;
- the network, about anybody: one place that tries many people. Of IPv6 that is a /64, and, with
  more room, the /48 around it.

Whoever reaches a limit waits, and each further failure doubles the wait, up to a most: it always
ends. A network from which a person signed in lately counts for them by the pair alone, so that
no stranger locks them out at home, whatever is done elsewhere or by their neighbours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from omachemainproj.api.errors import Refusal
from omachemainproj.ip_addresses import client_network

from . import security_log
from .models import PasswordTries, User
from .validators import normalise_email

#: Doors whose counts are kept apart: whoever has a password must not reset the count of codes.
PASSWORD, CODE, PHONE = "password", "code", "phone"

_FAILED = {PASSWORD: "login_failed", CODE: "code_failed", PHONE: "phone_code_failed"}

#: A person's own network counts by the pair alone for so long after they signed in there.
KNOWN_FOR = timedelta(days=90)
#: After so long without a try a count begins anew.
FORGOTTEN_AFTER = timedelta(days=1)
#: How many old rows are deleted at a time.
BATCH = 1000


@dataclass(frozen=True, slots=True)
class _Limit:
    """The try at which waiting begins, the first wait, and the longest."""

    tries: int
    first: timedelta
    most: timedelta

    def wait_after(self, failures: int) -> timedelta | None:
        """How long to wait after so many failures; None: not at all."""
        if failures < self.tries:
            return None
        return min(self.first * 2 ** min(failures - self.tries, 10), self.most)


LIMITS = {
    "pair": _Limit(5, timedelta(minutes=5), timedelta(hours=1)),
    "account": _Limit(20, timedelta(minutes=5), timedelta(hours=1)),
    # Thousands of people share one address at a Kenyan mobile operator.
    "network": _Limit(100, timedelta(minutes=1), timedelta(minutes=15)),
    "site": _Limit(400, timedelta(minutes=1), timedelta(minutes=15)),
}


class LockedOut(Refusal):
    """Too many failures lately: for this account, or from this network."""

    code = "locked_out"
    status_code = 429

    def __init__(self, wait: timedelta) -> None:
        seconds = max(math.ceil(wait.total_seconds()), 1)
        self.retry_after = seconds
        minutes = math.ceil(seconds / 60)
        unit = "minute" if minutes == 1 else "minutes"
        super().__init__(f"Too many failed attempts. Try again in {minutes} {unit}.")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try that is counted as a failure until it is taken back; ``waits`` began with it."""

    waits: dict[str, datetime]
    keys: tuple[str, ...] = ()
    #: Whom it is about, as ``begin`` was told, and at which door.
    account: User | str | None = None
    credential: str = PASSWORD

    def take_back(self) -> None:
        """It was right: it never counted."""
        PasswordTries.objects.filter(key__in=self.keys, failures__gt=0).update(
            failures=F("failures") - 1
        )
        for key, until in self.waits.items():
            PasswordTries.objects.filter(key=key, until=until).update(until=None)

    def fail(self) -> None:
        """It was wrong; one line says so. Raises LockedOut where it was the last one for now."""
        if self.waits:
            self.record("locked_out")
            raise LockedOut(max(self.waits.values()) - timezone.now())
        is_link = self.account is None and self.credential == PASSWORD
        self.record("link_failed" if is_link else _FAILED[self.credential])

    def record(self, event: str) -> None:
        """Log what came of it, under the person's number, or a digest of the name typed."""
        if isinstance(self.account, User):
            security_log.record(event, user=self.account.pk, door=self.credential)
        else:
            security_log.record(event, name=self.account or "", door=self.credential)


def begin(
    request: HttpRequest | None, account: User | str | None, *, credential: str = PASSWORD
) -> Attempt:
    """Count a try at somebody's password, by whatever name, before it is checked.

    ``account`` is the person, what was typed where that is nobody's, or None where nobody is
    named. Call ``take_back`` or ``fail`` on what is returned. Raises LockedOut (429) where too
    many failed before. A request from nowhere (a shell) is not counted.
    """
    uncounted = Attempt(waits={}, account=account, credential=credential)
    if request is None or not settings.LOCKOUT:
        return uncounted
    keys = _keys(request, account, credential)
    owner = account if isinstance(account, User) else None
    waits, counted, closed = _count(keys, owner)
    if closed is not None:
        uncounted.record("locked_out")
        raise LockedOut(closed)
    return replace(uncounted, waits=waits, keys=counted)


def prove(request: HttpRequest, user: User) -> None:
    """Say that a person signed in, with all that was asked: their network is known, and free."""
    if settings.LOCKOUT:
        keys = [_keys(request, user, credential)["pair"] for credential in (PASSWORD, CODE)]
        PasswordTries.objects.filter(key__in=keys).update(
            failures=0, until=None, proved_at=timezone.now()
        )


def forgive(user: User) -> None:
    """Forget all failures about a person, wherever they came from. Safe to repeat."""
    PasswordTries.objects.filter(user=user).update(failures=0, until=None)


def forgive_tries(key: str) -> None:
    """Forget the failures counted under one key, of a person or of a network. Safe to repeat."""
    PasswordTries.objects.filter(key=key).update(failures=0, until=None)


def locked_until(user: User) -> datetime | None:
    """Until when somebody's password or code is not even tried, from somewhere; None: from nowhere.

    Safe to ask of anybody. One query.
    """
    mine = PasswordTries.objects.filter(user=user, until__gt=timezone.now())
    return mine.order_by("-until").values_list("until", flat=True).first()


def delete_old() -> int:
    """Delete counts that say nothing any more, a batch at a time; return how many.

    Safe to repeat, anywhere, at once.
    """
    now, deleted = timezone.now(), 0
    old = PasswordTries.objects.filter(at__lt=now - FORGOTTEN_AFTER).exclude(
        proved_at__gt=now - KNOWN_FOR
    )
    while batch := list(old.order_by("at").values_list("pk", flat=True)[:BATCH]):
        deleted += old.filter(pk__in=batch).delete()[0]
    return deleted


@transaction.atomic
def _count(
    keys: dict[str, str], owner: User | None
) -> tuple[dict[str, datetime], tuple[str, ...], timedelta | None]:
    """Count under all keys at once, or say how long to wait; then nothing is counted.

    Returns the waits that began, the keys that were counted, and how long to wait.
    """
    now = timezone.now()
    # Always in the order of their keys, so that no two requests wait for each other.
    blank = [
        PasswordTries(key=key, at=now, user=None if kind in {"network", "site"} else owner)
        for kind, key in sorted(keys.items(), key=lambda item: item[1])
    ]
    PasswordTries.objects.bulk_create(blank, ignore_conflicts=True)
    locked = PasswordTries.objects.select_for_update().filter(key__in=keys.values())
    rows = {row.key: row for row in locked.order_by("key")}
    counted = {kind: rows[key] for kind, key in keys.items() if key in rows}
    pair = counted.get("pair")
    if pair and pair.proved_at and pair.proved_at > now - KNOWN_FOR:
        counted = {"pair": pair}
    closed = [row.until - now for row in counted.values() if row.until and row.until > now]
    if closed:
        return {}, (), max(closed)
    waits: dict[str, datetime] = {}
    for kind, row in counted.items():
        row.failures = 1 if row.at < now - FORGOTTEN_AFTER else row.failures + 1
        row.at, row.until = now, None
        if wait := LIMITS[kind].wait_after(row.failures):
            row.until = waits[row.key] = now + wait
    PasswordTries.objects.bulk_update(counted.values(), ["failures", "at", "until"])
    return waits, tuple(row.key for row in counted.values()), None


def _keys(request: HttpRequest, account: User | str | None, credential: str) -> dict[str, str]:
    address = request.META.get("REMOTE_ADDR", "")
    network, site = client_network(address), client_network(address, 48)
    keys = {"network": _key("network", network)}
    if site != network:
        keys["site"] = _key("site", site)
    if account is None:
        return keys
    name = _name_of(account)
    return {
        "account": _key(f"{credential}.account", name),
        "pair": _key(f"{credential}.pair", name, network),
        **keys,
    }


def _name_of(account: User | str) -> str:
    """One text for an account, however it is called: ``Amina``, ``amina`` and her e-mail."""
    if isinstance(account, User):
        return f"user {account.pk}"
    return f"name {normalise_email(account).lower()}"


def _key(kind: str, *parts: str) -> str:
    digest = salted_hmac("accounts.lockout", "\n".join(parts), algorithm="sha256").hexdigest()
    return f"{kind}:{digest[:40]}"
