"""People in the admin: found, helped, and out of each other's reach."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken

from accounts import tokens
from accounts.backoffice.conflicts import own_numbers
from accounts.lookalikes import skeleton
from accounts.models import Audit, User
from omachemainproj.locking import lock_row
from payments.people.erasure import erase_account
from tests.edges.pictures import png, upload
from tests.factories import PASSWORD, AddressFactory, UserFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/accounts/user/"


def change_page(user):
    return f"{LIST}{user.pk}/change/"


@pytest.fixture
def boss(client):
    boss = UserFactory(username="boss", is_staff=True, is_superuser=True)
    client.force_login(boss, "accounts.backends.UsernameOrEmailBackend")
    return client


@pytest.fixture
def clerk(client):
    """Staff who may change people, and no more."""
    clerk = UserFactory(username="clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(content_type__model="user"))
    client.force_login(clerk, "accounts.backends.UsernameOrEmailBackend")
    return client


@pytest.mark.parametrize("name", ["boss", "BOSS", "boss@example.com"])
def test_staff_sign_in_by_either_name(client, db, name):
    UserFactory(username="boss", email="boss@example.com", is_staff=True, is_superuser=True)

    response = client.post("/admin/login/?next=/admin/", {"username": name, "password": PASSWORD})

    assert response.status_code == 302


def test_a_log_in_without_next_leads_to_the_first_page(client, db):
    UserFactory(username="boss", is_staff=True, is_superuser=True)

    response = client.post("/admin/login/", {"username": "boss", "password": PASSWORD})

    assert response["Location"] == "/admin/"


@pytest.mark.parametrize("search", ["amin", "AMINA@", "amina@example.com"])
def test_people_are_found_by_how_their_name_or_email_begins(boss, amina, search):
    UserFactory(username="wanjiku-amina")

    page = boss.get(LIST, {"q": search}).content.decode()

    assert "Amina@example.com" in page
    assert "wanjiku-amina" not in page


def test_the_list_costs_the_same_for_one_or_many(boss, django_assert_max_num_queries):
    UserFactory.create_batch(20)

    # session, staff member, bounded count, page
    with django_assert_max_num_queries(5):
        response = boss.get(LIST)

    assert response.status_code == 200


def test_a_person_is_shown_with_their_avatar(boss, amina, media):
    amina.avatar.save("a.webp", upload(png()))

    page = boss.get(change_page(amina)).content.decode()

    assert f'<img src="{amina.avatar.url}" width="120" alt="">' in page
    assert 'type="file"' not in page


def test_a_person_is_added(boss, db):
    response = boss.post(
        f"{LIST}add/",
        {
            "username": "amina",
            "usable_password": "true",
            "password1": PASSWORD,
            "password2": PASSWORD,
        },
    )

    assert response.status_code == 302
    assert User.objects.get(username="amina").check_password(PASSWORD)


@pytest.mark.parametrize("username", ["AMINA", "am@ina"])
def test_a_name_that_is_taken_or_bad_is_refused(boss, amina, username):
    response = boss.post(
        f"{LIST}add/",
        {
            "username": username,
            "usable_password": "true",
            "password1": PASSWORD,
            "password2": PASSWORD,
        },
    )

    assert response.status_code == 200
    assert User.objects.count() == 2


def test_an_email_that_is_taken_is_refused(boss, amina):
    other = UserFactory(username="other")
    User.objects.filter(pk=amina.pk).update(email_confirmed_at=timezone.now())

    response = boss.post(
        change_page(other), {"username": "other", "email": "AMINA@example.com", "is_active": "on"}
    )

    assert response.status_code == 200
    assert "Somebody is registered with this e-mail address." in response.content.decode()


def test_a_superuser_gives_powers(boss, amina):
    boss.post(
        change_page(amina),
        {"username": "Amina", "email": amina.email, "is_active": "on", "is_staff": "on"},
    )

    amina.refresh_from_db()
    assert amina.is_staff


def test_a_seller_whose_box_is_cleared_is_signed_out_and_sells_nothing(boss, kettle, seller):
    refresh = tokens.issue(seller).refresh

    boss.post(change_page(seller), {"username": "amina", "email": seller.email})

    seller.refresh_from_db()
    kettle.refresh_from_db()
    assert (seller.is_active, kettle.listed) == (False, False)
    assert BlacklistedToken.objects.filter(token__jti=refresh["jti"]).exists()


def test_roles_and_permissions_are_boxes_to_tick(boss, amina):
    page = boss.get(f"/admin/accounts/user/{amina.pk}/change/").content.decode()

    assert '<input type="checkbox" name="groups"' in page
    assert '<input type="checkbox" name="user_permissions"' in page
    assert "selectfilter" not in page


def test_a_clerk_gives_no_powers(clerk, amina):
    page = clerk.get(change_page(amina)).content.decode()

    response = clerk.post(
        change_page(amina),
        {
            "username": "Amina",
            "email": amina.email,
            "first_name": "Helped",
            "is_active": "on",
            "is_staff": "on",
            "is_superuser": "on",
            "user_permissions": [1],
        },
    )

    amina.refresh_from_db()
    assert response.status_code == 302
    assert amina.first_name == "Helped"
    assert (amina.is_staff, amina.is_superuser) == (False, False)
    assert amina.user_permissions.count() == 0
    assert 'name="is_superuser"' not in page
    assert 'name="groups"' not in page


@pytest.mark.parametrize("powers", [{"is_staff": True}, {"is_superuser": True}])
def test_a_clerk_does_not_reach_whoever_has_powers(clerk, powers):
    other = UserFactory(username="other", **powers)

    changed = clerk.post(change_page(other), {"username": "mine", "is_active": "on"})
    password = clerk.post(
        f"{LIST}{other.pk}/password/",
        {"password1": "mine mine mine", "password2": "mine mine mine"},
    )
    deleted = clerk.post(f"{LIST}{other.pk}/delete/", {"post": "yes"})

    other.refresh_from_db()
    assert (changed.status_code, password.status_code, deleted.status_code) == (403, 403, 403)
    assert other.username == "other"
    assert other.check_password(PASSWORD)


def act(client, action, *people):
    form = {"action": action, "_selected_action": [p.pk for p in people]}
    return client.post(LIST, {**form, "said": "yes", "why": "It was stolen"}, follow=True)


def test_avatars_are_taken_away(boss, amina, media, django_capture_on_commit_callbacks):
    amina.avatar.save("a.webp", upload(png()))

    with django_capture_on_commit_callbacks(execute=True):
        act(boss, "take_avatars_away", amina)

    amina.refresh_from_db()
    assert not amina.avatar
    assert media() == []


def test_people_are_signed_out_everywhere(boss, amina):
    tokens.issue(amina)
    tokens.issue(amina)

    act(boss, "sign_out", amina)

    assert BlacklistedToken.objects.filter(token__user=amina).count() == 2
    assert Audit.objects.values_list("object_name", "why").get() == ("Amina", "It was stolen")


def test_a_clerks_actions_pass_over_whoever_has_powers(clerk):
    other = UserFactory(username="other", is_staff=True)
    tokens.issue(other)

    page = act(clerk, "sign_out", other).content.decode()

    assert BlacklistedToken.objects.count() == 0
    assert "Only a superuser can change a staff account." in page
    assert not Audit.objects.exists()


@pytest.mark.parametrize("action", ["sign_out", "take_avatars_away"])
def test_nothing_is_done_to_people_without_a_reason(boss, amina, action):
    tokens.issue(amina)
    form = {"action": action, "_selected_action": [amina.pk], "said": "yes"}

    page = boss.post(LIST, form)

    assert page.context["form"].errors.keys() == {"why"}
    assert not BlacklistedToken.objects.exists()


@pytest.mark.parametrize("way", ["page", "action"])
def test_with_a_person_goes_their_avatar(
    boss, amina, media, django_capture_on_commit_callbacks, way
):
    amina.avatar.save("a.webp", upload(png()))

    with django_capture_on_commit_callbacks(execute=True):
        if way == "page":
            boss.post(f"{LIST}{amina.pk}/delete/", {"post": "yes"})
        else:
            boss.post(
                LIST,
                {"action": "delete_selected", "_selected_action": [amina.pk], "post": "yes"},
            )

    assert not User.objects.filter(pk=amina.pk).exists()
    assert media() == []


@pytest.fixture
def amina_at_home(amina):
    User.objects.filter(pk=amina.pk).update(phone="254712345678")
    AddressFactory(
        user=amina, label="<b>home</b>", area="Gikomba", phone="254722000111",
        is_default=True, is_collection_place=True,
    )  # fmt: skip
    return amina


def staff_with(*codenames):
    person = UserFactory(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(person, "accounts.backends.UsernameOrEmailBackend")
    return client


def test_support_sees_phones_and_addresses(amina_at_home):
    page = staff_with("view_user", "help_user").get(change_page(amina_at_home)).content.decode()

    assert "254712345678" in page
    assert "Gikomba, Nairobi City" in page
    assert "default, goods are collected here: Wanjiku Kamau, 0722 000 111" in page
    assert "&lt;b&gt;home" in page


def test_view_permission_alone_shows_neither_phone_nor_address(amina_at_home):
    staff_browser = staff_with("view_user", "change_user")

    page = staff_browser.get(change_page(amina_at_home)).content.decode()
    filtered = staff_browser.get(f"{LIST}?phone=254712345678")

    assert "Amina" in page
    assert {told for told in ("254712345678", "254722000111", "Gikomba") if told in page} == set()
    assert filtered.status_code != 200


def test_staff_cannot_change_a_phone(boss, amina_at_home):
    form = {"username": "Amina", "email": "Amina@example.com", "is_active": "on", "phone": ""}

    assert boss.post(change_page(amina_at_home), form).status_code == 302
    assert User.objects.get(pk=amina_at_home.pk).phone == "254712345678"


def test_the_phone_people_are_called_on_is_one_of_their_numbers(amina_at_home):
    assert own_numbers(amina_at_home) == {"254712345678"}


def fields_of(boss, person):
    """What the open page of a person would send."""
    form = boss.get(change_page(person)).context["adminform"].form
    names = ("username", "first_name", "last_name", "email", "gender", "is_active")
    return {name: form[name].value() or "" for name in names}


def test_a_page_left_open_does_not_undo_a_deletion(boss, amina):
    sent = fields_of(boss, amina)
    erase_account(amina, timezone.now())
    erased = User.objects.values().get(pk=amina.pk)

    answer = boss.post(change_page(amina), {**sent, "first_name": "Amina"})

    assert answer.status_code == 409
    assert User.objects.values().get(pk=amina.pk) == erased


@pytest.mark.parametrize("what", ["deleted", "changed", "gone"])
def test_saving_a_person_keeps_what_happened_while_it_was_saved(boss, amina, monkeypatch, what):
    sent = fields_of(boss, amina)

    def meanwhile(model, pk):
        if what == "deleted":
            erase_account(User.objects.get(pk=pk), timezone.now())
        elif what == "gone":
            User.objects.filter(pk=pk).delete()
        else:
            User.objects.filter(pk=pk).update(last_name="Otieno", is_active=False, password="!")
        return lock_row(model, pk)

    monkeypatch.setattr("accounts.admin.person_forms.lock_row", meanwhile)

    answer = boss.post(change_page(amina), {**sent, "first_name": "Asha"})

    if what == "changed":
        amina.refresh_from_db()
        assert answer.status_code == 302
        assert (amina.first_name, amina.last_name) == ("Asha", "Otieno")
        assert (amina.is_active, amina.password) == (False, "!")
    else:
        assert answer.status_code == 409


def test_a_new_name_in_the_admin_has_its_skeleton_and_a_new_email_is_unconfirmed(boss, amina):
    User.objects.filter(pk=amina.pk).update(email_confirmed_at=timezone.now())
    sent = fields_of(boss, amina)

    answer = boss.post(
        change_page(amina), {**sent, "username": "wanjiru9", "email": "w@example.com"}
    )

    amina.refresh_from_db()
    assert answer.status_code == 302
    assert (amina.username, amina.skeleton) == ("wanjiru9", skeleton("wanjiru9"))
    assert (amina.email, amina.email_confirmed_at) == ("w@example.com", None)


def test_setting_a_password_keeps_what_happened_while_it_was_set(boss, amina, monkeypatch):
    def meanwhile(model, pk):
        User.objects.filter(pk=pk).update(last_name="Otieno", is_active=False)
        return lock_row(model, pk)

    monkeypatch.setattr("accounts.admin.person_forms.lock_row", meanwhile)
    new = "githeri 9 mandazi"

    boss.post(f"{LIST}{amina.pk}/password/", {"password1": new, "password2": new})

    amina.refresh_from_db()
    assert amina.check_password(new)
    assert (amina.last_name, amina.is_active) == ("Otieno", False)


def test_a_deleted_account_gets_no_password(boss, amina):
    erase_account(amina, timezone.now())
    new = "githeri 9 mandazi"

    answer = boss.post(f"{LIST}{amina.pk}/password/", {"password1": new, "password2": new})

    amina.refresh_from_db()
    assert answer.status_code == 409
    assert not amina.has_usable_password()


def test_changing_ones_own_password_keeps_what_happened_meanwhile(clerk, monkeypatch):
    def meanwhile(form):
        User.objects.filter(username="clerk").update(is_active=False, last_name="Otieno")
        return form.cleaned_data["new_password2"]

    monkeypatch.setattr("accounts.backoffice.site.OwnPasswordForm.clean_new_password2", meanwhile)
    new = "githeri 9 mandazi"
    sent = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}

    clerk.post("/admin/password_change/", sent)

    person = User.objects.get(username="clerk")
    assert person.check_password(new)
    assert (person.is_active, person.last_name) == (False, "Otieno")
