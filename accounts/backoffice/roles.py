"""Who among the staff may do what: four roles, each with its own part of the shop.

A role is a group of Django's. Superusers put people into it (and make them staff, which is what
opens the admin); the table below says what it may do, and every migrate brings the groups to it.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps as global_apps
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

#: By role. Apps above this one are named, not imported: their permissions are theirs to declare.
ROLES: dict[str, tuple[str, ...]] = {
    # Answers buyers: orders and their lines, put right with a reason. Sees people, changes none.
    "support": (
        "accounts.view_user",
        "accounts.help_user",
        "accounts.export_rows",
        "orders.view_order",
        "orders.view_ordertrack",
        "orders.view_trackevent",
        "orders.decide_lines",
        "orders.view_message",
        "orders.resend_message",
    ),
    # Keeps the money: everything that came and went, and what waits for a decision.
    "finance": (
        "accounts.export_rows",
        "payments.view_orderpayment",
        "payments.view_receipt",
        "payments.view_refund",
        "payments.view_payoutstop",
        "payments.view_statementpull",
        "payments.view_gatewayevent",
        "payments.view_ledgerposting",
        "payments.view_ledgerentry",
        "payments.view_sellershare",
        "payments.view_payout",
        "payments.view_payoutday",
        "payments.decide_money",
    ),
    # Keeps what is for sale in order, and what is said of it.
    "catalogue": (
        "accounts.export_rows",
        "products.view_product",
        "products.change_product",
        "products.view_stockmovement",
        "products.view_review",
        "products.hide_review",
    ),
    # Carries the goods: lines and their way, and no other part of an order.
    "delivery": (
        "orders.view_ordertrack",
        "orders.view_trackevent",
        "orders.move_track",
    ),
}

_APPS = frozenset(name.split(".")[0] for names in ROLES.values() for name in names)


def update_roles(app_label: str) -> None:
    """Bring the groups to the table, once the permissions of an app it names are there.

    Safe to repeat. A permission whose app has not been migrated yet is left for that app's turn.
    """
    if app_label not in _APPS:
        return
    with transaction.atomic():
        for role, names in ROLES.items():
            group, _ = Group.objects.get_or_create(name=role)
            group.permissions.set(permissions(names))


def permissions(names: tuple[str, ...]) -> list[Permission]:
    """The permissions with these names, like “orders.move_track”, that are there. One query."""
    wanted = Q(pk__in=[])
    for name in names:
        app_label, _, codename = name.partition(".")
        wanted |= Q(content_type__app_label=app_label, codename=codename)
    return list(Permission.objects.filter(wanted))


def update_roles_after_migrate(app_config: Any, using: str, **kwargs: Any) -> None:
    """Keep the groups as the table says, whatever was migrated."""
    # A migration backwards may have taken the groups' own table away; a flush names no apps.
    apps = kwargs.get("apps", global_apps)
    if using == "default" and "group" in apps.all_models["auth"]:
        update_roles(app_config.label)
