"""The parcels page of the delivery role, and what support sees on the order."""

import re

import pytest
from django.test import Client

from accounts.backoffice.actions import perform
from accounts.models import Audit
from orders.parcels.actions import ACTIONS
from tests.factories import ProductFactory, UserFactory
from tests.guards import balanced_books  # noqa: F401
from tests.orders.parcels import (
    a_parcel,
    a_place,
    a_point,
    an_agent,
    bring,
    claim,
    code_of,
    lines,
    statuses,
)
from tests.orders.parcels import release as release_it
from tests.threads import at_once

from .browsers import browser_of, in_role, row_url

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.on_postgres,
    pytest.mark.usefixtures("balanced_books"),
]

PAGE = "/admin/deliveries/"


@pytest.fixture
def agent(db):
    return in_role("delivery")


@pytest.fixture
def browser(agent):
    return browser_of(agent)


@pytest.fixture
def parcel(buyer, seller, kettle):
    a_place(seller)
    return a_parcel(buyer, kettle)


def act(browser, parcel, key, **given):
    return browser.post(f"{PAGE}{parcel.pk}/{key}/", given, follow=True)


def told(answer):
    return [str(message) for message in answer.context["messages"]]


def cards(browser, **query):
    """The references a page shows, and their buttons."""
    page = browser.get(PAGE, query)
    assert page.status_code == 200
    return {
        card["parcel"].order.reference: [key for key, *_ in card["forms"]]
        for card in page.context["cards"]
    }


def test_a_free_parcel_is_shown_with_phones_to_tap_and_what_may_be_done(browser, parcel):
    page = browser.get(PAGE).content.decode()

    assert cards(browser) == {parcel.order.reference: ["claim", "fetched"]}
    assert 'href="tel:+254722000555"' in page
    assert 'href="tel:+254733000777"' in page
    assert "Garissa Lodge, shop 14" in page
    assert "1 × Kettle" in page


def test_the_parcels_page_obeys_the_content_security_policy(browser, parcel):
    page = browser.get(PAGE)
    own = re.search(r'<div id="content-main".*', page.content.decode(), re.DOTALL)[0]

    assert "unsafe-inline" not in page["Content-Security-Policy"]
    assert not re.search(r"<script|<style|style=|\son\w+=|javascript:", own.split("</article>")[0])


def test_the_whole_way_by_its_buttons(browser, agent, parcel):
    went = [act(browser, parcel, "claim", part="fetch")]
    assert cards(browser) == {parcel.order.reference: ["fetched", "release"]}
    went.append(act(browser, parcel, "fetched"))
    assert cards(browser) == {}
    assert cards(browser, part="bring") == {parcel.order.reference: ["shipping", "delivered"]}
    went.append(act(browser, parcel, "shipping", part="bring"))
    code = code_of(parcel)
    went.append(act(browser, parcel, "delivered", code=f"{code[:3]} {code[3:]}"))

    assert [told(answer) for answer in went] == [
        [f"{parcel.order}: {label}."]
        for label in (
            "It is yours to fetch",
            "Fetched from the seller",
            "On the way",
            "Handed to the buyer",
        )
    ]
    assert statuses(parcel) == ["delivered"]
    assert cards(browser, part="done") == {parcel.order.reference: []}
    assert Audit.objects.filter(actor=agent).count() == 4
    assert code not in str(list(Audit.objects.values()))


@pytest.mark.parametrize("is_claimed", [True, False])
def test_the_page_can_be_of_ones_own_or_of_free_parcels(browser, agent, parcel, is_claimed):
    if is_claimed:
        claim(agent, parcel)

    assert {whose: bool(cards(browser, mine=whose)) for whose in ("", "mine", "free")} == {
        "": True,
        "mine": is_claimed,
        "free": not is_claimed,
    }


def test_a_button_leads_back_to_where_it_was(browser, parcel):
    answer = browser.post(
        f"{PAGE}{parcel.pk}/claim/", {"part": "fetch", "county": "kisumu", "mine": "free"}
    )

    assert answer["Location"] == f"{PAGE}?part=fetch&county=kisumu&mine=free"


def test_nothing_that_is_posted_leads_elsewhere(browser, parcel):
    answer = browser.post(f"{PAGE}{parcel.pk}/claim/", {"part": "//evil.example", "county": "x"})

    assert answer["Location"] == f"{PAGE}?"


def did(agent):
    return list(Audit.objects.filter(actor=agent).order_by("pk").values_list("did", flat=True))


