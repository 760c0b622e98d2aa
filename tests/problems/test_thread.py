"""What buyer, seller and the shop say about a problem, and who sees it."""

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from orders.models import Problem, ProblemMessage, ProblemPicture
from orders.models.notifications import Notice
from orders.problems import services
from orders.problems.services import add_message
from orders.retention import delete_old_problem_pictures
from tests.batches import ids_in_a_statement
from tests.conftest import signed_in
from tests.edges.pictures import png, upload
from tests.factories import UserFactory
from tests.orders.lines import with_role

from .conftest import decide, get, post, report

pytestmark = pytest.mark.django_db

HELLO = {"text": "Send me a picture, please."}


def thread(person, line):
    return [(said["by"], said["text"]) for said in get(person, line, "messages/").json()]


def told(kind):
    return [notice.facts["to"] for notice in Notice.objects.filter(kind=kind).order_by("pk")]


def test_buyer_seller_and_shop_speak_in_one_thread(buyer, seller, line, problem, clerk):
    post(seller, line, "messages/", HELLO)
    post(buyer, line, "messages/", {"text": "Here it is."})
    decide(problem, "answer", clerk, why="", text="Thank you both.")

    said = [
        ("buyer", "The lid is cracked."),
        ("seller", "Send me a picture, please."),
        ("buyer", "Here it is."),
        ("shop", "Thank you both."),
    ]
    assert thread(buyer, line) == said
    assert thread(seller, line) == said


def test_nobody_is_told_who_of_the_shop_said_it(buyer, line, problem, clerk):
    decide(problem, "answer", clerk, why="", text="Thank you.")

    last = get(buyer, line, "messages/").json()[-1]

    assert last["by"] == "shop"
    assert clerk.username not in str(last)


@pytest.mark.parametrize("who", ["stranger", "delivery", "support", "superuser"])
@pytest.mark.parametrize("what", ["", "messages/"])
def test_only_buyer_and_seller_read_a_problem(line, problem, who, what):
    person = (
        UserFactory(is_superuser=who == "superuser")
        if who in {"stranger", "superuser"}
        else (with_role(who))
    )

    assert get(person, line, what).status_code == 404
    assert post(person, line, "messages/", HELLO).status_code == 404


def test_without_a_problem_there_is_nothing_to_read(buyer, line):
    answers = [
        get(buyer, line),
        get(buyer, line, "messages/"),
        post(buyer, line, "messages/", HELLO),
    ]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [
        (404, "problem_not_found")
    ] * 3


def test_thread_messages_are_never_changed_or_deleted(problem):
    said = ProblemMessage.objects.all()

    for change in (lambda: said.update(text="Nothing."), said.delete):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_a_closed_thread_is_closed(buyer, seller, line, problem):
    post(buyer, line, "withdraw/")

    answer = post(seller, line, "messages/", HELLO)

    assert (answer.status_code, answer.json()["code"]) == (409, "problem_closed")
    assert get(seller, line, "messages/").status_code == 200


def test_a_message_sent_twice_is_stored_once(seller, line, problem):
    first, second = (post(seller, line, "messages/", HELLO) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert problem.messages.count() == 2


def test_a_key_with_other_words_is_refused(seller, line, problem):
    key = {"headers": {"Idempotency-Key": "k-1"}}
    post(seller, line, "messages/", HELLO, **key)

    reused = post(seller, line, "messages/", {"text": "Other."}, **key)
    bad = post(seller, line, "messages/", HELLO, headers={"Idempotency-Key": "a b"})

    assert (reused.status_code, bad.status_code) == (422, 400)


def test_nobody_writes_without_end(seller, line, problem, monkeypatch):
    monkeypatch.setattr(services, "MESSAGES_EACH", 1)
    post(seller, line, "messages/", HELLO)

    answer = post(seller, line, "messages/", {"text": "More."})

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_messages")


def test_the_other_one_is_told_of_a_message_and_not_who_wrote_it(buyer, seller, line, problem):
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=True):
        post(seller, line, "messages/", HELLO)
        post(buyer, line, "messages/", {"text": "Here."})

    assert told("problem_reply") == ["buyer", "seller"]


def test_ten_messages_in_an_hour_are_told_of_once(buyer, seller, line, problem):
    for number in range(10):
        post(seller, line, "messages/", {"text": f"Look {number}"})

    assert told("problem_reply") == ["buyer"]
    # Of the problem itself the seller was told a moment ago.
    post(buyer, line, "messages/", {"text": "I look."})
    assert told("problem_reply") == ["buyer"]

    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=True):
        post(seller, line, "messages/", {"text": "And?"})
    assert told("problem_reply") == ["buyer", "buyer"]


def test_an_answer_of_the_shop_notifies_buyer_and_seller(line, problem, clerk):
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=True):
        decide(problem, "answer", clerk, why="", text="We look at it.")

    assert told("problem_reply") == ["buyer", "seller"]


