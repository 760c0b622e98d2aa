"""How problems end: by the shop, by the seller, by the buyer; once, and with what follows."""

import pytest
from django.db import IntegrityError, transaction

from accounts.backoffice.actions import perform
from accounts.backoffice.approval_limits import SecondPersonNeeded
from accounts.backoffice.conflicts import ConflictOfInterest
from accounts.backoffice.proposals import agree
from accounts.models import Audit, Proposal
from omachemainproj.api.errors import FieldRefusal
from orders.models import Order, OrderTrack, PriceReduction, Problem, commission_of_reduction
from orders.models.notifications import Notice
from orders.problems.decisions import Decider, refund_part, refund_whole
from orders.problems.services import ProblemClosed
from payments import clock
from payments.ledger import balance
from payments.models import Account, Payout, Refund, SellerShare
from payments.transfers import mark_done
from tests.factories import ProductFactory, UserFactory
from tests.orders.lines import line_at, steps
from tests.payments.paying_out import post_result, sent, tick
from tests.shopping import an_order, stock_of
from tests.threads import at_once

from .conftest import WHY, again, decide, get, line_of, post, report, support

pytestmark = pytest.mark.django_db


def told_of_the_end():
    notices = Notice.objects.filter(kind="problem_ended").order_by("pk")
    return [(each.facts["to"], each.facts["about"], each.facts["amount"]) for each in notices]


def refunds(*fields):
    return list(Refund.objects.order_by("pk").values_list(*fields, flat=len(fields) == 1))


def stands(problem):
    problem.refresh_from_db()
    return problem.state, problem.outcome, problem.ended_by, problem.refunded


def test_the_shop_refunds_it_whole(problem, line, kettle, clerk):
    before = stock_of(kettle)

    decide(problem, "refund", clerk)

    assert stands(problem) == ("closed", "refunded", "shop", 1500)
    assert steps(line)[-1] == "cancelled"
    assert (again(line).returned, again(line).disputed) == (True, False)
    assert refunds("amount", "cause", "track") == [(1500, "returned", line.pk)]
    assert stock_of(kettle) == before
    assert told_of_the_end() == [("buyer", "refunded", 1500), ("seller", "refunded", 1500)]


def test_the_seller_agrees_to_all_of_it_at_once(problem, seller, line):
    answer = post(seller, line, "accept/")

    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in ("state", "outcome", "ended_by", "refunded")} == {
        "state": "closed",
        "outcome": "refunded",
        "ended_by": "seller",
        "refunded": 1500,
    }
    assert refunds("amount") == [1500]
    assert told_of_the_end() == [("buyer", "refunded", 1500)]
    assert balance(Account.SELLERS_PAYABLE) == 0


def test_before_it_was_fetched_it_is_refunded_too(buyer, seller, kettle):
    line = line_at("paid", buyer=buyer, product=kettle)
    report(line, buyer, kind="not_received", text="Nothing came.")

    post(seller, line, "accept/")

    assert refunds("amount", "way") == [(1500, "reversal")]
    assert again(line.order).payment_status == "refund_due"


def test_the_other_lines_of_the_order_go_on(buyer, seller):
    goods = [ProductFactory(seller=seller, price=price) for price in (900, 700)]
    order = an_order(buyer, *((each, 1) for each in goods))
    pay(order)
    first, second = order.tracks.order_by("pk")
    problem = report(first, buyer)

    decide(problem, "refund", support())

    assert again(second).track_status == "paid"
    assert again(order).payment_status == "paid"
    assert refunds("amount", "cause") == [(900, "returned")]


def pay(order):
    from payments.reconciliation.outcomes import AttemptOutcome, record_outcome

    told = AttemptOutcome(True, "0", "", "callback", order.amount, "SGQ9000001")
    record_outcome(order.payments.get().pk, told)


