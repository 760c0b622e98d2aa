"""A buyer reports what is wrong with a line: when, once, and to whom it is told."""

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from orders.fulfilment import auto_confirm_deliveries, move_line
from orders.models import OrderTrack, Problem, ProblemMessage
from orders.models.notifications import Notice
from orders.problems import services
from tests.factories import UserFactory
from tests.orders.lines import line_at, with_role
from tests.threads import at_once

from .conftest import get, post, report

pytestmark = pytest.mark.django_db

DAMAGED = {"kind": "damaged", "text": "The lid is cracked."}


def test_a_problem_is_reported_and_says_how_it_stands(buyer, line):
    answer = post(buyer, line, body=DAMAGED)

    told = answer.json()
    assert answer.status_code == 201
    assert {name: told[name] for name in told if name not in {"id", "opened_at"}} == {
        "kind": "damaged",
        "state": "open",
        "outcome": None,
        "ended_by": None,
        "refunded": 0,
        "messages": 1,
        "closed_at": None,
        "track": line.pk,
        "order": line.order.reference,
        "product": line.product_id,
        "name": "Kettle",
        "number": 1,
        "amount": 1500,
        "reduced": 0,
        "track_status": "delivered",
    }
    assert get(buyer, line).json() == told
    assert OrderTrack.objects.get().disputed


@pytest.mark.parametrize("status", ["paid", "fetched", "shipping", "delivered"])
def test_a_problem_can_be_reported_once_the_line_is_paid(buyer, kettle, status):
    line = line_at(status, buyer=buyer, product=kettle)

    assert post(buyer, line, body=DAMAGED).status_code == 201


@pytest.mark.parametrize("status", ["created", "cancelled", "refunded"])
def test_nothing_is_wrong_with_what_was_not_sold(buyer, kettle, status):
    line = line_at(status, buyer=buyer, product=kettle)

    answer = post(buyer, line, body=DAMAGED)

    assert (answer.status_code, answer.json()["code"]) == (409, "problem_not_possible")
    assert not Problem.objects.exists()


@pytest.mark.parametrize(("days", "status"), [(6.99, 201), (7.01, 409)])
def test_a_week_after_its_delivery_it_is_too_late(buyer, line, days, status):
    with time_machine.travel(timezone.now() + timedelta(days=days), tick=True):
        answer = post(buyer, line, body=DAMAGED)

    assert answer.status_code == status
    if status == 409:
        assert answer.json() == {
            "code": "problem_too_late",
            "detail": "You can report a problem up to 7 days after delivery.",
        }


@pytest.mark.parametrize("who", ["seller", "stranger", "agent", "support"])
def test_only_the_buyer_reports_a_problem(seller, line, who):
    people = {"seller": seller, "stranger": UserFactory()}
    person = people.get(who) or with_role({"agent": "delivery"}.get(who, who))

    answer = post(person, line, body=DAMAGED)

    assert (answer.status_code, answer.json()["code"]) == (404, "line_not_found")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "damaged"}, "text"),
        ({"kind": "damaged", "text": "  \n"}, "text"),
        ({"kind": "damaged", "text": "x" * 2001}, "text"),
        ({"kind": "damaged", "text": {"a": 1}}, "text"),
        ({"kind": "stolen", "text": "It is gone."}, "kind"),
        ({"text": "It is gone."}, "kind"),
        ({"kind": "damaged", "text": "It.", "pictures": ["not a picture"]}, "pictures"),
        ({"kind": "damaged", "text": "It.", "pictures": "x"}, "pictures"),
    ],
)
def test_unreadable_input_is_reported_on_its_field(buyer, line, body, field):
    answer = post(buyer, line, body=body, format="json")

    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert not Problem.objects.exists()


@pytest.mark.parametrize("track_id", ["0", "999999999999999999"])
def test_no_such_line_is_a_404(buyer, track_id):
    line = OrderTrack(pk=int(track_id))

    assert post(buyer, line, body=DAMAGED).status_code == 404
    assert get(buyer, line).status_code == 404


def test_a_double_click_is_one_problem(buyer, line):
    first, second = post(buyer, line, body=DAMAGED), post(buyer, line, body=DAMAGED)

    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["id"] == first.json()["id"]
    assert ProblemMessage.objects.count() == 1


