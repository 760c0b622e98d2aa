"""Permissions are described in plain words wherever they are shown and assigned."""

import re

import pytest
from django.contrib.auth.models import Group, Permission

from accounts.backoffice.permission_labels import LABELS, PERMISSIONS, name_of
from accounts.backoffice.roles import PURPOSES, ROLES, permissions
from accounts.models import Audit, User
from tests.factories import PASSWORD, UserFactory

from .browsers import browser_of, list_url, row_url
from .pages import cells, facts

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]

ADD = "/admin/accounts/user/add/"
NEW = {"username": "juma", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture
def role(db):
    return Group.objects.get(name="support")


def test_every_power_of_a_role_has_words_and_no_two_have_the_same():
    given = {name for names in ROLES.values() for name in names}

    assert given - LABELS.keys() == set()
    assert len(set(LABELS.values())) == len(LABELS) == sum(len(powers) for _, powers in PERMISSIONS)
    assert PURPOSES.keys() == ROLES.keys()


def test_all_that_has_words_can_be_given():
    assert len(permissions(tuple(LABELS))) == len(LABELS)


def test_a_role_s_page_says_what_it_is_for_what_it_lets_do_and_who_has_it(staff_browser, role):
    role.user_set.add(UserFactory(username="zuri"))

    page = staff_browser.get(row_url(role)).content.decode()

    assert facts(staff_browser, role, "for")["lead"] == (
        "Answers buyers, and decides about orders and problems."
    )
    may = dict(cells(staff_browser, role, "may"))
    assert list(may) == ["Orders", "People", "Messages"]
    assert "<p>Send a message again.</p>" in may["Messages"]
    assert [row[0] for row in cells(staff_browser, role, "people")] == [
        f'<a href="{row_url(User.objects.get(username="zuri"))}">zuri</a>'
    ]
    assert "<h1>Role support</h1>" in page
    for word in ("View group", "Can view", "Permissions"):
        assert word not in page


def test_the_list_of_roles_says_what_each_is_for_and_how_many_have_it(staff_browser, role):
    role.user_set.add(*UserFactory.create_batch(2))

    page = staff_browser.get(list_url(Group)).content.decode()

    assert ">Add role</a>" in page
    assert "<h1>New role</h1>" in staff_browser.get("/admin/auth/group/add/").content.decode()
    assert re.search(r"answers buyers.*?>2</td>", page, re.DOTALL)


def test_a_permissions_form_has_plain_labels_by_section_and_none_of_libraries(staff_browser):
    page = staff_browser.get("/admin/auth/group/add/").content.decode()

    assert "See daily refund totals" in page
    assert ">Deliveries<" in page
    assert "Can " not in page
    assert "log entry" not in page
    assert len(re.findall(r'name="permissions"', page)) == len(LABELS)


def test_what_somebody_holds_is_offered_though_it_has_no_words(staff_browser):
    rare = Permission.objects.get(codename="add_product")
    mine = Group.objects.create(name="mine")
    mine.permissions.add(rare)
    assert name_of(rare) not in LABELS

    page = staff_browser.get(row_url(mine)).content.decode()
    staff_browser.post(row_url(mine), {"name": "ours", "permissions": [rare.pk]})

    assert "Anything else" in page
    assert [*Group.objects.get(name="ours").permissions.all()] == [rare]


def test_permissions_without_a_label_are_given_to_nobody(staff_browser):
    rare = Permission.objects.get(codename="add_logentry")

    answer = staff_browser.post("/admin/auth/group/add/", {"name": "odd", "permissions": [rare.pk]})

    assert answer.status_code == 200
    assert not Group.objects.filter(name="odd").exists()


def test_an_account_and_its_role_are_one_page(staff_browser, role):
    page = staff_browser.get(ADD).content.decode()
    staff_browser.post(ADD, {**NEW, "first_name": "Juma", "groups": [role.pk]})

    juma = User.objects.get(username="juma")
    assert "support: answers buyers" in page
    assert "Password-based authentication" not in page
    assert (juma.get_full_name(), juma.is_staff, juma.is_superuser) == ("Juma", True, False)
    assert juma.has_perm("orders.view_order")
    kept = Audit.objects.get(did="Added")
    assert (kept.changes["groups"], kept.changes["is_staff"]) == ([None, ["support"]], [None, True])


def test_who_is_added_without_a_role_is_not_of_the_staff(staff_browser):
    staff_browser.post(ADD, NEW)

    assert not User.objects.get(username="juma").is_staff
    assert "groups" not in Audit.objects.get(did="Added").changes


def test_a_role_given_later_lets_somebody_in_and_stands_in_the_record(staff_browser, role):
    juma = UserFactory(username="juma")

    staff_browser.post(row_url(juma), {"username": "juma", "is_active": "on", "groups": [role.pk]})

    juma.refresh_from_db()
    assert juma.is_staff
    kept = Audit.objects.get(did="Changed").changes
    assert (kept["groups"], kept["is_staff"]) == ([[], ["support"]], [False, True])


def test_who_is_let_go_keeps_a_role_and_does_not_come_in(staff_browser, role):
    juma = UserFactory(username="juma", is_staff=True)
    juma.groups.add(role)

    staff_browser.post(row_url(juma), {"username": "juma", "is_active": "on", "groups": [role.pk]})

    juma.refresh_from_db()
    assert not juma.is_staff


def test_who_may_add_people_gives_them_no_role(role):
    keeper = UserFactory(username="keeper", is_staff=True)
    powers = ("accounts.add_user", "accounts.change_user", "accounts.view_user")
    keeper.user_permissions.set(permissions(powers))
    client = browser_of(keeper)

    page = client.get(ADD).content.decode()
    client.post(ADD, {**NEW, "groups": [role.pk], "is_staff": "on", "email": "juma@example.com"})

    juma = User.objects.get(username="juma")
    assert (juma.is_staff, juma.groups.count(), juma.email) == (False, 0, "")
    assert 'name="groups"' not in page


def test_who_may_change_people_gives_them_no_role(role):
    keeper, juma = UserFactory(username="keeper", is_staff=True), UserFactory(username="juma")
    keeper.user_permissions.set(permissions(("accounts.change_user", "accounts.view_user")))
    sent = {"username": "juma", "is_active": "on", "groups": [role.pk], "is_staff": "on"}

    browser_of(keeper).post(row_url(juma), {**sent, "first_name": "Juma"})

    juma.refresh_from_db()
    assert (juma.first_name, juma.is_staff, juma.groups.count()) == ("Juma", False, 0)


def test_a_person_s_form_says_nothing_of_how_passwords_are_hashed(staff_browser):
    page = staff_browser.get(row_url(UserFactory(username="juma"))).content.decode()

    assert "A password is set. It cannot be displayed." in page
    for word in ("argon2", "algorithm", "Designates", "Superuser status", "Staff status"):
        assert word not in page


def test_one_s_own_password_is_set_where_the_old_one_is_asked_for():
    owner = UserFactory(username="owner", is_staff=True, is_superuser=True)

    answer = browser_of(owner).get(f"/admin/accounts/user/{owner.pk}/password/")

    assert (answer.status_code, answer["Location"]) == (302, "/admin/password_change/")
