"""The page of an order: status, goods with their actions, problems and history."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Audit
from orders.cashout import LineRequest, place_order
from orders.fulfilment import move_line
from orders.lifecycle import cancel_order
from orders.models import FeeState, Order, Parcel, ParcelStep, Problem, TrackStatus
from orders.models.notifications import Message, MessageState, Notice
from orders.problems.services import open_problem
from payments.admin import order_goods
from payments.backoffice import order_history, timeline
from payments.backoffice.kinds import console_page
from payments.models import GatewayEvent, Receipt, Refund
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from tests.factories import ProductFactory, UserFactory
from tests.shopping import an_order, next_receipt, paid_line

from . import cases
from .browsers import browser_of, in_role, row_url
from .pages import buttons as own_buttons
from .pages import content, links, page, sections
from .pages import facts as facts_of
from .test_delivery_pages import paid_delivery

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]


def facts(client, order):
    return facts_of(client, order, "summary")


def moves(client, order):
    """The moves offered, by line."""
    groups = content(client, order, "goods").of["groups"]
    lines = [line for group in groups for line in group["lines"]]
    return {
        str(line["buttons"].row): [name for name, _ in line["buttons"].actions] for line in lines
    }


def history(client, order):
    return [entry.what for entry in content(client, order, "history").of["entries"]]


def test_a_page_is_named_for_its_row(support, sale):
    titles = [
        support.get(row_url(row)).context["title"] for row in (sale, sale.tracks.get(), sale.buyer)
    ]

    assert titles == [f"Order {sale.reference}", "Order line 2 × Kettle", "Person wanjiku"]


def test_a_paid_order_says_who_bought_it_and_what_stands(support, sale):
    told = facts(support, sale)

    assert "Paid" in told["lead"]
    assert (told["Price"], told["Received"], told["Owed"]) == ("KES 3,000", "KES 3,000", "nothing")
    assert told["Reference"] == f"<strong>{sale.reference}</strong>"
    assert told["Paying phone"] == (
        '<a class="shop-phone" href="tel:+254712345678">0712 345 678</a>'
    )
    assert told["Buyer"] == f'<a href="{row_url(sale.buyer)}">wanjiku</a>'
    assert told["Delivered to"] == "no delivery: buyer and seller arrange it themselves"


def test_an_unpaid_order_says_what_its_buyer_owes(support, unpaid):
    told = facts(support, unpaid)

    assert "Not paid" in told["lead"]
    assert "Its goods are reserved until" in told["lead"]
    assert (told["Received"], told["Owed"]) == ("nothing", "KES 1,500 by the buyer")


def test_of_a_partly_paid_order_the_rest_is_owed(support):
    order = cases.short_payment().order

    told = facts(support, order)

    assert (told["Price"], told["Received"], told["Owed"]) == (
        "KES 1,500",
        "KES 1,000",
        "KES 500 by the buyer",
    )


def test_a_refund_is_owed_to_the_buyer_until_it_is_done(support, daraja):
    refund = cases.owed_refund()
    before = facts(support, refund.order)

    cases.process_refund(refund.pk)
    refund.refresh_from_db()
    cases.result(refund)
    after = facts(support, refund.order)

    assert "Refund due" in before["lead"]
    assert (before["Received"], before["Owed"]) == ("KES 1,500", "KES 1,500 to the buyer")
    assert "Refunded" in after["lead"]
    assert (after["Received"], after["Refunded"], after["Owed"]) == (
        "KES 1,500",
        "KES 1,500",
        "nothing",
    )


def test_an_order_whose_goods_were_all_cancelled_says_so_and_nothing_of_its_time(support, sale):
    staff = UserFactory(is_staff=True, is_superuser=True)
    move_line(
        sale.tracks.get().pk, TrackStatus.CANCELLED, actor=staff, note="Broken", goods_there=False
    )

    lead = facts(support, sale)["lead"]

    assert lead.endswith("Its payment is being refunded: all its goods were cancelled.")


def test_an_order_that_was_paid_too_late_says_so(support):
    order = cases.owed_refund().order
    Order.objects.filter(pk=order.pk).update(cancelled_by="")

    assert facts(support, order)["lead"].endswith("refunded: it had expired.")


@pytest.mark.parametrize(
    ("change", "words", "sentence"),
    [
        ({"payment_status": "cancelled", "cancelled_by": "buyer"}, "Cancelled", "The buyer"),
        ({"payment_status": "cancelled", "cancelled_by": "staff"}, "Cancelled", "The shop"),
        ({"payment_status": "expired"}, "Expired", "not paid in time"),
        ({"payment_status": "refunded"}, "Refunded", "was refunded"),
        ({"payment_status": "paid", "in_doubt": True}, "Payment in doubt", "Do not hand over"),
    ],
)
def test_the_status_of_an_order_is_a_sentence(support, unpaid, change, words, sentence):
    Order.objects.filter(pk=unpaid.pk).update(**change)

    lead = facts(support, unpaid)["lead"]

    assert words in lead
    assert sentence in lead


def test_a_guests_order_is_marked_as_a_guests(support, kettle):
    guest = guest_order(kettle)

    told = facts(support, guest)

    assert told["Buyer"] == (f'<a href="{row_url(guest.buyer)}">a guest without an account</a>')
    assert history(support, guest)[0] == (
        "A guest ordered for KES 1,500, to be paid from 0712 345 678."
    )


def guest_order(kettle):
    from accounts.guests import guest_with

    guest = guest_with("254712345678", language="en")
    order = an_order(guest.user, (kettle, 1))
    Order.objects.filter(pk=order.pk).update(guest=guest.user)
    order.refresh_from_db()
    return order


def test_of_a_deleted_account_the_number_is_left(support, sale):
    type(sale.buyer).objects.filter(pk=sale.buyer_id).update(
        username=f"#{sale.buyer_id}",
        email="",
        first_name="",
        phone="",
        is_active=False,
        erased_at=timezone.now(),
    )

    told = facts(support, sale)

    assert told["Buyer"] == (
        f'<a href="{row_url(sale.buyer)}">#{sale.buyer_id}</a> (deleted account)'
    )


def test_a_buyers_own_phone_is_told_where_another_pays(support, sale):
    type(sale.buyer).objects.filter(pk=sale.buyer_id).update(phone="254722000111")

    assert "0722 000 111" in facts(support, sale)["Buyer's own phone"]


def test_support_sees_goods_and_words_and_no_rows_of_money(support, sale):
    seen = sections(support, sale)

    assert seen == ["summary", "goods", "notifications", "history"]
    assert "TKB1234567" not in page(support, sale)
    assert not any("TKB1234567" in what or "M-Pesa" in what for what in history(support, sale))


def test_who_sees_all_sees_money_and_messages_too(staff_browser, sale):
    assert sections(staff_browser, sale) == [
        "summary",
        "goods",
        "receipts",
        "prompts",
        "gateway",
        "notifications",
        "history",
    ]
    shown = page(staff_browser, sale)
    assert "TKB1234567" in shown
    assert f'href="/admin/payments/console/receipt/{Receipt.objects.get().pk}/"' in shown
    assert any(
        "was received through M-Pesa as TKB1234567" in what for what in history(staff_browser, sale)
    )


@pytest.mark.parametrize("role", ["finance", "catalogue", "delivery"])
def test_no_other_role_opens_an_order(role, sale):
    assert browser_of(in_role(role)).get(row_url(sale)).status_code == 403


def test_refunds_and_what_sellers_get_stand_on_it(staff_browser, buyer, kettle):
    line = paid_line(buyer, kettle)
    boss = UserFactory(is_superuser=True)
    move_line(line.pk, "fetched", actor=boss)
    move_line(line.pk, "cancelled", actor=boss, note="It broke.", goods_there=False)

    refunds = content(staff_browser, line.order, "refunds").rows
    shares = content(staff_browser, line.order, "shares").rows

    assert [(str(row[0]), row[2]) for row in refunds] == [
        (
            f'<a href="/admin/payments/console/refund/{Refund.objects.get().pk}/">KES 1,500</a>',
            "the goods were cancelled after payment",
        )
    ]
    assert "1 × Kettle" in str(shares[0][0])
    assert "No longer owed" in str(shares[0][3])


def test_no_secret_of_an_order_is_on_it(staff_browser, sale):
    line = sale.tracks.get()

    shown = page(staff_browser, sale)

    assert line.collection_code not in shown
    assert sale.payments.get().callback_token not in shown


@pytest.mark.parametrize(
    ("steps", "offered"),
    [
        ([], ["to_fetched", "to_cancelled"]),
        (["fetched"], ["to_shipping", "to_delivered", "to_cancelled"]),
        (["fetched", "shipping"], ["to_delivered", "to_cancelled"]),
        (["cancelled"], []),
    ],
)
def test_a_line_has_buttons_for_what_may_be_done_with_it(support, buyer, kettle, steps, offered):
    line = paid_line(buyer, kettle)
    for step in steps:
        move_line(line.pk, step, actor=UserFactory(is_superuser=True), note="So", goods_there=True)

    assert moves(support, line.order) == {"1 × Kettle": offered}


def test_who_may_only_look_has_no_buttons(sale):
    watcher = UserFactory(is_staff=True)
    watcher.user_permissions.set(cases_permission("view_order"))
    client = browser_of(watcher)

    assert moves(client, sale) == {"2 × Kettle": []}
    assert own_buttons(client, sale) == []
    assert sections(client, sale) == ["summary", "goods", "history"]


def cases_permission(codename):
    from django.contrib.auth.models import Permission

    return Permission.objects.filter(codename=codename)


def test_a_move_chosen_on_an_order_leads_back_to_it(support, sale):
    line, here = sale.tracks.get(), row_url(sale)
    form = {"action": "to_fetched", "_selected_action": line.pk, "from_page": here}

    assert f'<input type="hidden" name="from_page" value="{here}">' in page(support, sale)
    done = support.post("/admin/orders/ordertrack/", {**form, "said": "yes"})

    line.refresh_from_db()
    assert (done["Location"], line.track_status) == (here, "fetched")
    assert Audit.objects.get().did == "Fetched from the seller"


def test_nobody_has_moves_for_what_they_bought(kettle):
    helper = in_role("support")
    line = paid_line(helper, kettle)

    assert moves(browser_of(helper), line.order) == {"1 × Kettle": []}


def test_an_unpaid_order_offers_a_prompt_and_cancelling(support, unpaid):
    assert own_buttons(support, unpaid) == ["ring", "cancel"]


def test_after_its_hold_an_order_offers_no_prompt(support, unpaid):
    past = timezone.now() - timedelta(minutes=1)
    Order.objects.filter(pk=unpaid.pk).update(
        created_at=past - timedelta(hours=1), expires_at=past, held_until=past
    )

    assert own_buttons(support, unpaid) == ["cancel"]


def test_a_closed_order_has_no_buttons_of_its_own(support, unpaid):
    cancel_order(unpaid.pk, cancelled_by="staff")

    assert own_buttons(support, unpaid) == []


def test_cancelling_leads_back_to_the_order(support, unpaid):
    here = row_url(unpaid)
    form = {"action": "cancel", "_selected_action": unpaid.pk, "from_page": here, "said": "yes"}

    done = support.post("/admin/orders/order/", {**form, "why": "She asked"})

    unpaid.refresh_from_db()
    assert (done["Location"], unpaid.payment_status) == (here, "cancelled")


def _key(form):
    return form.name.rpartition("-")[2]


def whole(client, order):
    """What may be done with whole parcels: keys of their actions, and whether the fee may go."""
    groups = content(client, order, "goods").of["groups"]
    return [
        ([_key(form) for form in group["forms"]], group["fee_buttons"] is not None)
        for group in groups
    ]


def test_goods_stand_in_their_parcels_with_the_fee(support, buyer, kettle):
    order = paid_delivery(buyer, (kettle, 1))
    parcel = order.parcels.get()

    shown = page(support, order)

    assert f"Parcel {parcel.pk}: to fetch" in shown
    assert "Delivery fee: KES 100, held until delivery." in shown
    assert facts(support, order)["Price"] == "KES 1,600: goods KES 1,500, delivery KES 100"
    assert whole(support, order) == [([], True)]


def test_several_goods_of_a_parcel_are_moved_at_once(support, buyer, seller, kettle):
    order = paid_delivery(buyer, (kettle, 1), (ProductFactory(seller=seller), 1))
    parcel = order.parcels.get()
    assert whole(support, order) == [(["fetched"], True)]

    done = support.post(
        f"/admin/deliveries/{parcel.pk}/fetched/", {"from_page": row_url(order), "why": ""}
    )

    statuses = set(order.tracks.values_list("track_status", flat=True))
    assert (done["Location"], statuses) == (row_url(order), {"fetched"})


def test_a_refunded_fee_cannot_be_refunded_again(support, buyer, kettle):
    order = paid_delivery(buyer, (kettle, 1))
    Parcel.objects.update(fee_state="returned")

    assert whole(support, order) == [([], False)]


@pytest.fixture
def problem(buyer, kettle):
    line = paid_line(buyer, kettle)
    move_line(line.pk, "fetched", actor=UserFactory(is_superuser=True))
    open_problem(line.pk, buyer=buyer, kind="damaged", text="One lid is dented.", pictures=[])
    return Problem.objects.get()


def keys(client, order):
    (told,) = content(client, order, "problems").of["problems"]
    return [_key(form) for form in told["forms"]]


def test_a_problem_stands_on_it_with_what_was_said_and_may_be_decided(support, problem):
    order = problem.track.order

    shown = page(support, order)

    assert "One lid is dented." in shown
    assert f'href="/admin/payments/console/problem/{problem.pk}/"' in shown
    assert keys(support, order) == ["answer", "refund", "part", "back", "close"]


def test_a_decision_that_cannot_be_read_comes_back_where_it_was_made(support, problem):
    here = row_url(problem.track.order)

    answer = support.post(
        f"/admin/payments/console/problem/{problem.pk}/part/",
        {"amount": "many", "why": "The lid is dented", "from_page": here},
    )

    shown = answer.content.decode()
    assert (answer.status_code, answer.context["here"]) == (400, here)
    assert "Enter a whole number." in shown
    assert 'value="The lid is dented"' in shown
    assert shown.count("<details open>") == 1
    # The form with errors has the focus.
    assert re.search(r'name="amount"[^>]* autofocus', shown)


@pytest.mark.parametrize(
    "here",
    ["/admin/find/?q=a%00b", "/admin/find/?q=%ff", "/admin/find/?q=a\0b", "/admin/a\x01b/", "//[/"],
)
def test_a_decision_from_a_page_that_cannot_be_read_is_shown_on_its_own_page(
    support, problem, here
):
    answer = support.post(
        f"/admin/payments/console/problem/{problem.pk}/part/",
        {"amount": "many", "why": "The lid is dented", "from_page": here},
    )

    assert answer.status_code == 400
    assert "Enter a whole number." in answer.content.decode()


def test_a_parcel_s_move_that_cannot_be_read_comes_back_too(support, buyer, seller, kettle):
    order = paid_delivery(buyer, (kettle, 1), (ProductFactory(seller=seller), 1))
    parcel = order.parcels.get()

    answer = support.post(
        f"/admin/deliveries/{parcel.pk}/fetched/", {"from_page": row_url(order), "why": "x" * 201}
    )

    assert (answer.status_code, answer.context["here"]) == (400, row_url(order))
    assert "at most 200 characters" in answer.content.decode()
    assert answer.content.decode().count("<details open>") == 1


def test_a_form_without_a_page_is_shown_again_on_the_console(support, problem):
    answer = support.post(
        f"/admin/payments/console/problem/{problem.pk}/part/",
        {"amount": "many", "why": "The lid is dented", "from_page": "/admin/no/such/place"},
    )

    assert answer.status_code == 400
    assert "Enter a whole number." in answer.content.decode()


def test_a_problem_s_own_page_says_and_offers_what_its_order_s_does(support, problem):
    shown = page(support, problem)
    (told,) = content(support, problem, "problems").of["problems"]

    assert "One lid is dented." in shown
    assert [_key(form) for form in told["forms"]] == ["answer", "refund", "part", "back", "close"]
    assert f"Order {problem.track.order}" in links(support, problem)


def test_money_leads_to_where_it_is_decided(staff_browser, sale):
    for row in (Receipt.objects.get(), sale.payments.get()):
        assert links(staff_browser, row)["History and actions"] == console_page(row)


def test_deciding_a_problem_from_the_order_page_leads_back_to_the_order(support, problem):
    here = row_url(problem.track.order)

    done = support.post(
        f"/admin/payments/console/problem/{problem.pk}/close/",
        {"why": "It is only a scratch", "from_page": here},
    )

    problem.refresh_from_db()
    assert (done["Location"], problem.outcome) == (here, "dismissed")
    assert keys(support, problem.track.order) == []


def test_who_may_not_decide_problems_only_reads_them(problem):
    watcher = UserFactory(is_staff=True)
    watcher.user_permissions.set(cases_permission("view_order") | cases_permission("view_problem"))

    assert keys(browser_of(watcher), problem.track.order) == []


def message_of(order, **values):
    notice = Notice.objects.create(
        key=f"paid:{order.pk}:{values.get('reason', '')}", kind="paid", order=order
    )
    return Message.objects.create(
        notice=notice,
        user=order.buyer,
        kind="paid",
        channel="sms",
        language="en",
        contact="254712345678",
        text="Paid. Code: 987604",
        **values,
    )


def test_what_was_told_stands_on_it_without_codes(support, sale):
    message_of(sale, state="failed", reason="No such subscriber")

    shown = page(support, sale)

    assert "SMS, 0712 345 678" in shown
    assert "No such subscriber" in shown
    assert "987604" not in shown


def test_a_failed_message_is_sent_again_from_the_order_page(support, sale):
    message, here = message_of(sale, state="failed"), row_url(sale)
    (told,) = content(support, sale, "notifications").of["messages"]

    done = support.post(
        told["buttons"].url,
        {"action": "send_again", "_selected_action": message.pk, "from_page": here},
    )

    message.refresh_from_db()
    assert done["Location"] == here
    assert message.state != "failed"


def test_what_is_due_is_not_sent_again(support, sale):
    message_of(sale, state="due", next_try_at=timezone.now())

    (told,) = content(support, sale, "notifications").of["messages"]

    assert told["buttons"] is None


def test_the_story_says_each_step_once_and_by_whom(support, buyer, kettle):
    line = paid_line(buyer, kettle, 2)
    boss = UserFactory(username="boss", is_superuser=True)
    move_line(line.pk, "fetched", actor=boss, note="Rider Otieno")

    assert history(support, line.order) == [
        "wanjiku ordered for KES 3,000, to be paid from 0712 345 678.",
        "Paid: 2 × Kettle.",
        "Fetched from the seller, by boss: 2 × Kettle.",
    ]
    assert "Rider Otieno" in page(support, line.order)


def test_steps_at_once_are_one_sentence(support, buyer):
    products = [ProductFactory(name=f"Pan {n}") for n in range(4)]
    order = bought(buyer, *products)

    assert history(support, order)[1] == "Paid: all 4 goods."


def test_a_staff_action_that_is_no_step_is_in_the_history(support, sale):
    line = sale.tracks.get()
    form = {"action": "to_fetched", "_selected_action": line.pk, "said": "yes"}

    support.post("/admin/orders/ordertrack/", form)
    told = history(support, sale)
    from accounts.backoffice.audit import log_with_history

    log_with_history(UserFactory(username="boss"), "Gave it away", line, action="", why="So")

    assert told[-1] == "Fetched from the seller, by support: 2 × Kettle."
    assert len([what for what in told if "2 × Kettle" in what]) == 2
    assert history(support, sale)[-1] == "boss acted on 2 × Kettle:"


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (timeline.STEPS, set(TrackStatus)),
        (order_history._PARCEL_STEPS, set(ParcelStep)),
        (order_history._MESSAGE_STATES, set(MessageState)),
        (order_goods._FEE_WORDS, set(FeeState)),
    ],
)
def test_every_status_has_words_in_the_history(words, values):
    assert words.keys() == values


def test_the_history_shows_the_steps_of_parcels(support, buyer, kettle):
    parcel = paid_delivery(buyer, (kettle, 1)).parcels.get()
    agent = in_role("delivery")
    parcel.events.create(step="claimed", agent=agent, actor=agent)
    parcel.events.create(step="attempted", actor=agent, reason="no_code", note="She looks.")

    assert history(support, parcel.order)[-2:] == [
        f"Parcel {parcel.pk} is claimed by delivery.",
        f"Parcel {parcel.pk} is not handed over at the address, reported by delivery.",
    ]
    assert "The buyer had no code. She looks." in page(support, parcel.order)


def bought(buyer, *products):
    wanted = [LineRequest(product.pk, 1) for product in products]
    order = place_order(buyer=buyer, lines=wanted, mpesa_number="254712345678").order
    payment = order.payments.get()
    record_outcome(
        payment.pk, AttemptOutcome(True, "0", "", "callback", order.amount, next_receipt())
    )
    order.refresh_from_db()
    return order


def grow(order):
    """Everything an order's page shows, more than it shows of it."""
    boss = UserFactory(is_superuser=True)
    for line in order.tracks.all():
        move_line(line.pk, "fetched", actor=boss)
    for number, line in enumerate(order.tracks.order_by("pk")[:12]):
        open_problem(line.pk, buyer=order.buyer, kind="damaged", text="Dented.", pictures=[])
        message_of(order, state="failed", reason=f"No. {number}")
    payment = order.payments.get()
    for number in range(12):
        GatewayEvent.objects.create(body=b"{}", sha256=f"{number:064}", payment=payment)


@pytest.mark.parametrize(("role", "most"), [("support", 23), ("superuser", 33)])
def test_an_order_of_fifty_lines_costs_what_one_of_one_does(
    buyer, role, most, django_assert_num_queries, monkeypatch
):
    monkeypatch.setattr("orders.allowance.CUSTOMER_GOODS", 60)
    person = UserFactory(is_staff=True, is_superuser=True) if role == "superuser" else in_role(role)
    client = browser_of(person)
    small = bought(buyer, ProductFactory())
    large = bought(buyer, *(ProductFactory(name=f"Pan {n}", price=10) for n in range(50)))
    for order in (small, large):
        grow(order)
    client.get(row_url(small))

    with django_assert_num_queries(most):
        client.get(row_url(small))
    with django_assert_num_queries(most):
        answer = client.get(row_url(large))

    assert answer.content.decode().count('value="to_cancelled"') == 50
