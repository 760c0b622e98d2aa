"""Each role sees its own part of the admin, and nobody can extend their own permissions."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from accounts.backoffice.roles import ROLES, permissions, update_roles
from accounts.models import User
from tests.factories import PASSWORD, UserFactory

from .browsers import browser_of, in_role

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]

PEOPLE = "/admin/accounts/user/"

#: What the front page links to, by role.
SEES = {
    "support": {
        "accounts_user",
        "accounts_proposal",
        "orders_order",
        "orders_ordertrack",
        "orders_problem",
        "orders_message",
    },
    "finance": {
        "accounts_proposal",
        "payments_orderpayment",
        "payments_receipt",
        "payments_refund",
        "payments_payoutstop",
        "payments_statementpull",
        "payments_portalstatement",
        "payments_withdrawal",
        "payments_gatewayevent",
        "payments_ledgerposting",
        "payments_ledgerentry",
        "payments_payout",
        "payments_payoutday",
        "payments_refundday",
        "payments_sellershare",
        "orders_problem",
    },
    "catalogue": {"products_product", "products_review", "products_stockmovement"},
    "delivery": {
        "accounts_proposal",
        "orders_ordertrack",
        "orders_pickuppoint",
        "orders_deliveryrate",
    },
}


def test_every_permission_of_the_table_exists():
    names = {name for names in ROLES.values() for name in names}

    found = permissions(tuple(names))

    assert {f"{one.content_type.app_label}.{one.codename}" for one in found} == names


@pytest.mark.parametrize("role", ROLES)
def test_a_migrate_brings_a_role_to_the_table(role):
    group = Group.objects.get(name=role)
    group.permissions.set(Permission.objects.filter(codename="delete_user"))

    call_command("migrate", verbosity=0)

    assert set(group.permissions.all()) == set(permissions(ROLES[role]))


def test_a_role_waits_for_permissions_that_are_not_there_yet():
    Permission.objects.filter(codename="decide_money").delete()

    update_roles("payments")

    codenames = set(
        Group.objects.get(name="finance").permissions.values_list("codename", flat=True)
    )
    assert "decide_money" not in codenames
    assert "view_receipt" in codenames


@pytest.mark.parametrize("role", ROLES)
def test_a_role_sees_its_part_of_the_front_page_and_no_other(role):
    response = browser_of(in_role(role)).get("/admin/")

    seen = {
        f"{held['model']._meta.app_label}_{held['model']._meta.model_name}"
        for section in response.context["app_list"]
        for held in section["models"]
        if held["model"]
    }
    assert seen == SEES[role]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_its_own_lists_and_no_others(role):
    client = browser_of(in_role(role))

    statuses = {
        f"{model._meta.app_label}_{model._meta.model_name}": client.get(
            f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        ).status_code
        for model in admin_models()
    }

    assert {name for name, status in statuses.items() if status == 200} == SEES[role]
    assert {statuses[name] for name in statuses.keys() - SEES[role]} == {403}


def admin_models():
    from django.contrib import admin

    return [model for model in apps.get_models() if admin.site.is_registered(model)]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("victim", ["themselves", "a superuser", "a buyer"])
def test_nobody_in_a_role_gives_powers_or_takes_an_account(role, victim):
    person = in_role(role)
    client = browser_of(person)
    other = {
        "themselves": person,
        "a superuser": UserFactory(is_staff=True, is_superuser=True),
        "a buyer": UserFactory(),
    }[victim]
    before = User.objects.values().get(pk=other.pk)

    answers = [
        client.post(
            f"{PEOPLE}{other.pk}/change/",
            {
                "username": "taken",
                "email": "thief@example.com",
                "is_active": "on",
                "is_staff": "on",
                "is_superuser": "on",
                "groups": [group.pk for group in Group.objects.all()],
                "user_permissions": [Permission.objects.first().pk],
            },
        ),
        client.post(
            f"{PEOPLE}{other.pk}/password/",
            {"password1": "mine mine mine", "password2": "mine mine mine"},
        ),
        client.post(f"{PEOPLE}{other.pk}/delete/", {"post": "yes"}),
        client.post(f"{PEOPLE}add/", {"username": "new", "password1": PASSWORD}),
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert User.objects.values().get(pk=other.pk) == before
    assert other.groups.count() == (0 if other != person else 1)
    assert other.user_permissions.count() == 0


@pytest.fixture
def keeper():
    """Staff whom a superuser let change people and groups: all that the tables offer."""
    keeper = UserFactory(username="keeper", is_staff=True)
    keeper.user_permissions.set(
        Permission.objects.filter(content_type__model__in=["user", "group", "permission"])
    )
    return keeper


def test_who_may_change_people_sets_neither_password_nor_email(keeper, buyer):
    client = browser_of(keeper)

    changed = client.post(
        f"{PEOPLE}{buyer.pk}/change/",
        {
            "username": "wanjiku",
            "first_name": "Helped",
            "email": "thief@example.com",
            "password": "x",
            "is_active": "on",
        },
    )
    password = client.post(
        f"{PEOPLE}{buyer.pk}/password/",
        {"password1": "mine mine mine", "password2": "mine mine mine"},
    )

    buyer.refresh_from_db()
    assert (changed.status_code, password.status_code) == (302, 403)
    assert (buyer.first_name, buyer.email) == ("Helped", "")
    assert buyer.check_password(PASSWORD)


@pytest.mark.parametrize("what", ["change", "delete"])
def test_only_superusers_change_what_a_group_may_do(keeper, what):
    mine = Group.objects.create(name="mine")
    keeper.groups.add(mine)
    client = browser_of(keeper)

    answer = client.post(
        f"/admin/auth/group/{mine.pk}/{what}/",
        {"name": "mine", "permissions": [Permission.objects.first().pk], "post": "yes"},
    )

    assert answer.status_code == 403
    assert mine.permissions.count() == 0
    assert Group.objects.filter(pk=mine.pk).exists()


def test_only_superusers_make_groups(keeper):
    answer = browser_of(keeper).post("/admin/auth/group/add/", {"name": "kings"})

    assert answer.status_code == 403


def test_a_superuser_makes_a_group_and_puts_a_person_into_a_role(staff_browser, buyer):
    staff_browser.post("/admin/auth/group/add/", {"name": "night shift"})
    staff_browser.post(
        f"{PEOPLE}{buyer.pk}/change/",
        {
            "username": "wanjiku",
            "is_active": "on",
            "is_staff": "on",
            "groups": [Group.objects.get(name="support").pk],
        },
    )

    assert Group.objects.filter(name="night shift").exists()
    assert User.objects.get(pk=buyer.pk).has_perm("orders.view_order")


@pytest.mark.parametrize("what", ["change", "delete"])
def test_the_shops_roles_are_not_even_changed_by_a_superuser(staff_browser, what):
    role = Group.objects.get(name="delivery")

    answer = staff_browser.post(
        f"/admin/auth/group/{role.pk}/{what}/", {"name": "x", "post": "yes"}
    )

    role.refresh_from_db()
    assert (answer.status_code, role.name) == (403, "delivery")


def test_support_sees_no_password_and_no_powers_of_a_buyer(buyer):
    page = browser_of(in_role("support")).get(f"{PEOPLE}{buyer.pk}/change/").content.decode()

    assert "wanjiku" in page
    for word in ("Password", "Superuser status", "Staff status", "User permissions"):
        assert word not in page
