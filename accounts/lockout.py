"""One lockout for every endpoint that checks a password or a second factor's code.

Each attempt is counted in the database before anything is hashed or compared, so that all endpoints
and processes share the count and concurrent attempts cannot slip past it; a successful one is taken
back. Attempts are counted for

- the pair of an account and a network: guesses at one account from one place;
- the account, from anywhere: guesses from many places;
- the network, for any account: one place that tries many accounts. For IPv6 that is a /64 and, with
  a higher limit, the /48 around it.

At the limit attempts are refused for a while, and each further failure doubles the wait up to a
maximum. On a network from which the user signed in recently only the pair counts, so that attackers
elsewhere, or neighbours, cannot lock users out at home.
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
from omachemainproj.batches import delete_in_batches
from omachemainproj.ip_addresses import client_network

from . import security_log
from .models import PasswordTries, User
from .validators import normalise_email

#: Credentials with separate counts: a correct password must not reset the count of codes.
PASSWORD, CODE, PHONE = "password", "code", "phone"

_FAILED = {PASSWORD: "login_failed", CODE: "code_failed", PHONE: "phone_code_failed"}

#: For this long after signing in on a network, only the pair counts there for the user.
KNOWN_NETWORK_PERIOD = timedelta(days=90)
#: After this long without an attempt a count starts again at zero.
FAILURE_RETENTION = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Limit:
    """The number of failures at which waiting starts, the first wait, and the longest."""

    tries: int
    first: timedelta
    most: timedelta

    def wait_after(self, failures: int) -> timedelta | None:
        """The wait after this many failures; None for no wait."""
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
    """Too many recent failures for this account, or from this network."""

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
    """One attempt, counted as a failure until it is taken back; ``waits`` are those it started."""

    waits: dict[str, datetime]
    keys: tuple[str, ...] = ()
    #: The account as given to ``begin``, and the credential that was tried.
    account: User | str | None = None
    credential: str = PASSWORD

    def take_back(self) -> None:
        """The attempt succeeded, so it no longer counts."""
        PasswordTries.objects.filter(key__in=self.keys, failures__gt=0).update(
            failures=F("failures") - 1
        )
        for key, until in self.waits.items():
            PasswordTries.objects.filter(key=key, until=until).update(until=None)

    def fail(self) -> None:
        """Log the failure. Raises LockedOut if it reached a limit."""
        if self.waits:
            self.record("locked_out")
            raise LockedOut(max(self.waits.values()) - timezone.now())
        is_link = self.account is None and self.credential == PASSWORD
        self.record("link_failed" if is_link else _FAILED[self.credential])

    def record(self, event: str) -> None:
        """Log the event with the user's id, or a digest of the name typed."""
        if isinstance(self.account, User):
            security_log.record(event, user=self.account.pk, door=self.credential)
        else:
            security_log.record(event, name=self.account or "", door=self.credential)


def begin(
    request: HttpRequest | None, account: User | str | None, *, credential: str = PASSWORD
) -> Attempt:
    """Count an attempt at an account's password or code, before it is checked.

    ``account`` is the user, the typed name if no user has it, or None if no name is involved. Call
    ``take_back`` or ``fail`` on the result. Raises LockedOut (429) after too many failures. Without
    a request (in a shell) nothing is counted.
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


def record_sign_in(request: HttpRequest, user: User) -> None:
    """Record a complete sign-in: this network is known for the user now, and the pair's counts are
    reset. Safe to repeat."""
    if settings.LOCKOUT:
        keys = [_keys(request, user, credential)["pair"] for credential in (PASSWORD, CODE)]
        PasswordTries.objects.filter(key__in=keys).update(
            failures=0, until=None, proved_at=timezone.now()
        )


def reset_failures(user: User) -> None:
    """Reset all failures at a user's account, from all networks. Safe to repeat."""
    PasswordTries.objects.filter(user=user).update(failures=0, until=None)


def reset_failures_by_key(key: str) -> None:
    """Reset the failures counted under one key, of an account or a network. Safe to repeat."""
    PasswordTries.objects.filter(key=key).update(failures=0, until=None)


def locked_until(user: User) -> datetime | None:
    """When the user's longest current lockout, from any network, ends; None without one.

    One query.
    """
    mine = PasswordTries.objects.filter(user=user, until__gt=timezone.now())
    return mine.order_by("-until").values_list("until", flat=True).first()


def delete_old_failures() -> int:
    """Delete counts that no longer matter, in batches; return how many.

    Safe to repeat and to run concurrently.
    """
    now = timezone.now()
    old = PasswordTries.objects.filter(at__lt=now - FAILURE_RETENTION).exclude(
        proved_at__gt=now - KNOWN_NETWORK_PERIOD
    )
    return delete_in_batches(old.order_by("at"))


@transaction.atomic
def _count(
    keys: dict[str, str], owner: User | None
) -> tuple[dict[str, datetime], tuple[str, ...], timedelta | None]:
    """Count an attempt under all keys; if one is locked, count nothing and return the wait.

    Returns the waits that started, the keys counted, and how long to wait.
    """
    now = timezone.now()
    # In key order, so that concurrent requests cannot deadlock.
    blank = [
        PasswordTries(key=key, at=now, user=None if kind in {"network", "site"} else owner)
        for kind, key in sorted(keys.items(), key=lambda item: item[1])
    ]
    PasswordTries.objects.bulk_create(blank, ignore_conflicts=True)
    locked = PasswordTries.objects.select_for_update().filter(key__in=keys.values())
    rows = {row.key: row for row in locked.order_by("key")}
    counted = {kind: rows[key] for kind, key in keys.items() if key in rows}
    pair = counted.get("pair")
    if pair and pair.proved_at and pair.proved_at > now - KNOWN_NETWORK_PERIOD:
        counted = {"pair": pair}
    closed = [row.until - now for row in counted.values() if row.until and row.until > now]
    if closed:
        return {}, (), max(closed)
    waits: dict[str, datetime] = {}
    for kind, row in counted.items():
        row.failures = 1 if row.at < now - FAILURE_RETENTION else row.failures + 1
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
    """One text per account, whatever was typed: ``Amina``, ``amina`` and her e-mail."""
    if isinstance(account, User):
        return f"user {account.pk}"
    return f"name {normalise_email(account).lower()}"


def _key(kind: str, *parts: str) -> str:
    digest = salted_hmac("accounts.lockout", "\n".join(parts), algorithm="sha256").hexdigest()
    return f"{kind}:{digest[:40]}"
