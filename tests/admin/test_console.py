"""The console: its queues, timelines and actions, which are audited."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.models import Order
from payments.backoffice import queues
from payments.disbursement import process_refund
from payments.doubt import put_in_doubt
from payments.ledger import balance
from payments.models import (
    Account,
    GatewayEvent,
    OrderPayment,
    PayoutStop,
    Receipt,
    Refund,
    Withdrawal,
)
from tests.factories import UserFactory
from tests.guards import balanced_books  # noqa: F401

from . import cases
from .browsers import browser_of, in_role
from .console import CONSOLE, act, page, shown_messages, timeline_path

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("daraja")]


@pytest.fixture
def onlooker(db):
    """A client of a user who may view receipts but not decide about money."""
    clerk = UserFactory(username="clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_receipt"))
    return browser_of(clerk)


def snapshot():
    """Everything money hangs on."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (Receipt, OrderPayment, Refund, GatewayEvent, PayoutStop, Order, LogEntry)
    ]


QUEUES = {
    "Payments without an order": lambda daraja: cases.lost_receipt(),
    "Prompts without a result from M-Pesa": lambda daraja: cases.silent_attempt(),
    "Rejected refunds": lambda daraja: cases.refused_refund(),
    "Refunds without a result from M-Pesa": lambda daraja: cases.silent_refund(),
    "Refunds with an unexpected outcome": lambda daraja: cases.double_refund(),
    "Receipts without a number": cases.unnamed_receipt,
    "Corrected receipts": cases.corrected_receipt,
    "Messages that could not be processed": lambda daraja: cases.unreadable_confirmation(),
    "Unexplained withdrawals": lambda daraja: Withdrawal.objects.create(
        number="TKS0000001", shortcode="600000", amount=700, left_at=timezone.now()
    ),
    # Last, because nothing leaves the shop after it.
    "Outgoing payments are stopped": lambda daraja: (
        cases.stopped(daraja),
        PayoutStop.objects.get(),
    )[1],
}


@pytest.mark.parametrize("title", QUEUES)
def test_each_queue_lists_its_row_with_a_link_to_its_page(staff_browser, daraja, title):
    row = QUEUES[title](daraja)

    shown = page(staff_browser)
    story = staff_browser.get(timeline_path(row))

    assert f"{title}\n" in shown
    assert timeline_path(row) in shown
    assert story.status_code == 200
    assert "<form" in story.content.decode().partition("What you can do")[2]


def test_an_empty_console_says_so(staff_browser):
    shown = page(staff_browser)

    assert "Nothing needs action." in shown
    assert "<table" not in shown.partition('class="console"')[2]
    assert "Nothing needs action." in page(staff_browser, "/admin/")


def test_the_front_page_says_how_many_things_need_somebody(staff_browser):
    cases.lost_receipt()
    cases.silent_attempt(ids=False)

    shown = " ".join(page(staff_browser, "/admin/").split())

    assert '<strong class="console-count">2</strong> items need action' in shown


def test_queues_for_information_are_shown_but_not_counted(staff_browser, daraja):
    short = cases.short_payment()
    held = cases.owed_refund()
    Refund.objects.filter(pk=held.pk).update(created_at=timezone.now() - cases.timedelta(hours=1))

    shown = page(staff_browser)

    assert "Nothing needs action." in shown
    assert timeline_path(short) in shown
    assert timeline_path(held) in shown


def test_unsolicited_messages_are_counted_but_not_listed(staff_browser, client):
    client.post("/safwebhook/", {"Body": "of a stranger"}, content_type="application/json")

    shown = page(staff_browser)

    assert "Nothing needs action." in shown
    assert "of a stranger" not in shown
    assert "1\n      unsolicited message</a>" in shown


