"""Text pasted into the admin's forms is normalised."""

import pytest
from django.contrib.auth.hashers import check_password
from django.urls import reverse

from accounts.models import User
from payments.backoffice.forms import OrderReferenceForm, PhoneForm, SeenPaymentForm
from payments.backoffice.order_suggestions import suggest_orders
from payments.models import Receipt
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]


def test_a_payment_that_was_seen_is_read_as_it_was_pasted():
    form = SeenPaymentForm(
        {
            "number": "\u2068ＴＫＢ 1234\u200b567\u2069",
            "amount": "1500",
            "reference": "\u2068ＡＣＤＥ\u00a03467\u2069",
            "phone": "\u20680712\u2009345\u202f678\u2069",
            "why": "\u202eSeen on the portal\u2069",
        }
    )

    assert form.is_valid(), form.errors
    assert form.cleaned_data == {
        "number": "TKB1234567",
        "amount": 1500,
        "reference": "ACDE 3467",
        "phone": "254712345678",
        "why": "Seen on the portal",
    }


def test_a_reason_nobody_sees_is_none():
    form = OrderReferenceForm({"reference": "ACDE3467", "why": "\u200b" * 5})

    assert list(form.errors) == ["why"]


def test_a_number_with_an_invisible_sign_between_all_digits_is_read():
    form = PhoneForm({"phone": "\u2060".join("+254712345678"), "why": "As agreed"})

    assert form.is_valid(), form.errors
    assert form.cleaned_data["phone"] == "254712345678"


def test_the_order_that_was_meant_is_suggested_for_a_pasted_reference(unpaid):
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in unpaid.reference[:-1])

    found = suggest_orders(Receipt(reference=f"\u2068{wide}\u2069", amount=1, phone=""))

    assert [suggestion.order for suggestion in found] == [unpaid]


def test_a_superuser_adds_a_person_in_one_form(staff_browser):
    staff_browser.post(
        reverse("admin:accounts_user_add"),
        {
            "username": "ju\u200bma",
            "usable_password": "true",
            "password1": "mu\u0303hu\u0303 wa fisi",
            "password2": "m\u0169h\u0169 wa ﬁsi",
        },
    )

    juma = User.objects.get(username="juma")
    assert check_password("m\u0169h\u0169 wa fisi", juma.password)


def test_a_superuser_changes_a_person_in_one_form(staff_browser):
    person = UserFactory(username="juma")
    password = person.password

    answer = staff_browser.post(
        reverse("admin:accounts_user_change", args=[person.pk]),
        {
            "username": "\u2068Ｊuma\u2069",
            "email": "juma＠ＥXAMPLE.com\u200b",
            "first_name": "Ngu\u0303gi\u0303",
            "last_name": "",
            "gender": "",
            "is_active": "on",
            "date_joined_0": "2026-11-01",
            "date_joined_1": "10:00",
        },
    )

    person.refresh_from_db()
    assert answer.status_code == 302
    assert (person.username, person.email) == ("Juma", "juma@example.com")
    assert person.first_name == "Ngũgĩ"
    assert person.password == password


def test_a_password_nobody_sees_is_set_by_nobody(staff_browser):
    person = UserFactory()
    blank = {"usable_password": "true", "password1": "\u200b" * 9, "password2": "\u200b" * 9}

    answer = staff_browser.post(reverse("admin:auth_user_password_change", args=[person.pk]), blank)

    person.refresh_from_db()
    assert answer.status_code == 200
    assert not check_password("\u200b" * 9, person.password)


def test_a_person_is_found_as_pasted(staff_browser):
    UserFactory(username="juma", email="juma@example.com")

    for typed in ("\u2068juma\u2069", "ｊｕｍａ", "juma＠example.com"):
        page = staff_browser.get(reverse("admin:accounts_user_changelist"), {"q": typed})
        assert page.context["cl"].result_count == 1, typed


def test_the_catalogue_is_edited_in_one_form(staff_browser, kettle):
    answer = staff_browser.post(
        reverse("admin:products_product_change", args=[kettle.pk]),
        {
            "name": "Ｋettle\u00a0\u200b Blue",
            "description": "Stain\u00adless",
            "category": "kitchen",
            "price": "1500",
            "movements-TOTAL_FORMS": "0",
            "movements-INITIAL_FORMS": "0",
        },
    )

    kettle.refresh_from_db()
    assert answer.status_code == 302
    assert (kettle.name, kettle.description) == ("Kettle Blue", "Stainless")


@pytest.mark.parametrize("typed", ["ＫＥＴＴＬＥ", "ket\u200btle", "\u2068amina\u2069"])
def test_a_product_is_found_as_pasted(staff_browser, kettle, typed):
    page = staff_browser.get(reverse("admin:products_product_changelist"), {"q": typed})

    assert page.context["cl"].result_count == 1


def test_the_admin_is_signed_in_to_as_pasted(client, staff):
    staff.set_password("m\u0169h\u0169 wa fisi")
    staff.save()
    typed = {"username": f"\u2068{staff.username}\u2069", "password": "mu\u0303hu\u0303 wa fisi"}

    assert client.post(reverse("admin:login"), typed).status_code == 302