def test_a_press_repeated_on_a_slow_line_does_nothing_twice_and_says_so(browser, agent, parcel):
    def pressed_twice(key, **given):
        act(browser, parcel, key, **given)
        return told(act(browser, parcel, key, **given))[-1].removeprefix(f"{parcel.order}: ")

    code = code_of(parcel)
    said = [
        pressed_twice("claim"),
        pressed_twice("release", why="Too far"),
        pressed_twice("claim"),
        pressed_twice("fetched"),
        pressed_twice("shipping"),
        pressed_twice("attempt", reason="nobody_there"),
        pressed_twice("delivered", code=code),
    ]

    twice = "this was recorded already. Nothing was done twice."
    assert said == [
        "It is yours already.",
        "It is free already.",
        "It is yours already.",
        f"Fetched from the seller: {twice}",
        f"On the way: {twice}",
        "A failed attempt was recorded within the last hour. Nothing was added.",
        f"Handed to the buyer: {twice}",
    ]
    assert [each.split(" (")[0] for each in did(agent)] == [
        "Claim",
        "Release",
        "Claim",
        "Fetched from the seller",
        "On the way",
        "Record a failed attempt",
        "Handed to the buyer",
    ]
    assert [event.step for event in parcel.events.order_by("pk")] == [
        "claimed",
        "released",
        "claimed",
        "attempted",
    ]


def test_arriving_twice_at_the_point_is_recorded_once(buyer, kettle, agent, browser):
    parcel = a_parcel(buyer, kettle, point=a_point(agent))
    bring(agent, parcel, "fetched")
    before = len(did(agent))

    act(browser, parcel, "arrived")
    again = told(act(browser, parcel, "arrived"))

    assert "this was recorded already" in again[-1]
    assert len(did(agent)) == before + 1


def test_what_was_done_is_said_on_the_next_page_if_the_answer_was_lost(browser, parcel):
    cookies = browser.cookies.output()
    browser.post(f"{PAGE}{parcel.pk}/claim/")
    # None of the answer arrived, not even its cookies.
    browser.cookies.clear()
    browser.cookies.load(cookies.replace("Set-Cookie: ", ""))

    page = browser.get(PAGE)

    assert told(page) == [f"{parcel.order}: It is yours to fetch."]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", ["claim", "fetched"])
def test_two_presses_at_once_do_it_once(agent, parcel, key):
    at_once(*[lambda: perform(ACTIONS[key], parcel, {"why": ""}, by=agent) for _ in range(2)])

    assert len(did(agent)) == 1


def test_a_wrong_code_is_said_and_counted(browser, agent, parcel):
    bring(agent, parcel, "fetched")
    wrong = "000000" if code_of(parcel) != "000000" else "111111"

    answer = act(browser, parcel, "delivered", code=wrong)

    assert told(answer) == [
        f"{parcel.order}: This is not the buyer's code. Check it and try again. 4 tries are left."
    ]
    parcel.refresh_from_db()
    assert (parcel.code_misses, statuses(parcel)) == (1, ["fetched"])


def test_another_agents_parcel_is_not_shown_and_not_moved(browser, parcel):
    claim(an_agent(), parcel)

    assert cards(browser) == {}
    assert told(act(browser, parcel, "fetched")) == [
        f"{parcel.order}: Another agent is delivering this parcel."
    ]
    assert statuses(parcel) == ["paid"]


def test_support_sees_whose_it_is_and_gives_it_to_others_with_a_reason(agent, parcel):
    support = browser_of(in_role("support"))
    bring(agent, parcel, "fetched")

    shown = cards(support, part="bring")
    told_before = support.get(PAGE, {"part": "bring"}).content.decode()
    without = act(support, parcel, "release")
    given = act(support, parcel, "release", why="His bike broke down.")

    assert shown == {parcel.order.reference: ["shipping", "delivered", "release"]}
    assert f"with {agent}" in told_before
    assert told(without) == [f"{parcel.order}: Give the reason for reassigning the parcel."]
    assert told(given) == [f"{parcel.order}: It is free for other agents."]
    parcel.refresh_from_db()
    assert parcel.agent is None


def test_what_is_with_somebody_who_delivers_no_more_says_so(agent, parcel):
    support = browser_of(in_role("support"))
    bring(agent, parcel, "fetched")
    warning = f"{agent} does not deliver any more."
    before = support.get(PAGE, {"part": "bring"}).content.decode()
    agent.groups.clear()

    after = support.get(PAGE, {"part": "bring"}).content.decode()

    assert warning not in before
    assert warning in after


def test_at_a_point_its_own_agents_are_told_whom_to_call_and_take_in(buyer, kettle, agent, browser):
    parcel = a_parcel(buyer, kettle, point=a_point(agent))
    bring(agent, parcel, "fetched")

    page = browser.get(PAGE, {"part": "bring"}).content.decode()

    assert cards(browser, part="bring") == {
        parcel.order.reference: ["shipping", "arrived", "delivered"]
    }
    assert 'href="tel:+254733000777"' in page
    assert "Open Mon–Sat 8:00–19:00" in page
    assert told(act(browser, parcel, "arrived")) == [f"{parcel.order}: At the pick-up point."]
    assert cards(browser, part="bring") == {parcel.order.reference: ["delivered"]}