def test_other_words_about_it_belong_into_the_thread(buyer, problem, line):
    answer = post(buyer, line, body={**DAMAGED, "text": "And it leaks."})

    assert (answer.status_code, answer.json()["code"]) == (409, "problem_open")


def test_a_key_makes_it_safe_to_repeat_after_hours(buyer, line):
    key = {"headers": {"Idempotency-Key": "k-1"}}
    first = post(buyer, line, body=DAMAGED, **key)
    with time_machine.travel(timezone.now() + timedelta(hours=3), tick=True):
        second = post(buyer, line, body=DAMAGED, **key)
        reused = post(buyer, line, body={**DAMAGED, "text": "Another."}, **key)

    assert (second.status_code, second.json()["id"]) == (200, first.json()["id"])
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_tabs_report_the_same_at_once_and_it_is_one_problem(buyer, line):
    answers = at_once(*[lambda: report(line, buyer) for _ in range(2)])

    assert {answer.pk for answer in answers} == {Problem.objects.get().pk}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_tabs_report_different_things_at_once_and_one_is_told_of_the_other(buyer, line):
    answers = at_once(
        lambda: report(line, buyer), lambda: report(line, buyer, text="It is the wrong colour.")
    )

    assert sorted(type(answer).__name__ for answer in answers) == ["Problem", "ProblemOpen"]


def test_the_database_keeps_one_undecided_problem_a_line(problem, line):
    with pytest.raises(IntegrityError), transaction.atomic():
        Problem.objects.create(track=line, seller=line.seller, kind="damaged")


def test_another_problem_is_reported_after_one_was_withdrawn(buyer, problem, line):
    post(buyer, line, "withdraw/")

    answer = post(buyer, line, body={**DAMAGED, "text": "It is worse than I thought."})

    assert answer.status_code == 201
    assert answer.json()["id"] != problem.pk
    assert OrderTrack.objects.get().disputed


def test_nobody_reports_more_than_so_many_in_a_day(buyer, line, monkeypatch):
    monkeypatch.setattr(services, "PROBLEMS_A_DAY", 1)
    report(line, buyer)
    post(buyer, line, "withdraw/")

    answer = post(buyer, line, body={**DAMAGED, "text": "Again."})

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_problems")


def test_the_seller_is_told(problem, line):
    notice = Notice.objects.get(kind="problem")

    assert notice.facts == {"to": "seller", "about": "damaged"}
    assert (notice.track_id, notice.key) == (line.pk, f"problem:{problem.pk}")


def test_goods_with_a_problem_do_not_count_as_delivered_by_silence(buyer, kettle):
    line = line_at("shipping", buyer=buyer, product=kettle)
    report(line, buyer, kind="not_received", text="Nothing came.")

    with time_machine.travel(timezone.now() + timedelta(days=8), tick=True):
        assert auto_confirm_deliveries(timezone.now()) == 0

    assert OrderTrack.objects.get().track_status == "shipping"


@pytest.mark.parametrize("who", ["buyer", "seller", "staff"])
def test_a_line_that_is_cancelled_otherwise_ends_its_problem(buyer, seller, kettle, who):
    line = line_at("paid", buyer=buyer, product=kettle)
    problem = report(line, buyer)
    by = {"buyer": buyer, "seller": seller}.get(who) or UserFactory(is_superuser=True)

    move_line(line.pk, "cancelled", actor=by, note="It is gone.")

    problem.refresh_from_db()
    assert (problem.state, problem.outcome, problem.refunded) == ("closed", "cancelled", 1500)
    assert not OrderTrack.objects.get().disputed


def test_the_buyer_and_the_seller_see_it_with_the_line_and_an_agent_does_not(buyer, seller, line):
    address = f"/track/order/{line.pk}/"
    from tests.conftest import signed_in

    before = signed_in(buyer).get(address).json()
    problem = report(line, buyer)

    shown = {
        "id": problem.pk,
        "kind": "damaged",
        "state": "open",
        "outcome": None,
        "ended_by": None,
        "refunded": 0,
        "messages": 1,
        "closed_at": None,
    }
    assert before["problem"] is None
    for person in (buyer, seller):
        told = signed_in(person).get(address).json()["problem"]
        assert {name: told[name] for name in shown} == shown
    assert signed_in(with_role("delivery")).get(address).json()["problem"] is None


def test_lines_of_a_list_are_as_they_were(buyer_api, problem):
    [row] = buyer_api.get("/track/order/").json()

    assert "problem" not in row
