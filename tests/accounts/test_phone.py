"""A person's phone: theirs to say, and remembered from what they paid until they do."""

import pytest
from django.core import mail
from django.utils import timezone

from accounts import emails, services
from accounts.contacts import record_paid_from
from accounts.models import MessagePreferences, User
from tests.conftest import signed_in
from tests.factories import PASSWORD, ProductFactory, UserFactory, proven
from tests.shopping import an_order, paid_line
from tests.threads import at_once

pytestmark = pytest.mark.django_db

PHONE = "254712345678"
OTHER = "254722000111"


def phone_of(user):
    return User.objects.values_list("phone", "phone_chosen").get(pk=user.pk)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("0712 345 678", PHONE),
        ("+254712-345-678", PHONE),
        (254712345678, PHONE),
        ("٠٧١٢٣٤٥٦٧٨", PHONE),
        ("0112345678", "254112345678"),
    ],
)
@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_phone_is_kept_in_its_one_form(amina, amina_api, method, typed, kept):
    response = getattr(amina_api, method)("/user/", {"username": "Amina", "phone": typed})

    assert (response.status_code, response.json()["phone"]) == (200, kept)
    assert amina_api.get("/user/").json()["phone"] == kept
    assert phone_of(amina) == (kept, True)


@pytest.mark.parametrize(
    "typed", ["0712", "0201234567", "+1 202 555 0100", True, None, 7.5, [], {}]
)
def test_a_number_that_is_no_kenyan_mobile_is_refused_on_its_field(amina, amina_api, typed):
    response = amina_api.patch("/user/", {"phone": typed, "first_name": "Amina"})

    assert (response.status_code, list(response.json())) == (400, ["phone"])
    assert phone_of(amina) == ("", False)
    assert User.objects.get(pk=amina.pk).first_name == ""


@pytest.mark.parametrize("typed", ["", "  ", "\u200b"])
def test_nothing_typed_takes_it_away(amina, amina_api, typed):
    amina_api.patch("/user/", {"phone": PHONE})

    response = amina_api.patch("/user/", {"phone": typed})

    assert (response.status_code, response.json()["phone"]) == (200, "")
    assert phone_of(amina) == ("", True)


def test_a_put_without_it_leaves_it_alone(amina, amina_api):
    amina_api.patch("/user/", {"phone": PHONE})

    assert amina_api.put("/user/", {"username": "Amina"}).json()["phone"] == PHONE


def test_two_people_may_share_one_phone(amina_api, buyer_api):
    amina_api.patch("/user/", {"phone": PHONE})

    assert buyer_api.patch("/user/", {"phone": PHONE}).status_code == 200


def test_the_account_page_and_the_log_in_answer_as_they_did(api, amina, amina_api):
    amina_api.patch("/user/", {"phone": PHONE})

    account = amina_api.get("/account/").json()
    log_in = api.post("/login/", {"username": "Amina", "password": PASSWORD}).json()

    assert list(account) == ["first_name", "last_name", "avatar", "gender"]
    assert list(log_in["user"]) == ["pk", "username", "email", "first_name", "last_name"]
    amina_api.put("/account/", {"phone": OTHER, "first_name": "Amina"})
    assert phone_of(amina) == (PHONE, True)


def test_the_phone_of_the_first_paid_order_is_remembered(buyer):
    paid_line(buyer, ProductFactory())

    assert phone_of(buyer) == (PHONE, False)


def test_an_order_that_is_not_paid_leaves_none(buyer):
    an_order(buyer, (ProductFactory(), 1))

    assert phone_of(buyer) == ("", False)


def test_a_second_payment_from_elsewhere_changes_nothing(buyer):
    record_paid_from(buyer.pk, PHONE, timezone.now())
    record_paid_from(buyer.pk, OTHER, timezone.now())
    record_paid_from(buyer.pk, OTHER, timezone.now())

    assert phone_of(buyer) == (PHONE, False)


@pytest.mark.parametrize("said", [OTHER, ""])
def test_a_payment_never_goes_against_their_word(buyer, buyer_api, said):
    record_paid_from(buyer.pk, PHONE, timezone.now())
    buyer_api.patch("/user/", {"phone": said})

    record_paid_from(buyer.pk, PHONE, timezone.now())

    assert phone_of(buyer) == (said, True)


def test_sending_back_details_read_before_the_payment_keeps_the_phone(buyer, buyer_api):
    read = buyer_api.get("/user/").json()
    stale = User.objects.get(pk=buyer.pk)
    record_paid_from(buyer.pk, PHONE, timezone.now())

    services.change_details(stale, {"username": read["username"], "phone": read["phone"]})

    assert phone_of(buyer) == (PHONE, False)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(3))
def test_a_users_choice_wins_over_a_concurrent_payment(turn):
    person = UserFactory()

    raised = at_once(
        lambda: services.change_details(User.objects.get(pk=person.pk), {"phone": OTHER}),
        lambda: record_paid_from(person.pk, PHONE, timezone.now()),
        lambda: record_paid_from(person.pk, PHONE, timezone.now()),
    )

    assert raised == [None, None, None]
    assert phone_of(person) == (OTHER, True)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_first_payments_at_once_leave_one_of_the_two():
    person = UserFactory()

    raised = at_once(
        *[lambda p=p: record_paid_from(person.pk, p, timezone.now()) for p in (PHONE, OTHER)]
    )

    assert raised == [None, None]
    assert phone_of(person)[0] in {PHONE, OTHER}


def inbox():
    emails._sender.submit(lambda: None).result()
    return [(message.to, message.subject) for message in mail.outbox]


@pytest.mark.django_db(transaction=True)
def test_another_phone_is_told_to_an_inbox_that_is_theirs():
    juma = proven(UserFactory(username="juma", email="juma@example.com"))
    client = signed_in(juma)
    client.patch("/user/", {"phone": PHONE})
    first = inbox()

    client.patch("/user/", {"phone": OTHER})
    client.patch("/user/", {"phone": OTHER})

    assert first == []
    assert inbox() == [(["juma@example.com"], "The phone of your O-Mache account was changed")]
    assert OTHER not in mail.outbox[0].body
    assert PHONE not in mail.outbox[0].body


@pytest.mark.django_db(transaction=True)
def test_the_notice_is_in_the_users_language():
    juma = proven(UserFactory(username="juma", email="juma@example.com", phone=PHONE))
    MessagePreferences.objects.create(user=juma, language="sw")

    signed_in(juma).patch("/user/", {"phone": ""})

    subject = "Nambari ya simu ya akaunti yako ya O-Mache imebadilishwa"
    assert inbox() == [(["juma@example.com"], subject)]


@pytest.mark.django_db(transaction=True)
def test_an_inbox_that_nobody_confirmed_is_not_written_to():
    juma = UserFactory(username="juma", email="stranger@example.com", phone=PHONE)

    signed_in(juma).patch("/user/", {"phone": OTHER})

    assert inbox() == []


def test_a_change_is_in_the_security_log_without_the_number(
    amina_api, caplog, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        amina_api.patch("/user/", {"phone": PHONE})
        amina_api.patch("/user/", {"phone": PHONE, "first_name": "Amina"})

    logged = [r.getMessage() for r in caplog.records if r.name == "omache.security"]
    assert [line.split()[0] for line in logged] == ["phone_changed"]
    assert PHONE not in logged[0]