def test_what_is_carried_to_a_point_is_shown_without_the_buyers_phone(buyer, kettle, browser):
    a_parcel(buyer, kettle, point=a_point())

    page = browser.get(PAGE).content.decode()

    assert "254733000777" not in page
    assert 'href="tel:+254733000003"' in page


@pytest.mark.parametrize("part", ["fetch", "bring", "done", "", "nonsense"])
@pytest.mark.parametrize(
    "more", [{}, {"county": "lost"}, {"mine": "x"}, {"before": "x"}, {"before": "9" * 40}]
)
def test_any_query_string_shows_the_page(browser, parcel, part, more):
    assert browser.get(PAGE, {"part": part, **more}).status_code == 200


def test_older_ones_are_on_the_next_page(browser, buyer, seller, monkeypatch):
    monkeypatch.setattr("orders.parcels.console.PAGE", 2)
    made = [a_parcel(buyer, ProductFactory(seller=seller)).order.reference for _ in range(3)]

    first = browser.get(PAGE)
    second = browser.get(first.context["next"])

    assert [card["parcel"].order.reference for card in first.context["cards"]] == made[:0:-1]
    assert [card["parcel"].order.reference for card in second.context["cards"]] == made[:1]
    assert second.context["next"] == ""


@pytest.mark.parametrize("number", [1, 5])
def test_the_page_costs_the_same_for_one_parcel_or_many(
    browser, buyer, seller, number, django_assert_num_queries
):
    for _ in range(number):
        a_parcel(buyer, *[ProductFactory(seller=seller) for _ in "ab"])
    browser.get(PAGE)

    # the admin's session, the person's, the person; their own permissions, their groups'; their
    # points; their numbers; parcels with both ends; their lines; where sellers are; whose agent is
    # none any more
    with django_assert_num_queries(11):
        browser.get(PAGE)


@pytest.mark.parametrize("role", ["finance", "catalogue", None])
def test_the_page_is_refused_to_other_roles(role, parcel):
    browser = browser_of(in_role(role) if role else UserFactory(is_staff=True))

    assert browser.get(PAGE).status_code == 403
    assert browser.post(f"{PAGE}{parcel.pk}/fetched/", {"why": "Why"}).status_code == 403


def test_anonymous_users_are_sent_to_the_log_in_page(parcel):
    assert "/admin/login/" in Client().get(PAGE)["Location"]
    assert "/admin/login/" in Client().post(f"{PAGE}{parcel.pk}/claim/")["Location"]


@pytest.mark.parametrize("address", ["{pk}/nonsense/", "999999/claim/"])
def test_an_unknown_row_is_not_found(browser, parcel, address):
    assert browser.post(PAGE + address.format(pk=parcel.pk)).status_code == 404


def test_the_front_page_leads_to_it_for_who_brings_parcels(browser):
    link = f'href="{PAGE}"'

    assert link in browser.get("/admin/").content.decode()
    assert link not in browser_of(in_role("catalogue")).get("/admin/").content.decode()


def test_own_parcels_are_not_shown_and_not_moved(agent, browser, kettle):
    parcel = a_parcel(agent, kettle)

    assert cards(browser) == {}
    assert "You are involved in this" in told(act(browser, parcel, "fetched"))[0]
    assert statuses(parcel) == ["paid"]
    assert release_it(agent, parcel).status_code == 403
    assert [line.track_status for line in lines(parcel)] == ["paid"]


def test_support_sees_on_the_order_where_it_goes_and_whose_its_parcels_are(agent, parcel):
    claim(agent, parcel)

    page = browser_of(in_role("support")).get(row_url(parcel.order)).content.decode()

    for told_there in ("Wanjiku Kamau", "254733000777", "Milimani", "Blue gate", str(agent)):
        assert told_there in page


def test_the_lines_page_tells_who_delivers_neither_buyer_nor_phone(browser, buyer, parcel):
    (line,) = lines(parcel)

    page = browser.get(row_url(line)).content.decode()

    for hidden in (buyer.username, "254733000777", "254712345678", "Milimani", "Garissa"):
        assert hidden not in page


def test_no_download_of_orders_or_lines_holds_where_they_go(staff_browser, parcel):
    expected = {"order": parcel.order.reference, "ordertrack": parcel.lines.get().name}
    for model, shown in expected.items():
        form = {"action": "download", "_selected_action": [1], "select_across": "1"}
        answer = staff_browser.post(f"/admin/orders/{model}/", form)
        sheet = b"".join(answer.streaming_content).decode()
        assert shown in sheet
        for hidden in ("Wanjiku Kamau", "254733000777", "Milimani", "Blue gate", "Garissa"):
            assert hidden not in sheet
