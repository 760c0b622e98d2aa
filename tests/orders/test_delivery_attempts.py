"""Parcels that were brought to a door and not handed over."""

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Audit
from orders.models import ParcelEvent
from orders.models.notifications import Notice
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory, give_role

from .parcels import (
    a_parcel,
    a_point,
    an_agent,
    attempt,
    bring,
    claim,
    code_of,
    lines,
    rows,
    said,
    statuses,
    steps_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def parcel(buyer, seller, agent):
    """Two lines on their way to a door."""
    parcel = a_parcel(buyer, *[ProductFactory(seller=seller) for _ in "ab"])
    bring(agent, parcel, "fetched")
    bring(agent, parcel, "shipping")
    return parcel


def test_the_agent_reports_that_nobody_was_there(agent, parcel):
    answer = attempt(agent, parcel, note="I called twice.")

    assert (answer.status_code, answer.json()["status"]) == (200, "shipping")
    event = ParcelEvent.objects.attempts().get()
    assert (event.agent, event.actor) == (agent, agent)
    assert (event.reason, event.note) == ("nobody_there", "I called twice.")
    assert statuses(parcel) == ["shipping", "shipping"]
    assert (
        Audit.objects.get(actor=agent, did="Record a failed attempt (nobody_there)").why
        == "I called twice."
    )


def test_the_buyer_reads_it_in_the_story(agent, parcel, buyer):
    attempt(agent, parcel, note="I called twice.")
    bring(agent, parcel, "delivered", code=code_of(parcel))

    story = signed_in(buyer).get(f"/track/order/{lines(parcel)[0].pk}/").json()["history"]

    assert [(step["track_status"], step["by"], step["note"]) for step in story[-3:]] == [
        ("shipping", "shop", ""),
        ("shipping", "shop", "Nobody was there. I called twice."),
        ("delivered", "shop", "Collection code."),
    ]


def test_the_buyer_reads_it_in_swahili(agent, parcel, buyer):
    attempt(agent, parcel, "no_code", note="He lost his phone.")

    story = signed_in(buyer).get(
        f"/track/order/{lines(parcel)[0].pk}/", headers={"Accept-Language": "sw"}
    )

    assert (
        story.json()["history"][-1]["note"]
        == "Mnunuzi hakuwa na nambari ya siri. He lost his phone."
    )


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("nobody_there", "nobody was there"),
        ("not_found", "we did not find the place"),
        ("another_time", "you asked for another time"),
        ("no_code", "you had no code"),
    ],
)
def test_the_buyer_is_told_why(
    agent, parcel, buyer, reason, why, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        attempt(agent, parcel, reason)

    [told] = [
        each for each in signed_in(buyer).get("/notices/").json() if each["kind"] == "attempted"
    ]
    assert f"but could not deliver them: {why}. We will call" in told["text"]


def test_saying_it_again_within_the_hour_changes_nothing(agent, parcel):
    first, again = attempt(agent, parcel), attempt(agent, parcel, "not_found")

    assert (first.status_code, again.status_code) == (200, 200)
    assert steps_of(parcel) == ["claimed", "attempted"]
    assert Notice.objects.filter(kind="attempted").count() == 2


def test_the_next_way_is_told_of_too(agent, parcel):
    attempt(agent, parcel)
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        attempt(agent, parcel, "another_time")

    assert steps_of(parcel) == ["claimed", "attempted", "attempted"]
    assert Notice.objects.filter(kind="attempted").count() == 4


def test_the_code_goes_on_working(agent, parcel):
    attempt(agent, parcel)

    assert bring(agent, parcel, "delivered", code=code_of(parcel)).status_code == 200
    assert statuses(parcel) == ["delivered", "delivered"]


@pytest.mark.parametrize("to", [[], ["fetched"], ["fetched", "shipping", "delivered"]])
def test_only_what_is_on_its_way_can_be_brought_in_vain(agent, buyer, to):
    parcel = a_parcel(buyer)
    claim(agent, parcel)
    for step in to:
        bring(agent, parcel, step, **({"code": code_of(parcel)} if step == "delivered" else {}))

    assert said(attempt(agent, parcel)) == (409, "move_not_allowed")
    assert not ParcelEvent.objects.attempts().exists()


def test_a_pick_up_point_is_no_door(agent, buyer):
    parcel = a_parcel(buyer, point=a_point())
    bring(agent, parcel, "fetched")
    bring(agent, parcel, "shipping")

    assert said(attempt(agent, parcel)) == (409, "move_not_allowed")


def test_another_agent_cannot_report_an_attempt(parcel):
    assert said(attempt(an_agent(), parcel)) == (409, "parcel_claimed")


def test_of_what_nobody_brings_only_staff_say_it(agent, parcel):
    support = give_role(UserFactory(), "support")
    signed_in(support).post(
        f"/deliveries/{parcel.pk}/release/", {"note": "His bike broke down."}, format="json"
    )

    assert said(attempt(agent, parcel)) == (409, "move_not_allowed")
    assert attempt(support, parcel, note="He rang us.").status_code == 200
    assert ParcelEvent.objects.attempts().get().agent is None


def test_buyer_and_seller_do_not_find_the_parcel(parcel, buyer, seller):
    assert said(attempt(buyer, parcel)) == (404, "parcel_not_found")
    assert said(attempt(seller, parcel)) == (404, "parcel_not_found")


def test_an_agent_says_nothing_of_their_own_goods(parcel, seller):
    assert said(attempt(give_role(seller, "support"), parcel)) == (403, "own_interest")


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "reason"), ({"reason": "rain"}, "reason")],
)
def test_a_reason_there_is_not_is_refused(agent, parcel, body, field):
    answer = signed_in(agent).post(f"/deliveries/{parcel.pk}/attempt/", body, format="json")

    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_a_failed_attempt_is_offered_where_it_can_be_recorded(agent, parcel, buyer):
    support = give_role(UserFactory(), "support")
    waiting = a_parcel(buyer)
    claim(agent, waiting)

    assert "attempt" in rows(agent)[parcel.pk]["actions"]
    assert "attempt" in rows(support)[parcel.pk]["actions"]
    assert "attempt" not in rows(agent)[waiting.pk]["actions"]


def test_an_attempt_says_why_or_is_none(agent, parcel):
    for step, reason in [("attempted", ""), ("claimed", "no_code")]:
        with pytest.raises(IntegrityError, match="parcel_attempt_says_why"), transaction.atomic():
            ParcelEvent.objects.create(parcel=parcel, step=step, agent=agent, reason=reason)