def test_a_part_goes_back_and_the_buyer_keeps_the_goods(problem, line, clerk):
    decide(problem, "part", clerk, amount=300)

    assert stands(problem) == ("closed", "reduced", "shop", 300)
    assert (again(line).track_status, again(line).reduced, again(line).net_amount) == (
        "delivered", 300, 1200
    )  # fmt: skip
    assert refunds("amount", "cause", "track", "way") == [(300, "reduced", line.pk, "b2c")]
    assert balance(Account.SELLERS_PAYABLE) == 1200
    assert told_of_the_end() == [("buyer", "reduced", 300), ("seller", "reduced", 300)]


def test_the_seller_names_a_part_and_says_why(problem, seller, line, buyer):
    answer = post(seller, line, "accept/", {"amount": 300, "note": "For the lid."})

    assert answer.status_code == 200
    assert stands(problem) == ("closed", "reduced", "seller", 300)
    last = get(buyer, line, "messages/").json()[-1]
    assert (last["by"], last["text"], last["decided"]) == ("seller", "For the lid.", "reduced")


@pytest.mark.parametrize("amount", [1501, 999_999_999_999, 10**15])
def test_no_more_goes_back_than_is_left(problem, seller, line, amount):
    answer = post(seller, line, "accept/", {"amount": amount})

    assert answer.status_code == 400
    assert answer.json() == {
        "amount": ["Enter an amount between KES 1 and KES 1,500 (what is left of the price)."]
    }
    assert not Refund.objects.exists()


@pytest.mark.parametrize("amount", [0, -5, 1.5, "three", "-300", True, None, [300]])
def test_invalid_amounts_are_refused(problem, seller, line, amount):
    answer = post(seller, line, "accept/", {"amount": amount}, format="json")

    assert (answer.status_code, list(answer.json())) == (400, ["amount"])


def test_all_that_is_left_is_a_refund_of_the_whole(problem, line, clerk):
    decide(problem, "part", clerk, amount=1500)

    assert stands(problem) == ("closed", "refunded", "shop", 1500)
    assert again(line).track_status == "cancelled"
    assert not PriceReduction.objects.exists()


def test_parts_add_up_to_no_more_than_the_price(buyer, seller, line, problem):
    post(seller, line, "accept/", {"amount": 1000})
    report(line, buyer, text="And it leaks.")

    answer = post(seller, line, "accept/", {"amount": 501})

    assert answer.json() == {
        "amount": ["Enter an amount between KES 1 and KES 500 (what is left of the price)."]
    }
    post(seller, line, "accept/", {"amount": 499})
    assert (again(line).net_amount, balance(Account.SELLERS_PAYABLE)) == (1, 1)
    assert refunds("amount") == [1000, 499]


def test_a_reduced_line_that_is_cancelled_later_gives_back_the_rest_alone(
    buyer, seller, line, problem, clerk
):
    post(seller, line, "accept/", {"amount": 400})
    second = report(line, buyer, text="Now it is dead.")

    decide(second, "refund", clerk)

    assert stands(second) == ("closed", "refunded", "shop", 1100)
    assert refunds("amount", "cause") == [(400, "reduced"), (1100, "returned")]
    assert balance(Account.SELLERS_PAYABLE) == balance(Account.BUYERS_HELD) == 0
    assert again(line.order).payment_status == "refund_due"


def test_a_line_is_refunded_once_both_parts_are_refunded(buyer, seller, line, problem, clerk):
    post(seller, line, "accept/", {"amount": 400})
    first = Refund.objects.get()
    decide(report(line, buyer, text="Now it is dead."), "refund", clerk)
    second = Refund.objects.latest("pk")

    mark_done(second, number="TKX0000002")
    assert again(line).track_status == "cancelled"
    mark_done(first, number="TKX0000001")

    assert again(line).track_status == "refunded"
    assert again(line.order).payment_status == "refunded"


def test_before_it_is_fetched_the_seller_earns_the_rest(buyer, seller, daraja, settings):
    settings.COMMISSION_PERCENT = 10
    line = line_at("paid", buyer=buyer, product=ProductFactory(seller=seller, price=1000))
    problem = report(line, buyer, text="You sent word that one part is missing.")
    decide(problem, "part", support(), amount=205)
    from tests.orders.lines import move

    move(UserFactory(is_superuser=True), line, "fetched")
    tick()

    share = SellerShare.objects.get()
    assert (share.sold_for, share.amount, share.due, share.net_commission) == (1000, 900, 716, 79)
    assert sent(daraja) == [("254722000000", 716)]
    assert balance(Account.COMMISSION) == 79


