"""Staff roles: four Django groups, each with its own permissions.

Superusers assign roles, and make people staff, which admits them to the admin. Every migrate sets
the groups' permissions to the table below.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps as global_apps
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

#: By role. The apps above this one are named, not imported; they declare their permissions.
ROLES: dict[str, tuple[str, ...]] = {
    # Answers buyers: corrects orders and their lines, and decides problems, with a reason. Sees
    # people, but cannot change them.
    "support": (
        "accounts.view_user",
        "accounts.help_user",
        "accounts.export_rows",
        "orders.view_order",
        "orders.view_ordertrack",
        "orders.view_trackevent",
        "orders.decide_lines",
        "orders.view_problem",
        "orders.view_message",
        "orders.resend_message",
    ),
    # Handles money: all payments in and out, and everything that waits for a decision.
    "finance": (
        "accounts.export_rows",
        "accounts.export_phones",
        "payments.view_orderpayment",
        "payments.view_receipt",
        "payments.view_refund",
        "payments.view_payoutstop",
        "payments.view_statementpull",
        "payments.view_portalstatement",
        "payments.view_withdrawal",
        "payments.view_gatewayevent",
        "payments.view_ledgerposting",
        "payments.view_ledgerentry",
        "payments.view_sellershare",
        "payments.view_payout",
        "payments.view_payoutday",
        "payments.view_refundday",
        "payments.view_receiptevidence",
        "payments.decide_money",
        "orders.view_problem",
    ),
    # Edits products, and hides reviews.
    "catalogue": (
        "accounts.export_rows",
        "products.view_product",
        "products.change_product",
        "products.view_stockmovement",
        "products.view_review",
        "products.hide_review",
    ),
    # Delivers goods: moves order lines, and sees no other part of an order. Manages pick-up points
    # and delivery rates.
    "delivery": (
        "orders.view_ordertrack",
        "orders.view_trackevent",
        "orders.move_track",
        "orders.view_pickuppoint",
        "orders.add_pickuppoint",
        "orders.change_pickuppoint",
        "orders.view_deliveryrate",
        "orders.add_deliveryrate",
        "orders.change_deliveryrate",
        "orders.delete_deliveryrate",
    ),
}

#: The purpose of each role, shown on its page and in the forms that assign it.
PURPOSES = {
    "support": "answers buyers, and decides about orders and problems",
    "finance": "manages money",
    "catalogue": "manages products and reviews",
    "delivery": "delivers goods, and manages pick-up points",
}

_APPS = frozenset(name.split(".")[0] for names in ROLES.values() for name in names)


def update_roles(app_label: str) -> None:
    """Set the groups' permissions to the table, after an app in it was migrated.

    Safe to repeat. Permissions of apps that are not migrated yet are added when they are.
    """
    if app_label not in _APPS:
        return
    with transaction.atomic():
        for role, names in ROLES.items():
            group, _ = Group.objects.get_or_create(name=role)
            group.permissions.set(permissions(names))


def permissions(names: tuple[str, ...]) -> list[Permission]:
    """The existing permissions with these names, like “orders.move_track”. One query."""
    return list(Permission.objects.filter(named(names)))


def named(names: tuple[str, ...]) -> Q:
    """The condition that a permission has one of these names."""
    wanted = Q(pk__in=[])
    for name in names:
        app_label, _, codename = name.partition(".")
        wanted |= Q(content_type__app_label=app_label, codename=codename)
    return wanted


def update_roles_after_migrate(app_config: Any, using: str, **kwargs: Any) -> None:
    """Receiver of ``post_migrate``: set the groups' permissions to the table."""
    # Migrating backwards may have dropped the groups' table; a flush passes no ``apps``.
    apps = kwargs.get("apps", global_apps)
    if using == "default" and "group" in apps.all_models["auth"]:
        update_roles(app_config.label)