def test_a_timeline_is_in_order_of_time(staff_browser):
    receipt = cases.lost_receipt(reference="kettle please")
    order = cases.new_order()
    act(staff_browser, receipt, "give", reference=order.reference, why="She called and named it")

    story = " ".join(page(staff_browser, timeline_path(order)).split())

    told = [
        "ordered for KES 1,500",
        "Typed as reference: “kettle please”.",
        "not matched to an order yet → held for buyers",
        f"boss acted on {receipt.number}: KES 1,500:",
        f"Match it to an order ({order.reference}). Why: She called and named it",
    ]
    assert [sentence for sentence in told if sentence not in story] == []


def decided(row):
    """Who decided last about a row, and what was written down of it."""
    entry = LogEntry.objects.get(object_id=str(row.pk))
    assert entry.content_type.model_class() is type(row)
    return entry.user.username, entry.get_change_message()


@pytest.mark.usefixtures("balanced_books")
def test_a_payment_is_matched_to_an_order(staff_browser):
    receipt, order = cases.lost_receipt(), cases.new_order()

    answer = act(staff_browser, receipt, "give", reference=order.reference.lower())

    order.refresh_from_db()
    assert order.payment_status == "paid"
    assert shown_messages(answer) == [f"KES 1,500 is matched to order {order.reference}."]
    assert decided(receipt) == (
        "boss",
        f"Match it to an order ({order.reference.lower()}). Why: Seen on the portal",
    )


@pytest.mark.usefixtures("balanced_books")
def test_a_payment_is_moved_to_the_order_it_is_of(staff_browser):
    receipt, mine, theirs = cases.lost_receipt(), cases.new_order(), cases.new_order()
    act(staff_browser, receipt, "give", reference=mine.reference)
    assert "It is another order&#x27;s payment" in page(staff_browser, timeline_path(receipt))

    answer = act(staff_browser, receipt, "other", reference=theirs.reference)

    theirs.refresh_from_db()
    moved = theirs.receipts.get()
    assert (theirs.payment_status, moved.amount) == ("paid", 1500)
    assert shown_messages(answer) == [
        f"KES 1,500 under {moved.number} is credited to order {theirs.reference}."
    ]
    assert receipt.note in page(staff_browser)


@pytest.mark.usefixtures("balanced_books")
def test_an_unmatched_payment_is_refunded(staff_browser):
    receipt = cases.lost_receipt()

    act(staff_browser, receipt, "back")

    assert list(Refund.objects.values_list("amount", "way", "cause")) == [
        (1500, "reversal", "staff")
    ]
    assert decided(receipt) == ("boss", "Refund it. Why: Seen on the portal")
    assert "Nothing needs action." in page(staff_browser)


def test_an_attempt_is_queried(staff_browser, daraja):
    payment = cases.silent_attempt()
    daraja.answer = cases.PAID

    answer = act(staff_browser, payment, "ask")

    assert (payment.status, daraja.queries) == ("confirmed", [payment.checkout_request_id])
    assert shown_messages(answer)[0].endswith("The attempt is now confirmed.")
    assert decided(payment) == ("boss", "Query M-Pesa now. Why: Seen on the portal")


@pytest.mark.usefixtures("balanced_books")
@pytest.mark.parametrize("is_known", [True, False], ids=["in suspense", "not known"])
@pytest.mark.parametrize("ids", [True, False])
def test_an_attempt_is_marked_paid(staff_browser, ids, is_known):
    payment = cases.silent_attempt(ids=ids)
    if is_known:
        cases.by_hand(payment.amount, "nothing like it", number="TKG1234567")

    act(staff_browser, payment, "paid", number="TKG1234567")

    receipt = Receipt.objects.get()
    assert (payment.status, payment.order.payment_status) == ("confirmed", "paid")
    assert (receipt.number, receipt.payment) == ("TKG1234567", payment)
    assert "Nothing needs action." in page(staff_browser)
    assert decided(payment) == (
        "boss",
        "Mark it as paid (TKG1234567). Why: Seen on the portal",
    )