@pytest.mark.parametrize(
    ("commission", "amount", "parts", "given"),
    [
        (100, 1000, [300], [30]),
        (100, 1000, [1], [1]),
        (99, 1000, [1, 1, 1], [1, 0, 0]),
        (33, 1000, [500, 499], [17, 16]),
        (0, 1000, [300], [0]),
        (1000, 1000, [300], [300]),
    ],
)
def test_the_commission_falls_with_the_price_rounded_for_the_seller(
    commission, amount, parts, given
):
    line, found = OrderTrack(commission=commission, amount=amount), []
    for part in parts:
        found.append(commission_of_reduction(line, part))
        line.reduced += part

    assert found == given
    assert commission - sum(found) == commission * line.net_amount // amount


def test_a_refund_after_the_payout_is_the_sellers_debt(buyer, seller, line, problem, clerk, daraja):
    decide(problem, "close", clerk)
    tick()
    post_result(Payout.objects.get())
    second = report(line, buyer, text="The lid came off.")

    decide(second, "part", clerk, amount=300)

    assert balance(Account.SELLERS_PAYABLE) == -300
    line_at("fetched", buyer=buyer, product=ProductFactory(seller=seller, price=1000))
    tick()
    assert sent(daraja)[-1] == ("254722000000", 700)


def test_the_sellers_statement_shows_the_reduction(problem, seller, seller_api, line, settings):
    post(seller, line, "accept/", {"amount": 300})

    rows = seller_api.get("/seller/statement/").json()

    assert [(row["kind"], row["amount"], row["balance"]) for row in rows] == [
        ("price_reduction", -300, 1200),
        ("sale", 1500, 1500),
    ]
    assert rows[0]["product"] == "Kettle"


def test_the_buyer_is_told_why_it_came_back(problem, seller, line):
    post(seller, line, "accept/", {"amount": 300})

    mark_done(Refund.objects.get(), number="TKX0000001")

    notice = Notice.objects.get(kind="refunded")
    assert notice.facts["why"]["sw"] == "Bei imepunguzwa baada ya tatizo lako na bidhaa."


def test_less_than_ten_shillings_are_a_persons(problem, seller, line):
    post(seller, line, "accept/", {"amount": 9})

    assert refunds("amount", "way", "status") == [(9, "portal", "refused")]


def test_a_reduction_is_never_changed_or_deleted(problem, seller, line):
    post(seller, line, "accept/", {"amount": 300})
    reductions = PriceReduction.objects.all()

    for change in (lambda: reductions.update(amount=1), reductions.delete):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_a_line_is_reduced_through_its_problem_alone(line):
    with pytest.raises(TypeError, match=r"orders\.problems"):
        OrderTrack.objects.filter(pk=line.pk).update(reduced=100)


@pytest.mark.parametrize(("there", "more"), [("yes", 1), ("no", 0)])
def test_the_goods_come_back_and_then_the_money_does(problem, line, kettle, clerk, there, more):
    on_shelf, held = stock_of(kettle)
    decide(problem, "back", clerk)
    assert stands(problem) == ("returning", "", "", 0)
    assert not Refund.objects.exists()

    decide(problem, "returned", clerk, goods_there=there == "yes")

    assert stands(problem) == ("closed", "returned", "shop", 1500)
    assert refunds("amount") == [1500]
    assert stock_of(kettle) == (on_shelf + more, held)


def test_the_seller_asks_for_them_and_says_that_they_are_there(problem, seller, line):
    first = post(seller, line, "accept/", {"bring_back": True})
    second = post(seller, line, "returned/", {"goods_there": True})

    assert (first.json()["state"], second.json()["outcome"]) == ("returning", "returned")
    assert refunds("amount") == [1500]


