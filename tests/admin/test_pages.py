"""The admin shows everything, does not edit money, and stays fast."""

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from orders.models import Order, OrderTrack
from payments.models import (
    GatewayEvent,
    OrderPayment,
    PayoutStop,
    Receipt,
    Refund,
    StatementPull,
)

from . import cases
from .browsers import list_url, row_url

pytestmark = pytest.mark.django_db

OUT = {
    Refund: cases.owed_refund,
    PayoutStop: lambda: PayoutStop.objects.create(reason="A bad password"),
    StatementPull: lambda: StatementPull.objects.create(
        shortcode="174379", next_pull_at=timezone.now(), result_text="It could not be reached."
    ),
}
MONEY = [Order, OrderTrack, OrderPayment, Receipt, GatewayEvent]


@pytest.mark.parametrize("model", list(admin.site._registry), ids=lambda m: m._meta.label)
def test_every_list_opens(staff_browser, sale, model):
    response = staff_browser.get(list_url(model))

    assert response.status_code == 200


@pytest.mark.parametrize("model", MONEY, ids=lambda m: m._meta.label)
def test_a_row_of_money_is_shown_and_cannot_be_saved(staff_browser, sale, model):
    row = model.objects.first()

    shown = staff_browser.get(row_url(row))
    saved = staff_browser.post(
        row_url(row), {"amount": 1, "payment_status": "refunded", "status": "failed"}
    )

    row.refresh_from_db()
    assert saved.status_code == 403
    assert shown.status_code == 200
    assert b'<input type="text"' not in shown.content
    assert getattr(row, "payment_status", "paid") == "paid"
    assert getattr(row, "status", "confirmed") == "confirmed"
    assert getattr(row, "amount", 3000) == 3000


@pytest.mark.parametrize("model", MONEY, ids=lambda m: m._meta.label)
@pytest.mark.parametrize("verb", ["add", "delete"])
def test_money_is_neither_added_nor_deleted_by_hand(staff_browser, sale, model, verb):
    row = model.objects.first()
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{verb}"

    response = staff_browser.post(
        reverse(name, args=[row.pk] if verb == "delete" else []), {"post": "yes"}
    )

    assert response.status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", MONEY, ids=lambda m: m._meta.label)
def test_a_list_costs_the_same_for_one_row_or_many(
    staff_browser, sale, model, django_assert_max_num_queries
):
    first = model.objects.first()

    # session, user, a bounded count, the rows; nothing a row
    with django_assert_max_num_queries(5) as queries:
        staff_browser.get(list_url(type(first)))

    assert not any(
        "COUNT(*)" in query["sql"] and "LIMIT 1000" not in query["sql"]
        for query in queries.captured_queries
    )


def test_the_list_of_statements_says_why_one_could_not_be_read(staff_browser):
    OUT[StatementPull]()

    page = staff_browser.get(list_url(StatementPull)).content.decode()

    assert "It could not be reached." in page


@pytest.mark.parametrize("model", [Refund, PayoutStop, StatementPull])
def test_money_that_goes_out_is_shown_and_not_changed_added_or_deleted(staff_browser, model):
    row = OUT[model]()
    before = model.objects.values().get(pk=row.pk)

    shown = staff_browser.get(row_url(row))
    staff_browser.post(row_url(row), {"status": "done", "is_open": "", "result_text": "x"})
    answers = [
        staff_browser.post(
            reverse(f"admin:payments_{model._meta.model_name}_add"), {"post": "yes"}
        ),
        staff_browser.post(
            reverse(f"admin:payments_{model._meta.model_name}_delete", args=[row.pk]),
            {"post": "yes"},
        ),
    ]

    assert shown.status_code == 200
    assert b'<input type="text"' not in shown.content
    assert [answer.status_code for answer in answers] == [403, 403]
    assert model.objects.values().get(pk=row.pk) == before
    secrets = [getattr(row, name, "") for name in ("callback_token", "status_token")]
    assert not any(secret and secret.encode() in shown.content for secret in secrets)


@pytest.mark.parametrize(
    "typed", ["", "by its own number", "by our id", "by its receipt", "by its order"]
)
def test_a_refund_is_found(staff_browser, typed):
    refund = cases.owed_refund()
    Refund.objects.update(number="TKR1234567")
    names = {
        "": "",
        "by its own number": "tkr 1234567",
        "by our id": refund.originator_conversation_id,
        "by its receipt": refund.receipt.number,
        "by its order": refund.order.reference,
    }

    response = staff_browser.get(list_url(Refund), {"q": names[typed]})

    assert response.context["cl"].result_count == 1


def test_the_callback_address_is_shown_to_nobody(staff_browser, sale):
    payment = sale.payments.get()

    pages = staff_browser.get(row_url(payment)).content + staff_browser.get(row_url(sale)).content

    assert payment.callback_token.encode() not in pages


def test_somebody_who_is_not_staff_is_sent_to_the_log_in_page(client, buyer):
    client.force_login(buyer, backend="accounts.backends.UsernameOrEmailBackend")

    response = client.get(list_url(Order))

    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")
