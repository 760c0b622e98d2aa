"""What an account's owner is told by e-mail: at the address that somebody else took away too."""

import pytest
from django.core import mail
from django.test import Client

from accounts import emails
from accounts.models import MessagePreferences, User
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


def inbox():
    """What left so far; mails leave one after the other, from another thread."""
    emails._sender.submit(lambda: None).result()
    told = [(message.to, message.subject) for message in mail.outbox]
    return [each for each in told if not each[1].startswith("Confirm your e-mail address")]


def change_email(client, email="thief@example.com"):
    return client.patch("/user/", {"email": email, "password": PASSWORD})


def boss_at(address, form):
    boss = UserFactory(username="boss", is_staff=True, is_superuser=True)
    staff_browser = Client()
    staff_browser.force_login(boss, backend="accounts.backends.UsernameOrEmailBackend")
    assert staff_browser.post(address, form).status_code == 302


def test_a_changed_e_mail_is_told_to_the_address_before(amina_api):
    assert change_email(amina_api).status_code == 200

    told = [(["Amina@example.com"], "The e-mail address of your O-Mache account was changed")]
    assert inbox() == told
    # Whoever took the account over learns, and says, nothing by it.
    assert "thief" not in mail.outbox[0].body


def test_in_swahili_to_whoever_reads_swahili(amina, amina_api):
    MessagePreferences.objects.create(user=amina, language="sw")

    change_email(amina_api)

    assert inbox()[0][1] == "Barua pepe ya akaunti yako ya O-Mache imebadilishwa"


def test_a_first_e_mail_is_told_to_nobody():
    from tests.conftest import signed_in

    change_email(signed_in(UserFactory(username="juma")))

    assert inbox() == []


def test_a_changed_password_is_told(amina_api):
    new = "quite another secret"
    amina_api.post(
        "/password/change/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    )

    assert inbox() == [(["Amina@example.com"], "Your O-Mache password was changed")]


def test_changes_by_a_superuser_are_notified_too(amina):
    new = "quite another secret"
    boss_at(
        f"/admin/accounts/user/{amina.pk}/password/",
        {"password1": new, "password2": new, "usable_password": "true"},
    )

    assert inbox() == [(["Amina@example.com"], "Your O-Mache password was changed")]


def test_an_e_mail_that_a_superuser_changes_is_told_to_the_one_before(amina):
    form = {"username": "Amina", "email": "new@example.com", "is_active": "on"}
    boss_at(f"/admin/accounts/user/{amina.pk}/change/", form)

    assert User.objects.get(pk=amina.pk).email == "new@example.com"
    assert inbox() == [
        (["Amina@example.com"], "The e-mail address of your O-Mache account was changed")
    ]


def test_every_notice_exists_in_both_languages():
    names = {name for name, _ in emails.NOTICES}

    assert set(emails.NOTICES) == {(name, language) for name in names for language in ("en", "sw")}