def test_goods_are_not_said_to_be_back_that_nobody_asked_for(problem, seller, line):
    answer = post(seller, line, "returned/", {"goods_there": True})

    assert (answer.status_code, answer.json()["code"]) == (409, "problem_not_returning")


def test_goods_that_never_left_are_not_brought_back(buyer, seller, kettle):
    line = line_at("paid", buyer=buyer, product=kettle)
    report(line, buyer)

    answer = post(seller, line, "accept/", {"bring_back": True})

    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_bring_back")


def test_goods_are_requested_back_once(problem, seller, line):
    post(seller, line, "accept/", {"bring_back": True})

    answer = post(seller, line, "accept/", {"bring_back": True})

    assert (answer.status_code, answer.json()["code"]) == (409, "problem_returning")


def test_goods_that_come_back_are_not_refunded_in_part(problem, seller, line):
    answer = post(seller, line, "accept/", {"bring_back": True, "amount": 5})

    assert (answer.status_code, list(answer.json())) == (400, ["amount"])


def test_while_they_come_back_it_can_be_settled_otherwise(problem, seller, line, clerk):
    decide(problem, "back", clerk)

    post(seller, line, "accept/", {"amount": 300})

    assert stands(problem) == ("closed", "reduced", "seller", 300)


def test_the_shop_closes_it_and_both_read_why(problem, buyer, line, clerk):
    decide(problem, "close", clerk)

    assert stands(problem) == ("closed", "dismissed", "shop", 0)
    last = get(buyer, line, "messages/").json()[-1]
    assert (last["by"], last["text"], last["decided"]) == ("shop", WHY, "dismissed")
    assert not again(line).disputed


def test_the_buyer_withdraws_it_and_the_seller_is_told(problem, buyer, line):
    answer = post(buyer, line, "withdraw/")

    assert answer.status_code == 200
    assert stands(problem) == ("closed", "withdrawn", "buyer", 0)
    assert told_of_the_end() == [("seller", "withdrawn", 0)]


@pytest.mark.parametrize("what", ["accept/", "returned/", "withdraw/"])
def test_users_who_are_not_involved_decide_nothing(problem, line, what):
    for person in (UserFactory(), support(), UserFactory(is_superuser=True)):
        assert post(person, line, what, {"goods_there": True}).status_code == 404
    assert stands(problem) == ("open", "", "", 0)