def test_an_attempt_is_not_paid_by_money_of_another_order(staff_browser):
    order, payment = cases.new_order(), cases.silent_attempt()
    number = cases.by_hand(1500, order.reference)

    answer = act(staff_browser, payment, "paid", number=number)

    assert payment.status == "submitted"
    assert shown_messages(answer) == [
        f"Receipt {number} is already recorded; nothing was credited."
    ]


@pytest.mark.parametrize("ids", [True, False])
def test_an_attempt_is_marked_unpaid(staff_browser, ids):
    payment = cases.silent_attempt(ids=ids)

    act(staff_browser, payment, "unpaid")

    assert (payment.status, payment.result_code) == ("failed", "local.not_paid")
    assert decided(payment) == ("boss", "It was not paid. Why: Seen on the portal")


@pytest.mark.parametrize(
    ("key", "given", "way", "phone"),
    [("again", {}, "reversal", ""), ("send", {"phone": "0722 111 222"}, "b2c", "254722111222")],
)
def test_a_rejected_refund_is_retried(staff_browser, key, given, way, phone):
    refund = cases.refused_refund()

    act(staff_browser, refund, key, **given)

    following = Refund.objects.get(replaces=refund)
    assert (following.way, following.phone, following.status) == (way, phone, "due")
    assert decided(refund)[1].endswith("Why: Seen on the portal")


@pytest.mark.usefixtures("balanced_books")
def test_a_refund_on_the_portal_is_recorded(staff_browser):
    refund = cases.refused_refund()

    act(staff_browser, refund, "portal", number="tkc 1234567")

    following = Refund.objects.get(replaces=refund)
    assert (following.way, following.number, following.status) == ("portal", "TKC1234567", "done")
    assert decided(refund) == (
        "boss",
        "It was refunded on the portal (TKC1234567). Why: Seen on the portal",
    )


@pytest.mark.parametrize(
    ("make", "key", "given", "status"),
    [
        (cases.silent_refund, "done", {"number": "TKD1234567"}, "done"),
        (cases.silent_refund, "not-done", {}, "refused"),
        (cases.differing_refund, "done", {"number": "TKD1234567"}, "done"),
    ],
)
def test_a_refund_without_a_result_is_marked_by_staff(staff_browser, make, key, given, status):
    refund = make()

    act(staff_browser, refund, key, **given)

    assert (refund.status, refund.number) == (status, given.get("number", ""))
    assert refund.unacknowledged is False
    assert decided(refund)[0] == "boss"


def test_a_doubted_payment_is_in_one_queue(staff_browser):
    receipt = cases.lost_receipt()
    assert counts("unmatched", "doubt") == (1, 0)

    put_in_doubt(receipt.pk, "M-Pesa does not know it.")

    assert counts("unmatched", "doubt") == (0, 1)


def counts(*keys):
    found = {each.key: each.count(timezone.now()) for each in queues.QUEUES}
    return tuple(found[key] for key in keys)


def test_a_number_that_another_refund_has_is_no_proof(staff_browser):
    known, refund = cases.sent_refund(), cases.silent_refund()
    cases.result(known, number="TKD1234567")

    answer = act(staff_browser, refund, "done", number="TKD1234567")

    assert refund.status == "sent"
    assert shown_messages(answer) == [
        "Enter the receipt number shown on the M-Pesa portal. This one is already recorded."
    ]
    assert not LogEntry.objects.exists()


def test_a_double_refund_is_acknowledged(staff_browser):
    refund = cases.double_refund()

    act(staff_browser, refund, "seen", why="Asked the buyer to pay it back")

    assert "Nothing needs action." in page(staff_browser)
    assert decided(refund) == ("boss", "Acknowledge. Why: Asked the buyer to pay it back")


