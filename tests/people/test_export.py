"""GET /account/export/: all that is kept of a person, and nothing of others or of secrets."""

import json

import pytest

from accounts.counties import County
from accounts.models import Address, MessagePreferences
from orders.reviews import review_line
from payments.people import export
from payments.people.inventory import PERSONAL_DATA
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory, proven
from tests.shopping import an_order, delivered_line

pytestmark = pytest.mark.django_db


def export_of(user):
    answer = signed_in(user).get("/account/export/")
    text = b"".join(answer.streaming_content).decode()
    return answer, text, json.loads(text)


@pytest.fixture
def wanjiku(buyer, kettle):
    """A buyer who did what one can do here."""
    buyer.first_name, buyer.phone = "Wanjikũ", "254712345678"
    buyer.save()
    proven(buyer, "254712345678")
    MessagePreferences.objects.create(user=buyer, language="sw")
    Address.objects.create(
        user=buyer, recipient="Wanjikũ", phone="254712345678", county=County.KIAMBU, area="Ruiru"
    )
    line = delivered_line(buyer, kettle)
    review_line(track_id=line.pk, buyer=buyer, stars=5, text="It boils.")
    return buyer


def test_every_section_is_there(wanjiku):
    _, _, kept = export_of(wanjiku)

    assert list(kept) == ["as_of", *(one.section for one in PERSONAL_DATA)]


def test_the_export_contains_the_users_actions(wanjiku):
    _, _, kept = export_of(wanjiku)

    assert kept["person"][0]["first_name"] == "Wanjikũ"
    assert kept["addresses"][0]["area"] == "Ruiru"
    assert kept["phones"][0]["phone"] == "254712345678"
    assert kept["messages_wanted"] == [
        {
            "language": "sw",
            "buying_email": True,
            "buying_sms": True,
            "prompts_email": True,
            "prompts_sms": True,
            "selling_email": True,
            "selling_sms": True,
        }
    ]
    assert [order["amount"] for order in kept["orders"]] == [1500]
    assert kept["reviews"][0]["text"] == "It boils."
    assert kept["receipts"][0]["amount"] == 1500


def test_a_seller_gets_what_they_sold_and_nobodys_name(seller, wanjiku):
    _, text, kept = export_of(seller)

    assert kept["lines_sold"][0]["name"] == "Kettle"
    assert kept["earned"][0]["amount"] == 1500
    assert "Wanjik" not in text
    assert "254712345678" not in text


def test_the_export_contains_no_other_users_actions(wanjiku):
    stranger = UserFactory()
    an_order(stranger, (ProductFactory(name="Sufuria"), 1), phone="254712000009")

    _, text, _ = export_of(wanjiku)

    assert "Sufuria" not in text
    assert "254712000009" not in text


def test_no_secret_is_there(wanjiku):
    _, text, _ = export_of(wanjiku)

    attempt = wanjiku.orders.get().payments.get()
    assert wanjiku.password not in text
    assert attempt.callback_token not in text


def test_the_export_is_a_file_that_is_not_cached(wanjiku):
    answer, _, _ = export_of(wanjiku)

    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Disposition"].startswith(f'attachment; filename="omache-{wanjiku.pk}-')
    assert answer["Cache-Control"] == "no-store"


def test_many_rows_are_read_in_batches_and_none_is_lost(wanjiku, monkeypatch):
    monkeypatch.setattr(export, "BATCH", 2)
    for number in range(5):
        Address.objects.create(
            user=wanjiku, recipient="W", phone="254712345678", county="nairobi", area=f"{number}"
        )

    _, _, kept = export_of(wanjiku)

    assert [one["area"] for one in kept["addresses"]] == ["Ruiru", "0", "1", "2", "3", "4"]


def test_a_stranger_gets_nothing(api, db):
    assert api.get("/account/export/").status_code == 401


def test_it_can_be_read_by_people_a_member_a_line(wanjiku):
    _, text, _ = export_of(wanjiku)

    assert '\n\n"person": [{"id": ' in text
    assert f'\n "username": "{wanjiku.username}",\n' in text
    assert max(len(line) for line in text.splitlines()) < 200