def test_the_buyer_does_not_agree_and_the_seller_does_not_withdraw(problem, buyer, seller, line):
    answers = [
        post(buyer, line, "accept/"),
        post(buyer, line, "returned/", {"goods_there": True}),
        post(seller, line, "withdraw/"),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert stands(problem) == ("open", "", "", 0)


PRESSES = {
    "accept/": {},
    "returned/": {"goods_there": True},
    "withdraw/": {},
}


@pytest.mark.parametrize("what", PRESSES)
def test_a_closed_problem_is_not_decided_again(problem, buyer, seller, line, what):
    post(seller, line, "accept/", {"amount": 300})
    person = buyer if what == "withdraw/" else seller

    answer = post(person, line, what, PRESSES[what])

    assert (answer.status_code, answer.json()["code"]) == (409, "problem_closed")
    assert refunds("amount") == [300]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_double_click_refunds_a_part_once(problem, seller):
    by = Decider(seller, "seller", "For the lid.")

    outcomes = at_once(*[lambda: refund_part(problem.pk, by, amount=300) for _ in range(3)])

    kinds = sorted(type(each).__name__ for each in outcomes)
    assert kinds == ["Problem", "ProblemClosed", "ProblemClosed"]
    assert (refunds("amount"), again(line_of(problem)).reduced) == ([300], 300)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_seller_and_shop_decide_at_once_and_one_is_told_that_it_is_closed(problem, seller, clerk):
    outcomes = at_once(
        lambda: refund_whole(problem.pk, Decider(seller, "seller")),
        lambda: decide(problem, "part", clerk, amount=300),
    )

    assert sorted(isinstance(each, ProblemClosed) for each in outcomes) == [False, True]
    assert sum(refunds("amount")) in {1500, 300}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_staff_cancel_the_line_while_its_seller_agrees_to_a_part(problem, seller, line):
    from orders.fulfilment import move_line

    boss = UserFactory(is_superuser=True)
    outcomes = at_once(
        lambda: move_line(line.pk, "cancelled", actor=boss, note="It broke."),
        lambda: refund_part(problem.pk, Decider(seller, "seller"), amount=300),
    )

    # Whichever was first: all of it goes back, and no shilling of it twice.
    assert sum(refunds("amount")) == 1500
    assert again(line).returned
    assert all(
        not isinstance(each, Exception) or isinstance(each, ProblemClosed) for each in outcomes
    )


def test_a_decision_of_the_shops_is_on_record(problem, clerk):
    decide(problem, "part", clerk, amount=300)

    kept = Audit.objects.get(actor=clerk)
    assert (kept.did, kept.why) == ("Refund a part (300)", WHY)
    assert kept.changes["outcome"] == ["", "reduced"]


@pytest.mark.parametrize(
    ("key", "given", "cost"),
    [
        ("refund", {}, 49_000),
        ("part", {"amount": 30_000}, 30_000),
        ("returned", {"goods_there": False}, 49_000),
    ],
)
def test_much_money_takes_a_second_person(buyer, sell, clerk, key, given, cost):
    line = sell(49_000, "delivered")
    problem = report(line, buyer)
    if key == "returned":
        decide(problem, "back", clerk)

    with pytest.raises(SecondPersonNeeded):
        decide(problem, key, clerk, **given)

    proposal = Proposal.objects.get()
    assert (proposal.cost, again(problem).is_undecided) == (cost, True)
    assert not Refund.objects.exists()
    perform(agree.staff_action, proposal, {"why": "Yes"}, by=support())
    assert refunds("amount") == [cost]
    assert not again(problem).is_undecided


def test_agreeing_does_nothing_after_another_decision(buyer, seller, sell, clerk):
    line = sell(49_000, "delivered")
    problem = report(line, buyer)
    with pytest.raises(SecondPersonNeeded):
        decide(problem, "refund", clerk)
    post(seller, line, "accept/", {"amount": 100})

    with pytest.raises(ProblemClosed):
        perform(agree.staff_action, Proposal.objects.get(), {"why": "Yes"}, by=support())

    assert refunds("amount") == [100]


@pytest.mark.parametrize("who", ["buyer", "seller"])
@pytest.mark.parametrize("key", ["answer", "refund", "part", "back", "close"])
def test_nobody_of_the_staff_decides_about_their_own(problem, buyer, seller, who, key):
    person = {"buyer": buyer, "seller": seller}[who]
    person.is_staff = person.is_superuser = True
    person.save()

    with pytest.raises(ConflictOfInterest):
        decide(problem, key, person, amount=1, text="Hello.")

    assert stands(problem) == ("open", "", "", 0)


def test_a_decision_needs_a_sound_amount_on_the_console_too(problem, clerk):
    with pytest.raises(FieldRefusal):
        decide(problem, "part", clerk, amount=1501)

    assert stands(problem) == ("open", "", "", 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "closed"},
        {"state": "lost"},
        {"kind": "stolen"},
        {"refunded": 5},
        {"outcome": "dismissed"},
        {"state": "closed", "outcome": "refunded", "ended_by": "shop", "refunded": 1},
        {"ended_by": "buyer"},
    ],
)
def test_a_problem_stands_in_one_way_alone(problem, changes):
    with pytest.raises(IntegrityError), transaction.atomic():
        Problem.objects.filter(pk=problem.pk).update(**changes)


def test_nothing_of_an_order_whose_payment_is_in_doubt_leaves_by_a_problem(
    problem, seller, line, daraja
):
    Order.objects.update(in_doubt=True)
    line.order.receipts.update(verification="doubted")

    post(seller, line, "accept/", {"amount": 300})
    clock.run_periodic()

    assert (refunds("amount", "status"), daraja.payouts) == ([(300, "due")], [])
    line.order.receipts.update(verification="confirmed")
    Order.objects.update(in_doubt=False)
