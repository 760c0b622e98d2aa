"""The audit log: each staff action, who did it, why, and the values before and after.

The admin's pages and the console write it. Automatic changes are not recorded here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import BinaryField, Field, Model, Q, QuerySet

from accounts import security_log
from accounts.models import Audit, User

#: Columns that are never logged or shown: credentials, and raw data from unknown senders.
SECRETS = frozenset(
    {
        "password",
        "callback_token",
        "order_token",
        "status_token",
        "token",
        "headers",
        "collection_code",
        "idempotency_key",
        "fingerprint",
    }
)
HIDDEN = "hidden"
#: Keys of entries that are not about a staff action (accounts.backoffice.actions); a list action
#: without a form has only the text staff read.
ADDED, CHANGED, DELETED, REMARK = "admin.add", "admin.change", "admin.delete", "admin.remark"
DOWNLOADED, IMPORTED = "admin.download", "admin.import"
OWN_ACCOUNT = "admin.own-account"
PROPOSED, REFUSED = "proposal.made", "interest.refused"
#: Entries from before the column ``action`` have an empty one, and are recognised by how their text
#: begins: by these words, which are history and never change, whatever the buttons say today.
TEXT_BEFORE_KEYS = {
    ADDED: "Added",
    CHANGED: "Changed",
    "console.receipt.write": "Wrote it down",
    "console.attempt.paid": "Say that it was paid",
    "console.receipt.name": "Name its number",
    "console.payout.send": "Send it to another number",
}
#: Characters of a text that are logged.
LONGEST = 500

Values = dict[str, Any]
#: Column name to [value before, value after].
Changes = dict[str, list[Any]]


def values_of(row: Model) -> Values:
    """The row's current column values in the database, without secrets; empty if it is gone.

    One query.
    """
    columns = [field for field in row._meta.concrete_fields if is_logged(field)]
    values = type(row)._base_manager.filter(pk=row.pk).values_list(*(f.attname for f in columns))
    held = values.first()
    if held is None:
        return {}
    return {field.name: plain(value) for field, value in zip(columns, held, strict=True)}


def rows_named_by(row: Model) -> Values:
    """The related rows of a row's many-to-many fields, such as a user's roles; empty ones are left
    out. One query per field.
    """
    rows_by_field = {
        field.name: plain(list(getattr(row, field.name).all())) for field in row._meta.many_to_many
    }
    return {name: named for name, named in rows_by_field.items() if named}


def is_logged(field: Field[Any, Any]) -> bool:
    """Whether a column may be logged or downloaded: neither a secret nor raw bytes."""
    return field.name not in SECRETS and not isinstance(field, BinaryField)


def plain(value: Any) -> Any:
    """A value as it is logged: rows and lists of rows by name, long texts truncated."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple | set):
        return sorted(str(each)[:LONGEST] for each in value)
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    return value.isoformat() if hasattr(value, "isoformat") else str(value)[:LONGEST]


def difference(before: Values, after: Values) -> Changes:
    """The columns that differ, with both values."""
    return {
        name: [before.get(name), after.get(name)]
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    }


def entries_of(*keys: str) -> QuerySet[Audit]:
    """The entries of what was done under these keys, old entries included.

    Raises KeyError for a key of which it is not known how old entries read (TEXT_BEFORE_KEYS).
    """
    old = reduce(or_, (Q(did__startswith=TEXT_BEFORE_KEYS[key]) for key in keys))
    return Audit.objects.filter(Q(action__in=keys) | Q(old, action=""))


def log(
    by: User,
    did: str,
    row: Model | None,
    *,
    action: str,
    kind: type[Model] | None = None,
    why: str = "",
    changes: Changes | None = None,
) -> Audit:
    """Record what a user did to a row or, without one, to rows of a model (``kind``).

    ``did`` is for readers; ``action`` is the key by which code finds the entry (``entries_of``).
    """
    model = type(row) if row is not None else kind
    if model is None:
        raise TypeError("a row or a kind of rows is needed")
    entry = Audit.objects.create(
        actor=by,
        did=did[:200],
        action=action,
        why=why[:200],
        content_type=ContentType.objects.get_for_model(model, for_concrete_model=False),
        object_id="" if row is None or row.pk is None else str(row.pk)[:64],
        object_name=str(row if row is not None else model._meta.verbose_name_plural)[:200],
        changes=changes or {},
    )
    security_log.record_on_commit(
        "staff_did",
        user=by.pk,
        # Without the form data, which may contain anything; the audit log has it.
        did=repr(entry.did.partition(" (")[0]),
        kind=model._meta.label_lower,
        object=entry.object_id or "-",
        audit=entry.pk,
    )
    return entry


def log_with_history(
    by: User,
    did: str,
    row: Model,
    *,
    action: str,
    why: str = "",
    changes: Changes | None = None,
) -> None:
    """Record what a user did to a row, here and in Django's history of the row."""
    message = f"{did}. Why: {why}" if why else f"{did}."
    LogEntry.objects.log_actions(by.pk, [row], CHANGE, message, single_object=True)
    log(by, did, row, action=action, why=why, changes=changes)