def test_a_dropped_refund_that_was_sent_is_a_double_refund(staff_browser):
    first = cases.sent_refund()
    cases.result(first, code="2028")
    second = Refund.objects.get(replaces=first)
    process_refund(second.pk)
    second.refresh_from_db()
    cases.result(second, code="2040")
    cases.result(first)
    second.refresh_from_db()
    dropped = second.status

    cases.result(second)

    assert (dropped, second.status, second.unacknowledged) == ("dropped", "done", True)
    assert "The money was refunded twice" in page(staff_browser)
    assert list(Refund.objects.owed()) == [second]
    # What went out once too often is a debt in suspense; nothing else is owed.
    assert balance(Account.SUSPENSE) == balance(Account.MPESA_CLEARING) == -1500
    assert balance(Account.REFUNDS_PAYABLE) == 0


def test_a_corrected_receipt_is_acknowledged(staff_browser, daraja):
    receipt = cases.corrected_receipt(daraja)

    act(staff_browser, receipt, "seen")

    assert (receipt.unacknowledged, receipt.written_off) == (False, 100)
    assert "Nothing needs action." in page(staff_browser)


def test_a_receipt_gets_its_number(staff_browser, daraja):
    receipt = cases.unnamed_receipt(daraja)

    act(staff_browser, receipt, "name", number="TKE1234567")

    assert Receipt.objects.get().number == "TKE1234567"
    assert decided(receipt) == (
        "boss",
        "Enter its receipt number (TKE1234567). Why: Seen on the portal",
    )


def test_a_message_is_reprocessed(staff_browser, settings):
    settings.DARAJA_CALLBACK_IPS = ["196.201.214.200"]
    order = cases.new_order()
    cases.by_hand(1500, order.reference)
    event = GatewayEvent.objects.get()
    settings.DARAJA_CALLBACK_IPS = []

    act(staff_browser, event, "again", why="The list of addresses was wrong")

    order.refresh_from_db()
    assert (event.state, order.payment_status) == ("applied", "paid")
    assert decided(event) == ("boss", "Reprocess it. Why: The list of addresses was wrong")


def test_a_message_is_set_aside(staff_browser):
    event = cases.unreadable_confirmation()

    act(staff_browser, event, "aside")

    assert event.state == "aside"
    assert "Nothing needs action." in page(staff_browser)


def test_a_stop_is_lifted(staff_browser, daraja):
    cases.stopped(daraja)
    stop = PayoutStop.objects.get()

    act(staff_browser, stop, "end", why="The password was renewed")

    assert (stop.is_open, stop.ended_at is None) == (False, False)
    assert decided(stop) == ("boss", "Resume outgoing payments. Why: The password was renewed")


@pytest.mark.usefixtures("balanced_books")
def test_a_payment_that_staff_saw_is_recorded(staff_browser):
    order = cases.new_order()

    staff_browser.post(
        f"{CONSOLE}receipt/",
        {
            "number": "tkf1234567",
            "amount": "1500",
            "reference": order.reference,
            "phone": "0712345678",
            "why": "The buyer showed the SMS",
        },
    )

    order.refresh_from_db()
    receipt = Receipt.objects.get()
    assert (receipt.number, receipt.source, order.payment_status) == ("TKF1234567", "staff", "paid")
    assert decided(receipt)[1].endswith("Why: The buyer showed the SMS")


@pytest.mark.parametrize("why", ["", "  ", "ok", "x" * 201])
def test_nothing_is_done_without_a_reason(staff_browser, why):
    receipt = cases.lost_receipt()
    before = snapshot()

    answer = act(staff_browser, receipt, "back", why=why)

    assert answer.status_code == 400
    assert 'class="errorlist"' in answer.content.decode()
    assert snapshot() == before