def test_the_buyer_waits_until_somebody_else_speaks(buyer, seller, line, problem):
    reported = problem.waiting_since
    assert reported is not None

    post(buyer, line, "messages/", {"text": "Hello?"})
    assert Problem.objects.get().waiting_since == reported

    post(seller, line, "messages/", HELLO)
    assert Problem.objects.get().waiting_since is None

    post(buyer, line, "messages/", {"text": "Here."})
    assert Problem.objects.get().waiting_since > reported


def send(person, line, what="messages/", pictures=1, **body):
    files = [upload(png(), f"{n}.png") for n in range(pictures)]
    return post(person, line, what, {"text": "See.", "pictures": files, **body}, format="multipart")


def test_three_pictures_are_encoded_anew_and_shown_to_buyer_and_seller(buyer, seller, line):
    answer = send(buyer, line, "", 3, kind="damaged")

    assert answer.status_code == 201
    [said] = get(seller, line, "messages/").json()
    assert len(said["pictures"]) == 3
    for person in (buyer, seller):
        shown = signed_in(person).get(said["pictures"][0])
        assert (shown.status_code, shown["Content-Type"]) == (200, "image/webp")
        assert shown.content[:4] == b"RIFF"
        assert "no-store" in shown["Cache-Control"]


def test_only_buyer_and_seller_fetch_its_pictures(buyer, line, api):
    send(buyer, line, "", kind="damaged")
    [address] = get(buyer, line, "messages/").json()[0]["pictures"]

    for person in (UserFactory(), with_role("support"), UserFactory(is_superuser=True)):
        assert signed_in(person).get(address).status_code == 404
    assert api.get(address).status_code == 401


def test_a_picture_is_of_its_own_line_alone(buyer, seller, line, sell):
    send(buyer, line, "", kind="damaged")
    other = sell(900, "delivered")
    picture = ProblemPicture.objects.get()

    assert get(buyer, other, f"pictures/{picture.pk}/").status_code == 404


def test_a_fourth_picture_is_refused_before_any_is_decoded(buyer, line, monkeypatch):
    monkeypatch.setattr("omachemainproj.images.normalise", lambda *_, **__: pytest.fail("decoded"))

    answer = send(buyer, line, "", 4, kind="damaged")

    assert answer.status_code == 400
    assert answer.json() == {"pictures": ["Send at most 3 pictures at a time."]}
    assert not Problem.objects.exists()


def test_a_file_that_is_not_a_picture_is_refused_and_not_stored(buyer, line):
    body = {"text": "See.", "kind": "damaged", "pictures": [upload(b"<svg onload=x>")]}

    answer = post(buyer, line, "", body, format="multipart")

    assert answer.status_code == 400
    assert not Problem.objects.exists()


def test_a_picture_sent_twice_is_one_message(seller, line, problem):
    send(seller, line)
    send(seller, line)

    assert ProblemPicture.objects.count() == 1


def test_pictures_are_deleted_long_after_the_end_and_the_words_stay(
    buyer, line, settings, monkeypatch
):
    monkeypatch.setattr("omachemainproj.batches.BATCH", 2)
    settings.KEEP_MESSAGES_DAYS = 30
    send(buyer, line, "", 3, kind="damaged")
    later = timezone.now() + timedelta(days=31)
    assert delete_old_problem_pictures(later) == 0

    post(buyer, line, "withdraw/")

    assert delete_old_problem_pictures(timezone.now() + timedelta(days=29)) == 0
    with ids_in_a_statement(2):
        assert delete_old_problem_pictures(later) == 3
    assert [said["pictures"] for said in get(buyer, line, "messages/").json()] == [[], []]


def test_the_seller_lists_their_problems_open_first(buyer, seller_api, sell):
    lines = [sell(900, "delivered") for _ in range(3)]
    problems = [report(each, buyer) for each in lines]
    post(buyer, lines[2], "withdraw/")

    listed = seller_api.get("/seller/problems/").json()

    assert [each["id"] for each in listed] == [problems[1].pk, problems[0].pk, problems[2].pk]


def test_problems_are_listed_in_pages(buyer, seller_api, sell):
    problems = [report(sell(900, "delivered"), buyer) for _ in range(3)]

    first = seller_api.get("/seller/problems/?page_size=2")
    address = first["Link"].partition(">")[0].lstrip("<")
    second = seller_api.get(address)

    assert [each["id"] for each in first.json()] == [problems[2].pk, problems[1].pk]
    assert [each["id"] for each in second.json()] == [problems[0].pk]
    assert [part.split("; ")[1] for part in second["Link"].split(", ")] == ['rel="prev"']


def test_nobody_lists_what_others_sold(problem):
    assert signed_in(UserFactory()).get("/seller/problems/").json() == []


def test_the_list_costs_the_same_number_of_queries_for_many_problems(
    buyer, seller_api, sell, django_assert_num_queries
):
    for _ in range(3):
        report(sell(900, "delivered"), buyer)

    # whose token it is, problems with their lines
    with django_assert_num_queries(2):
        seller_api.get("/seller/problems/")


def test_a_message_by_the_shop_is_no_buyers(problem, clerk):
    message = add_message(problem.pk, author=clerk, party="shop", text="Hello.").message

    assert (message.party, message.author) == ("shop", clerk)