@pytest.mark.parametrize("typed", [{"number": ""}, {"amount": "0"}, {"phone": "12"}, {"why": ""}])
def test_an_incomplete_payment_is_not_recorded(staff_browser, typed):
    given = {"number": "TKF1234567", "amount": "1500", "reference": "", "why": "Seen", **typed}

    answer = staff_browser.post(f"{CONSOLE}receipt/", given)

    assert answer.status_code == 400
    assert not Receipt.objects.exists()


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("", "is recorded. No reference was typed. It waits under “Payments without an order”."),
        (
            "NYUMBA7",
            "is recorded. No order has the reference “NYUMBA7”. It waits under “Payments without "
            "an order”.",
        ),
    ],
)
def test_a_payment_that_is_recorded_for_no_order_is_said_to_wait(staff_browser, reference, said):
    given = {"number": "TKF1234567", "amount": 500, "reference": reference, "why": "Seen"}

    answer = staff_browser.post(f"{CONSOLE}receipt/", given, follow=True)

    assert shown_messages(answer) == [f"TKF1234567: KES 500 {said}"]


def test_a_payment_that_is_recorded_for_an_order_names_it(staff_browser):
    order = cases.new_order()
    given = {"number": "TKF1234567", "amount": 1500, "reference": order.reference, "why": "Seen"}

    answer = staff_browser.post(f"{CONSOLE}receipt/", given, follow=True)

    assert shown_messages(answer) == [f"TKF1234567: KES 1,500 is recorded for order {order}."]


def test_read_only_users_see_everything_and_change_nothing(onlooker):
    receipt = cases.lost_receipt()
    before = snapshot()

    shown = page(onlooker)
    story = page(onlooker, timeline_path(receipt)).partition('class="console"')[2]
    answers = [
        act(onlooker, receipt, "back"),
        onlooker.post(f"{CONSOLE}receipt/", {"number": "TKF1234567", "amount": 1, "why": "Seen"}),
    ]

    assert timeline_path(receipt) in shown
    assert "<form" not in shown.partition('class="console"')[2]
    assert "<form" not in story
    assert "You have read-only access." in story
    assert [answer.status_code for answer in answers] == [403, 403]
    assert snapshot() == before


def test_staff_may_be_given_the_permission(onlooker):
    receipt = cases.lost_receipt()
    clerk = onlooker.session["_auth_user_id"]
    Permission.objects.get(codename="decide_money").user_set.add(clerk)

    act(onlooker, receipt, "back")

    assert decided(receipt)[0] == "clerk"


@pytest.mark.parametrize("role", ["delivery", "support", "catalogue"])
def test_staff_who_may_not_see_money_see_none_of_it(role):
    receipt = cases.lost_receipt()
    client = browser_of(in_role(role))
    before = snapshot()

    paths = [
        CONSOLE,
        timeline_path(receipt),
        f"{timeline_path(receipt)}back/",
        f"{CONSOLE}receipt/",
    ]
    answers = [client.get(path) for path in paths[:2]]
    answers += [client.post(path, {"why": "because"}) for path in paths[2:]]

    # Support has the problems there, and nothing else.
    has_problems = role == "support"
    first = answers.pop(0)
    assert first.status_code == (200 if has_problems else 403)
    assert receipt.number not in first.content.decode()
    assert "Record a payment" not in first.content.decode()
    assert {answer.status_code for answer in answers} == {403}
    assert snapshot() == before
    linked = f'href="{CONSOLE}"' in page(client, "/admin/").partition("<main")[2]
    assert linked == has_problems


def test_deciding_needs_to_see_what_is_decided(db):
    receipt = cases.lost_receipt()
    clerk = UserFactory(username="clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="decide_money"))

    answer = act(browser_of(clerk), receipt, "back")

    assert answer.status_code == 403
    assert not Refund.objects.exists()


def test_finance_is_led_to_the_console_from_the_front_page():
    client = browser_of(in_role("finance"))

    assert f'href="{CONSOLE}"' in page(client, "/admin/")
    assert client.get(CONSOLE).status_code == 200


@pytest.mark.parametrize("who", ["nobody", "buyer"])
def test_others_are_sent_to_the_log_in_page(client, buyer, who):
    receipt = cases.lost_receipt()
    if who == "buyer":
        client.force_login(buyer, backend="accounts.backends.UsernameOrEmailBackend")
    before = snapshot()

    paths = [
        CONSOLE,
        timeline_path(receipt),
        f"{timeline_path(receipt)}back/",
        f"{CONSOLE}receipt/",
    ]
    answers = [client.get(path) for path in paths]
    answers += [client.post(path, {"why": "because"}) for path in paths]

    assert {answer["Location"].partition("?")[0] for answer in answers} == {"/admin/login/"}
    assert snapshot() == before


def test_opening_the_pages_of_the_console_changes_nothing(staff_browser, daraja):
    rows = [make(daraja) for make in QUEUES.values()]
    before = snapshot()

    for row in rows:
        page(staff_browser, timeline_path(row))
        staff_browser.get(f"{timeline_path(row)}back/")
        page(staff_browser)

    assert snapshot() == before


def test_a_form_from_elsewhere_is_refused(staff):
    receipt = cases.lost_receipt()
    staff_browser = Client(enforce_csrf_checks=True)
    staff_browser.force_login(staff, backend="accounts.backends.UsernameOrEmailBackend")
    before = snapshot()

    answer = act(staff_browser, receipt, "back")

    assert answer.status_code == 403
    assert snapshot() == before


def test_an_action_that_was_already_done_is_reported(staff_browser):
    receipt = cases.lost_receipt()

    first, second = act(staff_browser, receipt, "back"), act(staff_browser, receipt, "back")

    assert (Refund.objects.count(), LogEntry.objects.count()) == (1, 1)
    assert shown_messages(first) == ["KES 1,500 is being refunded by reversal of the payment."]
    assert shown_messages(second) == [
        f"{receipt} is already matched to an order or is being refunded."
    ]


@pytest.mark.parametrize(
    ("make", "key", "given"),
    [
        (cases.lost_receipt, "give", {"reference": "NOSUCHREF"}),
        (cases.lost_receipt, "seen", {}),
        (cases.lost_receipt, "name", {"number": "TKX1234567"}),
        (lambda: cases.silent_attempt(ids=False), "ask", {}),
        (cases.owed_refund, "again", {}),
        (cases.owed_refund, "send", {"phone": "0722111222"}),
        (cases.owed_refund, "portal", {"number": "TKX1234567"}),
        (cases.owed_refund, "done", {"number": "TKX1234567"}),
        (cases.owed_refund, "not-done", {}),
        (cases.owed_refund, "seen", {}),
    ],
)
def test_an_action_that_is_not_possible_is_reported(staff_browser, make, key, given):
    row = make()
    before = snapshot()[:-1]

    answer = act(staff_browser, row, key, **given)

    assert answer.status_code == 200
    assert len(shown_messages(answer)) == 1
    assert snapshot()[:-1] == before


@pytest.mark.parametrize("path", ["thing/1/", "receipt/999999/", "receipt/{pk}/explode/"])
def test_unknown_rows_and_actions_are_not_found(staff_browser, path):
    receipt = cases.lost_receipt()
    answer = staff_browser.post if path.endswith("explode/") else staff_browser.get

    assert answer(CONSOLE + path.format(pk=receipt.pk), {"why": "because"}).status_code == 404


def test_a_payers_reference_is_escaped(staff_browser):
    evil = "<script>alert(1)</script>"
    receipt = cases.lost_receipt(reference=evil)

    pages = (
        page(staff_browser)
        + page(staff_browser, timeline_path(receipt))
        + page(staff_browser, f"{timeline_path(receipt)}?reference={evil}")
    )

    assert evil not in pages
    assert "&lt;script&gt;alert(1)" in pages


@pytest.mark.parametrize(
    "spoil",
    [
        lambda reference: reference[:3] + ("A" if reference[3] != "A" else "C") + reference[4:],
        lambda reference: reference[:3] + reference[4:],
        lambda reference: reference[:3] + "A" + reference[3:],
        lambda reference: reference[:3].lower() + reference[4] + reference[3] + reference[5:],
    ],
)
def test_an_order_whose_reference_was_mistyped_is_suggested(staff_browser, spoil):
    order = cases.new_order()
    Order.objects.filter(pk=order.pk).update(reference="ACDEFGHJ")
    receipt = cases.lost_receipt(reference=spoil("ACDEFGHJ"), amount=7, phone="")

    story = page(staff_browser, timeline_path(receipt))

    assert "one letter off" in story
    assert '?reference=ACDEFGHJ#give"' in story
    assert 'value="ACDEFGHJ"' in page(staff_browser, f"{timeline_path(receipt)}?reference=ACDEFGHJ")


@pytest.mark.parametrize(
    ("shown", "amount", "is_suggested"),
    [
        ("2547 ***** 678", 1500, True),
        ("254712345678", 1500, True),
        ("", 1500, True),
        ("2547 ***** 999", 1500, False),
        ("2547 ***** 678", 1499, False),
    ],
)
def test_an_order_of_the_same_amount_and_phone_is_suggested(
    staff_browser, shown, amount, is_suggested
):
    order = cases.new_order()
    receipt = cases.lost_receipt(amount=amount, phone=shown)

    story = page(staff_browser, timeline_path(receipt))

    assert (f"?reference={order.reference}#give" in story) == is_suggested


def fill(count):
    Receipt.objects.bulk_create(
        Receipt(number=f"TKZ{n:07d}", amount=5, source="c2b", note="No reference was typed.")
        for n in range(count)
    )


def test_a_long_section_is_cut_and_leads_to_its_list(staff_browser):
    fill(40)

    shown = page(staff_browser)

    assert shown.count('<td class="console-go">') == 25
    assert "and 15 more" in shown
    listed = reverse("admin:payments_receipt_changelist") + "?order__isempty=1"
    assert staff_browser.get(listed).context["cl"].result_count == 40
    assert listed in shown


@pytest.mark.parametrize("count", [1, 25])
def test_the_page_costs_the_same_for_one_row_or_many(
    staff_browser, django_assert_num_queries, count
):
    fill(count)

    # session, its row, user; one for each of 30 sections; strangers; troubles; the night
    with django_assert_num_queries(36):
        page(staff_browser)


def test_nothing_is_counted_beyond_a_thousand(staff_browser, django_assert_num_queries):
    fill(1010)

    # one more: how many there are beyond what is shown, up to 1000
    with django_assert_num_queries(37) as queries:
        shown = page(staff_browser)

    assert "1000 or more" in shown
    counts = [query["sql"] for query in queries if "COUNT(*)" in query["sql"]]
    assert counts
    assert all("LIMIT 1000" in sql for sql in counts)


@pytest.mark.parametrize("messages", [1, 30])
def test_a_story_costs_the_same_however_long_it_is(
    staff_browser, django_assert_num_queries, messages
):
    refund = cases.refused_refund()
    for _ in range(messages):
        cases.result(refund, code="2028")
    staff_browser.get(timeline_path(refund))

    # session, row, user, refund; is it refused (3, one a decision); its order with its buyer, the
    # steps of its lines, attempts, receipts, refunds, messages, postings, entries, decisions; the
    # order again, for its link; who is involved in it, and what is proposed about it (7)
    with django_assert_num_queries(24):
        page(staff_browser, timeline_path(refund))


def test_every_list_the_page_leads_to_opens(staff_browser):
    from payments.backoffice.queues import QUEUES as DECLARED
    from payments.templatetags.console import all_of

    for section in DECLARED:
        answer = staff_browser.get(all_of(section))
        assert (answer.status_code, "e=1" in answer.get("Location", "")) == (200, False), section
